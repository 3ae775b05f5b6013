"""Drives one run through the graph, under its lease, and leaves it in a state that says how it ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeVar

from nonet.agents.composer import compose
from nonet.agents.reviewer import left_out, review
from nonet.errors import BudgetSpentError, NonetError, StoreError
from nonet.graphs.context import Approve, Decision, RunContext
from nonet.graphs.events import RunFinished, RunStarted
from nonet.graphs.planning import check_plan
from nonet.graphs.records import outcomes_of, subtask_results
from nonet.graphs.result import RunResult
from nonet.graphs.steps import is_straight, straight
from nonet.specialists import Verdict

T = TypeVar("T")

Ended = tuple[str, Mapping[str, Any]]
"""The status of a run, and what is known of its "verdict" and what is "missing"."""


async def drive(context: RunContext, approve: Approve | None, decision: Decision | None, *, resumed: bool) -> RunResult:
    """Run the graph under the lease, and leave the run in a state that says how it ended, whatever happens."""

    async def work() -> Ended:
        if is_straight(context):
            return _status(await straight(context))
        return _status(await untraced(_walk_graph(context, approve, decision)))

    return await lead(context, work, _so_far, resumed=resumed)


async def lead(
    context: RunContext,
    work: Callable[[], Awaitable[Ended]],
    so_far: Callable[[RunContext], Mapping[str, Any]],
    *,
    resumed: bool,
) -> RunResult:
    """Do the work of a run under its lease and within its budget; the run is left in a state that says how it ended.

    Args:
        work: all of it; gives how it ended.
        so_far: what there is to show of a run whose budget is spent.
        resumed: an earlier process worked on it.
    """
    session = context.session
    models = tuple((name, ladder[0]) for name, ladder in session.ladders.items())
    limits = context.budget.limits
    context.emit(RunStarted(context.run, context.task, session.runtime.name, models, resumed=resumed, budget=limits))
    if limits.max_joules is not None and context.budget.joules is None:
        context.notice("budget", "the joules of this run are not known here, so that max_joules does not bound it")
    try:
        async with session.store.runs.heartbeat(context.lease), context.budget.deadline():
            status, state = await work()
    except BudgetSpentError as error:
        context.notice("budget", f"{error.message} {error.next_step}")
        return await close(context, "failed", so_far(context))
    except (Exception, asyncio.CancelledError) as error:
        await stop(context, error)
        raise
    return await close(context, status, state)


def _so_far(context: RunContext) -> Mapping[str, Any]:
    """What a run that was stopped has to show: its finished parts, and what is missing."""
    if context.plan is None:
        return {"verdict": str(Verdict.FAILED), "missing": ["no plan was made"]}
    plan, results = context.plan, outcomes_of(context.records)
    context.composition = compose(context.task, plan, results, left_out([*context.earlier, plan]))
    return {"verdict": str(Verdict.FAILED), "missing": list(review(plan, results, context.earlier).missing)}


def _status(state: Mapping[str, Any]) -> Ended:
    if "__interrupt__" in state:
        return "waiting", {}
    if state.get("decision") == "refuse" and not state.get("revised"):
        return "refused", {}
    return ("failed" if state["verdict"] == Verdict.FAILED else "done"), state


async def untraced(work: Awaitable[T]) -> T:
    """Await work of LangGraph; whatever the user's environment says, nothing of a run leaves the machine."""
    from langsmith import tracing_context  # noqa: PLC0415  LangGraph brings it, and takes half a second to import

    with tracing_context(enabled=False):
        return await work


async def _walk_graph(context: RunContext, approve: Approve | None, decision: Decision | None) -> Mapping[str, Any]:
    from nonet.graphs import supervisor  # noqa: PLC0415

    start = {"run": context.run}
    if not context.wants_approval:
        return dict(await supervisor.built().ainvoke(start, context=context))
    from langgraph.types import Command  # noqa: PLC0415

    from nonet.store.checkpoints import checkpointer  # noqa: PLC0415

    async with checkpointer(context.session.store.path) as saver:
        graph = supervisor.build(saver)
        config: Any = {"configurable": {"thread_id": context.run}}
        state = dict(await graph.ainvoke(start, config, context=context, durability="exit"))
        while "__interrupt__" in state:
            plan = context.accepted_plan()
            with context.budget.paused():
                said = decision or (await approve(plan) if approve is not None else None)
            if said is None:
                return state
            decision = None  # it was about this plan; a revision asks again
            _apply(context, said)
            command: Command[Any] = Command(resume="refuse" if said.kind == "refuse" else "accept")
            state = dict(await graph.ainvoke(command, config, context=context, durability="exit"))
        return state


def _apply(context: RunContext, said: Decision) -> None:
    """Keep the decision with the plan, before anything runs on it. Raises PlanError for an edit that cannot run."""
    plan = context.accepted_plan()
    if said.kind == "edit" and said.plan is not None:
        plan = said.plan
        check_plan(plan, context.session, whose="The edited plan")
    context.plan = plan
    refused = said.kind == "refuse"
    if refused and context.earlier:
        context.plan, refused = context.earlier.pop(), False
        context.notice("replan", "the revised plan was refused; what was finished before it stands")
    plan = context.accepted_plan()
    status = "refused" if refused else "accepted"
    context.session.store.runs.save_plan(context.lease, plan.model_dump_json(), plan.planner, status)


async def close(context: RunContext, status: str, state: Mapping[str, Any]) -> RunResult:
    """Write how the run ended, wait until the disk has it, and give the result."""
    runs = context.session.store.runs
    composition = context.composition
    answer = composition.answer if composition is not None else ""
    verdict = Verdict(state.get("verdict", Verdict.FAILED if status == "failed" else Verdict.UNVERIFIED))
    missing = tuple(state.get("missing", ()))
    usage = context.usage()
    runs.finish(context.lease, status, str(verdict), answer, json.dumps(asdict(usage)), missing=missing)
    runs.release(context.lease)
    await runs.flush(context.lease)
    context.emit(RunFinished(context.run, status, verdict))
    return RunResult(
        run=context.run,
        task=context.task,
        status=status,
        verdict=verdict,
        answer=answer,
        plan=context.plan,
        subtasks=subtask_results(context.plan, context.records),
        citations=composition.citations if composition is not None else (),
        usage=usage,
        notes=(*(context.plan.notes if context.plan else ()), *context.notes),
        missing=missing,
        call_errors=tuple(context.call_errors),
        budget=context.budget.limits,
    )


async def stop(context: RunContext, error: BaseException) -> None:
    """Leave the run resumable. What cannot be written now is found missing, and done again, by the resume."""
    runs = context.session.store.runs
    if isinstance(error, asyncio.CancelledError):
        reason = "stopped before it was done"
    else:
        reason = error.message if isinstance(error, NonetError) else type(error).__name__
    with suppress(StoreError):
        runs.add_note(context.lease, "interrupted", reason)
        runs.finish(context.lease, "interrupted", "", "", json.dumps(asdict(context.usage())))
        runs.release(context.lease)
        await runs.flush(context.lease)
