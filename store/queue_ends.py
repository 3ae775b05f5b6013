"""How a lease ends: done, failed, given back, or taken from a worker that is gone.

A worker's write holds only while the job is leased with its token: who was thought dead and wakes up writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from nonet.errors import JobLostError
from nonet.store import clock
from nonet.store.artifacts import storable
from nonet.store.queue_records import (
    MOST_CRASHES,
    SUSPECT_CRASHES,
    Job,
    JobFault,
    JobOutput,
    JobStatus,
)
from nonet.store.queue_rows import NO_USAGE, count, drop_traces, put_fault


def complete(connection: sqlite3.Connection, job: Job, output: JobOutput, *, keep: bool) -> None:
    """The result and the status, or neither. Unless `keep`, what the job alone needed goes: input, run, documents.

    Raises:
        JobLostError: the job is no longer this worker's.
    """
    now = clock.now_s(connection)
    queue_seq, run = _leave(connection, job, JobStatus.DONE, tries=1, ready_at_s=0.0, finished_at_s=now)
    _result(connection, job, output)
    if not keep:
        if job.path is None:
            connection.execute("DELETE FROM job_inputs WHERE job_seq = ?", (job.seq,))
        drop_traces(connection, job.seq, run)
    count(connection, queue_seq, {JobStatus.LEASED: -1, JobStatus.DONE: 1}, output.usage)


def fail(
    connection: sqlite3.Connection, job: Job, fault: JobFault, *, delay_s: float | None, output: JobOutput | None
) -> JobStatus:
    """The try failed: it waits `delay_s` for the next, or is dead (None, or no try is left). Raises as `complete`."""
    now = clock.now_s(connection)
    row = connection.execute(
        "SELECT max_attempts FROM queues q JOIN jobs j ON j.queue_seq = q.seq WHERE j.seq = ?", (job.seq,)
    ).fetchone()
    dead = delay_s is None or row is None or job.attempts + 1 >= row[0]
    status = JobStatus.DEAD if dead else JobStatus.DELAYED
    queue_seq, _ = _leave(
        connection, job, status, tries=1, ready_at_s=now + (delay_s or 0.0), finished_at_s=now if dead else None
    )
    put_fault(connection, job.seq, fault, now, attempt=job.attempts + 1)
    if dead:
        drop_traces(connection, job.seq, None)  # its run stays: it shows what went wrong, and a retry goes on with it
        if output is not None:
            _result(connection, job, output)
    usage = output.usage if output is not None else NO_USAGE
    count(connection, queue_seq, {JobStatus.LEASED: -1, status: 1}, usage)
    return status


def release(connection: sqlite3.Connection, job: Job, *, delay_s: float, fault: JobFault | None, afresh: bool) -> None:
    """Give it back unworked: no try of it is used up; `afresh`: nor does its run count. Raises as `complete`."""
    status = JobStatus.DELAYED if delay_s > 0 or job.is_suspect else JobStatus.QUEUED
    now = clock.now_s(connection)
    queue_seq, run = _leave(
        connection, job, status, tries=0, ready_at_s=now + delay_s if delay_s > 0 else 0.0, finished_at_s=None
    )
    if afresh:
        drop_traces(connection, job.seq, run)
    if fault is not None:
        put_fault(connection, job.seq, fault, now)
    count(connection, queue_seq, {JobStatus.LEASED: -1, status: 1})


def set_run(connection: sqlite3.Connection, job: Job, run: str) -> None:
    """Which run works on it, for whoever gets the job next. Raises as `complete`."""
    held = connection.execute(
        "UPDATE jobs SET run = ? WHERE seq = ? AND token = ? AND status = 'leased'", (run, job.seq, job.token)
    )
    if not held.rowcount:
        raise _lost(job)


def _leave(
    connection: sqlite3.Connection,
    job: Job,
    status: JobStatus,
    *,
    tries: int,
    ready_at_s: float,
    finished_at_s: float | None,
) -> tuple[int, str | None]:
    """End the lease, if it still holds; the queue's row and the job's run."""
    row = connection.execute(
        "UPDATE jobs SET status = ?, attempts = attempts + ?, ready_at_s = ?, finished_at_s = ?, worker_seq = NULL"
        " WHERE seq = ? AND token = ? AND status = 'leased' RETURNING queue_seq, run",
        (status, tries, ready_at_s, finished_at_s, job.seq, job.token),
    ).fetchone()
    if row is None:
        raise _lost(job)
    return int(row[0]), row[1]


def _lost(job: Job) -> JobLostError:
    return JobLostError(
        f"The document {job.document} (job {job.seq}) is no longer this worker's.",
        kept="What this worker made of it was not kept.",
        next_step=f"See `nonet batch show {job.seq}`.",
    )


def _result(connection: sqlite3.Connection, job: Job, output: JobOutput) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO job_results (job_seq, verdict, output, detail) VALUES (?, ?, ?, ?)",
        (job.seq, output.verdict, storable(output.text), storable(output.detail)),
    )


def reclaim(connection: sqlite3.Connection, jobs: Iterable[tuple[int, int, str | None]], owner: str) -> int:
    """Take jobs, as (row, crashes, run), from a worker that is gone; how many.

    One that has lost many workers may be what ends them: it waits to be worked on alone, and is dead in the end.
    """
    now = clock.now_s(connection)
    number = 0
    for seq, crashes, run in jobs:
        number += 1
        put_fault(connection, seq, JobFault("crash", f"{owner} ended, or stood still, while it was working on it"), now)
        dead, alone = crashes + 1 >= MOST_CRASHES, crashes + 1 >= SUSPECT_CRASHES
        delay_s = 0.0 if not crashes else min(2.0 ** (crashes - 1) / 4, _LONGEST_CRASH_DELAY_S)
        status = JobStatus.DEAD if dead else JobStatus.DELAYED if delay_s or alone else JobStatus.QUEUED
        row = connection.execute(
            "UPDATE jobs SET status = ?, crashes = crashes + 1, ready_at_s = ?, finished_at_s = ?, worker_seq = NULL"
            " WHERE seq = ? RETURNING queue_seq",
            (status, now + delay_s, now if dead else None, seq),
        ).fetchone()
        count(connection, row[0], {JobStatus.LEASED: -1, status: 1})
        if run is not None:
            # The run goes with the job: the worker that is gone must not write it, and who comes next need not wait.
            connection.execute(
                "UPDATE runs SET lease_token = lease_token + 1, lease_expires_s = 0 WHERE id = ?", (run,)
            )
    return number


_LONGEST_CRASH_DELAY_S = 10.0
