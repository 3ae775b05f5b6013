"""Leasing jobs to workers, in the writer's transaction, which is `BEGIN IMMEDIATE`: two workers never get one job."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from nonet.errors import JobLostError
from nonet.store import clock
from nonet.store.queue_records import SUSPECT_CRASHES, Job, JobStatus, WorkerId
from nonet.store.queue_rows import count
from nonet.store.queue_shares import Claimant, shares

_PROMOTED_AT_ONCE = 1000


def claim(connection: sqlite3.Connection, worker: WorkerId, places: int, queues: Sequence[str] | None) -> list[Job]:
    """Lease up to `places` jobs of the queues named, or of all, in fair shares.

    Raises:
        JobLostError: the worker was thought dead.
    """
    if connection.execute("SELECT 1 FROM workers WHERE seq = ?", (worker.seq,)).fetchone() is None:
        raise worker_lost(worker)
    now = clock.now_s(connection)
    _promote(connection, now)
    rows = connection.execute(
        "SELECT seq, queued, leased, concurrency, turn, name, max_bytes FROM queues WHERE queued > 0 AND NOT paused"
    ).fetchall()
    named = {row[0]: row[5:] for row in rows if queues is None or row[5] in queues}
    wanted = shares(places, [Claimant(*row[:5]) for row in rows if row[0] in named])
    jobs: list[Job] = []
    works: dict[int, str] = {}
    for queue_seq, most in wanted.items():
        found = connection.execute(
            "UPDATE jobs SET status = 'leased', token = token + 1, worker_seq = ?, started_at_s = ? WHERE seq IN"
            " (SELECT seq FROM jobs WHERE queue_seq = ? AND status = 'queued' ORDER BY rank, seq LIMIT ?)"
            " RETURNING rank, seq, document, work_seq, path, content, size_bytes, attempts, crashes, token, run",
            (worker.seq, now, queue_seq, most),
        ).fetchall()
        name, max_bytes = named[queue_seq]
        for _, seq, document, work_seq, *rest in sorted(found, key=lambda row: row[:2]):
            if work_seq not in works:
                works[work_seq] = connection.execute("SELECT work FROM works WHERE seq = ?", (work_seq,)).fetchone()[0]
            jobs.append(Job(seq, name, document, works[work_seq], *(*rest, max_bytes)))
        count(connection, queue_seq, {JobStatus.QUEUED: -len(found), JobStatus.LEASED: len(found)})
        connection.execute("UPDATE queues SET turn = (SELECT max(turn) + 1 FROM queues) WHERE seq = ?", (queue_seq,))
    return jobs


def claim_suspect(connection: sqlite3.Connection, worker: WorkerId, queues: Sequence[str] | None) -> list[Job]:
    """Lease a job that has lost many workers, for a worker that has nothing else in hand; one or none. As `claim`."""
    if connection.execute("SELECT 1 FROM workers WHERE seq = ?", (worker.seq,)).fetchone() is None:
        raise worker_lost(worker)
    now = clock.now_s(connection)
    row = connection.execute(
        "UPDATE jobs SET status = 'leased', token = token + 1, worker_seq = ?, started_at_s = ? WHERE seq ="
        " (SELECT j.seq FROM jobs j JOIN queues q ON q.seq = j.queue_seq WHERE j.status = 'delayed'"
        " AND j.ready_at_s <= ? AND j.crashes >= ? AND NOT q.paused AND (q.concurrency IS NULL OR"
        " q.leased < q.concurrency) AND (? IS NULL OR q.name IN (SELECT value FROM json_each(?)))"
        " ORDER BY j.ready_at_s LIMIT 1) RETURNING queue_seq, seq, document, work_seq, path, content, size_bytes,"
        " attempts, crashes, token, run",
        (worker.seq, now, now, SUSPECT_CRASHES, *(2 * [None if queues is None else json.dumps(list(queues))])),
    ).fetchone()
    if row is None:
        return []
    queue_seq, seq, document, work_seq, *rest = row
    name, max_bytes = connection.execute("SELECT name, max_bytes FROM queues WHERE seq = ?", (queue_seq,)).fetchone()
    [work] = connection.execute("SELECT work FROM works WHERE seq = ?", (work_seq,)).fetchone()
    count(connection, queue_seq, {JobStatus.DELAYED: -1, JobStatus.LEASED: 1})
    return [Job(seq, name, document, work, *(*rest, max_bytes))]


def worker_lost(worker: WorkerId) -> JobLostError:
    """The error of a worker whose row is gone."""
    return JobLostError(
        f"The worker {worker.owner} was thought dead; its documents were given to others.",
        kept="What it had finished is kept.",
        next_step="Run it again.",
    )


def _promote(connection: sqlite3.Connection, now: float) -> None:
    """Those whose time has come may be claimed."""
    moved = connection.execute(
        "UPDATE jobs SET status = 'queued' WHERE seq IN (SELECT seq FROM jobs WHERE status = 'delayed'"
        " AND ready_at_s <= ? AND crashes < ? ORDER BY ready_at_s LIMIT ?) RETURNING queue_seq",
        (now, SUSPECT_CRASHES, _PROMOTED_AT_ONCE),
    ).fetchall()
    for (queue_seq,) in set(moved):
        number = moved.count((queue_seq,))
        count(connection, queue_seq, {JobStatus.DELAYED: -number, JobStatus.QUEUED: number})
