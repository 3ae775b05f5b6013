"""Measures how well a model plans on a runtime that nothing else uses at the time (`nonet doctor`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nonet.agents.measuring import PlanningProfile, begun, measure_planning, most_requests
from nonet.agents.planner import RulePlanner
from nonet.agents.router import Router
from nonet.runtimes import ChatRequest, Message
from nonet.specialists.catalog import default_specialists

if TYPE_CHECKING:
    from nonet.runtimes import Runtime

OnProgress = Callable[[int, int, str], None]
"""Requests made, at most in all, and what the next one measures."""


@dataclass(slots=True)
class RuntimeDesk:
    """Implements nonet.agents.desk.PlanDesk on a bare runtime."""

    runtime: Runtime
    model: str
    calls: int = field(default=0, init=False)

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        """As PlanDesk.ask."""
        self.calls += 1
        request = ChatRequest(self.model, tuple(messages), schema=schema, max_completion_tokens=max_completion_tokens)
        return (await self.runtime.chat(request)).text


async def measure_plans(
    runtime: Runtime,
    model: str,
    embedder: str | None,
    on_progress: OnProgress | None = None,
    *,
    limit_seconds: float | None = None,
) -> PlanningProfile:
    """Measure one chat model beside the rules.

    Args:
        embedder: what the rules route with; None: by words alone.
        limit_seconds: what is not measured by then is left, and the profile says that it is not complete.
        on_progress: called before each request, and at the end.

    Raises:
        ResourceError: no server, no model.
    """
    specialists = default_specialists()
    made = 0

    async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        return None if embedder is None else (await runtime.embed(embedder, texts)).vectors

    def stage(name: str) -> None:
        nonlocal made
        if on_progress is not None:
            on_progress(made, most_requests(), name)
        made += 1

    router = Router({name: each.examples for name, each in specialists.items()}, embed)
    described = {name: each.description for name, each in specialists.items()}
    profile = begun(described)
    desk, rules = RuntimeDesk(runtime, model), RulePlanner(router)
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_seconds):
            await measure_planning(profile, desk, rules, described, on_stage=stage)
    if on_progress is not None:
        on_progress(most_requests(), most_requests(), "done")
    return profile
