"""The newest schema of batch queues as SQLModel tables, beside tables.py: what each column means."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field

from nonet.store.tables import Table


class Clock(Table, table=True):
    """One row: how this boot's clock becomes seconds since the epoch (clock.py)."""

    __tablename__ = "clock"
    id: int = Field(primary_key=True)
    boot: str
    offset_s: float
    seen_s: float
    """A time that has passed; a later boot does not begin before it."""


class Queue(Table, table=True):
    """A queue, how many jobs it has of each status, and what they cost. A test counts them anew."""

    __tablename__ = "queues"
    __table_args__ = ({"sqlite_autoincrement": True},)
    seq: int = Field(primary_key=True)
    name: str = Field(unique=True)
    work: str
    """What was asked for last, as JSON: documents that a watched folder brings get the same."""
    paused: bool
    concurrency: int | None
    """Jobs leased at once at most, over all processes; NULL: as many as the workers take."""
    max_attempts: int
    max_bytes: int
    """A larger document is not read."""
    turn: int
    """When it was served last: among equals the lowest goes first."""
    delayed: int
    queued: int
    leased: int
    done: int
    dead: int
    cancelled: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    swaps: int
    created_at_s: float


class Work(Table, table=True):
    """What is to be done with a document, kept once."""

    __tablename__ = "works"
    seq: int = Field(primary_key=True)
    digest: str = Field(unique=True)
    work: str
    """JSON; the store does not read it."""


class Worker(Table, table=True):
    """A process that works on queues. Its row goes with it; whoever misses its row has lost its jobs."""

    __tablename__ = "workers"
    __table_args__ = ({"sqlite_autoincrement": True},)
    seq: int = Field(primary_key=True)
    owner: str
    process: str
    """leases.process_name, to know at once that it died."""
    beats: int
    """Rises while it lives."""
    started_at_s: float


class Job(Table, table=True):
    """One document to be worked on."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_key", "queue_seq", "key", unique=True),
        Index("ix_jobs_queued", "queue_seq", "rank", "seq", sqlite_where=text("status = 'queued'")),
        Index("ix_jobs_delayed", "ready_at_s", sqlite_where=text("status = 'delayed'")),
        Index("ix_jobs_leased", "worker_seq", sqlite_where=text("status = 'leased'")),
        Index("ix_jobs_dead", "queue_seq", "seq", sqlite_where=text("status = 'dead'")),
        Index("ix_jobs_finished", "queue_seq", "finished_at_s", sqlite_where=text("finished_at_s IS NOT NULL")),
        Index("ix_jobs_run", "run", sqlite_where=text("run IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )
    seq: int = Field(primary_key=True)
    """What users name it by; never used twice."""
    queue_seq: int = Field(foreign_key="queues.seq", ondelete="CASCADE")
    work_seq: int = Field(foreign_key="works.seq")
    key: bytes
    """16 bytes of the digest of content and work: the same again is the same job."""
    document: str
    path: str | None
    """The file; NULL where the text is in job_inputs."""
    content: bytes | None
    """SHA-256 of the file as it was added, 32 bytes; NULL where it was too large to be read."""
    size_bytes: int
    status: str
    """queue_records.JobStatus."""
    rank: int
    """Minus the priority, so that an index ascends."""
    ready_at_s: float
    attempts: int
    """Tries that ended by themselves, well or not."""
    crashes: int
    """Times its worker died in it."""
    token: int
    """Rises with each lease; a result shows the one it was worked on with."""
    worker_seq: int | None
    run: str | None
    """The run that works on it, to be resumed by whoever gets the job next."""
    added_at_s: float
    started_at_s: float | None
    finished_at_s: float | None


class JobInput(Table, table=True):
    """The text of a job that has no file."""

    __tablename__ = "job_inputs"
    job_seq: int = Field(primary_key=True, foreign_key="jobs.seq", ondelete="CASCADE")
    text: str


class JobResult(Table, table=True):
    """What came of a job, written in the transaction that ends it."""

    __tablename__ = "job_results"
    job_seq: int = Field(primary_key=True, foreign_key="jobs.seq", ondelete="CASCADE")
    verdict: str
    output: str
    detail: str
    """JSON: checks, citations, usage."""


class JobError(Table, table=True):
    """One failure of a job; they stay when it is tried again."""

    __tablename__ = "job_errors"
    seq: int = Field(primary_key=True)
    job_seq: int = Field(foreign_key="jobs.seq", ondelete="CASCADE", index=True)
    attempt: int
    kind: str
    message: str
    at_s: float
