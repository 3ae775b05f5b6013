"""The desk of planners that ask a model: calls go through the scheduler, count in the run, and are kept with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nonet.errors import BudgetSpentError, PlanError
from nonet.graphs.desk import RunDesk
from nonet.runtimes import ChatRequest, Message, Usage

if TYPE_CHECKING:
    from nonet.graphs.context import RunContext
    from nonet.graphs.session import Session

PLANNING = ""
"""The subtask that calls for planning are stored under: none."""


@dataclass(slots=True)
class SessionPlanDesk:
    """Implements nonet.agents.desk.PlanDesk.

    Args:
        session: whose scheduler is used.
        model: what plans.
        context: the run that is planned; None where only a plan is wanted, and nothing is kept of it.
    """

    session: Session
    model: str
    context: RunContext | None = None
    calls: int = field(default=0, init=False)
    usage: Usage = field(default_factory=Usage, init=False)

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        """As PlanDesk.ask."""
        window_tokens = await self.session.window_tokens(self.model)
        prompt_tokens = (await self.session.runtime.count_tokens(self.model, messages)).tokens
        if prompt_tokens + max_completion_tokens > window_tokens:
            raise PlanError(f"its prompt of {prompt_tokens:,} tokens does not fit the window of {window_tokens:,}")
        if self.context is not None:
            return await self._within(self.context, window_tokens, messages, schema, max_completion_tokens)
        self.calls += 1
        request = ChatRequest(self.model, tuple(messages), schema=schema, max_completion_tokens=max_completion_tokens)
        response = await self.session.scheduler.chat(request)
        self.usage += response.usage
        return response.text

    async def _within(
        self,
        context: RunContext,
        window_tokens: int,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        max_completion_tokens: int,
    ) -> str:
        most = context.budget.limits.max_calls
        if most is not None and 2 * (self.calls + 1) > most:
            raise PlanError(f"of the {most} calls the run may make, half are kept for the work")
        self.calls += 1
        desk = RunDesk(context, PLANNING, 0, self.session.rung(self.model), window_tokens)
        try:
            response = await desk.chat(
                messages, schema=schema, max_completion_tokens=max_completion_tokens, on_text=_unheard
            )
        except BudgetSpentError as error:  # what is left is for the work; the rules plan without a call
            raise PlanError(f"the budget is spent: {error.message}") from error
        return response.text


def _unheard(_text: str) -> None:
    """A plan's JSON is not shown as it comes."""
