"""What a queue takes and gives: frozen records, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_ATTEMPTS = 3
SUSPECT_CRASHES = 5
MOST_CRASHES = 12
"""A document is dead that has lost so many workers, of which all after the first five when it was alone in them: so
many by chance, such as by a user who kills them, is next to impossible."""
MAX_DOCUMENT_BYTES = 50_000_000
"""As much as specialists.ingest reads."""


class JobStatus(StrEnum):
    """Where a job stands."""

    DELAYED = "delayed"
    """Its time has not come: it was added with a delay, or failed and is tried again later."""
    QUEUED = "queued"
    """The next free worker may take it."""
    LEASED = "leased"
    """A worker has it."""
    DONE = "done"
    """It has its one result."""
    DEAD = "dead"
    """It failed too often, or cannot be worked on at all; its errors say why, and `retry` gives it another chance."""
    CANCELLED = "cancelled"
    """The user does not want it any more."""


UNFINISHED = (JobStatus.DELAYED, JobStatus.QUEUED, JobStatus.LEASED)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A document to be worked on: a file, or a text of its own."""

    document: str
    """Its name in results."""
    content: bytes
    """What makes it the same document: 32 bytes, the SHA-256 of the file or of what the row says."""
    size_bytes: int
    path: str | None = None
    """The whole path of the file; None where `text` is given."""
    text: str | None = None
    refused: str = ""
    """Why it cannot be worked on: it is dead from the start."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of documents that were added."""

    jobs: int = 0
    """New ones, the refused included."""
    refused: int = 0
    known: int = 0
    """Those that the queue has already, with the same content and the same work."""
    same: tuple[tuple[str, str], ...] = ()
    """(name, name of the job it is the same as) pairs where the two names differ; a hundred at most are told."""

    def __add__(self, other: Added) -> Added:
        same = (*self.same, *other.same)[:MOST_TOLD]
        return Added(self.jobs + other.jobs, self.refused + other.refused, self.known + other.known, same)


MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class WorkerId:
    """A process that takes jobs, until it retires or is thought dead."""

    seq: int
    owner: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a worker gets it. Whatever it writes shows `token`."""

    seq: int
    queue: str
    document: str
    work: str
    """What is to be done, as JSON."""
    path: str | None
    """None: its text is asked for with `QueueStore.text`."""
    content: bytes | None
    """SHA-256 of the file as it was added; None where it was not read then."""
    size_bytes: int
    attempts: int
    """Earlier tries that ended by themselves."""
    crashes: int
    """Workers that ended while they had it."""
    token: int
    run: str | None
    """The run of an earlier try, to be resumed."""
    max_bytes: int
    """What its queue reads of a document at most."""

    @property
    def is_suspect(self) -> bool:
        """It may be what ends its workers: it is worked on alone, so that it takes no other with it."""
        return self.crashes >= SUSPECT_CRASHES

    @property
    def document_name(self) -> str:
        """What its document is called in the collection while it is worked on; the job's end drops it from there."""
        return f"{document_folder(self.seq)}{self.document}"


_FOLDER = "nonet-job-"


def document_folder(job: int) -> str:
    """How the names of the documents of that job begin."""
    return f"{_FOLDER}{job}/"


def is_job_document(name: str) -> bool:
    """Whether a document of the collection is only there for a job."""
    return name.startswith(_FOLDER) and name.removeprefix(_FOLDER).partition("/")[0].isdigit()


@dataclass(frozen=True, slots=True)
class JobUsage:
    """What a job cost."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    swaps: int = 0


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What a worker made of a job."""

    verdict: str
    text: str
    detail: str = "{}"
    """JSON: checks, citations, and whatever else belongs to the result."""
    usage: JobUsage = field(default_factory=JobUsage)


@dataclass(frozen=True, slots=True)
class JobFault:
    """One failure of a job."""

    kind: str
    """The error's class, "crash" or "refused"."""
    message: str
    attempt: int = 0
    """Which try it ended; 0 for one that was none."""
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class JobRecord:
    """All that is known of one job."""

    seq: int
    queue: str
    document: str
    status: JobStatus
    work: str
    path: str | None
    size_bytes: int
    priority: int
    attempts: int
    crashes: int
    run: str | None
    worker: str
    """Who has it; empty where nobody has."""
    ready_at_s: float
    added_at_s: float
    started_at_s: float | None
    finished_at_s: float | None
    verdict: str = ""
    output: str = ""
    detail: str = "{}"
    errors: tuple[JobFault, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """A queue and its counts."""

    name: str
    work: str
    paused: bool
    concurrency: int | None
    max_attempts: int
    max_bytes: int
    delayed: int
    queued: int
    leased: int
    done: int
    dead: int
    cancelled: int
    usage: JobUsage
    created_at_s: float

    @property
    def unfinished(self) -> int:
        return self.delayed + self.queued + self.leased


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a queue is lately."""

    rate_per_s: float = 0.0
    """Jobs that ended, over the last thousand of the last ten minutes."""
    eta_s: float | None = None
    """Until it is empty at that rate; None where nothing has ended lately, or nothing is left."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A job that a worker has."""

    seq: int
    document: str
    worker: str
    seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Failing:
    """A job that failed, and its last error."""

    seq: int
    document: str
    status: JobStatus
    attempts: int
    error: str
