"""The schema, as ordered steps. A step that was released is never changed: a database of every release must pass.

The SQLModel tables (tables.py) describe the newest schema for reading; a test holds the two together. The steps are
literal SQL so that opening a database, and every write of a run, does without SQLAlchemy (0.7 s to import).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from nonet.store.segmentless import pairs

_V1 = """
CREATE TABLE texts (
    digest VARCHAR NOT NULL PRIMARY KEY,
    text VARCHAR NOT NULL
);
CREATE TABLE runs (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR NOT NULL UNIQUE,
    task_digest VARCHAR NOT NULL REFERENCES texts (digest),
    answer_digest VARCHAR REFERENCES texts (digest),
    runtime VARCHAR NOT NULL,
    documents VARCHAR NOT NULL,
    options VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    usage VARCHAR NOT NULL,
    missing VARCHAR NOT NULL,
    lease_token INTEGER NOT NULL,
    lease_owner VARCHAR NOT NULL,
    lease_process VARCHAR NOT NULL,
    lease_expires_s FLOAT NOT NULL,
    created_at_s FLOAT NOT NULL,
    finished_at_s FLOAT
);
CREATE INDEX ix_runs_task_digest ON runs (task_digest);
CREATE INDEX ix_runs_answer_digest ON runs (answer_digest);
CREATE TABLE plans (
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    planner VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    plan VARCHAR NOT NULL,
    created_at_s FLOAT NOT NULL,
    PRIMARY KEY (run_seq, revision)
);
CREATE TABLE artifacts (
    seq INTEGER NOT NULL PRIMARY KEY,
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    subtask VARCHAR NOT NULL,
    text_digest VARCHAR NOT NULL REFERENCES texts (digest),
    verdict VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    citations VARCHAR NOT NULL,
    data VARCHAR NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE INDEX ix_artifacts_run_seq ON artifacts (run_seq);
CREATE INDEX ix_artifacts_text_digest ON artifacts (text_digest);
CREATE TABLE subtasks (
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    id VARCHAR NOT NULL,
    specialist VARCHAR NOT NULL,
    instruction VARCHAR NOT NULL,
    inputs VARCHAR NOT NULL,
    input_digest VARCHAR NOT NULL,
    artifact_seq INTEGER NOT NULL REFERENCES artifacts (seq) ON DELETE CASCADE,
    attempts INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    seconds FLOAT NOT NULL,
    PRIMARY KEY (run_seq, id)
);
CREATE INDEX ix_subtasks_artifact_seq ON subtasks (artifact_seq);
CREATE TABLE attempts (
    seq INTEGER NOT NULL PRIMARY KEY,
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    subtask VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    text_digest VARCHAR REFERENCES texts (digest),
    started_at_s FLOAT NOT NULL,
    finished_at_s FLOAT
);
CREATE INDEX ix_attempts_run_seq ON attempts (run_seq, subtask, number);
CREATE INDEX ix_attempts_text_digest ON attempts (text_digest);
CREATE TABLE calls (
    seq INTEGER NOT NULL PRIMARY KEY,
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    subtask VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds FLOAT NOT NULL,
    load_seconds FLOAT NOT NULL,
    finish VARCHAR NOT NULL,
    error VARCHAR NOT NULL,
    prompt_digest VARCHAR REFERENCES texts (digest),
    answer_digest VARCHAR REFERENCES texts (digest),
    created_at_s FLOAT NOT NULL
);
CREATE INDEX ix_calls_run_seq ON calls (run_seq);
CREATE INDEX ix_calls_prompt_digest ON calls (prompt_digest);
CREATE INDEX ix_calls_answer_digest ON calls (answer_digest);
CREATE TABLE notes (
    seq INTEGER NOT NULL PRIMARY KEY,
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    kind VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE INDEX ix_notes_run_seq ON notes (run_seq);
CREATE TABLE documents (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL UNIQUE,
    text_digest VARCHAR NOT NULL REFERENCES texts (digest),
    title VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    size_bytes INTEGER NOT NULL,
    characters INTEGER NOT NULL,
    modified_at_s FLOAT NOT NULL,
    vector_model VARCHAR NOT NULL,
    added_at_s FLOAT NOT NULL
);
CREATE INDEX ix_documents_text_digest ON documents (text_digest);
CREATE TABLE chunks (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    document_seq INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start_char INTEGER NOT NULL,
    end_char INTEGER NOT NULL,
    heading VARCHAR NOT NULL,
    vector BLOB,
    UNIQUE (document_seq, number)
);
CREATE TABLE models (
    runtime VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    profile VARCHAR NOT NULL,
    measured_at_s FLOAT NOT NULL,
    PRIMARY KEY (runtime, model)
);
CREATE VIEW chunk_texts AS
    SELECT chunks.seq AS seq, documents.name AS name, chunks.heading AS heading,
           substr(texts.text, chunks.start_char + 1, chunks.end_char - chunks.start_char) AS body
    FROM chunks JOIN documents ON documents.seq = chunks.document_seq
                JOIN texts ON texts.digest = documents.text_digest;
CREATE VIRTUAL TABLE chunk_index USING fts5 (
    name, heading, body, content = 'chunk_texts', content_rowid = 'seq',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
"""


def _v1(connection: sqlite3.Connection) -> None:
    """The first release: runs with their plans, attempts, calls and artifacts; documents; models."""
    for statement in _V1.split(";\n"):
        if statement.strip():
            connection.execute(statement)


_V2 = """
CREATE TABLE clock (
    id INTEGER NOT NULL PRIMARY KEY,
    boot VARCHAR NOT NULL,
    offset_s FLOAT NOT NULL,
    seen_s FLOAT NOT NULL
);
CREATE TABLE queues (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL UNIQUE,
    work VARCHAR NOT NULL,
    paused BOOLEAN NOT NULL,
    concurrency INTEGER,
    max_attempts INTEGER NOT NULL,
    max_bytes INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    delayed INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    leased INTEGER NOT NULL,
    done INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds FLOAT NOT NULL,
    swaps INTEGER NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE TABLE works (
    seq INTEGER NOT NULL PRIMARY KEY,
    digest VARCHAR NOT NULL UNIQUE,
    work VARCHAR NOT NULL
);
CREATE TABLE workers (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    owner VARCHAR NOT NULL,
    process VARCHAR NOT NULL,
    beats INTEGER NOT NULL,
    started_at_s FLOAT NOT NULL
);
CREATE TABLE jobs (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    queue_seq INTEGER NOT NULL REFERENCES queues (seq) ON DELETE CASCADE,
    work_seq INTEGER NOT NULL REFERENCES works (seq),
    "key" BLOB NOT NULL,
    document VARCHAR NOT NULL,
    path VARCHAR,
    content BLOB,
    size_bytes INTEGER NOT NULL,
    status VARCHAR NOT NULL,
    rank INTEGER NOT NULL,
    ready_at_s FLOAT NOT NULL,
    attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    token INTEGER NOT NULL,
    worker_seq INTEGER,
    run VARCHAR,
    added_at_s FLOAT NOT NULL,
    started_at_s FLOAT,
    finished_at_s FLOAT
);
CREATE UNIQUE INDEX ix_jobs_key ON jobs (queue_seq, "key");
CREATE INDEX ix_jobs_queued ON jobs (queue_seq, rank, seq) WHERE status = 'queued';
CREATE INDEX ix_jobs_delayed ON jobs (ready_at_s) WHERE status = 'delayed';
CREATE INDEX ix_jobs_leased ON jobs (worker_seq) WHERE status = 'leased';
CREATE INDEX ix_jobs_dead ON jobs (queue_seq, seq) WHERE status = 'dead';
CREATE INDEX ix_jobs_finished ON jobs (queue_seq, finished_at_s) WHERE finished_at_s IS NOT NULL;
CREATE INDEX ix_jobs_run ON jobs (run) WHERE run IS NOT NULL;
CREATE TABLE job_inputs (
    job_seq INTEGER NOT NULL PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    text VARCHAR NOT NULL
);
CREATE TABLE job_results (
    job_seq INTEGER NOT NULL PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    verdict VARCHAR NOT NULL,
    output VARCHAR NOT NULL,
    detail VARCHAR NOT NULL
);
CREATE TABLE job_errors (
    seq INTEGER NOT NULL PRIMARY KEY,
    job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    at_s FLOAT NOT NULL
);
CREATE INDEX ix_job_errors_job_seq ON job_errors (job_seq);
"""


def _v2(connection: sqlite3.Connection) -> None:
    """Batch queues: their jobs, results and errors, the workers, and a clock that the wall clock does not move."""
    for statement in _V2.split(";\n"):
        if statement.strip():
            connection.execute(statement)


_V3 = """
CREATE TABLE sessions (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR NOT NULL UNIQUE,
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    used INTEGER NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE TABLE session_runs (
    seq INTEGER NOT NULL PRIMARY KEY,
    session_seq INTEGER NOT NULL REFERENCES sessions (seq) ON DELETE CASCADE,
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE
);
CREATE INDEX ix_session_runs_session_seq ON session_runs (session_seq);
CREATE INDEX ix_session_runs_run_seq ON session_runs (run_seq);
"""


def _v3(connection: sqlite3.Connection) -> None:
    """Interactive sessions, and the runs of each."""
    for statement in _V3.split(";\n"):
        if statement.strip():
            connection.execute(statement)


_V4 = """
ALTER TABLE documents DROP COLUMN vector_model;
ALTER TABLE documents ADD COLUMN collection VARCHAR NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN dated_at_s FLOAT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN file_digest VARCHAR NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN rules VARCHAR NOT NULL DEFAULT '';
UPDATE documents SET dated_at_s = modified_at_s;
CREATE INDEX ix_documents_collection ON documents (collection);
CREATE INDEX ix_documents_file_digest ON documents (file_digest);
ALTER TABLE chunks DROP COLUMN vector;
ALTER TABLE chunks ADD COLUMN page INTEGER;
CREATE TABLE vector_space (
    model VARCHAR NOT NULL PRIMARY KEY,
    dimensions INTEGER NOT NULL
);
CREATE TABLE vectors (
    chunk_seq INTEGER NOT NULL PRIMARY KEY REFERENCES chunks (seq) ON DELETE CASCADE,
    codes BLOB NOT NULL
);
CREATE TABLE vector_blocks (
    seq INTEGER NOT NULL PRIMARY KEY,
    first_chunk INTEGER NOT NULL,
    last_chunk INTEGER NOT NULL,
    chunks BLOB NOT NULL,
    signs BLOB NOT NULL
);
CREATE INDEX ix_vector_blocks_first_chunk ON vector_blocks (first_chunk);
CREATE VIRTUAL TABLE pair_index USING fts5 (
    pairs, content = '', tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
"""


def _v4(connection: sqlite3.Connection) -> None:
    """Collections, provenance, vectors in signed bytes, and words of scripts without spaces.

    Vectors in the old form, which nothing searched, are left behind: `nonet docs embed` makes them anew.
    """
    for statement in _V4.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    for seq, body in connection.execute("SELECT seq, body FROM chunk_texts").fetchall():
        if found := pairs(body):
            connection.execute("INSERT INTO pair_index (rowid, pairs) VALUES (?, ?)", (seq, found))


def _v5(connection: sqlite3.Connection) -> None:
    """Where each specialist's ladder is climbed."""
    connection.execute(
        "CREATE TABLE calibrations (runtime VARCHAR NOT NULL, specialist VARCHAR NOT NULL, ladder VARCHAR NOT NULL,"
        " bar FLOAT NOT NULL, report VARCHAR NOT NULL, made_at_s FLOAT NOT NULL, PRIMARY KEY (runtime, specialist))"
    )


_V6 = """
ALTER TABLE calls ADD COLUMN host VARCHAR NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN origin VARCHAR NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN swapped_out VARCHAR NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN swap_avoided INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN wait_seconds FLOAT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN prompt_seconds FLOAT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN generation_seconds FLOAT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN joules FLOAT;
CREATE TABLE responses (
    key VARCHAR NOT NULL PRIMARY KEY,
    model VARCHAR NOT NULL,
    response VARCHAR NOT NULL,
    size_bytes INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    created_at_s FLOAT NOT NULL,
    used_at_s FLOAT NOT NULL
);
CREATE INDEX ix_responses_used_at_s ON responses (used_at_s);
CREATE TABLE hosts (
    address VARCHAR NOT NULL PRIMARY KEY,
    draining INTEGER NOT NULL,
    added_at_s FLOAT NOT NULL
);
CREATE TABLE model_costs (
    host VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    load_seconds FLOAT NOT NULL,
    call_seconds FLOAT NOT NULL,
    tokens_per_second FLOAT NOT NULL,
    measured_at_s FLOAT NOT NULL,
    PRIMARY KEY (host, model)
);
"""


def _v6(connection: sqlite3.Connection) -> None:
    """What each call cost and where it ran; answers to be given again; hosts, and what models take on each."""
    for statement in _V6.split(";\n"):
        if statement.strip():
            connection.execute(statement)


_V7 = """
CREATE TABLE evals (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR NOT NULL UNIQUE,
    suite VARCHAR NOT NULL,
    arm VARCHAR NOT NULL,
    models VARCHAR NOT NULL,
    runtime VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    facts VARCHAR NOT NULL,
    created_at_s FLOAT NOT NULL
);
CREATE INDEX ix_evals_key ON evals (key);
CREATE TABLE eval_items (
    seq INTEGER NOT NULL PRIMARY KEY,
    eval_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    item VARCHAR NOT NULL,
    item_group VARCHAR NOT NULL,
    request VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    scores VARCHAR NOT NULL,
    usage VARCHAR NOT NULL,
    facts VARCHAR NOT NULL,
    UNIQUE (eval_seq, item)
);
CREATE TABLE eval_choices (
    seq INTEGER NOT NULL PRIMARY KEY,
    first_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    second_seq INTEGER NOT NULL REFERENCES evals (seq) ON DELETE CASCADE,
    item VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    choice VARCHAR NOT NULL,
    shown_left VARCHAR NOT NULL,
    made_at_s FLOAT NOT NULL,
    UNIQUE (first_seq, second_seq, item, judge)
);
CREATE INDEX ix_eval_choices_second_seq ON eval_choices (second_seq);
"""


def _v7(connection: sqlite3.Connection) -> None:
    """Evaluations: answers with their grades, and what judges said of them."""
    for statement in _V7.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _v8(connection: sqlite3.Connection) -> None:
    """Sums of calls that are not kept one by one."""
    counts = (
        "calls", "from_cache", "shared", "failed", "prompt_tokens", "completion_tokens", "cached_tokens", "swaps",
        "swaps_avoided",
    )  # fmt: skip
    seconds = ("wait_seconds", "load_seconds", "prompt_seconds", "generation_seconds", "seconds")
    connection.execute(
        "CREATE TABLE call_sums (hour INTEGER NOT NULL, kind VARCHAR NOT NULL, model VARCHAR NOT NULL,"
        " host VARCHAR NOT NULL, queue VARCHAR NOT NULL,"
        f" {', '.join(f'{name} INTEGER NOT NULL' for name in counts)},"
        f" {', '.join(f'{name} FLOAT NOT NULL' for name in seconds)}, joules FLOAT,"
        " PRIMARY KEY (hour, kind, model, host, queue))"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_v1, _v2, _v3, _v4, _v5, _v6, _v7, _v8)
"""Step n leads to schema n + 1; `PRAGMA user_version` holds how many were taken."""


def migrate(connection: sqlite3.Connection, application_id: int, back_up: Callable[[int], None]) -> None:
    """Take the steps that are missing, all or none. Another process that does the same waits, and finds it done.

    Args:
        back_up: called with the file's schema before a database that has one is changed; nobody writes meanwhile.

    Raises:
        sqlite3.Error: the file cannot be written; nothing was changed.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if 0 < version < len(MIGRATIONS):
            back_up(version)
        for step in MIGRATIONS[version:]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise
