"""Runs: what is written is what is read back, by one author at a time, and what goes is gone."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nonet.errors import RunLeasedError, RunNotFoundError, StoreError
from nonet.store import CallRecord, Lease, NewDocument, Store, SubtaskRecord, digest_of


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database to copy: making one waits for the disk several times."""
    path = tmp_path_factory.mktemp("empty") / "nonet.db"
    Store.open(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path, empty: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "nonet.db"))


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as store:
        yield store


def begin(store: Store, task: str = "Summarize notes.md") -> Lease:
    return store.runs.create(task, runtime="scripted", owner="tests")


def work(store: Store, lease: Lease, name: str = "s1", text: str = "The notes say so.") -> SubtaskRecord:
    runs = store.runs
    runs.start_attempt(lease, name, 1, "tiny")
    runs.record_call(lease, name, 1, CallRecord("tiny", prompt_tokens=10, completion_tokens=5, finish="stop"))
    runs.finish_attempt(lease, name, 1, "verified", '[{"kind": "quote"}]', text)
    record = SubtaskRecord(
        name, "summarization", "Summarize it", "verified", text, inputs=("s0",), attempts=1, model="tiny",
        seconds=1.5, evidence_json='[{"kind": "quote"}]', citations_json='[{"quote": "so"}]',
        data_json='{"language": "en"}', input_digest="abc",
    )  # fmt: skip
    runs.finish_subtask(lease, record)
    return record


def end(store: Store, lease: Lease, status: str = "done", answer: str = "So they say.") -> None:
    store.runs.finish(lease, status, "verified", answer, '{"calls": 1}', missing=["s2"])


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def size(path: Path) -> int:
    return path.stat().st_size


def holds(path: Path, word: bytes) -> bool:
    return word in path.read_bytes()


async def test_a_run_tells_its_whole_story_again(store: Store, path: Path) -> None:
    lease = store.runs.create(
        "Do it", runtime="scripted", documents=["a.md", "b.md"], options={"approve": True}, owner="tests"
    )
    store.runs.save_plan(lease, '{"plan": 1}', "rules", "proposed")
    store.runs.save_plan(lease, '{"plan": 2}', "user")
    record = work(store, lease)
    store.runs.record_call(
        lease, "", 0, CallRecord("tiny", kind="embed", error="no server", prompt="Ask", answer="Answer", seconds=0.5)
    )
    store.runs.add_note(lease, "swap", "tiny was loaded")
    end(store, lease)
    await store.runs.flush(lease)
    with Store.open(path) as other:
        run = other.runs.get(lease.run)
    assert (run.task, run.runtime, run.documents, run.options) == (
        "Do it", "scripted", ("a.md", "b.md"), {"approve": True},
    )  # fmt: skip
    assert (run.status, run.verdict, run.answer, run.usage, run.missing, run.leases) == (
        "done", "verified", "So they say.", {"calls": 1}, ("s2",), 1,
    )  # fmt: skip
    assert [(plan.revision, plan.planner, plan.status, plan.plan_json) for plan in run.plans] == [
        (1, "rules", "proposed", '{"plan": 1}'),
        (2, "user", "accepted", '{"plan": 2}'),
    ]
    [subtask] = run.subtasks
    assert (subtask.text, subtask.inputs, subtask.input_digest) == (record.text, ("s0",), "abc")
    assert (subtask.evidence_json, subtask.citations_json) == (record.evidence_json, record.citations_json)
    assert (subtask.data_json, subtask.seconds, subtask.digest) == (record.data_json, 1.5, digest_of(record.text))
    [attempt] = run.attempts
    assert (attempt.subtask, attempt.number, attempt.model, attempt.verdict) == ("s1", 1, "tiny", "verified")
    assert attempt.text == record.text
    assert attempt.finished_at_s is not None
    assert attempt.started_at_s <= attempt.finished_at_s
    assert [(call.subtask, call.attempt, call.kind, call.prompt, call.answer, call.error) for call in run.calls] == [
        ("s1", 1, "chat", None, None, ""),
        ("", 0, "embed", "Ask", "Answer", "no server"),
    ]
    assert [(note.kind, note.text) for note in run.notes] == [("swap", "tiny was loaded")]
    assert run.finished_at_s is not None
    assert run.created_at_s <= run.finished_at_s <= time.time()


async def test_a_text_is_kept_once_whoever_names_it(store: Store, path: Path) -> None:
    store.documents.add(NewDocument("a.md", "same"))
    for _ in range(3):
        lease = begin(store, "same")
        work(store, lease, text="same")
        end(store, lease, answer="same")
    await store.flush()
    assert rows(path, "SELECT digest, text FROM texts") == [(digest_of("same"), "same")]


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_has_an_address_and_only_its_own(text: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest_of(text))
    assert digest_of(text) != digest_of(text + "x")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=[]), max_size=50))
def test_any_text_can_be_task_result_note_and_answer(store: Store, text: str) -> None:
    """Lone surrogates, NULs and all: half an emoji from a model must not lose a result."""
    lease = begin(store, text)
    store.runs.add_note(lease, "notice", text)
    work(store, lease, text=text)
    end(store, lease, answer=text)
    run = store.runs.get(lease.run)
    expected = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert {run.task, run.answer, run.notes[0].text, run.subtasks[0].text, run.attempts[0].text} == {expected}


async def test_a_young_run_reads_its_own_writes_without_waiting(store: Store, path: Path) -> None:
    lease = begin(store)
    assert store.runs.plan(lease.run) is None
    assert store.runs.finished(lease.run) == {}
    store.runs.save_plan(lease, "{}", "rules")
    record = work(store, lease)
    young_plan, young = store.runs.plan(lease.run), store.runs.finished(lease.run)
    await store.runs.flush(lease)
    with Store.open(path) as other:
        assert young_plan == other.runs.plan(lease.run)
        assert young == other.runs.finished(lease.run)
    assert young["s1"].text == record.text


async def test_reads_see_every_write_before_them(store: Store) -> None:
    lease = begin(store)
    store.runs.add_note(lease, "a", "b")
    assert store.runs.get(lease.run).notes
    store.runs.add_note(lease, "a", "c")
    assert len(store.runs.get("last").notes) == 2
    other = begin(store)
    assert [run.id for run in store.runs.list()] == [other.run, lease.run]


async def test_a_subtask_that_is_done_again_names_its_newest_artifact(store: Store, path: Path) -> None:
    lease = begin(store)
    work(store, lease, text="first")
    work(store, lease, "s2", text="other")
    work(store, lease, text="second")
    end(store, lease)
    await store.flush()
    run = store.runs.get(lease.run)
    assert {subtask.id: subtask.text for subtask in run.subtasks} == {"s1": "second", "s2": "other"}
    assert [attempt.text for attempt in run.attempts] == ["first", "other", "second"], "no attempt is forgotten"
    assert rows(path, "SELECT count(*) FROM artifacts") == [(3,)]


async def test_an_attempt_nobody_began_is_kept_all_the_same(store: Store) -> None:
    lease = begin(store)
    store.runs.finish_attempt(lease, "s1", 2, "failed", "[]", "x")
    assert [(attempt.number, attempt.verdict) for attempt in store.runs.get(lease.run).attempts] == [(2, "failed")]


async def test_ids_are_short_and_can_be_shortened(store: Store) -> None:
    leases = [begin(store, f"task {number}") for number in range(40)]
    ids = [lease.run for lease in leases]
    assert all(re.fullmatch("[a-z2-7]{8}", run) for run in ids)
    assert len(set(ids)) == 40
    assert store.runs.resolve(f" {ids[3].upper()} ") == ids[3]
    assert store.runs.get(ids[3][:7]).task == "task 3"
    assert store.runs.get("last").task == "task 39"
    with pytest.raises(RunNotFoundError, match="Several runs begin with"):
        store.runs.get(next(a[0] for a in ids if sum(b.startswith(a[0]) for b in ids) > 1))
    near = ids[5][:-1] + ("a" if ids[5][-1] != "a" else "b")
    with pytest.raises(RunNotFoundError, match=f"Did you mean.*{ids[5]}"):
        store.runs.get(near)


@pytest.mark.parametrize("name", ["", "  ", "last", "nosuchid", "%", "_", "' OR 1=1 --", "\0", "ä" * 1000])
def test_a_run_that_is_not_there(store: Store, name: str) -> None:
    with pytest.raises(RunNotFoundError):
        store.runs.get(name)


def test_a_name_of_nothing_is_no_run_even_when_there_is_one(store: Store) -> None:
    begin(store)
    for name in ("", "%", "________", "\ud800"):
        with pytest.raises(RunNotFoundError):
            store.runs.get(name)


async def test_last_is_not_read_from_the_clock(store: Store, path: Path) -> None:
    first, second = begin(store, "first"), begin(store, "second")
    end(store, first)
    end(store, second)
    await store.flush()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET created_at_s = created_at_s + 1e6 WHERE id = ?", (first.run,))
    assert store.runs.get("last").task == "second"
    store.runs.delete(second.run)
    third = begin(store, "third")
    assert store.runs.get(third.run).seq == 3, "a number is never used twice"


async def test_one_author_at_a_time(store: Store, path: Path) -> None:
    lease = begin(store)
    await store.runs.flush(lease)
    with Store.open(path) as other:
        with pytest.raises(RunLeasedError, match="worked on by tests") as caught:
            await other.runs.lease(lease.run, "second")
        assert re.search(r"runs out in \d+ s", caught.value.next_step)
        store.runs.release(lease)
        await store.runs.flush(lease)
        taken = await other.runs.lease("last", "second")
        assert taken.token > lease.token


async def test_a_lease_that_was_lost_writes_nothing(path: Path) -> None:
    with Store.open(path, lease_seconds=0.05) as store, Store.open(path) as other:
        lease = begin(store)
        work(store, lease)
        await store.runs.flush(lease)
        await asyncio.sleep(0.1)
        taken = await other.runs.lease(lease.run, "second")
        work(store, lease, "s2", "too late")
        end(store, lease, answer="too late")
        with pytest.raises(RunLeasedError, match="taken over by second"):
            await store.runs.flush(lease)
        with pytest.raises(RunLeasedError):
            await store.runs.renew(lease)
        end(other, taken, answer="mine")
        run = other.runs.get(lease.run)
        assert (run.answer, [subtask.id for subtask in run.subtasks], run.leases) == ("mine", ["s1"], 2)


async def test_one_runs_trouble_is_not_anothers(path: Path) -> None:
    with Store.open(path, lease_seconds=0.01) as store, Store.open(path) as other:
        lost, fine = begin(store), begin(store)
        await store.flush()
        await asyncio.sleep(0.05)
        await other.runs.lease(lost.run, "second")
        work(store, lost)
        work(store, fine)
        await store.runs.flush(fine)
        with pytest.raises(RunLeasedError):
            await store.flush()
        await store.flush()


async def test_a_heartbeat_keeps_the_lease(path: Path) -> None:
    with Store.open(path, lease_seconds=0.3) as store, Store.open(path) as other:
        lease = begin(store)
        async with store.runs.heartbeat(lease):
            await asyncio.sleep(0.6)
            with pytest.raises(RunLeasedError):
                await other.runs.lease(lease.run, "second")


async def test_a_lost_heartbeat_stops_the_work(path: Path) -> None:
    with Store.open(path, lease_seconds=0.3) as store:
        lease = begin(store)
        await store.runs.flush(lease)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE runs SET lease_token = 9, lease_owner = 'thief'")
        with pytest.raises(RunLeasedError, match="thief"):
            async with store.runs.heartbeat(lease):
                await asyncio.sleep(30)
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()


async def test_cancelling_from_outside_stays_a_cancellation(store: Store) -> None:
    lease = begin(store)

    async def working() -> None:
        async with store.runs.heartbeat(lease):
            await asyncio.sleep(30)

    task = asyncio.create_task(working())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_gives_the_runs_back(path: Path) -> None:
    async with Store.open(path) as store:
        lease = begin(store)
    async with Store.open(path) as other:
        assert other.runs.get(lease.run).status == "interrupted"
        assert (await other.runs.lease(lease.run, "second")).status == "running"
        assert other.runs.get(lease.run).status == "running"


@pytest.mark.parametrize(
    ("status", "after"), [("done", "done"), ("refused", "refused"), ("failed", "running"), ("waiting", "running")]
)
async def test_what_a_lease_makes_of_a_run_that_ended(store: Store, status: str, after: str) -> None:
    lease = begin(store)
    end(store, lease, status)
    again = await store.runs.lease(lease.run, "again")
    assert again.status == status, "who resumes is told how it stood"
    assert store.runs.get(lease.run).status == after
    assert (store.runs.get(lease.run).finished_at_s is not None) == (after != "running")


async def test_a_resumed_run_knows_what_is_finished(path: Path) -> None:
    async with Store.open(path) as store:
        lease = begin(store)
        store.runs.save_plan(lease, "{}", "rules")
        work(store, lease)
    async with Store.open(path) as store:
        lease = await store.runs.lease("last", "again")
        assert {name: record.input_digest for name, record in store.runs.finished(lease.run).items()} == {"s1": "abc"}
        plan = store.runs.plan(lease.run)
        assert plan is not None
        assert plan.revision == 1
        work(store, lease, "s2")
        assert set(store.runs.finished(lease.run)) == {"s1", "s2"}


async def test_removing_a_run_removes_its_texts_and_no_others(store: Store, path: Path) -> None:
    store.documents.add(NewDocument("a.md", "shared"))
    first, second = begin(store, "first"), begin(store, "second")
    work(store, first, text="shared")
    work(store, second, text="only second's")
    end(store, first)
    await store.runs.flush(first)
    with pytest.raises(RunLeasedError):
        store.runs.delete(second.run)
    end(store, second)
    assert store.runs.delete(second.run).runs == 1
    texts = {row[0] for row in rows(path, "SELECT text FROM texts")}
    assert texts == {"shared", "first", "So they say."}
    for table in ("plans", "subtasks", "attempts", "calls", "notes", "artifacts"):
        assert rows(path, f"SELECT count(*) FROM {table} WHERE run_seq = 2") == [(0,)], table
    with pytest.raises(RunNotFoundError):
        store.runs.delete(second.run)


async def test_pruning_keeps_the_newest_and_what_can_be_resumed(store: Store) -> None:
    leases = [begin(store, f"task {number}") for number in range(6)]
    for lease in leases[1:]:
        end(store, lease)
    store.runs.release(leases[0])
    await store.flush()
    assert store.runs.prune(keep=2).runs == 3
    assert [run.task for run in store.runs.list()] == ["task 5", "task 4", "task 0"]
    assert store.runs.prune(older_than_seconds=60).runs == 0
    assert store.runs.prune(older_than_seconds=0).runs == 2
    assert store.runs.prune().runs == 0


async def test_pruning_shrinks_the_file(path: Path) -> None:
    async with Store.open(path) as store:
        for number in range(20):
            lease = begin(store)
            work(store, lease, text=f"{number} " * 20_000)
            end(store, lease)
    before = size(path)
    async with Store.open(path) as store:
        pruned = store.runs.prune(keep=0)
    assert pruned.runs == 20
    assert pruned.freed_bytes > 500_000
    assert size(path) <= before - pruned.freed_bytes


async def test_what_a_removed_run_said_is_not_left_in_the_file(path: Path) -> None:
    async with Store.open(path) as store:
        store.documents.add(NewDocument("a.md", "An ordinary document."))
        lease = begin(store, "the secret word is xylophone")
        work(store, lease, text="xylophone " * 3000)
        end(store, lease, answer="xylophone")
    async with Store.open(path) as store:
        store.runs.prune(keep=0)
    assert not holds(path, b"xylophone")


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store.open(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        begin(store)
    with pytest.raises(StoreError, match="is closed"):
        store.documents.list()


def test_closing_reports_what_was_lost_but_hides_no_other_error(path: Path) -> None:
    def lose(store: Store, error: Exception | None = None) -> None:
        with store:
            store.runs.add_note(Lease("nosuchid", "tests", 1), "a", "b")
            if error is not None:
                raise error

    with pytest.raises(RunNotFoundError):
        lose(Store.open(path))
    with pytest.raises(KeyError) as caught:
        lose(Store.open(path), KeyError("first"))
    assert "Closing the database failed" in caught.value.__notes__[0]


def test_a_megabyte_task_is_kept_whole_and_listed_short(store: Store) -> None:
    task = "ü" * 1_000_000
    lease = begin(store, task)
    assert store.runs.get(lease.run).task == task
    assert store.runs.list()[0].task == "ü" * 200


def test_usage_is_kept_as_given(store: Store) -> None:
    lease = begin(store)
    usage = {"calls": 3, "seconds": 1.25, "swaps": 0}
    store.runs.finish(lease, "failed", "failed", "", json.dumps(usage))
    run = store.runs.get(lease.run)
    assert (run.usage, run.status, run.answer, run.missing) == (usage, "failed", "", ())


def test_a_profile_is_kept_by_runtime_and_model(path: Path) -> None:
    with Store.open(path) as store:
        assert store.models.profile("ollama", "tiny") is None
        store.models.save_profile("ollama", "tiny", "d1", '{"plans": 1}')
        store.models.save_profile("embedded", "tiny", "d2", "{}")
        store.models.save_profile("ollama", "tiny", "d3", '{"plans": 2}')
    with Store.open(path) as store:
        profile = store.models.profile("ollama", "tiny")
        assert profile is not None
        assert (profile.digest, profile.profile_json) == ("d3", '{"plans": 2}')
        assert [(each.runtime, each.model) for each in store.models.profiles()] == [
            ("embedded", "tiny"),
            ("ollama", "tiny"),
        ]
        assert len(store.models.profiles("ollama")) == 1
