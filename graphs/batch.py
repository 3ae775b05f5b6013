"""Works on queues: takes jobs, does them, and writes what came of them, until there are none or somebody says stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from nonet.errors import JobLostError, NonetError, ResourceError, RunLeasedError, RunNotFoundError, StoreError
from nonet.graphs.batch_breaker import Breaker
from nonet.graphs.batch_events import (
    BatchEvent,
    BatchNotice,
    JobDone,
    JobFailed,
    JobReturned,
    JobStarted,
    JobStep,
    OnBatchEvent,
)
from nonet.graphs.batch_memory import CalmCollector
from nonet.graphs.batch_work import Perform, Performed
from nonet.store import Job, JobFault, JobOutput, JobStatus, QueueRecord, Store, WorkerId
from nonet.store.queue_workers import BEAT_SECONDS, Watch

POLL_SECONDS = 0.25
"""How often an idle worker looks for jobs that others added, gave back, or that were delayed."""
_RETURN_DELAY_SECONDS = 0.1
_LEASED_DELAY_SECONDS = 2.0


@dataclass(slots=True)
class BatchReport:
    """What one worker has done."""

    done: int = 0
    failed_tries: int = 0
    dead: int = 0
    returned: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Batch:
    """One worker of a process. `run` it once.

    Args:
        store: where the queues are.
        perform: does one try of a job.
        owner: its name in what others are told.
        queues: which; None for all.
        places: jobs in hand at once.
        breaker: tells the server's faults from the documents'.
        forever: wait for new jobs instead of ending when there are none.
    """

    store: Store
    perform: Perform
    owner: str
    queues: Sequence[str] | None = None
    places: int = 8
    breaker: Breaker | None = None
    forever: bool = False
    keep: Callable[[Job], bool] = lambda _job: False
    on_event: OnBatchEvent = lambda _event: None
    beat_seconds: float = BEAT_SECONDS
    report: BatchReport = field(default_factory=BatchReport, init=False)
    _worker: WorkerId = field(default=WorkerId(0, ""), init=False)
    _running: dict[int, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _working: dict[int, Job] = field(default_factory=dict, init=False)
    """Jobs whose work is under way; not those whose result is being written."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _alone: bool = field(default=False, init=False)
    """What is in hand may end the process: nothing else is taken."""
    _stopping: bool = field(default=False, init=False)
    _failure: StoreError | None = field(default=None, init=False)
    _calm: CalmCollector = field(default_factory=CalmCollector, init=False)

    def stop(self) -> None:
        """Begin no further job; `run` ends when those in hand are done."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> BatchReport:
        """Work until nothing is left, or `stop` was called. Cancelled, it gives back what it has in hand.

        Raises:
            StoreError: the database cannot be used. What was finished is kept, and the rest is for the next.
        """
        started = time.monotonic()
        self._worker = await asyncio.wrap_future(self.store.queues.register(self.owner))
        pulse = asyncio.create_task(self._beat())
        try:
            await self._take_jobs()
            if self._running:
                await asyncio.wait(self._running.values())
        finally:
            await self._wind_up(pulse)
            self._calm.end()
            self.report.seconds = time.monotonic() - started
        if self._failure is not None:
            raise self._failure
        return self.report

    async def _wind_up(self, pulse: asyncio.Task[None]) -> None:
        for task in (pulse, *self._running.values()):
            task.cancel()
        await asyncio.gather(pulse, *self._running.values(), return_exceptions=True)
        if self.breaker is not None:
            await self.breaker.aclose()
        with suppress(StoreError):
            await asyncio.wrap_future(self.store.queues.retire(self._worker))

    async def _take_jobs(self) -> None:
        while not self._stopping and self._failure is None:
            self._wake.clear()
            jobs = await self._claim()
            for job in jobs:
                self._start(job)
            if jobs:
                await asyncio.sleep(0)
                continue
            if not self._running and not self.forever and self._is_empty():
                return
            with suppress(TimeoutError):  # wait_for of Python 3.11 would swallow a cancellation that comes as it wakes
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def _claim(self) -> list[Job]:
        places = self.places - len(self._running)
        if places <= 0 or self._alone or (self.breaker is not None and self.breaker.is_open):
            return []
        worker, queues = self._worker, self.store.queues
        jobs: list[Job] = []
        try:
            jobs = await asyncio.wrap_future(queues.claim(worker, places, self.queues))
            if not jobs and not self._running:
                jobs = await asyncio.wrap_future(queues.claim_suspect(worker, self.queues))
                self._alone = bool(jobs)
        except JobLostError as error:
            await self._begin_anew(worker, error)
        return jobs

    def _is_empty(self) -> bool:
        """Nothing to wait for: what is left, if anything, is in paused queues."""
        return all(queue.paused or not queue.unfinished for queue in self._records())

    def _records(self) -> list[QueueRecord]:
        found = self.store.queues.queues()
        return found if self.queues is None else [queue for queue in found if queue.name in self.queues]

    def _start(self, job: Job) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._running.pop(job.seq, None)
            self._alone = False
            self._wake.set()
            error = None if task.cancelled() else task.exception()
            if isinstance(error, StoreError):
                self._failure = self._failure or error
            elif error is not None:
                raise error

        task = asyncio.create_task(self._work_on(job))
        self._running[job.seq] = task
        task.add_done_callback(ended)

    async def _work_on(self, job: Job) -> None:
        """One try of a job, to a state that says how it ended."""
        started = time.monotonic()
        self._working[job.seq] = job
        self._tell(JobStarted(job))
        try:
            performed = await self._try(job)
            self._working.pop(job.seq, None)
            await self._settle(job, performed, time.monotonic() - started)
        except asyncio.CancelledError:
            if self._working.pop(job.seq, None) is not None:
                await self._give_back(job, None, "stopped")
            raise
        except JobLostError as error:
            self._tell(JobReturned(job, error.message))
        except (RunLeasedError, RunNotFoundError) as error:  # the user resumes it, or has cancelled the document
            await self._give_back(job, _fault_of(error), error.message, delay_s=_LEASED_DELAY_SECONDS)
        finally:
            self._working.pop(job.seq, None)

    async def _try(self, job: Job) -> Performed:
        try:
            return await self.perform(job, lambda event: self._tell(JobStep(job, event)))
        except ResourceError as error:
            if self.breaker is None:
                return Performed(None, _fault_of(error))
            self.breaker.trip(error.message)
            return Performed(None, _fault_of(error), doubtful=True)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  whatever a document does to its work, the others go on
            return Performed(None, _fault_of(error))

    async def _settle(self, job: Job, performed: Performed, seconds: float) -> None:
        queues = self.store.queues
        if performed.doubtful and self.breaker is not None and await self.breaker.blames_server():
            fault = performed.fault or JobFault("call", "calls failed, and the server was not well")
            await self._give_back(
                job, fault, fault.message, delay_s=_RETURN_DELAY_SECONDS, afresh=performed.fault is None
            )
        elif performed.fault is None:
            output = performed.output or JobOutput("unverified", "")
            await asyncio.wrap_future(queues.complete(job, output, keep=self.keep(job)))
            self.report.done += 1
            if self.report.done == 1:
                self._calm.begin()  # what the work needs is loaded by now
            self._tell(JobDone(job, output.verdict, seconds, output.usage))
        else:
            fault = performed.fault
            failed = queues.fail(job, fault, for_good=performed.for_good, output=performed.output)
            status = await asyncio.wrap_future(failed)
            self.report.failed_tries += 1
            self.report.dead += status is JobStatus.DEAD
            self._tell(JobFailed(job, status, fault.kind, fault.message, seconds))

    async def _give_back(
        self, job: Job, fault: JobFault | None, reason: str, *, delay_s: float = 0.0, afresh: bool = False
    ) -> None:
        with suppress(JobLostError):
            await asyncio.wrap_future(self.store.queues.release(job, delay_s=delay_s, fault=fault, afresh=afresh))
        self.report.returned += 1
        self._tell(JobReturned(job, reason))

    async def _beat(self) -> None:
        """Give signs of life, stop the work on jobs that were taken away, and take those of workers that are gone."""
        watch = Watch()
        while True:
            worker, before = self._worker, dict(self._working)
            try:
                kept, others = await asyncio.wrap_future(self.store.queues.beat(worker))
                for seq, job in before.items():
                    if seq not in kept and self._working.get(seq) is job:
                        self._drop(job, "it was cancelled, or given to another worker")
                for gone in watch.gone(others):
                    if taken := await asyncio.wrap_future(self.store.queues.bury(gone)):
                        self._tell(BatchNotice("reclaimed", f"{taken} taken over from a worker that is gone"))
                        self._wake.set()
            except JobLostError as error:
                await self._begin_anew(worker, error)
            except StoreError as error:
                self._failure = error
                self.stop()
                return
            await asyncio.sleep(self.beat_seconds)

    async def _begin_anew(self, lost: WorkerId, error: JobLostError) -> None:
        """Others thought us dead, and have our jobs: stop those, and go on as a new worker."""
        if lost != self._worker:
            return  # the claim and the beat have both found out
        self._worker = WorkerId(0, self.owner)
        self._tell(BatchNotice("lost", error.message))
        for job in list(self._working.values()):
            self._drop(job, "it was given to another worker while this one stood still")
        self._worker = await asyncio.wrap_future(self.store.queues.register(self.owner))

    def _drop(self, job: Job, reason: str) -> None:
        self._working.pop(job.seq, None)
        task = self._running.get(job.seq)
        if task is not None:
            task.cancel()
        self._tell(JobReturned(job, reason))

    def _tell(self, event: BatchEvent) -> None:
        self.on_event(event)


def _fault_of(error: Exception) -> JobFault:
    message = error.message if isinstance(error, NonetError) else f"{type(error).__name__}: {error}"
    return JobFault(type(error).__name__.removesuffix("Error") or "error", message)
