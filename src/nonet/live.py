"""What a run looks like while it works: a table that updates itself on a terminal, a line an event elsewhere."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nonet.graphs.budget import Limits
from nonet.graphs.events import (
    ArtifactKept,
    AttemptFinished,
    CallFinished,
    Event,
    Notice,
    PlanReady,
    RunFinished,
    RunStarted,
    SubtaskFinished,
    SubtaskStarted,
    SubtaskText,
)
from nonet.render import VERDICT_STYLES, console_for, limits_line, plan_lines, text, usage_line
from nonet.terminal import STOPPING, is_plain
from nonet.text import clean, one_line

_TAIL_CHARACTERS = 400
_REFRESHES_PER_SECOND = 8


class View(Protocol):
    """Takes the events of runs; a context manager."""

    run: str
    """The run that was started last, empty before one was."""

    def __call__(self, event: Event) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal alone for a while: somebody is asked something."""
        ...

    def stopping(self) -> None:
        """The user wants it to end; it takes a moment."""


def view_for(stream: TextIO | None = None, *, quiet: bool = False, live: bool = True) -> View:
    """The view that suits the stream (standard error if none is given)."""
    stream = stream or sys.stderr
    if quiet:
        return QuietView()
    if not live or is_plain(stream):
        return PlainView(stream)
    return LiveView(console_for(stream), leave=not sys.stdout.isatty())


class QuietView:
    """Shows nothing, and remembers the run."""

    def __init__(self) -> None:
        self.run = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run = event.run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing to pause."""
        yield

    def stopping(self) -> None:
        """Nothing to show."""


class PlainView(QuietView):
    """A line an event, for logs, pipes and dumb terminals. The pieces of an answer are left out."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._gone = False

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        for line in event_lines(event):
            self._write(line)

    def stopping(self) -> None:
        self._write(STOPPING)

    def _write(self, line: str) -> None:
        if self._gone:
            return
        try:
            self._stream.write(clean(line) + "\n")
            self._stream.flush()
        except OSError:  # nobody reads any more; the run goes on
            self._gone = True


def event_lines(event: Event) -> list[str]:
    """The event in words, one or more lines, none for a piece of an answer or what a call cost."""
    lines: list[str] = []
    match event:
        case RunStarted():
            bounds = f", at most {limits_line(event.budget)}" if event.budget else ""
            done = "resumed" if event.resumed else "started"
            lines = [f"run {event.run} {done} on the {event.runtime} runtime{bounds}"]
        case PlanReady():
            lines = [line.plain for line in plan_lines(event.plan)]
        case SubtaskStarted():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            on = f" on {event.model}" if event.model else ""
            lines = [f"{event.subtask} {event.specialist} starts{on}{again}"]
        case AttemptFinished():
            lines = [f"{event.subtask} attempt {event.attempt}: {event.verdict}: {one_line(event.detail, 200)}"]
        case SubtaskFinished():
            kept = ", kept from before" if event.reused else ""
            lines = [f"{event.subtask} is {event.verdict} after {event.seconds:.1f} s{kept}"]
        case Notice():
            lines = [f"note ({event.kind}): {one_line(event.text)}"]
        case RunFinished():
            lines = [f"run {event.run} is {event.status}: {event.verdict}"]
        case SubtaskText() | CallFinished() | ArtifactKept():
            pass
    return lines


def whole_of(subtask: str) -> str:
    """The step of a workflow that an item of a list, a round, or a step of a workflow within it belongs to."""
    return re.split(r"[\[#/]", subtask, maxsplit=1)[0]


@dataclass(slots=True)
class _Row:
    specialist: str
    instruction: str
    model: str = ""
    state: str = "waiting"
    note: str = ""
    started: float | None = None
    seconds: float | None = None
    tail: str = ""
    parts: int = 0
    """Of a list's items, or rounds: those that ended."""

    def elapsed(self) -> str:
        seconds = self.seconds
        if seconds is None and self.started is not None:
            seconds = time.monotonic() - self.started
        return "" if seconds is None else f"{seconds:.1f} s"


class LiveView(QuietView):
    """A table of the plan that updates itself, with the end of each answer as it is written below it.

    Args:
        leave: let the table stand at the end (nothing else on the terminal will tell how the run went).
    """

    def __init__(self, console: Console, *, leave: bool = False) -> None:
        super().__init__()
        self._console = console
        self._leave = leave
        self._rows: dict[str, _Row] = {}
        self._head = self._title = ""
        self._budget = Limits()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.transient = not self._leave
        self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the table off the terminal, and put it back."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def stopping(self) -> None:
        self._head = STOPPING

    def _start(self) -> None:
        self._live = Live(
            console=self._console,
            get_renderable=self.renderable,
            refresh_per_second=_REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        match event:
            case RunStarted():
                self._rows = {}
                self._title = self._head = f"run {event.run} on the {event.runtime} runtime"
                self._budget = event.budget
            case PlanReady():
                self._rows = {each.id: _Row(each.specialist, each.instruction) for each in event.plan.subtasks}
            case Notice():
                self._console.print(text((f"note ({event.kind}): ", "dim"), (one_line(event.text), "dim")))
            case CallFinished():
                self._head = f"{self._title}: {usage_line(event.usage, self._budget)}"
            case RunFinished():
                self._head = ""
            case ArtifactKept():
                pass
            case _:
                self._update(event)

    def _update(self, event: SubtaskStarted | SubtaskText | AttemptFinished | SubtaskFinished) -> None:
        row = self._rows.get(event.subtask)
        if row is None:
            self._update_part(event)
            return
        match event:
            case SubtaskStarted():
                row.model, row.tail = event.model, ""
                row.started = row.started or time.monotonic()
                row.state = "working" if event.attempt == 1 else f"attempt {event.attempt}"
            case SubtaskText():
                row.tail = (row.tail + event.text)[-_TAIL_CHARACTERS:]
            case AttemptFinished():
                row.note, row.tail = event.detail, ""
            case SubtaskFinished():
                row.state, row.seconds, row.tail = str(event.verdict), event.seconds, ""
                row.note = "kept from before" if event.reused else row.note

    def _update_part(self, event: SubtaskStarted | SubtaskText | AttemptFinished | SubtaskFinished) -> None:
        """An item of a list, a round, or a step of a workflow within one: shown in the row that it is part of."""
        row = self._rows.get(whole_of(event.subtask))
        if row is None:
            return
        match event:
            case SubtaskStarted():
                row.model, row.state = event.model or row.model, "working"
                row.started = row.started or time.monotonic()
            case SubtaskFinished():
                row.parts += 1
                row.note, row.tail = f"{row.parts} done", ""
            case SubtaskText():
                row.tail = (row.tail + event.text)[-_TAIL_CHARACTERS:]

    def renderable(self) -> RenderableType:
        """The table and the tails; called by rich's thread, so it looks at a copy of the rows."""
        rows = list(self._rows.items())
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for ratio in (None, None, 3, None, None, None, 2):
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
        table.expand = True
        for name, row in rows:
            table.add_row(
                text((name, "bold")),
                text((one_line(row.specialist, 24), "cyan")),
                Text(one_line(row.instruction, 200)),
                text((one_line(row.model, 40), "dim")),
                text((row.state, VERDICT_STYLES.get(row.state, "dim" if row.state == "waiting" else "bold"))),
                text((row.elapsed(), "dim")),
                text((one_line(row.note, 120), "dim")),
            )
        room = max(20, self._console.width - 10)
        tails = [
            Text(f"{name} > {one_line(row.tail)[-room:]}", style="dim", no_wrap=True, overflow="crop")
            for name, row in rows
            if row.tail.strip()
        ]
        head = [Text(one_line(self._head), style="bold" if self._head == STOPPING else "dim")] if self._head else []
        return Group(*head, table, *tails)
