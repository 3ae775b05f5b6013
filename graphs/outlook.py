"""Tells the scheduler what a plan will still ask for, so that models are loaded once for all that needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nonet.agents.plan import Plan
    from nonet.runtimes.board import Outlook
    from nonet.runtimes.lines import Priority


@dataclass(slots=True)
class PlanOutlook:
    """What is open of one plan. The first model of a subtask's ladder stands for all it may climb to."""

    outlook: Outlook
    ladders: Mapping[str, tuple[str, ...]]
    priority: Priority
    _coming: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def of(self, plan: Plan) -> Iterator[None]:
        """While the plan is at work; whatever was not begun by its end is not expected any more."""
        for subtask in plan.subtasks:
            if subtask.specialist not in self.ladders:  # a function of a workflow
                continue
            model = self.ladders[subtask.specialist][0]
            self._coming[subtask.id] = model
            self.outlook.expect(model, 1)
        try:
            yield
        finally:
            while self._coming:
                self.outlook.expect(self._coming.popitem()[1], -1)

    @contextmanager
    def at_work(self, subtask: str) -> Iterator[None]:
        """While the subtask of that id is at work and may call its model."""
        model = self._coming.pop(subtask, None)
        if model is None:
            yield
            return
        self.outlook.expect(model, -1)
        self.outlook.work(model, self.priority, 1)
        try:
            yield
        finally:
            self.outlook.work(model, self.priority, -1)
