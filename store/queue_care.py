"""What users do to many jobs at once: a few thousand a transaction, so that nobody waits long for the lock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from nonet.store import clock
from nonet.store.queue_records import UNFINISHED, JobStatus
from nonet.store.queue_rows import count, drop_traces, find_queue

AT_ONCE = 5000


# Statuses stand in the text of the statements: a partial index serves no status that comes as a value.


def cancel(connection: sqlite3.Connection, name: str, jobs: Sequence[int] | None) -> int:
    """The user does not want unfinished jobs any more; who works on one is refused its result. How many it were."""
    queue_seq = find_queue(connection, name)
    now = clock.now_s(connection)
    total = 0
    for status in UNFINISHED:
        changed = connection.execute(
            "UPDATE jobs SET status = 'cancelled', worker_seq = NULL, finished_at_s = :now"  # noqa: S608  of constants
            f" WHERE seq IN ({_chosen(status, jobs)}) RETURNING seq, run",
            {"queue": queue_seq, "jobs": _listed(jobs), "now": now},
        ).fetchall()
        for seq, run in changed:
            if run is not None:
                drop_traces(connection, seq, run)
        count(connection, queue_seq, {status: -len(changed), JobStatus.CANCELLED: len(changed)})
        total += len(changed)
    return total


def retry(connection: sqlite3.Connection, name: str, jobs: Sequence[int] | None) -> int:
    """Dead jobs, and cancelled ones that are named, get all their tries anew; their errors stay. How many."""
    queue_seq = find_queue(connection, name)
    total = 0
    for status in (JobStatus.DEAD,) if jobs is None else (JobStatus.DEAD, JobStatus.CANCELLED):
        changed = connection.execute(
            "UPDATE jobs SET status = 'queued', attempts = 0, crashes = 0, ready_at_s = 0, finished_at_s = NULL"  # noqa: S608
            f" WHERE seq IN ({_chosen(status, jobs)}) RETURNING seq",
            {"queue": queue_seq, "jobs": _listed(jobs)},
        ).fetchall()
        connection.executemany("DELETE FROM job_results WHERE job_seq = ?", changed)
        count(connection, queue_seq, {status: -len(changed), JobStatus.QUEUED: len(changed)})
        total += len(changed)
    return total


def _chosen(status: JobStatus, jobs: Sequence[int] | None) -> str:
    """The query for some of the queue's jobs in that status, of those that are named if some are."""
    if jobs is None:
        which = f"jobs INDEXED BY ix_jobs_{status} WHERE"
    else:
        which = "jobs NOT INDEXED WHERE seq IN (SELECT value FROM json_each(:jobs)) AND"
    return f"SELECT seq FROM {which} status = '{status}' AND queue_seq = :queue LIMIT {AT_ONCE}"  # noqa: S608


def purge(connection: sqlite3.Connection, name: str, *, ended_before_s: float | None) -> int:
    """Remove jobs, those that ended before then or all, with their results and runs; how many."""
    queue_seq = find_queue(connection, name)
    which = "jobs NOT INDEXED WHERE" if ended_before_s is None else "jobs WHERE finished_at_s < :before AND"
    found = connection.execute(
        f"SELECT seq, status, run FROM {which} queue_seq = :queue LIMIT {AT_ONCE}",  # noqa: S608  of constants
        {"queue": queue_seq, "before": ended_before_s},
    ).fetchall()
    changes: dict[JobStatus, int] = {}
    for seq, status, run in found:
        if run is not None:
            drop_traces(connection, seq, run)
        connection.execute("DELETE FROM jobs WHERE seq = ?", (seq,))
        changes[JobStatus(status)] = changes.get(JobStatus(status), 0) - 1
    count(connection, queue_seq, changes)
    return len(found)


def remove_queue(connection: sqlite3.Connection, name: str) -> None:
    """Remove a queue that has no jobs left."""
    connection.execute(
        "DELETE FROM queues WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE queue_seq = ?1)",
        (find_queue(connection, name),),
    )


def _listed(jobs: Sequence[int] | None) -> str | None:
    return None if jobs is None else json.dumps(list(jobs))
