"""Any order of adding, claiming, ending, crashing and cancelling: nothing is lost, nothing is done twice."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from nonet.errors import JobLostError
from nonet.store import Job, JobFault, JobOutput, JobStatus, NewJob, Store, WorkerId
from nonet.store.queue_records import MOST_CRASHES, SUSPECT_CRASHES
from nonet.store.queue_shares import Claimant, shares

QUEUES = ("one", "two")
FAULT = JobFault("CallError", "no")


class QueueMachine(RuleBasedStateMachine):
    """A model of the queue in Python dictionaries, beside the real one."""

    workers: Bundle[WorkerId] = Bundle("workers")
    leases: Bundle[Job] = Bundle("leases")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name) / "nonet.db")
        self.queues = self.store.queues
        self.added: dict[tuple[str, str], int] = {}
        self.status: dict[int, JobStatus] = {}
        self.token: dict[int, int] = {}
        self.holder: dict[int, int] = {}
        self.attempts: Counter[int] = Counter()
        self.crashes: Counter[int] = Counter()
        self.results: dict[int, str] = {}
        self.alive: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def holds(self, job: Job) -> bool:
        return self.status.get(job.seq) is JobStatus.LEASED and self.token[job.seq] == job.token

    @rule(queue=st.sampled_from(QUEUES), name=st.sampled_from("abcdefgh"), delayed=st.booleans())
    def add(self, queue: str, name: str, *, delayed: bool) -> None:
        job = NewJob(name, hashlib.sha256(name.encode()).digest(), 1, text=name)
        made = self.queues.add(queue, [job], work="{}", delay_s=1e-6 if delayed else 0).result()
        assert made.jobs == ((queue, name) not in self.added)
        if made.jobs:
            [seq] = {each.seq for each in self.queues.jobs(queue)} - set(self.status)
            self.added[queue, name] = seq
            self.status[seq] = JobStatus.QUEUED
            self.token[seq] = 0

    @rule(target=workers)
    def register(self) -> WorkerId:
        worker = self.queues.register("host").result()
        self.alive.add(worker.seq)
        return worker

    @rule(target=leases, worker=workers, places=st.integers(1, 4))
    def claim(self, worker: WorkerId, places: int) -> Any:
        if worker.seq not in self.alive:
            with pytest.raises(JobLostError):
                self.queues.claim(worker, places).result()
            return multiple()
        self.pass_time()
        free = [seq for seq, status in self.status.items() if status is JobStatus.QUEUED]
        suspects = {seq for seq in free if self.crashes[seq] >= SUSPECT_CRASHES}
        jobs = self.queues.claim(worker, places).result()
        assert len(jobs) == len({job.seq for job in jobs}) == min(places, len(free) - len(suspects)), "all that can be"
        if not jobs:
            jobs = self.queues.claim_suspect(worker).result()
            assert len(jobs) == min(1, len(suspects))
        for job in jobs:
            assert self.status[job.seq] is JobStatus.QUEUED
            assert job.attempts == self.attempts[job.seq]
            self.status[job.seq], self.holder[job.seq] = JobStatus.LEASED, worker.seq
            self.token[job.seq] += 1
            assert job.token == self.token[job.seq]
        return multiple(*jobs)

    def pass_time(self) -> None:
        with closing(sqlite3.connect(self.store.path)) as connection, connection:
            connection.execute("UPDATE jobs SET ready_at_s = 0")

    def ends(self, job: Job, future: Any, status: JobStatus) -> bool:
        """Check that a write holds exactly when the lease does."""
        if not self.holds(job):
            with pytest.raises(JobLostError):
                future.result()
            return False
        future.result()
        self.status[job.seq] = status
        return True

    @rule(job=consumes(leases))
    def complete(self, job: Job) -> None:
        text = f"{job.seq} {job.token}"
        if self.ends(job, self.queues.complete(job, JobOutput("verified", text)), JobStatus.DONE):
            self.results[job.seq] = text
            self.attempts[job.seq] += 1

    @rule(job=leases)
    def complete_and_keep_the_lease(self, job: Job) -> None:
        self.complete(job)

    @rule(job=leases, for_good=st.booleans())
    def fail(self, job: Job, *, for_good: bool) -> None:
        dead = for_good or self.attempts[job.seq] >= 2
        status = JobStatus.DEAD if dead else JobStatus.QUEUED
        if self.ends(job, self.queues.fail(job, FAULT, for_good=for_good, delay_s=0), status):
            self.attempts[job.seq] += 1

    @rule(job=leases)
    def release(self, job: Job) -> None:
        self.ends(job, self.queues.release(job), JobStatus.QUEUED)

    @rule(worker=workers)
    def crash(self, worker: WorkerId) -> None:
        self.queues.retire(worker).result()
        self.alive.discard(worker.seq)
        for seq, status in self.status.items():
            if status is JobStatus.LEASED and self.holder[seq] == worker.seq:
                self.crashes[seq] += 1
                self.status[seq] = JobStatus.DEAD if self.crashes[seq] >= MOST_CRASHES else JobStatus.QUEUED

    @rule(queue=st.sampled_from(QUEUES))
    def cancel(self, queue: str) -> None:
        mine = {seq for (where, _), seq in self.added.items() if where == queue}
        open_jobs = {seq for seq in mine if self.status[seq] in (JobStatus.QUEUED, JobStatus.LEASED)}
        if any(where == queue for where, _ in self.added):
            assert self.queues.cancel(queue) == len(open_jobs)
        for seq in open_jobs:
            self.status[seq] = JobStatus.CANCELLED

    @rule(queue=st.sampled_from(QUEUES))
    def retry(self, queue: str) -> None:
        dead = {seq for (where, _), seq in self.added.items() if where == queue and self.status[seq] is JobStatus.DEAD}
        if any(where == queue for where, _ in self.added):
            assert self.queues.retry(queue) == len(dead)
        for seq in dead:
            self.status[seq] = JobStatus.QUEUED
            self.attempts[seq] = self.crashes[seq] = 0

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        for queue in self.queues.queues():
            jobs = list(self.queues.jobs(queue.name))
            counted = Counter(job.status for job in jobs)
            assert {status: getattr(queue, status) for status in JobStatus} == {
                status: counted[status] for status in JobStatus
            }
            for job in jobs:
                expected = self.status[job.seq]
                assert job.status in ({expected, JobStatus.DELAYED} if expected is JobStatus.QUEUED else {expected})
                assert job.output == (self.results[job.seq] if job.status is JobStatus.DONE else "")
                assert (job.attempts, job.crashes) == (self.attempts[job.seq], self.crashes[job.seq])


QueueMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestQueueMachine = QueueMachine.TestCase


claimants = st.lists(
    st.builds(
        Claimant,
        seq=st.integers(1, 50),
        ready=st.integers(0, 40),
        leased=st.integers(0, 20),
        concurrency=st.none() | st.integers(1, 20),
        turn=st.integers(0, 100),
    ),
    max_size=6,
    unique_by=lambda each: each.seq,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), claimants)
def test_places_are_shared_out_fairly(places: int, queues: list[Claimant]) -> None:
    got = shares(places, queues)
    room = {
        each.seq: min(each.ready, each.ready if each.concurrency is None else max(each.concurrency - each.leased, 0))
        for each in queues
    }
    assert sum(got.values()) == min(places, sum(room.values())), "no place is left free while somebody wants it"
    by_seq = {each.seq: each for each in queues}
    for seq, number in got.items():
        assert 0 < number <= room[seq]
        for other in queues:
            if got.get(other.seq, 0) < room[other.seq]:
                more = by_seq[seq].leased + number
                assert more <= other.leased + got.get(other.seq, 0) + 1, "who could take more has not much less"
