"""What `nonet batch ... --json` prints."""

from __future__ import annotations

from typing import Any, Literal

from nonet.schema_base import Output, VerdictName

StatusName = Literal["delayed", "queued", "leased", "done", "dead", "cancelled"]


class SameOut(Output):
    """A document that is another one under a new name."""

    document: str
    same_as: str


class LeftOutOut(Output):
    """A file in a folder that was not taken, and why."""

    path: str
    reason: str


class BatchAddOut(Output):
    """`nonet batch add`."""

    queue: str
    added: int
    """New documents, the refused ones included."""
    refused: int
    """Of which: dead from the start, such as those that are too large."""
    known: int
    """The queue had them already, with the same content and work."""
    same: list[SameOut]
    """Of those, the first hundred that have another name."""
    skipped: list[LeftOutOut]
    queued: int
    """Waiting in the queue now."""


class QueueOut(Output):
    """A queue and its counts."""

    queue: str
    queued: int
    """Documents that wait, the delayed ones included."""
    delayed: int
    leased: int
    """At work."""
    done: int
    dead: int
    cancelled: int
    paused: bool


class BatchUsageOut(Output):
    """What a queue has cost so far."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    """Of work, summed over documents that were worked on at the same time."""
    swaps: int


class AtWorkOut(Output):
    """A document that a worker has."""

    seq: int
    """The number of its job."""
    document: str
    worker: str
    seconds: float
    attempts: int


class FailingOut(Output):
    """A document that failed, and its last error."""

    seq: int
    document: str
    status: StatusName
    attempts: int
    error: str


class BatchStatusOut(QueueOut):
    """`nonet batch status`; with --live one a second."""

    rate_per_s: float
    """Documents that ended, over the last thousand of the last ten minutes."""
    eta_s: float | None
    """Until all are finished at that rate; null where nothing has ended lately or nothing is left."""
    concurrency: int | None
    """Documents at work at once at most; null: no limit."""
    usage: BatchUsageOut
    database_bytes: int
    """Of the whole file, with all its queues, runs and documents."""
    at_work: list[AtWorkOut]
    """Those that take longest."""
    failing: list[FailingOut]
    """The newest failures."""


class BatchRunOut(Output):
    """A line of `nonet batch run`: an event, or counts ("progress" every other second, "end" at last)."""

    event: Literal["done", "failed", "dead", "returned", "server_failed", "server_well", "note", "progress", "end"]
    """"failed": to be tried again. "returned": no try was used up."""
    queue: str | None = None
    job: int | None = None
    document: str | None = None
    verdict: VerdictName | None = None
    message: str | None = None
    seconds: float | None = None
    """Of the document, or of the whole run so far."""
    queued: int | None = None
    leased: int | None = None
    done: int | None = None
    dead: int | None = None
    rate_per_s: float | None = None
    eta_s: float | None = None
    stages: dict[str, int] | None = None
    """How many documents of this process are planned, and at which specialists."""
    calls: int | None = None
    tokens: int | None = None
    swaps: int | None = None
    joules: float | None = None
    """Of the machine's processors; null where it does not tell."""


class BatchJobOut(Output):
    """A document of a queue."""

    job: int
    document: str
    status: StatusName
    verdict: VerdictName | None
    attempts: int
    error: str | None
    """Why it failed last; null where it is done."""


class BatchListOut(Output):
    """`nonet batch list`: the queues, or the jobs of one."""

    queues: list[QueueOut] | None = None
    jobs: list[BatchJobOut] | None = None


class BatchErrorOut(Output):
    """One failure."""

    kind: str
    message: str
    attempt: int
    """0: no try was used up."""
    at_s: float


class BatchShowOut(BatchJobOut):
    """`nonet batch show`."""

    queue: str
    path: str | None
    size_bytes: int
    priority: int
    crashes: int
    """Workers that ended while they had it."""
    run: str | None
    """The run that works on it, as `nonet runs show` takes it."""
    worker: str
    output: str
    work: dict[str, Any]
    detail: dict[str, Any]
    """Subtasks with their evidence, citations, notes and usage."""
    errors: list[BatchErrorOut]
    ready_at_s: float
    added_at_s: float
    started_at_s: float | None
    finished_at_s: float | None


class BatchExportOut(BatchJobOut):
    """A line of `nonet batch export`."""

    output: str


class BatchFileOut(Output):
    """`nonet batch export --output`."""

    queue: str
    documents: int
    path: str
    unfinished: int
    """Documents that are not in it, because they are not finished."""


class BatchChangeOut(Output):
    """`nonet batch retry`, `nonet batch cancel`, `nonet batch purge`."""

    queue: str
    jobs: int
    freed_bytes: int | None = None
    """`purge` alone: by how much the file shrank."""


BATCH_OUTPUTS: dict[str, type[Output]] = {
    "batch-add": BatchAddOut,
    "batch-run": BatchRunOut,
    "batch-status": BatchStatusOut,
    "batch-list": BatchListOut,
    "batch-show": BatchShowOut,
    "batch-pause": QueueOut,
    "batch-export": BatchExportOut,
    "batch-export-file": BatchFileOut,
    "batch-change": BatchChangeOut,
}
