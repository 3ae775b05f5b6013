"""What the store takes and gives: frozen records, no behaviour. Times are seconds since the epoch (UTC)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Change = Literal["added", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on one run, until it expires or is released. Every write of the run shows its token."""

    run: str
    owner: str
    token: int
    """Rises with each lease of the run; a write with an older one is refused."""
    status: str = "running"
    """The run's status before this lease: "done" means that there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request to a runtime."""

    model: str
    kind: str = "chat"
    """"chat", "embed", or "remote": a chat that left the machine."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    load_seconds: float = 0.0
    finish: str = ""
    """"stop", "length", or empty where the call failed."""
    error: str = ""
    prompt: str | None = None
    """Kept, content-addressed, where given."""
    answer: str | None = None
    """Kept, content-addressed, where given."""
    subtask: str = ""
    """Set by the store; empty for calls of the planner, the reviewer and the composer."""
    attempt: int = 0
    created_at_s: float = 0.0
    """When it had ended."""
    host: str = ""
    origin: str = ""
    """Empty: a model was asked; "cache" or "shared": the answer was there, or was being made for another call."""
    swapped_out: str = ""
    """The model that was pushed out for this call."""
    swap_avoided: bool = False
    """It went out of turn because its model was loaded."""
    wait_seconds: float = 0.0
    """For its turn; not part of `seconds`."""
    prompt_seconds: float = 0.0
    generation_seconds: float = 0.0
    cached_tokens: int = 0
    """Of the prompt's, computed for an earlier call."""
    joules: float | None = None
    """Its share of what the machine used; None where that is not known."""


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a model takes on a host, as its calls showed; 0 where it was not seen."""

    host: str
    model: str
    load_seconds: float
    call_seconds: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A host that was added by hand, or one that is to be left alone."""

    address: str
    draining: bool
    added_at_s: float


@dataclass(frozen=True, slots=True)
class Account:
    """What some calls cost together."""

    name: str
    """Of what they are summed up by."""
    calls: int
    from_cache: int
    shared: int
    """Calls that got the answer of another one."""
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    wait_seconds: float
    load_seconds: float
    prompt_seconds: float
    generation_seconds: float
    seconds: float
    """Of the calls, loading included, waiting not."""
    swaps: int
    swaps_avoided: int
    joules: float | None
    """Of those that know theirs; None where none does."""


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What the response cache holds, and what it saved."""

    responses: int
    size_bytes: int
    hits: int


@dataclass(frozen=True, slots=True)
class SubtaskRecord:
    """A subtask's artifact: its text, and what was proved of it."""

    id: str
    specialist: str
    instruction: str
    verdict: str
    text: str
    inputs: tuple[str, ...] = ()
    attempts: int = 1
    model: str = ""
    seconds: float = 0.0
    evidence_json: str = "[]"
    citations_json: str = "[]"
    data_json: str = "{}"
    input_digest: str = ""
    """What identifies the work: the same subtask with the same digest need not be run again."""
    digest: str = ""
    """SHA-256 of the text, hexadecimal; set by the store."""
    finished_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """One revision of a run's plan."""

    revision: int
    """1 is the first."""
    planner: str
    status: str
    plan_json: str
    created_at_s: float


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try of a subtask. `finished_at_s` is None where the process died in it."""

    subtask: str
    number: int
    model: str
    verdict: str
    """Empty while it is unfinished."""
    evidence_json: str
    text: str
    started_at_s: float
    finished_at_s: float | None


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """Something that must not pass in silence: a swap, a retry, an escalation."""

    kind: str
    text: str
    created_at_s: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A line of `nonet runs list`."""

    id: str
    seq: int
    """Orders runs; the clock does not."""
    task: str
    """Its first 200 characters."""
    runtime: str
    status: str
    """"running", "interrupted" (nobody works on it any more), "waiting", "done", "failed" or "refused"."""
    verdict: str
    created_at_s: float
    finished_at_s: float | None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """All that is known of one run, oldest first in each tuple."""

    id: str
    seq: int
    task: str
    runtime: str
    documents: tuple[str, ...]
    options: Mapping[str, Any]
    status: str
    """As RunSummary.status."""
    verdict: str
    answer: str
    usage: Mapping[str, Any]
    leases: int
    """How often it was started or resumed."""
    lease_owner: str
    created_at_s: float
    finished_at_s: float | None
    missing: tuple[str, ...] = ()
    """What the answer lacks, in words."""
    plans: tuple[PlanRecord, ...] = ()
    subtasks: tuple[SubtaskRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    notes: tuple[NoteRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a clean-up removed."""

    runs: int
    texts: int
    freed_bytes: int
    """By how much the file shrinks."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to keep. Chunks are (start, end) offsets in characters of `text`."""

    name: str
    text: str
    media_type: str = "text/plain"
    path: str = ""
    """Where it was read from."""
    chunks: Sequence[tuple[int, int]] = ()
    size_bytes: int = 0
    modified: float = 0.0
    """The file's modification time, seconds since the epoch."""
    title: str = ""
    """Its first heading or line where empty."""
    headings: Sequence[str] = ()
    """One a chunk, searched with more weight than its text; without them Markdown's own headings are found."""
    pages: Sequence[int | None] = ()
    """The page of each chunk, from 1; empty for a document without pages."""
    markdown: bool = False
    """The text is Markdown, whatever the media type says of the file."""
    collection: str = ""
    """What it belongs to; empty: the collection that has no name."""
    dated: float = 0.0
    """When it was written, seconds since the epoch; 0: when the file was modified."""
    file_digest: str = ""
    """SHA-256 of the file, hexadecimal."""
    rules: str = ""
    """Of reading and cutting; by other rules the same file is another document."""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document that is kept; `text()` reads it."""

    name: str
    digest: str
    """SHA-256 of the text, hexadecimal."""
    title: str
    """Its first heading or line, at most 120 characters. Untrusted."""
    media_type: str
    path: str
    size_bytes: int
    characters: int
    chunks: int
    modified: float
    added_at_s: float
    collection: str = ""
    dated: float = 0.0
    """When it was written, seconds since the epoch."""
    file_digest: str = ""
    """SHA-256 of the file, hexadecimal; empty where it was not read from one."""
    rules: str = ""
    """By which it was read and cut."""
    change: Change = "unchanged"
    """What `add` did."""
    read: Callable[[], str] = field(default=str, repr=False, compare=False)

    def text(self) -> str:
        """The whole text. Raises DocumentError if it was replaced or removed meanwhile."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found; `text` == the document's text[start:end]."""

    document: str
    chunk: int
    score: float
    """Higher is better; comparable within one search only."""
    start: int
    end: int
    text: str
    seq: int = 0
    """The chunk's number in the database."""
    heading: str = ""
    page: int | None = None
    media_type: str = ""
    path: str = ""
    dated: float = 0.0
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents to search; what is not given does not matter."""

    documents: Sequence[str] | None = None
    """Full names."""
    collection: str | None = None
    """Its name; "" for the documents of none."""
    kind: str = ""
    """A part of the media type, or a suffix: "pdf", "markdown", "text/"."""
    path: str = ""
    """A pattern for the whole path, or for the document's name: "*/reports/*" (SQLite's GLOB)."""
    since: float | None = None
    """Written at this time or later, seconds since the epoch."""
    until: float | None = None
    """Written before this time."""


@dataclass(frozen=True, slots=True)
class VectorState:
    """How far the vectors of the database are."""

    model: str
    """What made them; "": there are none."""
    done: int
    """Chunks that have one."""
    chunks: int
    """Chunks in all."""


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that has no vector yet."""

    seq: int
    document: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What `nonet doctor` measured of a model."""

    runtime: str
    model: str
    digest: str
    """Of the weights it was measured with: a profile of other weights is stale."""
    profile_json: str
    measured_at_s: float


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An interactive session."""

    id: str
    name: str
    """What the user called it; empty where it was never named."""
    state: Mapping[str, Any]
    """What it remembers, bounded by who writes it."""
    created_at_s: float
    runs: int
    """How many were made in it and are still there."""


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """Where a specialist's ladder is climbed."""

    specialist: str
    ladder: str
    """Its models and their weights when it was measured."""
    bar: float
    report_json: str
    made_at_s: float
