"""The newest schema as SQLModel tables: what it means, and what cold reads (`runs list`, `runs show`) go through.

Importing this loads SQLAlchemy; only `history` does, and late. The file's own schema is made by migrations.py, and a
test holds the two together. Times are seconds since the epoch; JSON stands in text columns.
"""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Table(SQLModel, registry=registry()):
    """The base of our tables, with metadata of its own: an application's SQLModel tables may have the same names."""


class Text(Table, table=True):
    """A text, kept once and never changed."""

    __tablename__ = "texts"
    digest: str = Field(primary_key=True)
    """SHA-256 of the text in UTF-8, hexadecimal."""
    text: str


class Run(Table, table=True):
    """One execution of a task."""

    __tablename__ = "runs"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int = Field(primary_key=True)
    """Orders runs; never used twice, so that "last" is not read from the clock."""
    id: str = Field(unique=True)
    """Short, random: what users name it by; also its LangGraph thread."""
    task_digest: str = Field(foreign_key="texts.digest", index=True)
    answer_digest: str | None = Field(foreign_key="texts.digest", index=True)
    runtime: str
    documents: str
    options: str
    status: str
    """running, waiting, interrupted, done, failed, refused."""
    verdict: str
    usage: str
    missing: str
    """What the answer lacks, in words."""
    lease_token: int
    """Rises with each lease; every write of the run shows it."""
    lease_owner: str
    lease_process: str
    """Which process holds it (leases.process_name), to know at once that it died."""
    lease_expires_s: float
    """0: nobody holds it."""
    created_at_s: float
    finished_at_s: float | None


class Plan(Table, table=True):
    """A revision of a run's plan."""

    __tablename__ = "plans"
    run_seq: int = Field(primary_key=True, foreign_key="runs.seq", ondelete="CASCADE")
    revision: int = Field(primary_key=True)
    planner: str
    status: str
    plan: str
    created_at_s: float


class Artifact(Table, table=True):
    """A subtask's output and what was proved of it; immutable."""

    __tablename__ = "artifacts"
    seq: int = Field(primary_key=True)
    run_seq: int = Field(foreign_key="runs.seq", ondelete="CASCADE", index=True)
    subtask: str
    text_digest: str = Field(foreign_key="texts.digest", index=True)
    verdict: str
    evidence: str
    citations: str
    data: str
    created_at_s: float


class Subtask(Table, table=True):
    """A subtask that has an artifact, and which is its newest."""

    __tablename__ = "subtasks"
    run_seq: int = Field(primary_key=True, foreign_key="runs.seq", ondelete="CASCADE")
    id: str = Field(primary_key=True)
    specialist: str
    instruction: str
    inputs: str
    input_digest: str
    """What identifies the work: with the same digest it need not be done again."""
    artifact_seq: int = Field(foreign_key="artifacts.seq", ondelete="CASCADE", index=True)
    attempts: int
    model: str
    seconds: float


class RunFile(Table, table=True):
    """A file of the user's that a run may change, as it was when the run began."""

    __tablename__ = "run_files"
    run_seq: int = Field(primary_key=True, foreign_key="runs.seq", ondelete="CASCADE")
    name: str = Field(primary_key=True)
    """Its path, relative to the project."""
    text_digest: str = Field(foreign_key="texts.digest", index=True)


class Attempt(Table, table=True):
    """One try of a subtask; without an end where the process died in it."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_run_seq", "run_seq", "subtask", "number"),)
    seq: int = Field(primary_key=True)
    run_seq: int = Field(foreign_key="runs.seq", ondelete="CASCADE")
    subtask: str
    number: int
    model: str
    verdict: str
    evidence: str
    text_digest: str | None = Field(foreign_key="texts.digest", index=True)
    started_at_s: float
    finished_at_s: float | None


class Call(Table, table=True):
    """One request to a runtime."""

    __tablename__ = "calls"
    seq: int = Field(primary_key=True)
    run_seq: int = Field(foreign_key="runs.seq", ondelete="CASCADE", index=True)
    subtask: str
    attempt: int
    kind: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    load_seconds: float
    finish: str
    error: str
    prompt_digest: str | None = Field(foreign_key="texts.digest", index=True)
    answer_digest: str | None = Field(foreign_key="texts.digest", index=True)
    created_at_s: float
    host: str
    origin: str
    """Empty: a model was asked; "cache" or "shared": the answer was there, or was being made for another call."""
    swapped_out: str
    """The model that was pushed out for this call."""
    swap_avoided: int
    """1: it went out of turn because its model was loaded."""
    wait_seconds: float
    prompt_seconds: float
    generation_seconds: float
    cached_tokens: int
    joules: float | None


class CallSum(Table, table=True):
    """Calls of an hour that are not kept one by one: those of runs that were removed, and embeddings."""

    __tablename__ = "call_sums"
    hour: int = Field(primary_key=True)
    """Since the epoch."""
    kind: str = Field(primary_key=True)
    """"chat", "remote" or "embed"."""
    model: str = Field(primary_key=True)
    host: str = Field(primary_key=True)
    queue: str = Field(primary_key=True)
    """Whose jobs they were; empty for runs of their own."""
    calls: int
    from_cache: int
    shared: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    swaps: int
    swaps_avoided: int
    wait_seconds: float
    load_seconds: float
    prompt_seconds: float
    generation_seconds: float
    seconds: float
    joules: float | None


class Note(Table, table=True):
    """Something that must not pass in silence."""

    __tablename__ = "notes"
    seq: int = Field(primary_key=True)
    run_seq: int = Field(foreign_key="runs.seq", ondelete="CASCADE", index=True)
    kind: str
    text: str
    created_at_s: float


class Document(Table, table=True):
    """A document that retrieval searches."""

    __tablename__ = "documents"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int = Field(primary_key=True)
    name: str = Field(unique=True)
    text_digest: str = Field(foreign_key="texts.digest", index=True)
    title: str
    media_type: str
    path: str
    size_bytes: int
    characters: int
    modified_at_s: float
    added_at_s: float
    collection: str = Field(index=True)
    dated_at_s: float
    file_digest: str = Field(index=True)
    rules: str
    """By which it was read and cut."""


class Chunk(Table, table=True):
    """A piece of a document; its words are in the FTS5 table `chunk_index` under the same number."""

    __tablename__ = "chunks"
    __table_args__ = (UniqueConstraint("document_seq", "number"), {"sqlite_autoincrement": True})
    seq: int = Field(primary_key=True)
    document_seq: int = Field(foreign_key="documents.seq", ondelete="CASCADE")
    number: int
    start_char: int
    end_char: int
    heading: str
    page: int | None


class VectorSpace(Table, table=True):
    """The embedding model whose vectors are kept; at most one row, so that two are never mixed."""

    __tablename__ = "vector_space"
    model: str = Field(primary_key=True)
    dimensions: int


class Vector(Table, table=True):
    """A chunk's embedding."""

    __tablename__ = "vectors"
    chunk_seq: int = Field(primary_key=True, foreign_key="chunks.seq", ondelete="CASCADE")
    codes: bytes
    """A signed byte a dimension."""


class VectorBlock(Table, table=True):
    """The signs of some hundred vectors side by side, for a first pass that reads little."""

    __tablename__ = "vector_blocks"
    seq: int = Field(primary_key=True)
    first_chunk: int = Field(index=True)
    last_chunk: int
    chunks: bytes
    """Chunk numbers, little-endian int64."""
    signs: bytes
    """A bit a dimension."""


class Model(Table, table=True):
    """What `nonet doctor` measured of a model."""

    __tablename__ = "models"
    runtime: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    digest: str
    profile: str
    measured_at_s: float


class Response(Table, table=True):
    """An answer that a deterministic call gets again without a model being asked."""

    __tablename__ = "responses"
    key: str = Field(primary_key=True)
    """SHA-256 of all that the answer depends on, hexadecimal."""
    model: str
    response: str
    size_bytes: int
    hits: int
    created_at_s: float
    used_at_s: float = Field(index=True)


class Host(Table, table=True):
    """A server that was added by hand, beside those of the settings."""

    __tablename__ = "hosts"
    address: str = Field(primary_key=True)
    draining: int
    """1: it gets no new calls. May name a host of the settings, too."""
    added_at_s: float


class ModelCost(Table, table=True):
    """What a model takes on a host, as its calls showed."""

    __tablename__ = "model_costs"
    host: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    load_seconds: float
    call_seconds: float
    tokens_per_second: float
    measured_at_s: float


class Session(Table, table=True):
    """An interactive session."""

    __tablename__ = "sessions"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int = Field(primary_key=True)
    id: str = Field(unique=True)
    name: str
    state: str
    used: int
    """Rises with each use, so that the last session is not read from the clock."""
    created_at_s: float


class SessionRun(Table, table=True):
    """A run that was made in a session; in the order of the turns."""

    __tablename__ = "session_runs"
    seq: int = Field(primary_key=True)
    session_seq: int = Field(foreign_key="sessions.seq", ondelete="CASCADE", index=True)
    run_seq: int = Field(foreign_key="runs.seq", ondelete="CASCADE", index=True)


class Calibration(Table, table=True):
    """The confidence below which the next rung of a specialist's ladder is tried."""

    __tablename__ = "calibrations"
    runtime: str = Field(primary_key=True)
    specialist: str = Field(primary_key=True)
    ladder: str
    """Its models and their weights: for others the bar says nothing."""
    bar: float
    report: str
    made_at_s: float


class Eval(Table, table=True):
    """One way of answering, on one suite of items."""

    __tablename__ = "evals"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int = Field(primary_key=True)
    id: str = Field(unique=True)
    suite: str
    arm: str
    models: str
    runtime: str
    key: str = Field(index=True)
    """Of all that the answers depend on."""
    facts: str
    created_at_s: float


class EvalItem(Table, table=True):
    """An item, the answer it got, and what that was worth."""

    __tablename__ = "eval_items"
    __table_args__ = (UniqueConstraint("eval_seq", "item"),)
    seq: int = Field(primary_key=True)
    eval_seq: int = Field(foreign_key="evals.seq", ondelete="CASCADE")
    item: str
    item_group: str
    request: str
    answer: str
    verdict: str
    scores: str
    usage: str
    facts: str


class EvalChoice(Table, table=True):
    """What a judge said of the answers of two evaluations to one item."""

    __tablename__ = "eval_choices"
    __table_args__ = (UniqueConstraint("first_seq", "second_seq", "item", "judge"),)
    seq: int = Field(primary_key=True)
    first_seq: int = Field(foreign_key="evals.seq", ondelete="CASCADE")
    second_seq: int = Field(foreign_key="evals.seq", ondelete="CASCADE", index=True)
    item: str
    judge: str
    choice: str
    shown_left: str
    made_at_s: float
