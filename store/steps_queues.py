"""Steps that concern batch queues. Released ones are never changed."""

from __future__ import annotations

import sqlite3

from nonet.store.steps import run_script

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


def v2(connection: sqlite3.Connection) -> None:
    """Batch queues: their jobs, results and errors, the workers, and a clock that the wall clock does not move."""
    run_script(connection, _V2)
