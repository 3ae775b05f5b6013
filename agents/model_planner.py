"""What planners that ask a model share: their bounds, what they are told, and what becomes of the steps they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from nonet.agents.asking import INSTRUCTION_CHARACTERS, MOST_STEPS, Draft, checked, plan_of, situation
from nonet.agents.clauses import split
from nonet.agents.desk import PlanDesk
from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import MAX_SUBTASKS, Plan
from nonet.agents.reach import attached_or_named


class ModelPlanner(ABC):
    """Plans by constrained answers of one model.

    Args:
        desk: asks the model.
        specialists: name -> what it does, in the order in which they are shown.
        max_subtasks: bound on a plan's size, at least 1; no model plans more than `asking.MOST_STEPS`.
        max_depth: bound on how many subtasks build on one another.
    """

    name: str

    def __init__(
        self,
        desk: PlanDesk,
        specialists: Mapping[str, str],
        *,
        max_subtasks: int = MAX_SUBTASKS,
        max_depth: int | None = None,
    ) -> None:
        self._desk = desk
        self._specialists = specialists
        self._max_subtasks = min(max(1, max_subtasks), MOST_STEPS)
        self._max_depth = max_depth

    async def plan(
        self, task: str, *, attached: Sequence[DocumentInfo] = (), collection: Sequence[DocumentInfo] = ()
    ) -> Plan:
        """As Rung.plan: a plan, or PlanError where the model gives none that may run."""
        if not task.strip():
            raise ValueError("a blank task has no plan")
        attached = attached_or_named(split(task), attached, collection, task=task)
        drafts = await self._drafts(situation(task, attached, self._specialists))
        plan = plan_of(self.name, task, drafts, attached=attached)
        return checked(plan, self._specialists, self._max_subtasks, self._max_depth)

    @abstractmethod
    async def _drafts(self, before: str) -> list[Draft]:
        """The steps, in order. Raises PlanError where the model gives none.

        Args:
            before: the task and what there is for it, as the model is told.
        """


def step_schema(specialists: Mapping[str, str], earlier: Sequence[str]) -> dict[str, Any]:
    """One step: it may only read those before it, so that no cycle can be said."""
    reads = {"reads": {"type": "array", "items": {"enum": list(earlier)}, "maxItems": len(earlier)}}
    properties = {
        "specialist": {"enum": list(specialists)},
        **(reads if earlier else {}),
        "instruction": {"type": "string", "minLength": 1, "maxLength": INSTRUCTION_CHARACTERS},
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
