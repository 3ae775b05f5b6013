"""Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from nonet.render import console_for
from nonet.terminal import is_plain, say
from nonet.text import one_line

OnCount = Callable[[int, int, str], None]
"""Done, in all, and what is at work."""

_STEP = 0.25
"""Where there is no bar, a line each quarter."""
_MANY = 50
"""Items that are worth such lines."""


@contextmanager
def counter(what: str, *, quiet: bool = False, unit: str = "items") -> Iterator[OnCount]:
    """Shows how far something is.

    Args:
        unit: "items" or "bytes".
    """
    if quiet:
        yield lambda _done, _total, _name: None
    elif is_plain(sys.stderr):
        yield _lines(what, unit)
    else:
        with Progress(*_columns(unit), console=console_for(sys.stderr), transient=True) as progress:
            task = progress.add_task(what, total=None)

            def show(done: int, total: int, name: str) -> None:
                label = f"{what} {one_line(name, 40)}"
                progress.update(task, description=label, completed=done, total=total or None)

            yield show


def _columns(unit: str) -> tuple[ProgressColumn, ...]:
    label = TextColumn("{task.description}", markup=False)
    if unit == "bytes":
        return label, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    return label, BarColumn(), MofNCompleteColumn()


def _lines(what: str, unit: str) -> OnCount:
    shown: dict[str, float] = {}

    def show(done: int, total: int, name: str) -> None:
        part = done / total if total else 0.0
        key = name if unit == "bytes" else ""
        due = key not in shown or part - shown[key] >= _STEP or (part == 1.0 and shown[key] < 1.0)
        if unit == "bytes" and due:
            shown[key] = part
            say(f"{what} {name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
        elif due and total >= _MANY:
            shown[key] = part
            say(f"{what}: {done:,} of {total:,}")

    return show
