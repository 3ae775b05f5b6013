"""Turns to start: runs that begin together plan one after another.

Planning is all computing. If many runs took turns at it step by step, none would send its first call before all had
planned, and the models would stand idle meanwhile. So a run keeps its turn until its first call is on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

STARTING_AT_ONCE = 2
GRACE_SECONDS = 0.02
"""How long a run that has its plan may keep its turn without a call; starting subtasks takes about 2 ms."""


@dataclass(slots=True)
class Turn:
    """One run's turn; `end` lets the next run start, and called again it does nothing."""

    gate: asyncio.Semaphore
    ended: bool = False

    def end_soon(self) -> None:
        """The run has its plan: what it does before its first call still belongs to the turn, unless it is long."""
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self.end)

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            self.gate.release()


@dataclass(slots=True)
class Turns:
    """Hands out turns, first come first served."""

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STARTING_AT_ONCE))

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Turn]:
        """Wait for a turn; it ends at the latest with the block."""
        await self.gate.acquire()
        turn = Turn(self.gate)
        try:
            yield turn
        finally:
            turn.end()
