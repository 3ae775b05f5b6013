"""Planning in one call: the whole plan under a JSON schema, for models that have been seen to fill one rightly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nonet.agents.asking import Draft, draft_of, parsed
from nonet.agents.model_planner import ModelPlanner, step_schema
from nonet.errors import CallError, PlanError
from nonet.runtimes import Message

_PLAN_TOKENS = 768
"""Enough for eight steps whose instructions are as long as they may be, or for twelve short ones."""
_SYSTEM = (
    "You plan work for a small team. You do not do the work yourself. "
    "Give the steps in order, as few as the task needs; often that is one. "
    "A step may read the results of earlier steps."
)


class OneShotPlanner(ModelPlanner):
    """Plans by one constrained answer of one model."""

    name = "one-shot"

    async def _drafts(self, before: str) -> list[Draft]:
        messages = (Message("system", _SYSTEM), Message("user", f"{before}\nGive the plan."))
        try:
            answer = parsed(await self._desk.ask(messages, self._schema(), _PLAN_TOKENS))
        except CallError as error:
            raise PlanError(f"no plan: {error.message}") from error
        return self._steps(answer.get("steps"))

    def _steps(self, steps: object) -> list[Draft]:
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
        """The steps by id."""
        ids = self._ids
        steps = {
            "type": "object",
            "properties": {name: step_schema(self._specialists, ids[:number]) for number, name in enumerate(ids)},
            "required": ids[:1],
            "additionalProperties": False,
        }
        return {"type": "object", "properties": {"steps": steps}, "required": ["steps"], "additionalProperties": False}
