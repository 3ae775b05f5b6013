"""What is done in a run, step by step. Each step is a function of the run's context and says where it leads.

The supervisor graph (supervisor.py) joins them where there is something to decide: whether the plan is approved, and
whether what failed is planned anew. A plan that was given is run as it is, so `straight` takes the steps in a row.
"""

from __future__ import annotations

from typing import TypedDict

from nonet.agents.composer import compose
from nonet.agents.reviewer import left_out, review
from nonet.graphs.context import RunContext
from nonet.graphs.events import PlanReady
from nonet.graphs.executor import execute
from nonet.graphs.planners import planner_for
from nonet.graphs.planning import check_plan
from nonet.graphs.records import outcomes_of
from nonet.graphs.replanning import is_given


class RunState(TypedDict, total=False):
    """What travels between steps: references and decisions."""

    run: str
    decision: str
    """What the user said of the plan: "accept" or "refuse"."""
    verdict: str
    missing: list[str]
    next: str
    """Where a review or a revision leads: "replan", "execute" or "compose"."""
    revised: bool
    """The plan is a revision: refusing it leaves what was finished."""


async def plan(context: RunContext) -> None:
    """Plan before any document is read; a run that has a plan keeps it."""
    if context.plan is None:
        session = context.session
        planner = planner_for(session, context)
        made = await planner.plan(context.task, attached=context.attached, collection=context.collection())
        check_plan(made, session)
        context.plan = made
        status = "proposed" if context.wants_approval else "accepted"
        session.store.runs.save_plan(context.lease, made.model_dump_json(), made.planner, status)
        if made.model:  # a plan that cost calls is not made twice, whatever happens to this process
            await session.store.runs.flush(context.lease)
    if context.wants_approval:
        context.turn.end()
    else:
        context.turn.end_soon()
    context.emit(PlanReady(context.run, context.plan, len(context.earlier) + 1))


async def work(context: RunContext) -> None:
    """Run what is not finished."""
    await execute(context, context.accepted_plan())


def judge(context: RunContext) -> RunState:
    """Decide what was proved, and what is missing."""
    reviewed = review(context.accepted_plan(), outcomes_of(context.records), context.earlier)
    following = "replan" if reviewed.missing else "compose"
    return {"verdict": str(reviewed.verdict), "missing": list(reviewed.missing), "next": following}


def finish(context: RunContext) -> None:
    """Put the answer together from the artifacts."""
    accepted = context.accepted_plan()
    lost = left_out([*context.earlier, accepted])
    context.composition = compose(context.task, accepted, outcomes_of(context.records), lost)


def is_straight(context: RunContext) -> bool:
    """Whether nothing is left to decide in this run: it neither plans, nor asks, nor revises."""
    return context.plan is not None and is_given(context, context.plan)


async def straight(context: RunContext) -> RunState:
    """The steps of a run whose plan was given, in a row: what the graph would do, without the price of a graph."""
    await plan(context)
    await work(context)
    state = judge(context)
    finish(context)
    return state
