"""The work of a job: its document into the collection, a run over it, and what came of that.

The run is the job's own: whoever gets the job after a crash goes on with it, and finished subtasks are not repeated.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from nonet.agents.plan import Plan, Subtask
from nonet.errors import DocumentError, RunNotFoundError, UsageError
from nonet.graphs.batch_inputs import too_large
from nonet.graphs.documents import new_document
from nonet.graphs.events import Event, OnEvent, RunStarted
from nonet.graphs.run import drive_plan, resume_run, run_task
from nonet.runtimes.lines import Priority
from nonet.specialists import SummaryOptions
from nonet.specialists.budget import split_chars
from nonet.specialists.chunking import CHUNK_CHARS, CHUNK_OVERLAP_CHARS
from nonet.specialists.ingest import convert, open_file
from nonet.specialists.summary_options import check_taker, options_of
from nonet.store import Job, JobFault, JobOutput, JobUsage, NewDocument, document_folder

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.store import Store
    from nonet.store.records import Change

DOCUMENT = "{document}"
SUPERVISOR = "supervisor"
_DEFAULT_TASK = "Summarize {document}."
_SMALL_BYTES = 65_536
"""Texts up to this are cut on the event loop: a thread would cost more than the work."""
_OWN_FAULTS = ("ContextOverflowError",)
"""Failed calls that say something of the document and nothing of the server."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with each document of a queue."""

    workflow: str = SUPERVISOR
    """"supervisor" plans the task of each document; the name of a specialist gives it to that one; "file.py:name" is a
    workflow of the user's."""
    task: str = _DEFAULT_TASK
    """`{document}` in it stands for the document's name."""
    keep: bool = False
    """Runs, inputs and documents stay in the database when a job is done."""
    options: SummaryOptions | None = None
    """How the summaries are to be, where the specialist summarization makes them."""

    def to_json(self) -> str:
        """What identifies it: always the same text for the same work, whether or not there were options then."""
        told = {**asdict(self), "options": self.options and self.options.model_dump(exclude_none=True)}
        return json.dumps({key: value for key, value in told.items() if value is not None}, sort_keys=True)

    def checked(self, *, prefix: str = "") -> Self:
        """The same. Raises UsageError for options, whose names get the prefix, with what makes no summaries."""
        check_taker(self.workflow, self.options, prefix=prefix)
        return self

    @classmethod
    def of(cls, stored: str) -> Work:
        """As `to_json` gave it. Raises UsageError where another program has put something else there."""
        try:
            kept = json.loads(stored)
            return cls(**{**kept, "options": options_of(kept.get("options") or {})})
        except (TypeError, ValueError, AttributeError, UsageError) as error:
            raise UsageError(f"The work of this queue is not one of nonet's: {stored[:80]}") from error


@dataclass(frozen=True, slots=True)
class Performed:
    """What one try of a job came to."""

    output: JobOutput | None
    """What is kept with a job that is done, and with one that is dead."""
    fault: JobFault | None = None
    """Why it is no result; None where it is one."""
    for_good: bool = False
    """No other try can go better."""
    doubtful: bool = False
    """Calls failed: it counts only if the server is well."""


Perform = Callable[[Job, OnEvent], Awaitable[Performed]]
"""Does one try of a job. Raises ResourceError where nothing can be done at the moment, StoreError where nothing can be
kept; any other error is a failure of the job."""


async def perform(session: Session, job: Job, on_event: OnEvent) -> Performed:
    """Plan and run what the job's work says. Raises as `Perform` says."""
    started = time.monotonic()
    work = Work.of(job.work)

    def listen(event: Event) -> None:
        if isinstance(event, RunStarted):
            session.store.queues.set_run(job, event.run)
        on_event(event)

    try:
        await _attach(session.store, job)
        result = await _run(session, job, work, listen)
    except DocumentError as error:
        return Performed(None, JobFault("document", _plain(job, error.message)), for_good=not _is_gone(job))
    return _judge(job, result, time.monotonic() - started)


def _is_gone(job: Job) -> bool:
    """Whether its file is not there at the moment; it may come back, such as one on a network drive."""
    return job.path is not None and not os.path.lexists(job.path)


async def _attach(store: Store, job: Job) -> None:
    """Put the document into the collection. Raises DocumentError for one that cannot be read, or has changed."""

    def put() -> Future[list[Change]]:
        return store.documents.submit([_read(store, job)])

    small = job.path is None and job.size_bytes <= _SMALL_BYTES
    await asyncio.wrap_future(put() if small else await asyncio.to_thread(put))


def text_of(store: Store, job: Job) -> str:
    """The text of a job's document. Raises DocumentError for one that cannot be read, or has changed."""
    return store.queues.text(job) if job.path is None else _read(store, job).text


def _read(store: Store, job: Job) -> NewDocument:
    if job.size_bytes > job.max_bytes:
        raise DocumentError(f"{job.document}: {too_large(job.size_bytes, job.max_bytes)}.")
    if job.path is None:
        text = store.queues.text(job)
        chunks = split_chars(text, CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS)
        return NewDocument(job.document_name, text, size_bytes=job.size_bytes, chunks=chunks)
    file = open_file(Path(job.path), max_bytes=job.max_bytes)
    if job.content is not None and file.digest != job.content.hex():
        raise DocumentError(f"{job.path} has changed since it was added; add it again to have it as it is now.")
    return new_document(convert(file, name=job.document_name), "")


async def _run(session: Session, job: Job, work: Work, on_event: OnEvent) -> RunResult:
    if work.workflow != SUPERVISOR and work.workflow not in session.specialists:
        return await _run_workflow(session, job, work.workflow, on_event)
    name = job.document_name
    if job.run is not None:
        try:
            return await resume_run(session, job.run, priority=Priority.BATCH, on_event=on_event)
        except RunNotFoundError:
            pass  # the user has removed it
    task = work.task.replace(DOCUMENT, name)
    if work.workflow == SUPERVISOR:
        return await run_task(session, task, attached=(name,), priority=Priority.BATCH, on_event=on_event)
    whole = () if work.workflow == "retrieval" else (name,)
    subtask = Subtask(id="s1", specialist=work.workflow, instruction=task, documents=whole, options=work.options)
    plan = Plan(planner="user", subtasks=(subtask,))
    return await drive_plan(session, task, plan, (name,), priority=Priority.BATCH, on_event=on_event)


async def _run_workflow(session: Session, job: Job, workflow: str, on_event: OnEvent) -> RunResult:
    """A workflow of the user's; the document is in its input, and its run that of the job."""
    from nonet.graphs import batch_workflow  # noqa: PLC0415  runs the user's code

    if job.run is not None:
        try:
            return await batch_workflow.go_on(session, workflow, job.run, on_event)
        except RunNotFoundError:
            pass  # the user has removed it
    return await batch_workflow.run_for_document(session, workflow, job.document_name, on_event)


def _judge(job: Job, result: RunResult, seconds: float) -> Performed:
    """Whether the result of a run is that of its job."""
    output = _output(job, result, seconds)
    done = result.status == "done"
    if done and result.verdict == "verified":
        return Performed(output)
    calls = [error for error in result.call_errors if not error.startswith(_OWN_FAULTS)]
    if done:
        return Performed(output, doubtful=bool(calls))
    reason = "; ".join(result.missing) or _failed_checks(result) or "the run failed"
    told = f"{reason} ({calls[-1]})" if calls else reason
    return Performed(output, JobFault("call" if calls else "verdict", _plain(job, told)), doubtful=bool(calls))


def _failed_checks(result: RunResult) -> str:
    checks = [(each.id, item) for each in result.subtasks for item in each.evidence if item.passed is False]
    return "; ".join(f"{subtask} {item.kind}: {item.detail}" for subtask, item in checks[:3])


def _output(job: Job, result: RunResult, seconds: float) -> JobOutput:
    """What is kept of a run with its job; the document has its own name in it."""
    told = result.to_json()
    detail = {key: told[key] for key in ("subtasks", "citations", "missing", "notes", "usage")}
    usage = result.usage
    return JobOutput(
        verdict=str(result.verdict),
        text=_plain(job, result.answer),
        detail=_plain(job, json.dumps(detail, ensure_ascii=False)),
        usage=JobUsage(usage.calls, usage.prompt_tokens, usage.completion_tokens, seconds, usage.swaps),
    )


def _plain(job: Job, text: str) -> str:
    """The text with the document's own name instead of the one it has in the collection."""
    return text.replace(document_folder(job.seq), "")
