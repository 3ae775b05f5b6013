"""New jobs: what a queue has already, of the same content and work, is not added twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence

from nonet.store import clock
from nonet.store.artifacts import storable
from nonet.store.queue_records import MOST_TOLD, Added, JobFault, JobStatus, NewJob
from nonet.store.queue_rows import count, ensure_queue, put_fault

_KEY_BYTES = 16


def add(
    connection: sqlite3.Connection,
    name: str,
    jobs: Sequence[NewJob],
    *,
    work: str,
    priority: int,
    delay_s: float,
    again: bool,
) -> Added:
    """New jobs; what the queue has already, of the same content and work, is left as it is unless `again`."""
    queue_seq = ensure_queue(connection, name, work)
    digest = hashlib.sha256(work.encode())
    connection.execute("INSERT OR IGNORE INTO works (digest, work) VALUES (?, ?)", (digest.hexdigest(), work))
    work_seq = connection.execute("SELECT seq FROM works WHERE digest = ?", (digest.hexdigest(),)).fetchone()[0]
    now = clock.now_s(connection)
    waiting = JobStatus.DELAYED if delay_s > 0 else JobStatus.QUEUED
    ready_at_s = now + delay_s if delay_s > 0 else 0.0
    made = refused = 0
    same: list[tuple[str, str]] = []
    execute = connection.execute
    for job in jobs:
        key = os.urandom(_KEY_BYTES) if again else hashlib.sha256(job.content + digest.digest()).digest()[:_KEY_BYTES]
        status = JobStatus.DEAD if job.refused else waiting
        inserted = execute(
            "INSERT OR IGNORE INTO jobs (queue_seq, work_seq, key, document, path, content, size_bytes, status, rank,"
            " ready_at_s, attempts, crashes, token, added_at_s, finished_at_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?)",
            (
                queue_seq,
                work_seq,
                key,
                storable(job.document),
                job.path,
                None if job.refused or job.path is None else job.content,
                job.size_bytes,
                status,
                -priority,
                0.0 if job.refused else ready_at_s,
                now,
                now if job.refused else None,
            ),
        )
        if not inserted.rowcount:
            if len(same) < MOST_TOLD:
                same += _namesake(connection, queue_seq, key, job.document)
            continue
        made += 1
        if job.text is not None:
            text = storable(job.text)
            execute("INSERT INTO job_inputs (job_seq, text) VALUES (?, ?)", (inserted.lastrowid, text))
        if job.refused:
            refused += 1
            put_fault(connection, int(inserted.lastrowid or 0), JobFault("refused", job.refused), now)
    count(connection, queue_seq, {JobStatus.DEAD: refused, waiting: made - refused})
    return Added(made, refused, len(jobs) - made, tuple(same))


def _namesake(connection: sqlite3.Connection, queue_seq: int, key: bytes, document: str) -> list[tuple[str, str]]:
    row = connection.execute("SELECT document FROM jobs WHERE queue_seq = ? AND key = ?", (queue_seq, key)).fetchone()
    return [(document, row[0])] if row[0] != storable(document) else []
