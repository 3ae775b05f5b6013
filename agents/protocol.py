"""The one interface to planners: rules, and models by constrained answers. Every one of them gives the same `Plan`.

A planner sees what the user asked and what documents are called. It never sees a document's text, and of results that
failed it sees only which checks failed: no words of a document, and none of a model that read one, become words of a
plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import Plan


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far a plan came before it has to be revised."""

    plan: Plan
    finished: frozenset[str]
    """Ids of the subtasks whose results stand; a revision keeps them as they are."""
    failed: Mapping[str, tuple[str, ...]]
    """Ids of the subtasks that failed, each with the kinds of the checks that failed ("tests", "quotes"): names that
    specialists give their checks, never what a check found."""
    earlier: tuple[Plan, ...] = field(default=())
    """The plans before this one; a revision repeats none of them."""


class Rung(Protocol):
    """One way of planning. Whatever the task, a plan it gives is valid: acyclic, of known specialists, bounded."""

    @property
    def name(self) -> str:
        """One of "rules", "stepwise" and "one-shot", or "ladder" for several tried in order."""

    async def plan(
        self, task: str, *, attached: Sequence[DocumentInfo] = (), collection: Sequence[DocumentInfo] = ()
    ) -> Plan:
        """A valid plan.

        Args:
            task: what the user asked, not blank.
            attached: the documents the request is about.
            collection: what retrieval can search.

        Raises:
            ValueError: the task is blank.
            PlanError: this way gives no plan that may run; the next one is tried. Never from a Planner.
            ResourceError, StoreError, BudgetSpentError: a model was to be asked, and nothing can go on.
        """
        ...


class Planner(Rung, Protocol):
    """What plans a run: one way or several, with a plan for any task, and a revision of it when a part failed."""

    async def revise(
        self,
        task: str,
        so_far: SoFar,
        *,
        attached: Sequence[DocumentInfo] = (),
        collection: Sequence[DocumentInfo] = (),
    ) -> Plan | None:
        """The plan with a new remainder in place of what failed, or None where there is nothing new to try.

        Finished subtasks stay, with their ids; what replaces a failed one has an id that was never used. Raises as
        `plan`.
        """
        ...
