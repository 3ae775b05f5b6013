"""The plan at work as a tree: a subtask below what it reads, and the end of its answer as it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth

from nonet.repl.wire import Message

_TAIL_CHARACTERS = 2000
_LEAST_WIDTH = 20
_VERDICTS = ("verified", "unverified", "failed")
_WIDE = 100
"""From this many columns on, the model and the deciding check stand in the same line."""


@dataclass(slots=True)
class Row:
    """One subtask."""

    specialist: str
    instruction: str
    inputs: list[str]
    state: str = "waiting"
    model: str = ""
    note: str = ""
    tail: str = ""
    started: float | None = None
    seconds: float | None = None

    def elapsed(self) -> str:
        """Time of work so far, in words."""
        seconds = self.seconds
        if seconds is None and self.started is not None:
            seconds = time.monotonic() - self.started
        return "" if seconds is None else f"{seconds:.1f} s"


@dataclass(slots=True)
class Tree:
    """Takes the engine's messages about a run; draws what they say."""

    title: str = ""
    cost: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    stopping: bool = False
    ascii_only: bool = False

    def clear(self) -> None:
        """Nothing is at work."""
        self.title = self.cost = ""
        self.rows = {}
        self.stopping = False

    def take(self, message: Message) -> None:
        """A message that `is` run, plan, row, text or usage."""
        match message["is"]:
            case "run":
                self.title, self.rows, self.cost = message["title"], {}, ""
            case "plan":
                self.rows = {
                    each["id"]: Row(each["specialist"], each["instruction"], each["inputs"]) for each in message["rows"]
                }
            case "usage":
                self.cost = message["said"]
            case _:
                self._update(message)

    def _update(self, message: Message) -> None:
        row = self.rows.get(message.get("subtask") or message.get("id", ""))
        if row is None:
            return
        if message["is"] == "text":
            row.tail = (row.tail + message["text"])[-_TAIL_CHARACTERS:]
            return
        for key in ("state", "model", "note", "tail", "seconds"):
            if key in message:
                setattr(row, key, message[key])
        if "model" in message:
            row.tail = ""
            row.started = row.started or time.monotonic()
        elif row.seconds is not None:
            row.tail = ""

    def fragments(self, width: int, height: int) -> StyleAndTextTuples:
        """The tree in lines of at most `width` columns, at most `height` of them, each with its newline."""
        if not self.title:
            return []
        head = f"{self.title}: {self.cost}" if self.cost else self.title
        style = "class:tree.head"
        if self.stopping:
            head, style = "Stopping; what is done is kept. Ctrl-C again leaves.", "class:tree.stopping"
        lines: list[StyleAndTextTuples] = [[(style, head)]]
        lines += list(self._drawn(width))
        if len(lines) > height > 1:
            lines = [*lines[: height - 1], [("class:tree.quiet", f"  ... {len(lines) - height + 1} more lines")]]
        made: StyleAndTextTuples = []
        for each in lines:
            made += [*_cut(each, width), ("", "\n")]
        return made

    def _drawn(self, width: int) -> Iterator[StyleAndTextTuples]:
        children: dict[str, list[str]] = {}
        for name, row in self.rows.items():
            children.setdefault(row.inputs[-1] if row.inputs else "", []).append(name)
        yield from self._below(children, "", "", width)

    def _below(
        self, children: dict[str, list[str]], parent: str, lead: str, width: int
    ) -> Iterator[StyleAndTextTuples]:
        bars = ("|- ", "`- ", "|  ") if self.ascii_only else ("├─ ", "└─ ", "│  ")
        names = children.get(parent, [])
        for name in names:
            last = name == names[-1]
            yield self._line(name, lead + bars[1 if last else 0], width)
            inner = lead + ("   " if last else bars[2])
            if tail := " ".join(self.rows[name].tail.split()):
                room = max(_LEAST_WIDTH, width - get_cwidth(inner) - 4)
                yield [("class:tree.bar", f"{inner}> "), ("class:tree.tail", _end(tail, room))]
            yield from self._below(children, name, inner, width)

    def _line(self, name: str, lead: str, width: int) -> StyleAndTextTuples:
        row = self.rows[name]
        state = row.state if row.state in _VERDICTS else "waiting" if row.state == "waiting" else "working"
        right: StyleAndTextTuples = [(f"class:tree.{state}", f" {row.state}")]
        if elapsed := row.elapsed():
            right.append(("class:tree.quiet", f" {elapsed}"))
        if width >= _WIDE and row.model:
            right.append(("class:tree.quiet", f" {row.model}"))
        if width >= _WIDE and row.note:
            right.append(("class:tree.quiet", f" {_begin(row.note, width // 3)}"))
        left: StyleAndTextTuples = [
            ("class:tree.bar", lead),
            ("class:tree.name", f"{name} "),
            ("class:tree.specialist", f"{row.specialist} "),
        ]
        taken = sum(get_cwidth(text) for _, text, *_ in [*left, *right])
        return [*left, ("", _begin(row.instruction, max(0, width - taken - 1))), *right]


def _begin(text: str, columns: int) -> str:
    """The beginning of a text that is so many columns wide; wide characters take two."""
    if get_cwidth(text) <= columns:
        return text
    used, kept = 1, ""
    for character in text:
        used += get_cwidth(character)
        if used > columns:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""


def _end(text: str, columns: int) -> str:
    """The end of a text that is so many columns wide."""
    used, kept = 0, len(text)
    while kept and used + get_cwidth(text[kept - 1]) <= columns:
        kept -= 1
        used += get_cwidth(text[kept])
    return text[kept:]


def _cut(line: StyleAndTextTuples, width: int) -> StyleAndTextTuples:
    left, made = width, []
    for style, text, *_ in line:
        piece = _begin(text, left)
        left -= get_cwidth(piece)
        made.append((style, piece))
    return list(made)
