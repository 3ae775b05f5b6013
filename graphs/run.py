"""Run a task, resume a run, or show the plan alone. One lease a run: two processes never work on the same one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.agents.plan import Plan
from nonet.errors import DocumentError, TaskError
from nonet.graphs.budget import Budget, Limits
from nonet.graphs.collection import attached_of, collection_of
from nonet.graphs.context import Approve, Decision, RunContext
from nonet.graphs.documents import add_documents, nothing_read
from nonet.graphs.drive import drive
from nonet.graphs.earlier import failed_attempts
from nonet.graphs.events import Notice, OnEvent
from nonet.graphs.mentions import full_name, is_reference
from nonet.graphs.planners import planner_for
from nonet.graphs.planning import check_plan, check_staff
from nonet.graphs.records import (
    call_errors_of,
    earlier_plans,
    limits_of,
    plan_of,
    refuse_workflow,
    result_of_run,
    usage_of_run,
)
from nonet.graphs.result import RunResult, RunUsage
from nonet.graphs.scope import kept_scope, nothing_to_search, scope_of, scope_of_run
from nonet.graphs.searching import StoreSearcher
from nonet.graphs.session import owner
from nonet.graphs.turns import Turn
from nonet.runtimes.lines import Priority

if TYPE_CHECKING:
    from nonet.graphs.session import Session
    from nonet.store import Filter, Lease, RunRecord, SubtaskRecord

MAX_TASK_CHARACTERS = 100_000
"""About 25,000 tokens: a longer text is a document, and belongs where it can be cited and summarized in parts."""


async def run_task(
    session: Session,
    task: str,
    *,
    documents: Sequence[Path] = (),
    artifacts: Sequence[str] = (),
    attached: Sequence[str] = (),
    approve: Approve | None = None,
    wants_approval: bool = False,
    priority: Priority = Priority.INTERACTIVE,
    on_event: OnEvent | None = None,
) -> RunResult:
    """Plan the task, hand its subtasks to specialists, check what comes back, and compose the answer.

    Args:
        documents: files or folders; they are added to the collection, and this run reads only them.
        artifacts: answers of earlier runs that it reads, too: "@last", "@k3j2", "@k3j2.s1".
        attached: names of documents that the collection has; this run reads them, too, and nothing else.
        approve: asked for its decision on the plan. With `wants_approval` and without it, the run is left waiting
            with status "waiting", to be resumed with a decision.
        priority: of its calls; those of a batch give way to those that somebody waits for.

    Raises:
        TaskError, DocumentError: before anything is stored of the run.
        ResourceError, StoreError: the run stopped; what was finished is kept, and `resume_run` goes on.
    """
    check_task(task)
    if priority is not Priority.BATCH:  # a batch has just written the document
        session.store.check_writable()
    names = (*attached, *await attach(session, documents, on_event))
    names += tuple(full_name(session.store, name) for name in artifacts)
    async with session.turns.take() as turn:
        lease = session.store.runs.create(
            task,
            runtime=session.runtime.name,
            documents=names,
            options={"approve": wants_approval, **bounds_of(session), **_origin_of(session)},
            owner=owner(),
        )
        if session.workspace is not None:
            session.store.runs.keep_files(lease, session.workspace.files)
        context = new_context(session, lease, turn, task, names, on_event=on_event)
        context.wants_approval = wants_approval
        context.priority = priority
        return await drive(context, approve, None, resumed=False)


async def resume_run(
    session: Session,
    run_id: str,
    *,
    approve: Approve | None = None,
    decision: Decision | None = None,
    limits: Limits | None = None,
    priority: Priority = Priority.INTERACTIVE,
    on_event: OnEvent | None = None,
) -> RunResult:
    """Go on with a run that was interrupted, failed, or waits for approval; finished subtasks are not repeated.

    A run that is done, or whose plan was refused, is shown, not run again. Its budget is the one it was started with,
    and what earlier processes spent of it counts.

    Args:
        limits: what is given here takes the place of that limit of the run, from now on.
        priority: as in `run_task`.

    Raises:
        RunNotFoundError: there is no such run.
        RunLeasedError: another process works on it.
    """
    found = session.store.runs.get(run_id)
    if found.status in ("done", "refused"):
        return result_of_run(found)
    refuse_workflow(found)
    plan = plan_of(found)
    if plan is not None:
        check_staff(plan, session, f"Run {found.id}")
    async with session.turns.take() as turn:
        lease = await session.store.runs.lease(found.id, owner())
        scope = scope_of_run(found)
        context = new_context(session, lease, turn, found.task, found.documents, scope=scope, on_event=on_event)
        context.budget = budget_of(session, renewed_limits(session, lease, found, limits), found)
        approved = bool(found.plans) and found.plans[-1].status == "accepted"
        context.wants_approval = bool(found.options.get("approve")) and not approved
        context.priority = priority
        context.plan = plan
        context.earlier = earlier_plans(found)
        context.finished = session.store.runs.finished(found.id)
        context.tried = failed_attempts(found, session.store)
        context.notes = [note.text for note in found.notes]
        context.call_errors = list(call_errors_of(found))
        return await drive(context, approve, decision, resumed=True)


async def plan_task(
    session: Session,
    task: str,
    *,
    documents: Sequence[Path] = (),
    artifacts: Sequence[str] = (),
    on_event: OnEvent | None = None,
) -> Plan:
    """The plan and nothing more. Documents that are named are added to the collection, as `run_task` would."""
    check_task(task)
    names = await attach(session, documents, on_event)
    names += tuple(full_name(session.store, name) for name in artifacts)
    attached = attached_of(session.store, names)
    known = collection_of(session.store, attached, scope_of(session.settings))
    plan = await planner_for(session).plan(task, attached=attached, collection=known)
    check_plan(plan, session)
    return await _explained(session, plan)


async def _explained(session: Session, plan: Plan) -> Plan:
    """The plan with the nearest examples of every routing; a run does without those that decided nothing."""
    bare = [each for each in plan.subtasks if each.routing is not None and not each.routing.nearest]
    found = await session.router().nearest([each.instruction for each in bare])
    nearest = {each.id: examples for each, examples in zip(bare, found, strict=True)}
    subtasks = tuple(
        each.model_copy(update={"routing": each.routing.model_copy(update={"nearest": nearest[each.id]})})
        if each.routing is not None and each.id in nearest
        else each
        for each in plan.subtasks
    )
    return plan.model_copy(update={"subtasks": subtasks})


def check_task(task: str) -> None:
    """Raise TaskError for a task that has nothing to read, or is too long to be one."""
    # Control and zero-width characters say nothing, and would send a model off on a task of its own.
    if not any(character.isprintable() and not character.isspace() for character in task):
        raise TaskError(
            "The task is empty.", next_step='Say what you want, for example: nonet run "Summarize notes.md"'
        )
    if len(task) > MAX_TASK_CHARACTERS:
        raise TaskError(
            f"The task has {len(task):,} characters; at most {MAX_TASK_CHARACTERS:,} can be one task.",
            kept="Nothing was stored.",
            next_step="Put the long text into a file and name it with --docs.",
        )


async def drive_plan(
    session: Session,
    task: str,
    plan: Plan,
    names: Sequence[str],
    *,
    scope: Filter | None = None,
    finished: Mapping[str, SubtaskRecord] | None = None,
    priority: Priority = Priority.INTERACTIVE,
    on_event: OnEvent | None = None,
) -> RunResult:
    """Run a plan that is given, as `run_task` runs one that it made.

    Args:
        scope: what it searches where no document is named; that of the settings unless given.
        finished: parts that another run finished; they are taken over, and done again only if they read something else.
    """
    check_staff(plan, session, "The plan")
    if priority is not Priority.BATCH:
        session.store.check_writable()
    async with session.turns.take() as turn:
        lease = session.store.runs.create(
            task,
            runtime=session.runtime.name,
            documents=names,
            options={**bounds_of(session, scope), **_origin_of(session)},
            owner=owner(),
        )
        if session.workspace is not None:
            session.store.runs.keep_files(lease, session.workspace.files)
        session.store.runs.save_plan(lease, plan.model_dump_json(), plan.planner, "accepted")
        context = new_context(session, lease, turn, task, names, scope=scope, on_event=on_event)
        context.priority = priority
        context.plan = plan
        for record in (finished or {}).values():
            session.store.runs.finish_subtask(lease, record)
        context.finished = finished or {}
        return await drive(context, None, None, resumed=False)


async def attach(session: Session, paths: Sequence[Path], on_event: OnEvent | None) -> tuple[str, ...]:
    """Add the files to the collection; the names of the documents. What is skipped, and how some were read, is told.

    A run reads: no document of the collection is removed by it, whatever became of its file.
    """
    if not paths:
        return ()
    report = await asyncio.to_thread(
        add_documents,
        session.store,
        paths,
        collection=scope_of(session.settings).collection or "",
        may_remove=False,
    )
    if report.failed:
        raise DocumentError(report.failed[0].reason, next_step=report.failed[0].next_step)
    if not report.names:
        raise nothing_read(paths, report)
    notices = [Notice("skipped", f"{path}: {reason}") for path, reason in report.skipped]
    notices += [Notice("document", f"{path}: {note}") for path, note in report.notes]
    for notice in notices:
        if on_event is not None:
            on_event(notice)
    return report.names


def new_context(
    session: Session,
    lease: Lease,
    turn: Turn,
    task: str,
    names: Sequence[str],
    *,
    scope: Filter | None = None,
    on_event: OnEvent | None,
) -> RunContext:
    """What the work on a run shares; `names` are the documents it reads. Without `scope`, that of the settings."""
    where = scope if scope is not None else scope_of(session.settings)
    named = tuple(name for name in names if not is_reference(name)) or None
    if named is None and on_event is not None and (why := nothing_to_search(session.store, where)):
        on_event(Notice("documents", why))
    return RunContext(
        session=session,
        lease=lease,
        task=task,
        attached=attached_of(session.store, names),
        searcher=StoreSearcher(session.store, named, session.embedder(), where, session.settings.search_rounds),
        scope=where,
        budget=budget_of(session, Limits.of(session.settings)),
        turn=turn,
        on_event=on_event,
    )


def _origin_of(session: Session) -> dict[str, Any]:
    """Where the files that the run may change come from, so that a resume finds them."""
    workspace = session.workspace
    return {"files": dict(workspace.origin)} if workspace is not None and workspace.origin else {}


def bounds_of(session: Session, scope: Filter | None = None) -> dict[str, Any]:
    """What is kept with a new run, so that a resume keeps to it: what it may spend, and what it searches."""
    where = scope if scope is not None else scope_of(session.settings)
    return {"budget": Limits.of(session.settings).to_json(), **kept_scope(where)}


def renewed_limits(session: Session, lease: Lease, found: RunRecord, given: Limits | None) -> Limits:
    """The run's own limits, with those given now in their place, and kept."""
    kept = limits_of(found) or Limits.of(session.settings)
    limits = kept.replaced_by(given) if given is not None else kept
    if limits != kept:
        session.store.runs.save_options(lease, {**found.options, "budget": limits.to_json()})
    return limits


def budget_of(session: Session, limits: Limits, found: RunRecord | None = None) -> Budget:
    """A budget within the limits, less what earlier processes spent of it."""
    before = usage_of_run(found) if found is not None else RunUsage()
    return Budget(limits, before, session.energy, resumed=found is not None)
