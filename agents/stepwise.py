"""Planning one step at a time: which specialist next, or done; what it reads; one sentence of instruction.

Every decision is one constrained call, and the choices are what exists: the specialists, and the steps before this one.
So a model that can only choose can plan, and a cycle cannot be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nonet.agents.asking import DECISION_TOKENS, Draft, draft_of, parsed
from nonet.agents.model_planner import ModelPlanner, step_schema
from nonet.errors import CallError, PlanError
from nonet.runtimes import Message

_DONE = "done"
_SHOWN_CHARACTERS = 160
_SYSTEM = (
    "You plan work for a small team, one step at a time. You do not do the work yourself. "
    "Use as few steps as the task needs; often that is one."
)


class StepwisePlanner(ModelPlanner):
    """Plans by constrained decisions of one model."""

    name = "stepwise"

    async def _drafts(self, before: str) -> list[Draft]:
        drafts: list[Draft] = []
        while len(drafts) < self._max_subtasks:
            decision = await self._decide(before, drafts)
            if decision.get("specialist") == _DONE:
                break
            draft = draft_of(decision, self._specialists, [f"s{number}" for number in range(1, len(drafts) + 1)])
            if draft in drafts:
                raise PlanError("it repeats a step")
            drafts.append(draft)
        else:
            if self._max_subtasks > 1 and (await self._decide(before, drafts)).get("specialist") != _DONE:
                raise PlanError(f"it does not come to an end within {self._max_subtasks} steps")
        if not drafts:
            raise PlanError("it is done before the first step")
        return drafts

    async def _decide(self, before: str, drafts: Sequence[Draft]) -> Mapping[str, Any]:
        prompt = f"{before}\n{_shown(drafts)}"
        messages = (Message("system", _SYSTEM), Message("user", prompt))
        try:
            return parsed(await self._desk.ask(messages, _schema(self._specialists, len(drafts)), DECISION_TOKENS))
        except CallError as error:
            raise PlanError(f"no decision for step {len(drafts) + 1}: {error.message}") from error


def _shown(drafts: Sequence[Draft]) -> str:
    if not drafts:
        return "What is the first step?"
    lines = [
        f"s{number} {draft.specialist}: {draft.instruction[:_SHOWN_CHARACTERS]}"
        + (f" (reads {', '.join(draft.inputs)})" if draft.inputs else "")
        for number, draft in enumerate(drafts, 1)
    ]
    steps = "\n".join(lines)
    return f"Steps so far:\n{steps}\n\nWhat is the next step, or is all of the task done with these?"


def _schema(specialists: Mapping[str, str], earlier: int) -> dict[str, Any]:
    """The decision after so many steps. "done" is a choice from the second on."""
    step = step_schema(specialists, [f"s{number}" for number in range(1, earlier + 1)])
    if not earlier:
        return step
    done = {
        "type": "object",
        "properties": {"specialist": {"enum": [_DONE]}},
        "required": ["specialist"],
        "additionalProperties": False,
    }
    return {"anyOf": [done, step]}
