"""Steps that concern runs, sessions and what their calls cost. Released ones are never changed."""

from __future__ import annotations

import sqlite3

from nonet.store.steps import run_script

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


def v1(connection: sqlite3.Connection) -> None:
    """The first release: runs with their plans, attempts, calls and artifacts; documents; models."""
    run_script(connection, _V1)


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


def v3(connection: sqlite3.Connection) -> None:
    """Interactive sessions, and the runs of each."""
    run_script(connection, _V3)


def v5(connection: sqlite3.Connection) -> None:
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


def v6(connection: sqlite3.Connection) -> None:
    """What each call cost and where it ran; answers to be given again; hosts, and what models take on each."""
    run_script(connection, _V6)


def v8(connection: sqlite3.Connection) -> None:
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


def v9(connection: sqlite3.Connection) -> None:
    """The files of the user's that a run changes, as they were when it began."""
    connection.execute(
        "CREATE TABLE run_files (run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,"
        " name VARCHAR NOT NULL, text_digest VARCHAR NOT NULL REFERENCES texts (digest), PRIMARY KEY (run_seq, name))"
    )
    connection.execute("CREATE INDEX ix_run_files_text_digest ON run_files (text_digest)")
