"""Workers on queues: what they finish, what they give back, and whose fault a failure is."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember

from nonet.errors import CallError, CallTimeoutError, IncompleteAnswerError, RuntimeUnavailableError, StoreWriteError
from nonet.graphs.batch import Batch
from nonet.graphs.batch_breaker import Breaker
from nonet.graphs.batch_events import BatchEvent, JobDone, JobFailed, JobReturned, ServerFailed, ServerWell
from nonet.graphs.batch_open import batch_of
from nonet.graphs.batch_work import Performed, Work
from nonet.graphs.events import OnEvent
from nonet.graphs.session import Session
from nonet.runtimes import Message
from nonet.runtimes.scripted import Fault, ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome, Verdict
from nonet.store import Job, JobFault, JobOutput, JobStatus, NewJob, Store


def texts(*names: str) -> list[NewJob]:
    return [NewJob(name, hashlib.sha256(name.encode()).digest(), 10, text=f"The text of {name}.") for name in names]


async def opened(db: Path, *staff: StaffMember, **settings: Any) -> Session:
    chosen = Settings(runtime="scripted", db=db, **settings)
    return await Session.open(chosen, specialists={member.name: member for member in staff} or None)


def scripted(session: Session) -> ScriptedRuntime:
    assert isinstance(session.runtime, ScriptedRuntime)
    return session.runtime


def fill(store: Store, *names: str, queue: str = "q", task: str = "Sum up {document}.", workflow: str = "a") -> None:
    store.queues.add(queue, texts(*names), work=Work(workflow, task).to_json()).result()


def statuses(store: Store, queue: str = "q") -> dict[str, str]:
    return {job.document: str(job.status) for job in store.queues.jobs(queue)}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_every_document_has_one_result_under_its_own_name(db: Path) -> None:
    member = StaffMember("a")
    events: list[BatchEvent] = []
    async with await opened(db, member) as session:
        fill(session.store, *"abcdefgh")
        report = await batch_of(session, ["q"], on_event=events.append).run()
        jobs = list(session.store.queues.jobs("q"))
        assert [(job.document, job.output) for job in jobs] == [
            (name, f"Sum up {name}. <The text of {name}.>") for name in "abcdefgh"
        ]
        assert (report.done, report.dead, report.returned) == (8, 0, 0)
        assert session.store.queues.get("q").usage.calls == 8
        assert session.store.runs.list() == [], "finished runs are dropped"
        assert session.store.documents.list() == []
    assert Counter(type(event) for event in events)[JobDone] == 8


@pytest.mark.parametrize("ticks", range(5))
async def test_a_cancellation_is_heeded_whatever_else_happens_at_that_moment(db: Path, ticks: int) -> None:
    working = asyncio.Event()

    async def stuck(_job: Job, _on_event: OnEvent) -> Performed:
        working.set()
        await asyncio.Event().wait()
        raise AssertionError

    with Store.open(db) as store:
        fill(store, "one")
        batch = Batch(store, stuck, "test")
        run = asyncio.create_task(batch.run())
        await working.wait()
        await asyncio.sleep(0.01)  # so that it waits for something to wake it
        batch.stop()
        for _ in range(ticks):
            await asyncio.sleep(0)
        run.cancel()
        ended, _ = await asyncio.wait([run], timeout=20)
        try:
            assert ended, "the cancellation was swallowed"
            assert run.cancelled()
            assert statuses(store) == {"one": "queued"}
        finally:
            run.cancel()
            await asyncio.wait([run])


async def test_the_supervisor_plans_the_task_of_each_document(db: Path) -> None:
    async with await opened(db) as session:
        task = "Summarize {document} in one sentence."
        fill(session.store, "one.md", "notes/two.md", task=task, workflow="supervisor")
        await batch_of(session).run()
        for job in session.store.queues.jobs("q"):
            assert job.status is JobStatus.DONE
            assert job.output.startswith("The text of")
            assert "nonet-job" not in job.detail, "documents have their own names in what is kept"
            assert f"Summarize {job.document} in one sentence." in job.detail


async def test_poison_is_dead_after_its_tries_and_the_others_are_done(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if "poison" in assignment.instruction:
            raise ZeroDivisionError("by the document")
        await desk.chat([Message("user", "x")])
        return Outcome("fine", Verdict.UNVERIFIED)

    async with await opened(db, StaffMember("a", work)) as session:
        fill(session.store, "one", "poison", "two")
        session.store.queues.configure("q", max_attempts=2).result()
        report = await batch_of(session).run()
        assert statuses(session.store) == {"one": "done", "poison": "dead", "two": "done"}
        assert (report.done, report.failed_tries, report.dead) == (2, 2, 1)
        [dead] = session.store.queues.jobs("q", (JobStatus.DEAD,))
        assert [error.message for error in dead.errors] == ["ZeroDivisionError: by the document"] * 2


async def test_a_run_that_fails_its_checks_fails_the_job_and_keeps_what_it_said(db: Path) -> None:
    async def work(_assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", "x")])
        return Outcome("half an answer", Verdict.FAILED)

    async with await opened(db, StaffMember("a", work), max_attempts=1) as session:
        fill(session.store, "one")
        session.store.queues.configure("q", max_attempts=1).result()
        await batch_of(session).run()
        [dead] = session.store.queues.jobs("q")
        assert (dead.status, dead.verdict, dead.errors[0].kind) == (JobStatus.DEAD, "failed", "verdict")
        assert dead.run is not None, "its run is kept, to see what happened"
        assert session.store.runs.get(dead.run).status == "failed"


async def test_finished_subtasks_survive_and_are_not_repeated(db: Path) -> None:
    reached = asyncio.Event()

    async def slow(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        if not reached.is_set():
            reached.set()
            await asyncio.Event().wait()
        return Outcome("second", Verdict.UNVERIFIED)

    first, second = StaffMember("summarization"), StaffMember("code", slow)
    task = "Summarize {document}. Then write a Python function that returns the length of the summary."
    async with await opened(db, first, second) as session:
        fill(session.store, "one.md", task=task, workflow="supervisor")
        worker = asyncio.create_task(batch_of(session).run())
        await reached.wait()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        [job] = session.store.queues.jobs("q")
        assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
        assert job.run is not None
    async with await opened(db, first, second) as session:
        await batch_of(session).run()
        [job] = session.store.queues.jobs("q")
        assert job.status is JobStatus.DONE
    assert len(first.seen) == 1, "the finished subtask was not run again"
    assert len(second.seen) == 2


def quick(batch: Batch) -> Batch:
    assert batch.breaker is not None
    batch.breaker.first_pause_s = 0.01
    return batch


@pytest.mark.parametrize(
    "error",
    [
        RuntimeUnavailableError("no server answers"),
        CallError("the server failed (500)"),
        CallTimeoutError("it stalled"),
        IncompleteAnswerError("the stream ended early"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_document_pays_for_a_server_that_fails(db: Path, error: Exception) -> None:
    events: list[BatchEvent] = []
    async with await opened(db, StaffMember("a"), max_attempts=1) as session:
        fill(session.store, *"abcd")
        scripted(session).fail(Fault(error, times=8))  # type: ignore[arg-type]
        await quick(batch_of(session, places=2, on_event=events.append)).run()
        jobs = list(session.store.queues.jobs("q"))
        assert {str(job.status) for job in jobs} == {"done"}
        assert {job.attempts for job in jobs} == {1}, "no try was used up"
    kinds = [type(event) for event in events]
    assert kinds.count(ServerFailed) == kinds.count(ServerWell) >= 1
    assert JobFailed not in kinds


async def test_a_document_that_breaks_its_calls_is_dead_while_the_server_is_well(db: Path) -> None:
    events: list[BatchEvent] = []
    async with await opened(db, StaffMember("a"), max_attempts=1) as session:
        fill(session.store, "one", "poison", "two")
        session.store.queues.configure("q", max_attempts=2).result()
        scripted(session).fail(Fault(CallError("the runner died"), times=1000, contains="poison"))
        await quick(batch_of(session, on_event=events.append)).run()
        assert statuses(session.store) == {"one": "done", "poison": "dead", "two": "done"}
        [dead] = session.store.queues.jobs("q", (JobStatus.DEAD,))
        assert len(dead.errors) == 2
        assert "the runner died" in dead.errors[0].message
    assert ServerFailed not in [type(event) for event in events]


async def test_a_result_that_was_made_of_a_failing_server_is_made_again(db: Path) -> None:
    """The shipped summary specialist extracts sentences where the model breaks off: good enough only for a model."""
    async with await opened(db) as session:
        text = "The mill wheel turned all winter. The miller replaced two oak paddles on 3 March."
        job = NewJob("mill", bytes(32), len(text), text=text)
        work = Work("summarization", "Summarize {document} in one sentence.").to_json()
        session.store.queues.add("q", [job], work=work).result()
        scripted(session).fail(Fault(IncompleteAnswerError("cut"), times=8))
        await quick(batch_of(session)).run()
        [done] = session.store.queues.jobs("q")
        assert (done.status, done.verdict, done.attempts) == (JobStatus.DONE, "verified", 1)


async def own(store: Store, perform: Any, **options: Any) -> Batch:
    return Batch(store, perform, "host:test", **options)


async def test_stop_finishes_what_is_in_hand_and_begins_nothing(db: Path) -> None:
    with Store.open(db) as store:
        fill(store, *"abcdef")
        gate, begun = asyncio.Event(), asyncio.Event()

        async def work(_job: Job, _on_event: OnEvent) -> Performed:
            begun.set()
            await gate.wait()
            return Performed(JobOutput("unverified", "x"))

        batch = await own(store, work, places=2)
        running = asyncio.create_task(batch.run())
        await begun.wait()
        batch.stop()
        gate.set()
        assert (await running).done == 2
        assert Counter(statuses(store).values()) == {"done": 2, "queued": 4}


async def test_cancelled_it_gives_everything_back(db: Path) -> None:
    with Store.open(db) as store:
        fill(store, *"abc")
        begun = asyncio.Event()

        async def work(_job: Job, _on_event: OnEvent) -> Performed:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        running = asyncio.create_task((await own(store, work, places=2)).run())
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert Counter(statuses(store).values()) == {"queued": 3}
        assert {job.crashes for job in store.queues.jobs("q")} == {0}


async def test_workers_share_a_queue_without_doing_anything_twice(db: Path) -> None:
    done: Counter[str] = Counter()

    async def work(job: Job, _on_event: OnEvent) -> Performed:
        done[job.document] += 1
        await asyncio.sleep(0)
        return Performed(JobOutput("unverified", job.document))

    with Store.open(db) as one, Store.open(db) as two:
        fill(one, *(f"d{number}" for number in range(200)))
        reports = await asyncio.gather(*[(await own(store, work)).run() for store in (one, two)])
        assert sum(report.done for report in reports) == 200
        assert set(done.values()) == {1}
        assert all(job.output == job.document for job in one.queues.jobs("q"))


async def test_a_worker_that_stands_still_loses_its_jobs_and_its_late_results(db: Path) -> None:
    begun, frozen = asyncio.Event(), asyncio.Event()
    late: list[BatchEvent] = []

    async def stalls(_job: Job, _on_event: OnEvent) -> Performed:
        begun.set()
        await frozen.wait()
        return Performed(JobOutput("unverified", "late"))

    async def works(_job: Job, _on_event: OnEvent) -> Performed:
        return Performed(JobOutput("unverified", "in time"))

    with Store.open(db) as one, Store.open(db) as two:
        fill(one, "a")
        # So few beats that it seems stopped; the other beats fast.
        stalled = await own(one, stalls, beat_seconds=1000.0, on_event=late.append)
        first = asyncio.create_task(stalled.run())
        await begun.wait()
        assert (await (await own(two, works, beat_seconds=0.05)).run()).done == 1
        frozen.set()
        assert (await first).done == 0
        [job] = one.queues.jobs("q")
        assert (job.output, job.crashes) == ("in time", 1)
        assert [event for event in late if isinstance(event, JobReturned)]


async def test_a_cancelled_document_is_stopped(db: Path) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(_job: Job, _on_event: OnEvent) -> Performed:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    with Store.open(db) as store:
        fill(store, "a")
        running = asyncio.create_task((await own(store, work, beat_seconds=0.05)).run())
        await begun.wait()
        assert store.queues.cancel("q") == 1
        await asyncio.wait_for(stopped.wait(), 10)
        await running
        assert statuses(store) == {"a": "cancelled"}


async def test_cancelling_what_is_at_work_ends_no_worker(db: Path) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        begun.set()
        await gate.wait()
        await desk.chat([Message("user", assignment.instruction)])
        return Outcome("fine", Verdict.UNVERIFIED)

    async with await opened(db, StaffMember("a", work)) as session:
        fill(session.store, "a", "b", "c")
        running = asyncio.create_task(batch_of(session, places=2).run())
        await begun.wait()
        [first] = [job.seq for job in session.store.queues.jobs("q") if job.document == "a"]
        assert session.store.queues.cancel("q", [first]) == 1
        gate.set()
        assert (await running).done == 2
        assert statuses(session.store) == {"a": "cancelled", "b": "done", "c": "done"}
        assert session.store.runs.list() == []


async def test_an_error_of_the_database_ends_the_worker_and_not_the_documents(db: Path) -> None:
    async def work(_job: Job, _on_event: OnEvent) -> Performed:
        raise StoreWriteError("the disk is full")

    with Store.open(db) as store:
        fill(store, *"abc")
        with pytest.raises(StoreWriteError, match="the disk is full"):
            await (await own(store, work, places=1)).run()
        assert {(str(job.status), job.attempts) for job in store.queues.jobs("q")} == {("queued", 0)}


async def test_what_is_paused_is_left(db: Path) -> None:
    async with await opened(db, StaffMember("a")) as session:
        fill(session.store, "a")
        fill(session.store, "b", queue="other")
        session.store.queues.configure("other", paused=True).result()
        await batch_of(session).run()
        assert (statuses(session.store), statuses(session.store, "other")) == ({"a": "done"}, {"b": "queued"})


async def test_a_file_that_changed_or_vanished_is_told(tmp_path: Path, db: Path) -> None:
    paths = [tmp_path / name for name in ("same.md", "changed.md", "gone.md")]
    for path in paths:
        path.write_text(f"The text of {path.name}.")
    async with await opened(db, StaffMember("a")) as session:
        jobs = [
            NewJob(path.name, hashlib.sha256(path.read_bytes()).digest(), path.stat().st_size, str(path))
            for path in paths
        ]
        session.store.queues.add("q", jobs, work=Work("a", "Sum up {document}.").to_json()).result()
        session.store.queues.configure("q", max_attempts=1).result()
        paths[1].write_text("Something else.")
        paths[2].unlink()
        await batch_of(session).run()
        assert statuses(session.store) == {"same.md": "done", "changed.md": "dead", "gone.md": "dead"}
        reasons = {job.document: job.errors[-1].message for job in session.store.queues.jobs("q") if job.errors}
        assert "has changed since it was added" in reasons["changed.md"]
        assert "gone.md" in reasons["gone.md"]


async def test_a_breaker_judges_once_for_all_and_mends_itself() -> None:
    calls, well, told = Counter[str](), False, []

    async def probe() -> None:
        calls["probe"] += 1
        await asyncio.sleep(0.001)
        if not well:
            raise CallError("down")

    breaker = Breaker(probe, lambda reason, _seconds: told.append(reason), first_pause_s=0.005)
    assert await asyncio.gather(*(breaker.blames_server() for _ in range(20))) == [True] * 20
    assert breaker.is_open
    assert await breaker.blames_server()
    well = True
    await asyncio.wait_for(breaker.until_closed(), 10)
    assert told == ["down", ""]
    calls.clear()
    assert not await breaker.blames_server()
    assert calls["probe"] == 3, "a document is convicted by several calls that went well"
    await breaker.aclose()


async def test_a_probe_that_hangs_does_not_hold_up_the_next() -> None:
    numbers = iter(range(100))

    async def probe() -> None:
        number = next(numbers)
        if number == 0:
            raise CallError("down")
        if number < 3:
            await asyncio.Event().wait()

    breaker = Breaker(probe, first_pause_s=0.01)
    breaker.trip("down")
    await asyncio.wait_for(breaker.until_closed(), 10)
    await breaker.aclose()


def test_work_is_the_same_text_for_the_same_work() -> None:
    assert Work.of(Work("a", "b", keep=True).to_json()) == Work("a", "b", keep=True)
    assert JobFault("x", "y").attempt == 0
