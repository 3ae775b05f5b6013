"""Looking at queues: by plain SQL over indexes, so that a million jobs are looked at as fast as ten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from nonet.errors import QueueNotFoundError
from nonet.store import clock
from nonet.store.names import nearest
from nonet.store.queue_records import (
    AtWork,
    Failing,
    JobFault,
    JobRecord,
    JobStatus,
    JobUsage,
    Pace,
    QueueRecord,
)

_QUEUE = (
    "name, work, paused, concurrency, max_attempts, max_bytes, delayed, queued, leased, done, dead, cancelled, calls,"
    " prompt_tokens, completion_tokens, seconds, swaps, created_at_s"
)
_WINDOW_SECONDS = 600.0
_WINDOW_JOBS = 1000


now_s = clock.look


def queues(connection: sqlite3.Connection) -> list[QueueRecord]:
    """Every queue, by name."""
    return [_queue(row) for row in connection.execute(f"SELECT {_QUEUE} FROM queues ORDER BY name")]  # noqa: S608


def queue(connection: sqlite3.Connection, name: str) -> QueueRecord:
    """One queue. Raises QueueNotFoundError."""
    row = connection.execute(f"SELECT {_QUEUE} FROM queues WHERE name = ?", (name,)).fetchone()  # noqa: S608
    if row is None:
        known = [found[0] for found in connection.execute("SELECT name FROM queues LIMIT 1000")]
        raise QueueNotFoundError(
            f"There is no queue {name!r}.", next_step=f"{nearest(name, known)} See `nonet batch list`.".strip()
        )
    return _queue(row)


def _queue(row: Sequence[object]) -> QueueRecord:
    values = list(row)
    values[2] = bool(values[2])
    return QueueRecord(*values[:12], JobUsage(*values[12:17]), values[17])  # type: ignore[arg-type,call-arg]


def pace(connection: sqlite3.Connection, name: str) -> Pace:
    """How fast the queue is lately: never over its whole life, in which nights and breakdowns count."""
    now = clock.look(connection)
    number, oldest = connection.execute(
        "SELECT count(*), min(finished_at_s) FROM (SELECT finished_at_s FROM jobs WHERE queue_seq ="
        " (SELECT seq FROM queues WHERE name = ?) AND finished_at_s > ? ORDER BY finished_at_s DESC LIMIT ?)",
        (name, now - _WINDOW_SECONDS, _WINDOW_JOBS),
    ).fetchone()
    if not number:
        return Pace()
    rate = number / max(now - oldest, 1.0)
    left = queue(connection, name).unfinished
    return Pace(rate, left / rate if left else None)


def at_work(connection: sqlite3.Connection, name: str, limit: int) -> list[AtWork]:
    """The jobs that workers have, those that take longest first."""
    now = clock.look(connection)
    rows = connection.execute(
        "SELECT j.seq, j.document, w.owner, ? - j.started_at_s, j.attempts FROM workers w"
        " CROSS JOIN jobs j INDEXED BY ix_jobs_leased"
        " ON j.worker_seq = w.seq AND j.status = 'leased' JOIN queues q ON q.seq = j.queue_seq WHERE q.name = ?"
        " ORDER BY j.started_at_s LIMIT ?",
        (now, name, limit),
    )
    return [AtWork(*row) for row in rows]


def failing(connection: sqlite3.Connection, name: str, limit: int) -> list[Failing]:
    """The jobs that failed last, the newest failure first; looks at the last thousand failures."""
    rows = connection.execute(
        "SELECT j.seq, j.document, j.status, j.attempts, e.message FROM"
        " (SELECT max(seq) AS seq, job_seq FROM (SELECT seq, job_seq FROM job_errors ORDER BY seq DESC LIMIT 1000)"
        " GROUP BY job_seq) last JOIN job_errors e ON e.seq = last.seq JOIN jobs j ON j.seq = last.job_seq"
        " JOIN queues q ON q.seq = j.queue_seq WHERE q.name = ? AND j.status <> 'done' ORDER BY e.seq DESC LIMIT ?",
        (name, limit),
    )
    return [Failing(seq, document, JobStatus(status), *rest) for seq, document, status, *rest in rows]


_JOB = (
    "SELECT j.seq, q.name, j.document, j.status, w.work, j.path, j.size_bytes, -j.rank, j.attempts, j.crashes, j.run,"
    " coalesce((SELECT owner FROM workers WHERE seq = j.worker_seq), ''), j.ready_at_s, j.added_at_s, j.started_at_s,"
    " j.finished_at_s, coalesce(r.verdict, ''), coalesce(r.output, ''), coalesce(r.detail, '{}')"
    " FROM jobs j NOT INDEXED JOIN queues q ON q.seq = j.queue_seq JOIN works w ON w.seq = j.work_seq"
    " LEFT JOIN job_results r ON r.job_seq = j.seq"
)


def job(connection: sqlite3.Connection, seq: int) -> JobRecord:
    """Everything of one job. Raises QueueNotFoundError."""
    row = connection.execute(f"{_JOB} WHERE j.seq = ?", (seq,)).fetchone()
    if row is None:
        raise QueueNotFoundError(f"There is no job {seq}.", next_step="`nonet batch list QUEUE` lists a queue's jobs.")
    return _job(connection, row)


def jobs(
    connection: sqlite3.Connection, name: str, statuses: Sequence[JobStatus], after: int, limit: int
) -> list[JobRecord]:
    """The jobs of a queue in those statuses whose number is above `after`, in order."""
    rows = connection.execute(
        f"{_JOB} WHERE j.queue_seq = (SELECT seq FROM queues WHERE name = ?) AND j.seq > ?"  # noqa: S608
        " AND j.status IN (SELECT value FROM json_each(?)) ORDER BY j.seq LIMIT ?",
        (name, after, json.dumps(list(statuses)), limit),
    ).fetchall()
    return [_job(connection, row) for row in rows]


def _job(connection: sqlite3.Connection, row: Sequence[object]) -> JobRecord:
    values = list(row)
    values[3] = JobStatus(str(values[3]))
    errors = connection.execute(
        "SELECT kind, message, attempt, at_s FROM job_errors WHERE job_seq = ? ORDER BY seq", (values[0],)
    )
    return JobRecord(*values, tuple(JobFault(*error) for error in errors))  # type: ignore[arg-type,call-arg]
