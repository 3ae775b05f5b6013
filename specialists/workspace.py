"""Files of the user's that code may change, the project around them, and how it is tested."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a door read from disk; nothing here is written back but by a door, and only when asked for."""

    files: Mapping[str, str]
    """The files that may change: path relative to the project, text with "\\n" at its lines' ends."""
    test_command: tuple[str, ...] = ()
    """The project's own tests; empty: none were given."""
    project: Mapping[str, bytes] = field(default_factory=dict)
    """A copy of the project for its tests, by relative path; empty where there is no test command."""
    readable: tuple[str, ...] = ()
    """Folders of this machine that the test command needs: a virtual environment."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """What the door needs to find the files again, as JSON values; kept with the run, with the files' texts."""


def unified_diff(path: str, before: str, after: str) -> str:
    """The change as `git apply` and `patch -p1` take it; empty where there is none."""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """The lines with their ends. `splitlines` would also cut at form feeds and other marks inside of lines."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
