"""One confined process from its first byte to its end: fed, drained, watched, and ended at its limits."""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import math
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nonet.specialists.sandbox.output import KeptOutput
from nonet.specialists.sandbox.protocol import Limits
from nonet.specialists.sandbox.usage import over_limit

_WATCH_SECONDS = 0.05
_READ_BYTES = 1 << 16
_GRACE_SECONDS = 2.0
"""For what is inside to end and clean up by itself, before it is killed from outside."""

Watch = Callable[[], tuple[str, str]]
"""Called now and then; the name of a limit and a text end the program."""


async def pipe_reader(descriptor: int) -> Pipe:
    """The reading end of a pipe, which it closes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    file = os.fdopen(descriptor, "rb", 0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return Pipe(reader, transport)


@dataclass(frozen=True, slots=True)
class Pipe:
    """Something to read, and how to stop."""

    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport

    def close(self) -> None:
        """Stop reading."""
        self.transport.close()


class Conversation:
    """One process from its first byte to its end."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reporting: Pipe,
        watch: Watch | None,
        limits: Limits,
        *,
        own_network: bool,
    ) -> None:
        self._process = process
        self._reporting = reporting
        self._watch = watch
        self._limits = limits
        self._own_network = own_network
        self._report = b""
        self._killing: asyncio.TimerHandle | None = None
        self.stdout = KeptOutput(limits.kept_output_bytes)
        self.stderr = KeptOutput(limits.kept_output_bytes)
        self.limit = self.told = ""
        """Which limit it was ended at from out here, and in words."""
        self.overdue = False
        """Whether it had to be killed because nothing came from inside."""

    @property
    def ended_from_outside(self) -> bool:
        return bool(self.limit) or self.overdue

    async def hold(self, job: bytes, timeout_seconds: float) -> Mapping[str, Any]:
        """Feed and drain until it ends by itself, by time or by its limits; the report. Cancelling ends it too."""
        talking = asyncio.ensure_future(self._talk(job))
        watching = asyncio.ensure_future(self._keep_watch(time.monotonic() + timeout_seconds))
        try:
            async with asyncio.timeout(timeout_seconds + _GRACE_SECONDS):
                await asyncio.shield(talking)
        except TimeoutError:
            self.overdue = True
        finally:
            watching.cancel()
            self._ask_to_end()
            # The pipes end with the last process that holds them.
            await talking
            if self._killing is not None:
                self._killing.cancel()
        return marshal.loads(self._report) if self._report else {}  # noqa: S302 - from our own process inside

    async def _talk(self, job: bytes) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        everything = asyncio.gather(
            self._drain(process.stdout, self.stdout), self._drain(process.stderr, self.stderr), self._hear()
        )
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(job)
            await process.stdin.drain()
        # It stays open: that it closes is how the process inside learns that it must end, or that we died.
        await everything
        await process.wait()
        process.stdin.close()

    async def _hear(self) -> None:
        self._report = await self._reporting.reader.read()

    async def _drain(self, stream: asyncio.StreamReader, kept: KeptOutput) -> None:
        while piece := await stream.read(_READ_BYTES):
            kept.add(piece)
            if self.stdout.seen + self.stderr.seen > self._limits.total_output_bytes:
                self._end("output", f"ended: it printed more than {self._limits.total_output_bytes >> 20} MiB")

    async def _keep_watch(self, until: float) -> None:
        seconds = self._limits.cpu_seconds or math.inf
        while time.monotonic() < until:
            await asyncio.sleep(_WATCH_SECONDS)
            limit, told = over_limit(self._process.pid, self._limits, seconds, own_network=self._own_network)
            if not limit and self._watch is not None:
                limit, told = self._watch()
            if limit:
                self._end(limit, told)

    def _end(self, limit: str, told: str) -> None:
        self.limit, self.told = self.limit or limit, self.told or told
        self._ask_to_end()

    def _ask_to_end(self) -> None:
        if self._process.returncode is not None or self._killing is not None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._killing = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._kill)

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
