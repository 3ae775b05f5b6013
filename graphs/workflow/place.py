"""Where in the user's file something was defined, so that an error can name the line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from nonet.errors import WorkflowError

_OURS = "nonet."


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int
    column: int = 0
    """From 1; 0: not known."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")


def wrong(message: str, place: Place | None, *, next_step: str = "") -> WorkflowError:
    """The error, its message ended by the place."""
    at = f" ({place})" if place is not None else ""
    return WorkflowError(message.removesuffix(".") + at + ".", next_step=next_step)


def of_function(function: Callable[..., Any]) -> Place | None:
    """The line of its `def`, or of its first decorator; None for what Python has no source of."""
    code = getattr(function, "__code__", None)
    return None if code is None else Place(code.co_filename, code.co_firstlineno)


def users_frame() -> FrameType | None:
    """The nearest caller that is not part of nonet."""
    frame = sys._getframe(1)  # noqa: SLF001  as `warnings` and `logging` do to name the caller's line
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_OURS):
        frame = frame.f_back  # type: ignore[assignment]
    return frame


def of_caller() -> Place | None:
    """The line of the user's that led here."""
    frame = users_frame()
    return None if frame is None else Place(frame.f_code.co_filename, frame.f_lineno)
