"""Several ways of planning, tried in order: the first plan that nothing speaks against is the plan.

A rung whose result is invalid, late or unsure of itself is left, and the plan says so. The rules come last where they
do not come first, because they have a plan for any text.
"""

from __future__ import annotations

from collections.abc import Sequence

from nonet.agents.desk import PlanDesk
from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import Plan, Tried
from nonet.agents.protocol import Planner, Rung, SoFar
from nonet.errors import PlanError

_SHOWN_CHARACTERS = 200


class PlannerLadder:
    """Implements Planner over rungs.

    Args:
        rungs: in the order in which they are tried.
        rules: the rung that has a plan for anything; tried last if it is not among the rungs.
        desk: what the rungs ask their model with; None where they ask none.
        forced: the first rung was asked for by the user, so its plan is used though it is unsure of itself.
    """

    name = "ladder"

    def __init__(
        self, rungs: Sequence[Rung], rules: Planner, *, desk: PlanDesk | None = None, forced: bool = False
    ) -> None:
        self._rungs = [*rungs, *(() if any(rung is rules for rung in rungs) else (rules,))]
        self._rules = rules
        self._desk = desk
        self._forced = forced

    async def plan(
        self, task: str, *, attached: Sequence[DocumentInfo] = (), collection: Sequence[DocumentInfo] = ()
    ) -> Plan:
        """As Planner.plan. Of plans that are all unsure of themselves, the first counts."""
        tried: list[Tried] = []
        unsure: list[tuple[int, Plan]] = []
        before = self._calls
        for number, rung in enumerate(self._rungs):
            start = self._calls
            try:
                plan = await rung.plan(task, attached=attached, collection=collection)
            except PlanError as error:
                tried.append(self._tried(rung, error.message, start, used=False))
                continue
            if not plan.doubts or (self._forced and number == 0):
                why = "asked for, though unsure of its plan" if plan.doubts else "nothing speaks against its plan"
                tried.append(self._tried(rung, why, start, used=True))
                return self._told(plan, tried, before)
            unsure.append((number, plan))
            tried.append(self._tried(rung, plan.doubts[0], start, used=False))
        number, plan = unsure[0]
        why = f"nothing better was found; {tried[number].why}"
        tried[number] = tried[number].model_copy(update={"used": True, "why": why})
        return self._told(plan, tried, before)

    async def revise(
        self,
        task: str,
        so_far: SoFar,
        *,
        attached: Sequence[DocumentInfo] = (),
        collection: Sequence[DocumentInfo] = (),
    ) -> Plan | None:
        """As Planner.revise: by the rules, whatever made the plan."""
        return await self._rules.revise(task, so_far, attached=attached, collection=collection)

    @property
    def _calls(self) -> int:
        return self._desk.calls if self._desk is not None else 0

    def _tried(self, rung: Rung, why: str, start: int, *, used: bool) -> Tried:
        line = " ".join(why.split())
        shown = line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}\u2026"
        return Tried(planner=rung.name, used=used, why=shown, calls=self._calls - start)

    def _told(self, plan: Plan, tried: Sequence[Tried], before: int) -> Plan:
        """The plan with its story; a model's plan that was left is told in the notes as well."""
        left = [
            f"The plan by {one.planner} was left: {one.why}"
            for one in tried
            if not one.used and one.planner != self._rules.name
        ]
        model = self._desk.model if self._desk is not None and self._calls > before else ""
        return plan.model_copy(update={"tried": tuple(tried), "model": model, "notes": (*plan.notes, *left)})
