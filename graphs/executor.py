"""Runs a plan: every subtask starts the moment its inputs are there. No waves, no barrier between them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nonet.agents.plan import Plan, Subtask
from nonet.errors import BudgetSpentError
from nonet.graphs.attempts import work_on
from nonet.graphs.context import RunContext
from nonet.graphs.events import SubtaskFinished
from nonet.graphs.mentions import is_reference, source_of
from nonet.graphs.outlook import PlanOutlook
from nonet.graphs.records import is_no_ground, record_of
from nonet.specialists import Evidence, Outcome, Source, Verdict

if TYPE_CHECKING:
    from nonet.store import SubtaskRecord


async def execute(context: RunContext, plan: Plan) -> None:
    """Run what is not finished yet; a record a subtask goes into `context.records` as it ends.

    The first error that ends the run (no server, no disk) cancels what is still at work, and is raised when all of it
    has stopped; finished subtasks are in the store by then. A budget that is spent begins nothing more, but what is
    under way has been counted, and may end; time that is up comes from outside, and cancels all.
    """
    outlook = PlanOutlook(context.session.scheduler.outlook, context.session.ladders, context.priority)
    with outlook.of(plan):
        await _execute(context, plan, outlook)
    await context.all_told()


async def _execute(context: RunContext, plan: Plan, outlook: PlanOutlook) -> None:
    sorter = plan.sorter()
    running: dict[asyncio.Task[SubtaskRecord], str] = {}
    spent: BudgetSpentError | None = None
    try:
        while running or (spent is None and sorter.is_active()):
            for subtask_id in () if spent else sorter.get_ready():
                work = _subtask(context, plan.subtask(subtask_id), outlook)
                running[asyncio.ensure_future(work)] = subtask_id
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                subtask_id = running.pop(task)
                error = task.exception()
                if isinstance(error, BudgetSpentError):
                    spent = spent or error
                    continue
                context.records[subtask_id] = task.result()
                sorter.done(subtask_id)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
    if spent is not None:
        raise spent


async def _subtask(context: RunContext, subtask: Subtask, outlook: PlanOutlook) -> SubtaskRecord:
    """One subtask, or what an earlier process already made of the very same inputs."""
    started = time.monotonic()
    records = context.records
    before = records.get(subtask.id) or context.finished.get(subtask.id)
    documents = [_document(context, name, subtask.specialist) for name in subtask.documents]
    digest = input_digest(subtask, records, documents)
    if before is not None and before.input_digest == digest and _stands(context, before):
        context.emit(SubtaskFinished(subtask.id, Verdict(before.verdict), before.attempts, before.seconds, reused=True))
        return before
    broken = [name for name in subtask.inputs if is_no_ground(records[name])]
    if broken:
        # Work on a result known to be wrong, or on none, would only hide it.
        failed = all(records[name].verdict == Verdict.FAILED for name in broken)
        why = "failed" if failed else "failed or found nothing"
        detail = f"not run: it reads {', '.join(broken)}, which {why}"
        outcome = Outcome("", Verdict.FAILED, (Evidence("input", passed=False, detail=detail),))
        record = record_of(subtask, outcome, input_digest=digest)
    else:
        artifacts = [Source(name, records[name].text, "artifact", records[name].instruction) for name in subtask.inputs]
        with outlook.at_work(subtask.id):
            ended = await work_on(context, subtask, [*artifacts, *documents])
        seconds = time.monotonic() - started
        record = record_of(
            subtask, ended.outcome, input_digest=digest, model=ended.model, attempts=ended.attempts, seconds=seconds
        )
    context.session.store.runs.finish_subtask(context.lease, record)
    context.tell_when_kept(SubtaskFinished(subtask.id, Verdict(record.verdict), record.attempts, record.seconds))
    return record


def _stands(context: RunContext, before: SubtaskRecord) -> bool:
    """What failed is tried again by a resume, but not by a revision of the plan in the same process."""
    tried_here = before.id in context.records and before.attempts > 0
    return before.verdict != Verdict.FAILED or tried_here


def _document(context: RunContext, name: str, specialist: str) -> Source:
    if is_reference(name):
        return source_of(context.session.store, name, specialist)
    return Source(name, context.session.store.documents.text(name), "document")


def input_digest(subtask: Subtask, records: Mapping[str, SubtaskRecord], documents: list[Source]) -> str:
    """SHA-256 over all a subtask sees: its specialist, its instruction, its options, and the texts it reads."""
    seen = [subtask.specialist, subtask.instruction]
    seen += [f"{records[name].instruction}\n{records[name].text}" for name in subtask.inputs]
    seen += [f"{source.name}\n{source.text}" for source in documents]
    if subtask.options is not None:  # else as it was before there were any: what was finished then stands
        seen.append(subtask.options.model_dump_json(exclude_none=True))
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
