"""What the nodes of one run share. LangGraph carries it beside the state, so it never enters a checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nonet.agents.plan import Plan
from nonet.errors import PlanError
from nonet.graphs.budget import Budget
from nonet.graphs.collection import collection_of
from nonet.graphs.events import Event, Notice, OnEvent
from nonet.graphs.result import RunUsage
from nonet.graphs.turns import Turn
from nonet.runtimes.lines import Priority

if TYPE_CHECKING:
    from nonet.agents.composer import Composition
    from nonet.agents.documents import DocumentInfo
    from nonet.graphs.session import Session
    from nonet.specialists import Searcher
    from nonet.store import AttemptRecord, Filter, Lease, SubtaskRecord


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user says of a plan."""

    kind: Literal["accept", "edit", "refuse"]
    plan: Plan | None = None
    """With "edit": the plan to run instead; it is validated like any other."""


Approve = Callable[[Plan], Awaitable[Decision]]


@dataclass(slots=True)
class RunContext:
    """One run at work."""

    session: Session
    lease: Lease
    task: str
    attached: Sequence[DocumentInfo]
    searcher: Searcher
    scope: Filter
    """Which documents it searches, where none is attached."""
    budget: Budget
    turn: Turn
    """Ends when the run has sent its first call."""
    priority: Priority = Priority.INTERACTIVE
    """Of its calls, where they meet those of others."""
    on_event: OnEvent | None = None
    wants_approval: bool = False
    plan: Plan | None = None
    """Set from the start where the run has a plan already."""
    earlier: list[Plan] = field(default_factory=list)
    """The plans that were worked on before this one, oldest first: it is their revision."""
    finished: Mapping[str, SubtaskRecord] = field(default_factory=dict)
    """What earlier processes finished."""
    tried: Mapping[str, Sequence[AttemptRecord]] = field(default_factory=dict)
    """What an interrupted process tried in vain, by subtask."""
    notes: list[str] = field(default_factory=list)
    call_errors: list[str] = field(default_factory=list)
    """What went wrong in calls, those of earlier processes included."""
    records: dict[str, SubtaskRecord] = field(default_factory=dict)
    composition: Composition | None = None
    telling: list[asyncio.Future[None]] = field(default_factory=list)
    escalations: int = 0
    swaps: int = 0

    @property
    def run(self) -> str:
        return self.lease.run

    def collection(self) -> list[DocumentInfo]:
        """What the run could search: read when it is asked for, because only planning asks."""
        return collection_of(self.session.store, self.attached, self.scope)

    def accepted_plan(self) -> Plan:
        """The plan at work. Raises PlanError before there is one."""
        if self.plan is None:
            raise PlanError("The run has no plan yet.")
        return self.plan

    def emit(self, event: Event) -> None:
        """Tell the door, if one listens."""
        if self.on_event is not None:
            self.on_event(event)

    def notice(self, kind: str, text: str) -> None:
        """Something that must not happen in silence: shown now and kept with the run."""
        self.notes.append(text)
        self.session.store.runs.add_note(self.lease, kind, text)
        self.emit(Notice(kind, text))

    def tell_when_kept(self, event: Event) -> None:
        """Tell the door when all that was written so far is on disk; the work does not wait for that.

        Of a batch it is told at once: what is told of a document's result comes when that is on disk.
        """
        if self.on_event is None or self.priority is Priority.BATCH:
            self.emit(event)
            return

        async def tell() -> None:
            await self.session.store.runs.flush(self.lease)
            self.emit(event)

        self.telling.append(asyncio.ensure_future(tell()))

    async def all_told(self) -> None:
        """Wait for what `tell_when_kept` has in hand. Raises the StoreError of a write that was not kept."""
        telling, self.telling = self.telling, []
        await asyncio.gather(*telling)

    def usage(self) -> RunUsage:
        """What the run has cost so far, earlier processes included."""
        return self.budget.spent(swaps=self.swaps, escalations=self.escalations)

    def swapped(self, pushed_out: str, model: str) -> None:
        """Count a swap of models and tell of it."""
        self.swaps += 1
        self.notice("swap", f"{pushed_out} made room for {model}")
