"""A revised remainder where a part of the plan failed: what was finished stays, each revision is kept and told."""

from __future__ import annotations

from nonet.agents.plan import Plan
from nonet.agents.protocol import SoFar
from nonet.errors import PlanError
from nonet.graphs.context import RunContext
from nonet.graphs.events import PlanReady
from nonet.graphs.planners import planner_for
from nonet.graphs.planning import check_plan
from nonet.graphs.records import evidence_of, is_no_ground
from nonet.specialists import Verdict

GIVEN = "user"
"""The planner of plans that a person gave or changed; a changed one is asked about again."""
NOT_RUN = "input"
"""The kind of evidence of a subtask that was not run, because what it reads failed."""


async def replan(context: RunContext) -> bool:
    """Put a revised plan in the place of the one that failed in part; False where there is nothing new to try.

    At most `max_replans` times; a plan that would repeat an earlier one is none, and one that was given (one specialist
    asked, a batch's work) is run as it is. No model is asked unless the planner asks one, and nothing a document or a
    model said reaches it: only the kinds of the checks that failed.
    """
    plan = context.accepted_plan()
    failed = _failed(context, plan)
    if is_given(context, plan) or not failed or len(context.earlier) >= context.session.settings.max_replans:
        return False
    so_far = SoFar(plan, _finished(context, plan), failed, tuple(context.earlier))
    new = await planner_for(context.session, context).revise(
        context.task, so_far, attached=context.attached, collection=context.collection()
    )
    if new is None:
        return False
    try:
        check_plan(new, context.session, whose="The revised plan")
    except PlanError as error:
        context.notice("replan", f"{error.message} The plan stays as it is.")
        return False
    if _work(new) in map(_work, (plan, *context.earlier)):
        context.notice("replan", "The revised plan repeats an earlier one, so it is not run.")
        return False
    _adopt(context, new, ", ".join(failed))
    return True


def is_given(context: RunContext, plan: Plan) -> bool:
    """Whether a plan is run as it is, and not revised."""
    return plan.planner == GIVEN and not context.wants_approval


def _adopt(context: RunContext, new: Plan, failed: str) -> None:
    context.earlier.append(context.accepted_plan())
    context.plan = new
    status = "proposed" if context.wants_approval else "accepted"
    context.session.store.runs.save_plan(context.lease, new.model_dump_json(), new.planner, status)
    revision = len(context.earlier) + 1
    context.notice("replan", f"{failed} failed: what is left is planned anew (plan {revision})")
    context.emit(PlanReady(context.run, new, revision))


def _failed(context: RunContext, plan: Plan) -> dict[str, tuple[str, ...]]:
    """Ids of what failed by itself, with the kinds of the checks that it failed.

    A search that found nothing is an answer, unless something was to be built on it.
    """
    found = {}
    read = {name for each in plan.subtasks for name in each.inputs}
    for subtask in plan.subtasks:
        record = context.records.get(subtask.id)
        if record is not None and (record.verdict == Verdict.FAILED or (subtask.id in read and is_no_ground(record))):
            kinds = tuple(dict.fromkeys(e.kind for e in evidence_of(record.evidence_json) if e.passed is False))
            if kinds != (NOT_RUN,):
                found[subtask.id] = kinds
    return found


def _finished(context: RunContext, plan: Plan) -> frozenset[str]:
    records = context.records
    failed = _failed(context, plan)
    return frozenset(
        each.id
        for each in plan.subtasks
        if each.id in records and each.id not in failed and records[each.id].verdict != Verdict.FAILED
    )


def _work(plan: Plan) -> tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]:
    """What a plan does, with places for ids: two plans of the same work are one."""
    places = {subtask.id: f"#{number}" for number, subtask in enumerate(plan.subtasks)}
    return tuple(
        (
            each.specialist,
            each.instruction.casefold().strip(),
            tuple(places[name] for name in each.inputs),
            each.documents,
        )
        for each in plan.subtasks
    )
