"""What a queue promises, whatever keeps it: one result a document, no more and no less."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from nonet.errors import JobLostError, QueueNotFoundError
from nonet.store import (
    CallRecord,
    Job,
    JobFault,
    JobOutput,
    JobStatus,
    JobUsage,
    NewDocument,
    NewJob,
    Store,
    SubtaskRecord,
    WorkerId,
)
from nonet.store.queue import backoff_s
from nonet.store.queue_records import MOST_CRASHES, SUSPECT_CRASHES
from nonet.store.queue_shares import Claimant, shares
from nonet.store.queue_workers import MISSED_BEATS, Watch

WORK = json.dumps({"task": "Summarize {document}"})
FAULT = JobFault("CallError", "it went wrong")


def texts(*names: str) -> list[NewJob]:
    return [NewJob(name, hashlib.sha256(name.encode()).digest(), len(name), text=f"text of {name}") for name in names]


class QueueContract:
    """Subclass it with a fixture `store` and with what lets time pass."""

    @abstractmethod
    def let_time_pass(self, store: Store) -> None:
        """Every job's time has come."""

    @pytest.fixture
    def worker(self, store: Store) -> WorkerId:
        return store.queues.register("host:1").result()

    def add(self, store: Store, *names: str, queue: str = "q", **options: object) -> None:
        store.queues.add(queue, texts(*names), work=WORK, **options).result()  # type: ignore[arg-type]

    def claim(self, store: Store, worker: WorkerId, places: int = 1, queues: Sequence[str] | None = None) -> list[Job]:
        return store.queues.claim(worker, places, queues).result()

    def counts(self, store: Store, queue: str = "q") -> dict[str, int]:
        found = store.queues.get(queue)
        told = {str(status): getattr(found, status) for status in JobStatus}
        listed = [str(job.status) for job in store.queues.jobs(queue)]
        assert told == {status: listed.count(status) for status in told}, "the counts say what the jobs say"
        return {status: number for status, number in told.items() if number}

    def test_a_document_goes_from_added_to_done(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a.md")
        [job] = self.claim(store, worker, 5)
        assert (job.queue, job.document, job.work, job.attempts, job.run) == ("q", "a.md", WORK, 0, None)
        assert store.queues.text(job) == "text of a.md"
        assert self.counts(store) == {"leased": 1}
        usage = JobUsage(2, 30, 4, 1.5, 1)
        store.queues.complete(job, JobOutput("verified", "the result", '{"checks": []}', usage)).result()
        record = store.queues.job(job.seq)
        assert (record.status, record.verdict, record.output) == (JobStatus.DONE, "verified", "the result")
        assert (record.attempts, record.detail, record.errors) == (1, '{"checks": []}', ())
        assert store.queues.get("q").usage == usage
        assert self.counts(store) == {"done": 1}
        assert store.queues.text(job) == "", "the input of a finished job is not kept"

    def test_the_same_document_and_work_is_one_job(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a.md", "b.md")
        again = store.queues.add("q", [*texts("a.md", "c.md")], work=WORK).result()
        assert (again.jobs, again.known, again.same) == (1, 1, ())
        renamed = NewJob("other name.md", texts("a.md")[0].content, 4, text="text of a.md")
        assert store.queues.add("q", [renamed], work=WORK).result().same == (("other name.md", "a.md"),)
        assert store.queues.add("q", texts("a.md"), work='{"task": "Another"}').result().jobs == 1
        assert store.queues.add("other", texts("a.md"), work=WORK).result().jobs == 1
        assert store.queues.add("q", texts("a.md"), work=WORK, again=True).result().jobs == 1
        for job in self.claim(store, worker, 10, ["q"]):
            store.queues.complete(job, JobOutput("verified", "")).result()
        assert store.queues.add("q", texts("a.md"), work=WORK).result().known == 1, "a finished job is known as well"
        assert self.counts(store) == {"done": 5}

    def test_priority_goes_before_age(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "first", "second")
        self.add(store, "urgent", priority=5)
        self.add(store, "some day", priority=-1)
        order = [job.document for _ in range(4) for job in self.claim(store, worker)]
        assert order == ["urgent", "first", "second", "some day"]

    def test_a_delay_holds_a_job_back(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "later", delay_s=3600)
        self.add(store, "soon", delay_s=0.001)
        assert self.counts(store) == {"delayed": 2}
        found: list[Job] = []
        while not found:
            found = self.claim(store, worker, 5)
        assert [job.document for job in found] == ["soon"]
        assert self.counts(store) == {"delayed": 1, "leased": 1}

    def test_failures_are_tried_again_and_then_dead_with_all_their_errors(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "poison", "good")
        for number in (1, 2, 3):
            [job] = [job for job in self.claim(store, worker, 5) if job.document == "poison"]
            status = store.queues.fail(
                job, JobFault("CallError", f"failure {number}"), delay_s=0, output=JobOutput("failed", f"try {number}")
            ).result()
            assert status is (JobStatus.DEAD if number == 3 else JobStatus.DELAYED)
        record = store.queues.job(job.seq)
        assert [(error.attempt, error.kind, error.message) for error in record.errors] == [
            (number, "CallError", f"failure {number}") for number in (1, 2, 3)
        ]
        assert (record.attempts, record.output, record.verdict) == (3, "try 3", "failed")
        assert [(each.document, each.error) for each in store.queues.failing("q")] == [("poison", "failure 3")]
        assert store.queues.retry("q") == 1
        [job] = self.claim(store, worker, 5)
        assert (job.document, job.attempts) == ("poison", 0)
        store.queues.complete(job, JobOutput("verified", "at last")).result()
        assert len(store.queues.job(job.seq).errors) == 3, "the history stays"

    def test_a_failed_try_waits_before_the_next(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        [job] = self.claim(store, worker)
        store.queues.fail(job, FAULT).result()
        assert self.claim(store, worker) == []
        record = store.queues.job(job.seq)
        assert 0.4 < record.ready_at_s - record.added_at_s < 20

    def test_back_offs_double_are_random_and_end(self) -> None:
        for attempt in range(1, 40):
            most = min(2.0 ** (attempt - 1), 600)
            assert all(most / 2 <= backoff_s(attempt) <= most for _ in range(20))
        assert len({backoff_s(5) for _ in range(20)}) > 10

    def test_attempts_are_the_queues(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        store.queues.configure("q", max_attempts=1).result()
        [job] = self.claim(store, worker)
        assert store.queues.fail(job, FAULT).result() is JobStatus.DEAD

    def test_what_cannot_go_better_is_dead_at_once(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        [job] = self.claim(store, worker)
        assert store.queues.fail(job, FAULT, for_good=True).result() is JobStatus.DEAD

    def test_a_refused_document_is_dead_from_the_start(self, store: Store, worker: WorkerId) -> None:
        refused = NewJob("huge.txt", bytes(32), 10**9, path="/huge.txt", refused="it is too large")
        added = store.queues.add("q", [refused], work=WORK).result()
        assert (added.jobs, added.refused) == (1, 1)
        assert self.claim(store, worker) == []
        assert self.counts(store) == {"dead": 1}
        [record] = store.queues.jobs("q")
        assert [(error.kind, error.message) for error in record.errors] == [("refused", "it is too large")]

    def test_given_back_no_try_is_used_up(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        for _ in range(10):
            [job] = self.claim(store, worker)
            store.queues.release(job, fault=JobFault("server", "no server answers")).result()
        record = store.queues.job(job.seq)
        assert (record.status, record.attempts, len(record.errors)) == (JobStatus.QUEUED, 0, 10)

    def test_a_stale_worker_writes_nothing(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        [stale] = self.claim(store, worker)
        store.queues.release(stale).result()
        [fresh] = self.claim(store, worker)
        assert fresh.token == stale.token + 1
        for late in (
            store.queues.complete(stale, JobOutput("verified", "late")),
            store.queues.fail(stale, FAULT),
            store.queues.release(stale),
        ):
            with pytest.raises(JobLostError):
                late.result()
        store.queues.complete(fresh, JobOutput("verified", "right")).result()
        with pytest.raises(JobLostError):
            store.queues.complete(fresh, JobOutput("verified", "twice")).result()
        assert store.queues.job(fresh.seq).output == "right"
        assert self.counts(store) == {"done": 1}

    def test_a_worker_that_gives_no_sign_of_life_loses_its_jobs(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a", "b")
        [job] = self.claim(store, worker)
        store.queues.set_run(job, "run12345")
        other, watch = store.queues.register("host:2").result(), Watch()
        for beats in range(20):
            if beats < 5:
                store.queues.beat(worker).result()
            _, others = store.queues.beat(other).result()
            gone = watch.gone(others)
            if gone:
                break
        assert beats == 5 + MISSED_BEATS - 1, "as many of ours as it takes, without one of theirs"
        assert [store.queues.bury(each).result() for each in gone] == [1]
        assert [store.queues.bury(each).result() for each in gone] == [0]
        [taken] = [each for each in self.claim(store, other, 5) if each.document == "a"]
        assert (taken.run, taken.attempts) == ("run12345", 0)
        assert [error.kind for error in store.queues.job(taken.seq).errors] == ["crash"]
        with pytest.raises(JobLostError):
            store.queues.beat(worker).result()
        with pytest.raises(JobLostError):
            self.claim(store, worker)
        with pytest.raises(JobLostError):
            store.queues.complete(job, JobOutput("verified", "from the dead")).result()

    def test_a_worker_that_beats_meanwhile_is_not_buried(self, store: Store, worker: WorkerId) -> None:
        other, watch = store.queues.register("host:2").result(), Watch()
        gone: list[tuple[int, str, int]] = []
        while not gone:
            gone = watch.gone(store.queues.beat(other).result()[1])
        store.queues.beat(worker).result()
        self.add(store, "a")
        self.claim(store, worker)
        assert store.queues.bury(gone[0]).result() == 0
        assert self.counts(store) == {"leased": 1}

    def test_a_document_that_ends_its_workers_is_dead_in_the_end(self, store: Store) -> None:
        self.add(store, "killer")
        for number in range(MOST_CRASHES):
            worker = store.queues.register("host:1").result()
            self.let_time_pass(store)
            alone = number >= SUSPECT_CRASHES
            assert len(self.claim(store, worker)) == (not alone), "with others it is not worked on any more"
            found = store.queues.claim_suspect(worker).result()
            assert [job.is_suspect for job in found] == [True] * alone
            store.queues.retire(worker).result()
            assert ("dead" in self.counts(store)) == (number == MOST_CRASHES - 1)
        [record] = store.queues.jobs("q")
        assert (record.status, record.attempts, record.crashes) == (JobStatus.DEAD, 0, MOST_CRASHES)
        assert {error.kind for error in record.errors} == {"crash"}

    def test_it_is_told_what_it_still_has(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a", "b")
        one, two = self.claim(store, worker, 2)
        assert store.queues.beat(worker).result()[0] == {one.seq, two.seq}
        assert store.queues.cancel("q", [one.seq]) == 1
        assert store.queues.beat(worker).result()[0] == {two.seq}
        with pytest.raises(JobLostError):
            store.queues.complete(one, JobOutput("verified", "unwanted")).result()
        assert self.counts(store) == {"leased": 1, "cancelled": 1}

    def test_a_paused_queue_gives_nothing(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a")
        store.queues.configure("q", paused=True).result()
        assert self.claim(store, worker) == []
        store.queues.configure("q", paused=False).result()
        assert len(self.claim(store, worker)) == 1

    def test_no_more_at_once_than_the_queue_allows(self, store: Store, worker: WorkerId) -> None:
        self.add(store, *"abcde")
        store.queues.configure("q", concurrency=2).result()
        jobs = self.claim(store, worker, 5)
        other = store.queues.register("host:2").result()
        assert (len(jobs), len(self.claim(store, other, 5))) == (2, 0)
        store.queues.complete(jobs[0], JobOutput("verified", "")).result()
        assert len(self.claim(store, other, 5)) == 1
        store.queues.configure("q", concurrency=0).result()
        assert len(self.claim(store, other, 5)) == 2

    def test_a_long_queue_does_not_hold_up_a_short_one(self, store: Store, worker: WorkerId) -> None:
        self.add(store, *(f"long {number}" for number in range(100)), queue="long")
        self.add(store, "short 1", "short 2", queue="short")
        taken = [job.document for _ in range(2) for job in self.claim(store, worker, 2)]
        assert sorted(taken) == ["long 0", "long 1", "short 1", "short 2"]
        assert {job.queue for job in self.claim(store, worker, 50, ["short", "none"])} == set()

    def test_cancelled_jobs_and_named_dead_ones_can_be_had_back(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a", "b")
        assert store.queues.cancel("q") == 2
        assert self.claim(store, worker, 5) == []
        [one, _] = store.queues.jobs("q")
        assert store.queues.retry("q") == 0
        assert store.queues.retry("q", [one.seq]) == 1
        assert self.counts(store) == {"queued": 1, "cancelled": 1}

    def test_a_finished_job_drops_its_run_and_its_documents(self, store: Store, worker: WorkerId) -> None:
        self.add(store, "a.md", "kept.md")
        for keep, job in zip((False, True), self.claim(store, worker, 2), strict=True):
            store.documents.add(NewDocument(job.document_name, f"words of {job.document}"))
            lease = store.runs.create("task", runtime="scripted", owner="host:1")
            store.queues.set_run(job, lease.run)
            store.runs.record_call(lease, "s1", 1, CallRecord("tiny", prompt=f"prompt {keep}", answer=f"answer {keep}"))
            store.runs.finish_subtask(lease, SubtaskRecord("s1", "code", "x", "verified", f"text {keep}"))
            store.runs.finish(lease, "done", "verified", f"text {keep}", "{}")
            store.queues.complete(job, JobOutput("verified", f"text {keep}"), keep=keep).result()
            assert (store.queues.job(job.seq).run == lease.run) == keep
        assert [run.verdict for run in store.runs.list()] == ["verified"]
        assert [each.name for each in store.documents.list()] == [job.document_name]
        left = store.documents._reader.rows("SELECT text FROM texts WHERE text LIKE '% False'")
        assert left == [], "nothing is left of the other one"

    def test_purging_removes_all_or_what_is_old(self, store: Store, worker: WorkerId) -> None:
        self.add(store, *"abc")
        [job] = self.claim(store, worker)
        store.queues.complete(job, JobOutput("verified", "x" * 50_000)).result()
        assert store.queues.purge("q", older_than_seconds=3600)[0] == 0
        assert store.queues.purge("q", older_than_seconds=0)[0] == 1
        assert self.counts(store) == {"queued": 2}
        assert store.queues.purge("q")[0] == 2
        assert store.queues.queues() == []

    def test_names_that_are_not_there(self, store: Store) -> None:
        self.add(store, "a", queue="inbox")
        with pytest.raises(QueueNotFoundError, match="Did you mean inbox"):
            store.queues.get("inbux")
        for ask in (store.queues.cancel, store.queues.retry, store.queues.purge):
            with pytest.raises(QueueNotFoundError):
                ask("none")
        with pytest.raises(QueueNotFoundError):
            store.queues.job(99)
        with pytest.raises(QueueNotFoundError):
            store.queues.configure("none", paused=True).result()

    def test_pace_is_that_of_lately(self, store: Store, worker: WorkerId) -> None:
        self.add(store, *"abcd")
        assert (store.queues.pace("q").rate_per_s, store.queues.pace("q").eta_s) == (0.0, None)
        for job in self.claim(store, worker, 3):
            store.queues.complete(job, JobOutput("verified", "")).result()
        pace = store.queues.pace("q")
        assert 0.5 < pace.rate_per_s <= 3.0
        assert pace.eta_s is not None
        assert 0.3 <= pace.eta_s <= 2.0
        [job] = self.claim(store, worker)
        assert [(each.document, each.worker) for each in store.queues.at_work("q")] == [("d", "host:1")]


class TestSqliteQueue(QueueContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with Store.open(tmp_path / "nonet.db") as store:
            yield store

    def let_time_pass(self, store: Store) -> None:
        with closing(sqlite3.connect(store.path)) as connection, connection:
            connection.execute("UPDATE jobs SET ready_at_s = 0")


DIE_WITH_JOBS = """
import os, sys
from nonet.store import Store
store = Store.open(sys.argv[1])
jobs = store.queues.claim(store.queues.register("host:dead").result(), 2).result()
assert len(jobs) == 2
os._exit(9)
"""


def test_the_jobs_of_a_process_that_died_are_free_at_once(tmp_path: Path) -> None:
    with Store.open(tmp_path / "nonet.db") as store:
        store.queues.add("q", texts("a", "b"), work=WORK).result()
        subprocess.run([sys.executable, "-c", DIE_WITH_JOBS, str(store.path)], check=False, timeout=60)
        worker = store.queues.register(f"host:{os.getpid()}").result()
        gone = Watch().gone(store.queues.beat(worker).result()[1])
        assert [store.queues.bury(each).result() for each in gone] == [2]
        assert len(store.queues.claim(worker, 5).result()) == 2


def test_shares_are_fair_and_keep_within_bounds() -> None:
    claimants = [Claimant(1, 1000, 7, None, 5), Claimant(2, 10, 0, None, 9), Claimant(3, 10, 0, 2, 1)]
    got = shares(8, claimants)
    assert list(got) == [3, 2]
    assert got == {3: 2, 2: 6}
    assert shares(3, [Claimant(1, 2, 0, None, 0)]) == {1: 2}
    assert shares(3, [Claimant(1, 5, 3, 3, 0)]) == {}
    assert shares(0, claimants) == {}
