"""Planning in one call: the whole plan under a JSON schema, for models that have been seen to fill one rightly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nonet.agents.asking import INSTRUCTION_CHARACTERS, Draft, checked, draft_of, parsed, plan_of, situation
from nonet.agents.clauses import split
from nonet.agents.desk import PlanDesk
from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import MAX_SUBTASKS, Plan
from nonet.agents.planner import attached_or_named
from nonet.errors import CallError, PlanError
from nonet.runtimes import Message

_PLAN_TOKENS = 768
"""Enough for eight steps whose instructions are as long as they may be, or for twelve short ones."""
_SYSTEM = (
    "You plan work for a small team. You do not do the work yourself. "
    "Give the steps in order, as few as the task needs; often that is one. "
    "A step may read the results of earlier steps."
)


class OneShotPlanner:
    """Plans by one constrained answer of one model.

    Args:
        desk: asks the model.
        specialists: name -> what it does, in the order in which they are shown.
        max_subtasks: bound on a plan's size, at least 1.
        max_depth: bound on how many subtasks build on one another.
    """

    name = "one-shot"

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
        self._max_subtasks = max(1, max_subtasks)
        self._max_depth = max_depth

    async def plan(
        self, task: str, *, attached: Sequence[DocumentInfo] = (), collection: Sequence[DocumentInfo] = ()
    ) -> Plan:
        """As Rung.plan: a plan, or PlanError where the model gives none that may run."""
        if not task.strip():
            raise ValueError("a blank task has no plan")
        attached = attached_or_named(split(task), attached, collection, task=task)
        prompt = f"{situation(task, attached, self._specialists)}\nGive the plan."
        messages = (Message("system", _SYSTEM), Message("user", prompt))
        try:
            answer = parsed(await self._desk.ask(messages, self._schema(), _PLAN_TOKENS))
        except CallError as error:
            raise PlanError(f"no plan: {error.message}") from error
        plan = plan_of(self.name, task, self._drafts(answer.get("steps")), attached=attached)
        return checked(plan, self._specialists, self._max_subtasks, self._max_depth)

    def _drafts(self, steps: object) -> list[Draft]:
        if not isinstance(steps, list) or not steps:
            raise PlanError("its plan has no steps")
        if len(steps) > self._max_subtasks:
            raise PlanError(f"its plan has {len(steps)} steps, at most {self._max_subtasks} are allowed")
        drafts: list[Draft] = []
        for number, step in enumerate(steps):
            if not isinstance(step, dict):
                raise PlanError("its plan has a step that is no object")
            drafts.append(draft_of(step, self._specialists, [f"s{before}" for before in range(1, number + 1)]))
        return drafts

    def _schema(self) -> dict[str, Any]:
        ids = [f"s{number}" for number in range(1, self._max_subtasks)]
        reads = {"reads": {"type": "array", "items": {"enum": ids}, "maxItems": len(ids)}} if ids else {}
        properties = {
            "specialist": {"enum": list(self._specialists)},
            **reads,
            "instruction": {"type": "string", "minLength": 1, "maxLength": INSTRUCTION_CHARACTERS},
        }
        step = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
        steps = {"type": "array", "items": step, "minItems": 1, "maxItems": self._max_subtasks}
        return {"type": "object", "properties": {"steps": steps}, "required": ["steps"], "additionalProperties": False}
