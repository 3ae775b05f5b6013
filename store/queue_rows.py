"""The statements of a job's life. Each function is one write in the writer's transaction, so it may be run again.

A job's status and its queue's counts change together, and a worker's write holds only while the job is leased with
its token: a worker that was thought dead and wakes up writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence

from nonet.errors import JobLostError, QueueNotFoundError
from nonet.store import clock, document_rows, retention
from nonet.store.artifacts import storable
from nonet.store.queue_records import (
    MAX_ATTEMPTS,
    MAX_DOCUMENT_BYTES,
    MOST_CRASHES,
    MOST_TOLD,
    SUSPECT_CRASHES,
    Added,
    Job,
    JobFault,
    JobOutput,
    JobStatus,
    JobUsage,
    NewJob,
    WorkerId,
    document_folder,
)
from nonet.store.queue_shares import Claimant, shares

_KEY_BYTES = 16
_PROMOTED_AT_ONCE = 1000
_NO_USAGE = JobUsage()


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
    connection: sqlite3.Connection, queue_seq: int, changes: dict[JobStatus, int], usage: JobUsage = _NO_USAGE
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
            _fault(connection, int(inserted.lastrowid or 0), JobFault("refused", job.refused), now)
    count(connection, queue_seq, {JobStatus.DEAD: refused, waiting: made - refused})
    return Added(made, refused, len(jobs) - made, tuple(same))


def _namesake(connection: sqlite3.Connection, queue_seq: int, key: bytes, document: str) -> list[tuple[str, str]]:
    row = connection.execute("SELECT document FROM jobs WHERE queue_seq = ? AND key = ?", (queue_seq, key)).fetchone()
    return [(document, row[0])] if row[0] != storable(document) else []


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
        "SELECT seq, queued, leased, concurrency, turn, name FROM queues WHERE queued > 0 AND NOT paused"
    ).fetchall()
    named = {row[0]: row[5] for row in rows if queues is None or row[5] in queues}
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
        for _, seq, document, work_seq, *rest in sorted(found, key=lambda row: row[:2]):
            if work_seq not in works:
                works[work_seq] = connection.execute("SELECT work FROM works WHERE seq = ?", (work_seq,)).fetchone()[0]
            jobs.append(Job(seq, named[queue_seq], document, works[work_seq], *rest))
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
    [name] = connection.execute("SELECT name FROM queues WHERE seq = ?", (queue_seq,)).fetchone()
    [work] = connection.execute("SELECT work FROM works WHERE seq = ?", (work_seq,)).fetchone()
    count(connection, queue_seq, {JobStatus.DELAYED: -1, JobStatus.LEASED: 1})
    return [Job(seq, name, document, work, *rest)]


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
    _fault(connection, job.seq, fault, now, attempt=job.attempts + 1)
    if dead:
        drop_traces(connection, job.seq, None)  # its run stays: it shows what went wrong, and a retry goes on with it
        if output is not None:
            _result(connection, job, output)
    usage = output.usage if output is not None else _NO_USAGE
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
        _fault(connection, job.seq, fault, now)
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


def drop_traces(connection: sqlite3.Connection, seq: int, run: str | None) -> None:
    """Remove what was only there while the job was worked on: its documents in the collection, and its run."""
    folder = document_folder(seq)
    after = folder[:-1] + chr(ord(folder[-1]) + 1)
    found = connection.execute("SELECT name FROM documents WHERE name >= ? AND name < ?", (folder, after)).fetchall()
    for (name,) in found:
        document_rows.drop(connection, name)
    if run is not None:
        connection.execute("UPDATE jobs SET run = NULL WHERE seq = ?", (seq,))
        retention.forget(connection, run)


def _fault(connection: sqlite3.Connection, seq: int, fault: JobFault, now: float, *, attempt: int = 0) -> None:
    connection.execute(
        "INSERT INTO job_errors (job_seq, attempt, kind, message, at_s) VALUES (?, ?, ?, ?, ?)",
        (seq, attempt, fault.kind, storable(fault.message), now),
    )


def reclaim(connection: sqlite3.Connection, jobs: Iterable[tuple[int, int, str | None]], owner: str) -> int:
    """Take jobs, as (row, crashes, run), from a worker that is gone; how many.

    One that has lost many workers may be what ends them: it waits to be worked on alone, and is dead in the end.
    """
    now = clock.now_s(connection)
    number = 0
    for seq, crashes, run in jobs:
        number += 1
        _fault(connection, seq, JobFault("crash", f"{owner} ended, or stood still, while it was working on it"), now)
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
