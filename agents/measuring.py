"""How well a model plans, measured by the same questions that a plan asks it, and beside the rules.

Nothing is asked further than it can change the verdict (`trust`): a model that guesses is found out in a few calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import permutations
from typing import Any, Final

from nonet.agents.desk import PlanDesk
from nonet.agents.documents import DocumentInfo
from nonet.agents.measuring_items import CHOICE_ITEMS, PLAN_ITEMS, READS_ITEMS, PlanItem
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import ask_reads, ask_specialist
from nonet.agents.plan import Plan
from nonet.agents.protocol import Rung
from nonet.agents.stepwise import StepwisePlanner
from nonet.agents.trust import better_than_rules
from nonet.errors import PlanError
from nonet.runtimes.choosing import Option, better_than_chance

_READS_CHANCE: Final = 0.25
"""Of one, the other, both or none of two steps."""

OnStage = Callable[[str], None]
"""Called with what is measured next, before each request."""


@dataclass(slots=True)
class Counted:
    """Right answers of those asked, and what guessing would get."""

    chance: float
    right: int = 0
    asked: int = 0


@dataclass(slots=True)
class RungScore:
    """One way of planning beside the rules on the same requests. "Unsure": where the rules doubt their own plan."""

    right: int = 0
    items: int = 0
    won: int = 0
    """It is right and the rules are wrong."""
    lost: int = 0
    won_unsure: int = 0
    lost_unsure: int = 0
    calls: int = 0


@dataclass(slots=True)
class PlanningProfile:
    """What was measured. `dataclasses.asdict` gives what `trust.trust_of` reads."""

    routing: Counted
    edges: Counted
    rungs: dict[str, RungScore] = field(default_factory=dict)
    rules_right: int = 0
    """Of all items, those that the rules plan rightly."""
    items: int = len(PLAN_ITEMS)
    complete: bool = False
    """False while it is being measured, and where the time did not suffice: what it says then rests on fewer items."""

    def to_json(self) -> dict[str, Any]:
        """JSON values, to be kept."""
        return asdict(self)


def most_requests() -> int:
    """How often `on_stage` may be called."""
    return len(CHOICE_ITEMS) + len(READS_ITEMS) + 2 * len(PLAN_ITEMS)


def begun(specialists: Mapping[str, str]) -> PlanningProfile:
    """A profile with nothing measured yet. Args: specialists: the shipped ones, name -> what it does."""
    return PlanningProfile(Counted(round(1 / len(specialists), 3)), Counted(_READS_CHANCE))


async def measure_planning(
    profile: PlanningProfile,
    desk: PlanDesk,
    rules: Rung,
    specialists: Mapping[str, str],
    *,
    on_stage: OnStage = lambda _stage: None,
) -> None:
    """Measure one model. Raises ResourceError; cancelled, it leaves what it has found.

    Args:
        profile: as `begun`; filled in.
        desk: asks the model.
        rules: what it is compared with; asks no model.
        specialists: the shipped ones, name -> what it does.
        on_stage: told before each request what is measured.
    """
    options = [Option(name, description) for name, description in specialists.items()]
    by_rules = [await _planned(rules, item) for item in PLAN_ITEMS]
    profile.rules_right = sum(plan is not None and is_right(plan, item) for plan, item in _pairs(by_rules))

    async def chooses(request: str, wanted: str) -> bool:
        choice = await ask_specialist(desk.ask, request, options)
        return choice.sure and choice.name == wanted

    async def reads(instruction: str, earlier: Sequence[str], wanted: tuple[int, ...]) -> bool:
        return await ask_reads(desk.ask, instruction, earlier) == wanted

    await _count(profile.routing, [partial(chooses, *one) for one in CHOICE_ITEMS], "choosing", on_stage)
    if not better_than_chance(profile.routing.right, profile.routing.asked, profile.routing.chance):
        profile.complete = True
        return  # a plan is a row of such choices
    await _count(
        profile.edges,
        [partial(reads, one.instruction, one.earlier, one.reads) for one in READS_ITEMS],
        "what steps read",
        on_stage,
    )
    for rung in (StepwisePlanner(desk, specialists), OneShotPlanner(desk, specialists)):
        profile.rungs[rung.name] = score = RungScore()
        await _beside_rules(score, rung, desk, by_rules, on_stage)
    profile.complete = True


def is_right(plan: Plan, item: PlanItem) -> bool:
    """Whether a plan has the item's specialists and edges, in whatever order."""
    ids = [subtask.id for subtask in plan.subtasks]
    found = {(ids.index(name), place) for place, subtask in enumerate(plan.subtasks) for name in subtask.inputs}
    nodes = [subtask.specialist for subtask in plan.subtasks]
    if sorted(nodes) != sorted(item.nodes) or len(found) != len(item.edges):
        return False
    return any(
        all(nodes[place] == item.nodes[order[place]] for place in range(len(nodes)))
        and {(order[a], order[b]) for a, b in found} == set(item.edges)
        for order in permutations(range(len(nodes)))
    )


async def _count(
    counted: Counted, questions: Sequence[Callable[[], Awaitable[bool]]], stage: str, on_stage: OnStage
) -> None:
    """Ask until the rest can change nothing about "better than chance"."""
    for number, question in enumerate(questions):
        left = len(questions) - number
        if not better_than_chance(counted.right + left, counted.asked + left, counted.chance):
            return
        on_stage(stage)
        counted.right += await question()
        counted.asked += 1


async def _beside_rules(
    score: RungScore, rung: Rung, desk: PlanDesk, by_rules: Sequence[Plan | None], on_stage: OnStage
) -> None:
    before = desk.calls
    pairs = _pairs(by_rules)
    rules_right = [plan is not None and is_right(plan, item) for plan, item in pairs]
    for number, (by_rule, item) in enumerate(pairs):
        to_win = rules_right[number:].count(False)
        if not better_than_rules(score.won + to_win, score.lost):
            break
        on_stage(f"planning {rung.name}")
        plan = await _planned(rung, item)
        right = plan is not None and is_right(plan, item)
        unsure = by_rule is not None and bool(by_rule.doubts)
        score.items += 1
        score.right += right
        if right != rules_right[number]:
            score.won += right
            score.lost += not right
            score.won_unsure += right and unsure
            score.lost_unsure += not right and unsure
        score.calls = desk.calls - before


async def _planned(rung: Rung, item: PlanItem) -> Plan | None:
    try:
        return await rung.plan(item.request, attached=[DocumentInfo(name) for name in item.documents])
    except PlanError:
        return None


def _pairs(plans: Sequence[Plan | None]) -> list[tuple[Plan | None, PlanItem]]:
    return list(zip(plans, PLAN_ITEMS, strict=True))
