"""The statements that all of a job's life shares. Each function is part of a write, so it may be run again.

A job's status and its queue's counts change together.
"""

from __future__ import annotations

import sqlite3

from nonet.errors import QueueNotFoundError
from nonet.store import clock, document_rows, retention
from nonet.store.artifacts import storable
from nonet.store.queue_records import (
    MAX_ATTEMPTS,
    MAX_DOCUMENT_BYTES,
    JobFault,
    JobStatus,
    JobUsage,
    document_folder,
)

NO_USAGE = JobUsage()


def ensure_queue(connection: sqlite3.Connection, name: str, work: str) -> int:
    """The queue's row, made where it is missing; `work` becomes what it was asked last."""
    row = connection.execute("SELECT seq FROM queues WHERE name = ?", (name,)).fetchone()
    if row is not None:
        connection.execute("UPDATE queues SET work = ?1 WHERE seq = ?2 AND work <> ?1", (work, row[0]))
        return int(row[0])
    made = connection.execute(
        "INSERT INTO queues (name, work, paused, max_attempts, max_bytes, turn, delayed, queued, leased, done, dead,"
        " cancelled, calls, prompt_tokens, completion_tokens, seconds, swaps, created_at_s)"
        " VALUES (?, ?, 0, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?)",
        (name, work, MAX_ATTEMPTS, MAX_DOCUMENT_BYTES, clock.now_s(connection)),
    )
    return int(made.lastrowid or 0)


def find_queue(connection: sqlite3.Connection, name: str) -> int:
    """The queue's row. Raises QueueNotFoundError."""
    row = connection.execute("SELECT seq FROM queues WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise QueueNotFoundError(f"There is no queue {name!r}.", next_step="See `nonet batch list`.")
    return int(row[0])


def count(
    connection: sqlite3.Connection, queue_seq: int, changes: dict[JobStatus, int], usage: JobUsage = NO_USAGE
) -> None:
    """Move a queue's counts."""
    connection.execute(
        "UPDATE queues SET delayed = delayed + ?, queued = queued + ?, leased = leased + ?, done = done + ?,"
        " dead = dead + ?, cancelled = cancelled + ?, calls = calls + ?, prompt_tokens = prompt_tokens + ?,"
        " completion_tokens = completion_tokens + ?, seconds = seconds + ?, swaps = swaps + ? WHERE seq = ?",
        (
            *(changes.get(status, 0) for status in JobStatus),
            usage.calls,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.seconds,
            usage.swaps,
            queue_seq,
        ),
    )


def drop_traces(connection: sqlite3.Connection, seq: int, run: str | None) -> None:
    """Remove what was only there while the job was worked on: its documents in the collection, and its run."""
    folder = document_folder(seq)
    after = folder[:-1] + chr(ord(folder[-1]) + 1)
    found = connection.execute("SELECT name FROM documents WHERE name >= ? AND name < ?", (folder, after)).fetchall()
    for (name,) in found:
        document_rows.drop(connection, name)
    if run is not None:
        connection.execute("UPDATE jobs SET run = NULL WHERE seq = ?", (seq,))
        [queue] = connection.execute(
            "SELECT name FROM queues WHERE seq = (SELECT queue_seq FROM jobs WHERE seq = ?)", (seq,)
        ).fetchone()
        retention.forget(connection, run, queue)


def put_fault(connection: sqlite3.Connection, seq: int, fault: JobFault, now: float, *, attempt: int = 0) -> None:
    """One more error of a job."""
    connection.execute(
        "INSERT INTO job_errors (job_seq, attempt, kind, message, at_s) VALUES (?, ?, ?, ?, ?)",
        (seq, attempt, fault.kind, storable(fault.message), now),
    )
