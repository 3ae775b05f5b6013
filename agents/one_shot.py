"""Planning in one call: the whole plan under a JSON schema, for models that have been seen to fill one rightly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nonet.agents.asking import INSTRUCTION_CHARACTERS, MOST_STEPS, Draft, checked, draft_of, parsed, plan_of, situation
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
        max_subtasks: bound on a plan's size, at least 1; no model plans more than `asking.MOST_STEPS`.
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
        self._max_subtasks = min(max(1, max_subtasks), MOST_STEPS)
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
        """The steps in order, with their ids made consecutive."""
        if not isinstance(steps, dict) or not steps:
            raise PlanError("its plan has no steps")
        places = {name: f"s{number}" for number, name in enumerate((name for name in self._ids if name in steps), 1)}
        if len(places) != len(steps):
            raise PlanError(f"its plan has steps that are none of {self._ids[0]} to {self._ids[-1]}")
        drafts: list[Draft] = []
        for name in places:
            if not isinstance(steps[name], dict):
                raise PlanError("its plan has a step that is no object")
            draft = draft_of(steps[name], self._specialists, list(places)[: len(drafts)])
            drafts.append(replace(draft, inputs=tuple(places[other] for other in draft.inputs)))
        return drafts

    @property
    def _ids(self) -> list[str]:
        return [f"s{number}" for number in range(1, self._max_subtasks + 1)]

    def _schema(self) -> dict[str, Any]:
        """The steps by id: each may only read those before it, so that no cycle can be said."""
        ids = self._ids
        steps = {
            "type": "object",
            "properties": {name: self._step(ids[:number]) for number, name in enumerate(ids)},
            "required": ids[:1],
            "additionalProperties": False,
        }
        return {"type": "object", "properties": {"steps": steps}, "required": ["steps"], "additionalProperties": False}

    def _step(self, earlier: Sequence[str]) -> dict[str, Any]:
        reads = {"reads": {"type": "array", "items": {"enum": list(earlier)}, "maxItems": len(earlier)}}
        properties = {
            "specialist": {"enum": list(self._specialists)},
            **(reads if earlier else {}),
            "instruction": {"type": "string", "minLength": 1, "maxLength": INSTRUCTION_CHARACTERS},
        }
        return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
