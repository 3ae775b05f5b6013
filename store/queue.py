"""Batch queues: what can be asked of them. Every document ends done or dead, with one result, whatever happens between.

Executed at least once, kept exactly once: a job is leased with a token, and its result and its status are written in
one transaction that checks the token. Writes give a future that is done when they are on disk: `.result()` waits for
it, `asyncio.wrap_future` awaits it, and writes that are made together share a commit.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from nonet.store import queue_adding as adding
from nonet.store import queue_care as care
from nonet.store import queue_claims as claims
from nonet.store import queue_ends as ends
from nonet.store import queue_reads as reads
from nonet.store import queue_rows as rows
from nonet.store import queue_workers as workers
from nonet.store import retention
from nonet.store.queue_records import (
    Added,
    AtWork,
    Failing,
    Job,
    JobFault,
    JobOutput,
    JobRecord,
    JobStatus,
    NewJob,
    Pace,
    QueueRecord,
    WorkerId,
)
from nonet.store.reader import Reader
from nonet.store.writer import Writer

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 600.0
_PAGE = 500


def backoff_s(attempt: int) -> float:
    """How long to wait after that try, the first being 1: doubling, and random, so that not all come back at once."""
    most = min(FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1), LONGEST_BACKOFF_SECONDS)
    return most * random.uniform(0.5, 1.0)  # noqa: S311  nobody profits by guessing it


class QueueStore:
    """The queues of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def add(
        self,
        queue: str,
        jobs: Sequence[NewJob],
        *,
        work: str,
        priority: int = 0,
        delay_s: float = 0.0,
        again: bool = False,
    ) -> Future[Added]:
        """Put documents into a queue, which is made where it is missing.

        Args:
            work: what to do with them, as JSON; the same content with the same work is the same job.
            priority: higher goes first.
            delay_s: not before.
            again: a new job even for what the queue knows.
        """
        return self._writer.call(
            partial(adding.add, name=queue, jobs=jobs, work=work, priority=priority, delay_s=delay_s, again=again)
        )

    def ensure(self, queue: str, work: str) -> Future[int]:
        """Make the queue where it is missing; `work` is what a document that a watched folder brings is given."""
        return self._writer.call(lambda connection: rows.ensure_queue(connection, queue, work))

    def configure(
        self,
        queue: str,
        *,
        concurrency: int | None = None,
        max_attempts: int | None = None,
        max_bytes: int | None = None,
        paused: bool | None = None,
    ) -> Future[None]:
        """Set what is given. Raises QueueNotFoundError (by the future).

        Args:
            concurrency: jobs leased at once at most, over all processes; 0: no limit.
        """

        def write(connection: sqlite3.Connection) -> None:
            seq = rows.find_queue(connection, queue)
            connection.execute(
                "UPDATE queues SET concurrency = CASE WHEN ?2 = 0 THEN NULL ELSE coalesce(?2, concurrency) END,"
                " max_attempts = coalesce(?3, max_attempts), max_bytes = coalesce(?4, max_bytes),"
                " paused = coalesce(?5, paused) WHERE seq = ?1",
                (seq, concurrency, max_attempts, max_bytes, paused),
            )

        return self._writer.call(write)

    def register(self, owner: str) -> Future[WorkerId]:
        """Begin to work: `claim` takes jobs for this worker while it beats."""
        return self._writer.call(lambda connection: workers.register(connection, owner))

    def beat(self, worker: WorkerId) -> Future[tuple[frozenset[int], list[workers.Seen]]]:
        """A sign of life; the jobs that it still has, and the other workers, for a `Watch`.

        Raises:
            JobLostError: it was thought dead; its jobs are others' now.
        """
        return self._writer.call(lambda connection: workers.beat(connection, worker))

    def bury(self, gone: workers.Seen) -> Future[int]:
        """Take the jobs of a worker that is gone, unless it has beaten since; how many."""
        return self._writer.call(lambda connection: workers.bury(connection, gone[0], gone[2]))

    def retire(self, worker: WorkerId) -> Future[None]:
        """End to work."""
        return self._writer.call(lambda connection: workers.retire(connection, worker))

    def claim(self, worker: WorkerId, places: int, queues: Sequence[str] | None = None) -> Future[list[Job]]:
        """Lease up to `places` jobs, of the queues named or of all, in fair shares; those of a paused queue never.

        Raises:
            JobLostError: the worker was thought dead.
        """
        return self._writer.call(partial(claims.claim, worker=worker, places=places, queues=queues))

    def claim_suspect(self, worker: WorkerId, queues: Sequence[str] | None = None) -> Future[list[Job]]:
        """Lease one job that has lost many workers, or none; for who works on nothing else meanwhile. As `claim`."""
        return self._writer.call(partial(claims.claim_suspect, worker=worker, queues=queues))

    def text(self, job: Job) -> str:
        """The text of a job that has no file. Raises StoreError."""
        row = self._reader.row("SELECT text FROM job_inputs WHERE job_seq = ?", (job.seq,))
        return "" if row is None else str(row[0])

    def set_run(self, job: Job, run: str) -> Future[None]:
        """Which run works on the job. What is written of the run afterwards is not on disk before this is."""
        return self._writer.call(partial(ends.set_run, job=job, run=run))

    def complete(self, job: Job, output: JobOutput, *, keep: bool = False) -> Future[None]:
        """Its result and its status, or neither.

        Args:
            keep: also what only this job needed: its input, its run, its documents.

        Raises:
            JobLostError: the job is another worker's by now, or was cancelled; nothing was written.
        """
        return self._writer.call(partial(ends.complete, job=job, output=output, keep=keep))

    def fail(
        self,
        job: Job,
        fault: JobFault,
        *,
        for_good: bool = False,
        delay_s: float | None = None,
        output: JobOutput | None = None,
    ) -> Future[JobStatus]:
        """A try failed; the job waits for the next, or is dead. Raises as `complete`.

        Args:
            for_good: no other try can go better.
            delay_s: how long it waits; `backoff_s` of the try if not given.
            output: what came of it nevertheless; kept with a dead job.
        """
        wait_s = None if for_good else backoff_s(job.attempts + 1) if delay_s is None else delay_s
        return self._writer.call(partial(ends.fail, job=job, fault=fault, delay_s=wait_s, output=output))

    def release(
        self, job: Job, *, delay_s: float = 0.0, fault: JobFault | None = None, afresh: bool = False
    ) -> Future[None]:
        """Give a job back; no try of it is used up. Raises as `complete`.

        Args:
            afresh: what its run has made so far is not to be relied upon.
        """
        return self._writer.call(partial(ends.release, job=job, delay_s=delay_s, fault=fault, afresh=afresh))

    def cancel(self, queue: str, jobs: Sequence[int] | None = None) -> int:
        """Take unfinished jobs, those named or all, out of the queue; how many. Durable on return."""
        return self._in_parts(partial(care.cancel, name=queue, jobs=jobs))

    def retry(self, queue: str, jobs: Sequence[int] | None = None) -> int:
        """Give dead jobs, those named or all, all their tries anew; how many. Durable on return."""
        return self._in_parts(partial(care.retry, name=queue, jobs=jobs))

    def purge(self, queue: str, *, older_than_seconds: float | None = None) -> tuple[int, int]:
        """Remove the queue with all it holds, or only jobs that ended longer ago; how many jobs, and bytes freed."""
        before = None if older_than_seconds is None else self._reader.read(reads.now_s) - older_than_seconds
        number = self._in_parts(partial(care.purge, name=queue, ended_before_s=before))
        if older_than_seconds is None:
            self._writer.call(partial(care.remove_queue, name=queue)).result()
        return number, self._writer.call(retention.shrink).result()

    def _in_parts(self, part: Callable[[sqlite3.Connection], int]) -> int:
        total = 0
        while changed := self._writer.call(part).result():
            total += changed
        return total

    def queues(self) -> list[QueueRecord]:
        """Every queue, by name."""
        return self._reader.read(reads.queues)

    def get(self, queue: str) -> QueueRecord:
        """One queue. Raises QueueNotFoundError, naming the nearest."""
        return self._reader.read(lambda connection: reads.queue(connection, queue))

    def pace(self, queue: str) -> Pace:
        """How fast it is lately, and how long it will take."""
        return self._reader.read(lambda connection: reads.pace(connection, queue))

    def at_work(self, queue: str, limit: int = 5) -> list[AtWork]:
        """The jobs that workers have, those that take longest first."""
        return self._reader.read(lambda connection: reads.at_work(connection, queue, limit))

    def failing(self, queue: str, limit: int = 5) -> list[Failing]:
        """The jobs whose failures are the newest."""
        return self._reader.read(lambda connection: reads.failing(connection, queue, limit))

    def job(self, seq: int) -> JobRecord:
        """All that is known of a job. Raises QueueNotFoundError."""
        return self._reader.read(lambda connection: reads.job(connection, seq))

    def jobs(self, queue: str, statuses: Sequence[JobStatus] = tuple(JobStatus)) -> Iterator[JobRecord]:
        """The jobs of a queue in the order they were added, read a page at a time.

        Raises:
            QueueNotFoundError: at the first.
        """
        self.get(queue)
        after = 0
        while page := self._reader.read(partial(reads.jobs, name=queue, statuses=statuses, after=after, limit=_PAGE)):
            yield from page
            after = page[-1].seq
