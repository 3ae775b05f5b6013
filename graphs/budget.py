"""What a run may spend, and what it has spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nonet.errors import NonetError
from nonet.runtimes import Usage


class BudgetSpentError(NonetError):
    """The run has spent what it may; what was finished is kept."""


@dataclass(slots=True)
class Budget:
    """Counts the calls, tokens and seconds of a run, over all its attempts.

    Args:
        max_calls: None for no limit.
        max_seconds: None for no limit; counted from the start of this process's work on the run.
    """

    max_calls: int | None = None
    max_seconds: float | None = None
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    clock: Callable[[], float] = time.monotonic
    started: float = 0.0

    def __post_init__(self) -> None:
        self.started = self.clock()

    def take_call(self) -> None:
        """Count one call before it is made. Raises BudgetSpentError when none is left."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            raise BudgetSpentError(
                f"The run has made the {self.max_calls} calls it may make.",
                kept="Finished subtasks are kept.",
                next_step="Raise max_calls and resume the run.",
            )
        if self.max_seconds is not None and self.clock() - self.started >= self.max_seconds:
            raise BudgetSpentError(
                f"The run has used the {self.max_seconds:g} seconds it may use.",
                kept="Finished subtasks are kept.",
                next_step="Raise max_seconds and resume the run.",
            )
        self.calls += 1

    def add(self, usage: Usage) -> None:
        """Count what a call cost."""
        self.usage += usage
