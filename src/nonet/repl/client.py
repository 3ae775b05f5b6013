"""The engine as the terminal's side sees it: a child process that is spoken to in lines, and may die."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any

from nonet.repl.wire import LONGEST_BYTES, Message, decode, encode

GONE = "gone"
"""`is` of the message that the client makes itself when the engine has ended."""
_TAIL_BYTES = 4000


class EngineClient:
    """Starts the engine, hands on what it says, and ends it.

    Args:
        options: for `nonet.repl.engine.main`.
        hear: called on the event loop with every message.
    """

    def __init__(self, options: Mapping[str, Any], hear: Callable[[Message], None]) -> None:
        self._options = dict(options)
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._errors: IO[bytes] | None = None
        self._unsent: list[bytes] = []
        """What was said while there was no process to hear it."""

    async def start(self, **changed: Any) -> None:  # noqa: ANN401  options as given at first
        """Start it, or start it again after it has gone."""
        self._options.update(changed)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process; llama.cpp writes there
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "nonet.repl.engine", json.dumps(self._options),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._errors,
            start_new_session=True,  # the terminal's Ctrl-C is for us; the end of its input tells it that we are gone
            limit=LONGEST_BYTES,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self._process))
        unsent, self._unsent = self._unsent, []
        for data in unsent:
            self._write(data)

    def send(self, message: Message) -> None:
        """Say something, now or when it has started. To an engine that has gone it is lost; that is heard as `gone`."""
        if self._process is None:
            self._unsent.append(encode(message))
        else:
            self._write(encode(message))

    def _write(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._process.stdin.write(data)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._hear(decode(line))
        self._hear({"is": GONE, "status": await process.wait(), "said": self._last_words()})

    def _last_words(self) -> str:
        assert self._errors is not None
        with self._errors as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    async def stop(self, patience_seconds: float) -> None:
        """Let it wind up its work; kill it when that takes longer. What is committed is safe either way."""
        process = self._process
        if process is None:
            return
        self.send({"do": "leave"})
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(patience_seconds):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading
