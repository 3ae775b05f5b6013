"""What a planner that asks a model works with. `graphs` gives it one whose calls are scheduled, counted and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from nonet.runtimes import Message


class PlanDesk(Protocol):
    """One model to plan with."""

    @property
    def model(self) -> str:
        """Its name."""
        ...

    @property
    def calls(self) -> int:
        """Calls made so far."""
        ...

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        """One constrained call, greedy; the whole answer.

        Raises:
            CallError: it does not fit, is late, or breaks the schema.
            PlanError: the run may make no more calls for planning.
            ResourceError: no server, no model.
        """
        ...
