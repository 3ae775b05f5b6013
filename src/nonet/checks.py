"""One thing that `nonet doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    """"problem": a task cannot run. "warning": it can, with less."""
    detail: str
    next_step: str = ""
    data: dict[str, Any] = field(default_factory=dict)
