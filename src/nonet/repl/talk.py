"""What both sides of the terminal share: what was said and is not done yet, and what the engine tells."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nonet.repl.client import GONE, EngineClient
from nonet.repl.registry import Command, find, suggestion
from nonet.repl.wire import Message, line

PATIENCE_SECONDS = 8.0
"""For the engine to wind up its work when the user leaves; on a second Ctrl-C it has only a moment."""
HURRY_SECONDS = 0.5
_RESTARTS = 3
_FENCE = "```"


@dataclass
class Talk:
    """One side's conversation with the engine; a base of `front.Front` and `plain.Plain`."""

    options: Mapping[str, Any]
    """For the engine: flags, resume, plain."""
    session: str = ""
    back: str = ""
    """The command that comes back to the session."""
    worst: int = 0
    """The worst exit status of all that was said."""
    names: dict[str, list[str]] = field(default_factory=dict)
    status: Message = field(default_factory=dict)
    """What the engine told of itself: runtime, loaded models, session."""

    in_order: ClassVar[bool] = False
    """Everything waits for what was said before it."""

    def __post_init__(self) -> None:
        self.engine = EngineClient(self.options, self.hear)
        self.open: dict[int, str] = {}
        """What was said and has not ended, by number; the first is at work."""
        self.number = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.hurry = False
        self._leaving = False
        self._deaths = 0

    def show(self, lines: list[list[list[str]]]) -> None:
        """Put lines before the user."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Take what the user said."""
        text = text.replace("\\\n", "\n").strip()
        if not text:
            return
        command: Command | None = None
        if text.startswith("/"):
            name, _, words = text[1:].partition(" ")
            command = find(name)
            if command is None and not _is_path(text):
                self.worst = max(self.worst, 2)
                self.show([line(suggestion(name))])
                return
            if command is not None and command.here:
                command.load()(self, words)
                return
        self.number += 1
        at_once = command is not None and command.at_once and not self.in_order
        if not at_once:
            self.open[self.number] = text
            self.idle.clear()
        self.engine.send({"do": "now" if at_once else "input", "id": self.number, "text": text})

    def hear(self, message: Message) -> None:
        """Take what the engine tells."""
        match message["is"]:
            case "ready":
                self.session, self.back = message["session"], message["back"]
            case "status":
                self.status.update({key: value for key, value in message.items() if key != "is"})
            case "preferences":
                self.restyle()
            case "names":
                self.names = {key: value for key, value in message.items() if key != "is"}
            case "lines":
                self.show(message["lines"])
            case "end":
                self.worst = max(self.worst, message["status"])
                self._ended(message["id"])
            case kind if kind == GONE:
                self._gone(message)
            case _:
                self.progress(message)

    def restyle(self) -> None:
        """The preferences have changed; where nothing is redrawn they change nothing."""

    def progress(self, message: Message) -> None:
        """Take what the engine tells of the task at work."""

    def _ended(self, number: int) -> None:
        self.open.pop(number, None)
        if not self.open:
            self.idle.set()

    def _gone(self, message: Message) -> None:
        """The engine has ended: as it was told to, or by itself, and then there is another one."""
        if self._leaving:
            return
        self._deaths += 1
        self.open.clear()
        self.idle.set()
        self.worst = max(self.worst, 1)
        what = f"status {message['status']}" + (f": {message['said']}" if message["said"] else "")
        lines = [line(("The process that does the work has ended by itself ", "bold"), f"({what}).")]
        if self._deaths > _RESTARTS:
            self.show([*lines, line("It was started again often enough; `nonet doctor` may say why.")])
            self.leave()
            return
        self.show([*lines, line("What was done is kept. It is started again; /resume finishes what was cut off.")])
        self._restarting = asyncio.ensure_future(self.engine.start(resume=self.session or self.options.get("resume")))

    def interrupt(self, typed: str) -> bool:
        """Ctrl-C: throw away what is typed, or stop the task at work, or else leave. True in the first case."""
        if self.open and not self.hurry:
            self.hurry = True
            self.engine.send({"do": "cancel"})
            return False
        if self.open or not typed:
            self.leave()
            return False
        return True

    def leave(self) -> None:
        """End the session."""
        self._leaving = True

    async def close(self) -> None:
        """Let the engine wind up."""
        self._leaving = True
        await self.engine.stop(HURRY_SECONDS if self.hurry else PATIENCE_SECONDS)


def goes_on(text: str) -> bool:
    r"""Whether another line is to follow: after a backslash at the end, and within a fence that is not closed.

    >>> goes_on("one line"), goes_on("and \\"), goes_on("```python")
    (False, True, True)
    """
    return text.endswith("\\") or sum(line.lstrip().startswith(_FENCE) for line in text.splitlines()) % 2 == 1


def on_hang_up(handler: Callable[[], None]) -> None:
    """Call the handler when the terminal goes, or the process is asked to end, on systems that tell."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(NotImplementedError, AttributeError):
            loop.add_signal_handler(getattr(signal, name), handler)


def _is_path(text: str) -> bool:
    """`/home/me/notes.md` is not a command."""
    return "/" in text.split(maxsplit=1)[0][1:]
