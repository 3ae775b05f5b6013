"""The working side of a session: its own process, with the database, the models, and what the session remembers.

It hears lines on standard input (`wire`) and tells what happens on what was standard output; libraries that print
there meet standard error instead. When its input ends, the terminal is gone: the task at work is stopped, resumable.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nonet.errors import NonetError, UsageError
from nonet.repl.registry import Command, find, suggestion
from nonet.repl.wire import Line, Message, decode, encode, line, packed

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.repl.desk import Desk

INTERRUPTED = 130
_WIND_UP_SECONDS = 5.0


class Engine:
    """Takes what the user says one after the other, and looks things up in between.

    Args:
        descriptor: where it tells what happens.
        options: flags (of the settings), resume (a session, or None for a new one), plain.
    """

    def __init__(self, descriptor: int, options: Message) -> None:
        self._descriptor = descriptor
        self._options = options
        self._waiting: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self._current: asyncio.Task[None] | None = None
        self._aside: set[asyncio.Task[None]] = set()
        self._desk: Desk | None = None
        self._opened = asyncio.Event()
        """Set when the session is open, or could not be opened."""
        self._leaving = False

    @property
    def desk(self) -> Desk:
        """The database, the models and the memory; they are there once the session is open."""
        if self._desk is None:
            raise UsageError("The session is not open.", next_step="Its first message tells why.")
        return self._desk

    def tell(self, message: Message) -> None:
        """Say something to the terminal's side; when that has gone, the end of our input says so, too."""
        data = encode(message)
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._descriptor, data) :]

    def show(self, lines: Sequence[Text] | Sequence[str]) -> None:
        """Put lines before the user; a plain string must be clean."""
        made: list[Line] = []
        for each in lines:
            made += [line(each)] if isinstance(each, str) else packed([each])
        self.tell({"is": "lines", "lines": made})

    async def run(self) -> None:
        """Until the input ends or says leave."""
        heard = _hear_stdin()
        work = asyncio.create_task(self._work())
        while (message := await heard.get()) is not None and message["do"] != "leave":
            match message["do"]:
                case "input":
                    self._waiting.put_nowait((message["id"], message["text"]))
                case "now":
                    aside = asyncio.create_task(self._one(message["id"], message["text"]))
                    self._aside.add(aside)
                    aside.add_done_callback(self._aside.discard)
                case _:
                    self._cancel()
        self._leaving = True  # what is being loaded takes its cancelling for one of its own, and only ends itself
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        if self._desk is not None:
            await self._desk.aclose()

    def _cancel(self) -> None:
        """Stop what is at work; while the session is being opened, that is what was said first and waits for it."""
        if self._current is not None:
            self._current.cancel()
        elif not self._waiting.empty():
            number, _ = self._waiting.get_nowait()
            self.show(["Stopped."])
            self.tell({"is": "end", "id": number, "status": INTERRUPTED})

    async def _work(self) -> None:
        try:
            await self._guarded(self._open())
        finally:
            self._opened.set()
        if self._desk is not None and not self._leaving:
            await self._guarded(self._load(self._desk))
        while not self._leaving:
            number, text = await self._waiting.get()
            self._current = asyncio.create_task(self._one(number, text))
            try:
                await asyncio.wait([self._current])
            except asyncio.CancelledError:
                self._current.cancel()
                await asyncio.wait([self._current], timeout=_WIND_UP_SECONDS)
                raise
            finally:
                self._current = None

    async def _open(self) -> int:
        from nonet.repl.desk import Desk  # noqa: PLC0415  everything heavy begins here

        self._desk = await Desk.open(self, self._options)
        return 0

    async def _load(self, desk: Desk) -> int:
        """The models, before anybody asks; what is missing is told now, and looked for again by the first task."""
        await desk.session()
        return 0

    async def _one(self, number: int, text: str) -> None:
        """One thing that the user said, from its begin to its end."""
        self.tell({"is": "begin", "id": number})
        status = await self._guarded(self._obey(text))
        if self._desk is not None:
            await self._guarded(self._desk.settle())
        self.tell({"is": "end", "id": number, "status": status})

    async def _guarded(self, doing: Any) -> int:  # noqa: ANN401  a coroutine that gives a status
        """Its status; what goes wrong is told and ends nothing but itself."""
        try:
            return int(await doing or 0)
        except asyncio.CancelledError:
            self.show(["Stopped."] if self._desk is None else [self._desk.stopped()])
            return INTERRUPTED
        except NonetError as error:
            self.show(_error_lines(error))
            return error.exit_status
        except Exception as error:  # noqa: BLE001  the boundary: written down, and the session goes on
            from nonet.unforeseen import unforeseen  # noqa: PLC0415

            self.show(_error_lines(unforeseen(error)))
            return 1

    async def _obey(self, text: str) -> int | None:
        await self._opened.wait()
        if not text.startswith("/"):
            from nonet.repl.tasks import task  # noqa: PLC0415

            return await task(self.desk, text)
        name, _, words = text[1:].partition(" ")
        command: Command | None = find(name)
        if command is None:
            raise UsageError(suggestion(name))
        done: int | None = await command.load()(self.desk, words.strip())
        return done


def _error_lines(error: NonetError) -> list[Text]:
    from nonet.render import text  # noqa: PLC0415

    lines = [text(("Error: ", "bold red"), error.message)]
    return lines + [text(f"  {part}") for part in (error.kept, error.next_step) if part]


def _hear_stdin() -> asyncio.Queue[Message | None]:
    """Messages as they arrive, None at the end. A thread reads, for pipes that no event loop can wait for."""
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[Message | None] = asyncio.Queue()

    def read() -> None:
        with suppress(RuntimeError, ValueError):  # the loop has ended; half a line
            for data in sys.stdin.buffer:
                loop.call_soon_threadsafe(heard.put_nowait, decode(data))
            loop.call_soon_threadsafe(heard.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="nonet-repl-stdin").start()
    return heard


def main() -> None:
    """Run the engine for the process that started this one."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(Engine(descriptor, json.loads(sys.argv[1])).run())
    sys.stderr.flush()
    os._exit(0)  # the reading thread holds the lock of standard input, and may sit there


if __name__ == "__main__":
    main()
