"""The session in lines, for pipes, dumb terminals and screen readers: answers to standard output, the rest beside."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from nonet.repl.screen import as_plain_text
from nonet.repl.talk import Talk, goes_on, on_hang_up
from nonet.repl.wire import Line, Message
from nonet.terminal import say as tell
from nonet.terminal import write_out

INTERRUPTED = 130
_READ_BYTES = 65536
_PROMPT = "nonet> "


class Plain(Talk):
    """Takes a line, shows what comes of it, takes the next. Nothing is redrawn."""

    in_order = True

    async def run(self) -> int | None:
        """Until the input ends or the user leaves.

        Returns:
            The worst status of all that was said (on a terminal, 0); None where nothing was said through a pipe.
        """
        self._end = asyncio.Event()
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(signal.SIGINT, self._interrupted)
        on_hang_up(self._hung_up)
        said = _whole(_lines())
        asked = sys.stdin.isatty()
        self._prompt(asked=asked)
        text = None if asked else await self._next(said)
        if not asked and text is None:
            return INTERRUPTED if self._end.is_set() else None
        await self.engine.start()
        try:
            await self._converse(said, text, asked=asked)
        finally:
            await self.close()
        if self._killed or (self._end.is_set() and self.hurry and not asked):
            return INTERRUPTED
        if asked and self.session:
            tell(f"Come back to this session with: {self.back}")
        return 0 if asked else self.worst

    async def _converse(self, said: AsyncIterator[str], text: str | None, *, asked: bool) -> None:
        while text is not None or (text := await self._next(said)) is not None:
            self.say(text)
            await self._until_idle()
            if self._end.is_set():
                return
            text, self.hurry = None, False
            self._prompt(asked=asked)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._killed = False

    async def _next(self, said: AsyncIterator[str]) -> str | None:
        waiting = asyncio.ensure_future(anext(said, None))
        ending = asyncio.ensure_future(self._end.wait())
        done, _ = await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if waiting not in done:
            waiting.cancel()
            return None
        return waiting.result()

    async def _until_idle(self) -> None:
        idle, ending = asyncio.ensure_future(self.idle.wait()), asyncio.ensure_future(self._end.wait())
        await asyncio.wait({idle, ending}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        ending.cancel()

    def _prompt(self, *, asked: bool) -> None:
        if asked:
            write_out(_PROMPT)
            sys.stdout.flush()

    def _interrupted(self) -> None:
        if self.open and not self.hurry:
            tell("\nStopping; what is done is kept. Ctrl-C again leaves.")
        self.interrupt("")

    def _hung_up(self) -> None:
        self._killed = self.hurry = True
        self.leave()

    def interrupt(self, typed: str) -> bool:
        """As Talk's; where nobody types, there is nothing to go on with after the task that was stopped."""
        at_work = bool(self.open)
        throw_away = super().interrupt(typed)
        if at_work and not sys.stdin.isatty():
            self.leave()
        return throw_away

    def leave(self) -> None:
        super().leave()
        self._end.set()

    def show(self, lines: list[Line]) -> None:
        write_out(as_plain_text(lines))
        sys.stdout.flush()

    def progress(self, message: Message) -> None:
        if message["is"] == "progress":
            tell(message["line"])


async def _whole(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Lines, those that go on joined to what follows."""
    text = ""
    async for line in lines:
        text = f"{text}\n{line}" if text else line
        if not goes_on(text):
            yield text
            text = ""
    if text:
        yield text


async def _lines() -> AsyncIterator[str]:
    """Lines of standard input as they come, read by a thread past sys.stdin, whose lock would hold up the exit."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        piece = b"?"
        while piece:
            try:
                piece = os.read(descriptor, _READ_BYTES)
            except OSError:
                piece = b""
            try:
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            except RuntimeError:  # the loop has ended
                return

    threading.Thread(target=read, daemon=True, name="nonet-stdin").start()
    rest = b""
    while piece := await pieces.get():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
