"""Several processes on one file, processes that die, and disks that are full."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from nonet.errors import RunLeasedError
from nonet.store import Store

PRELUDE = """
import asyncio, os, resource, sys, time
from nonet.errors import StoreError
from nonet.store import CallRecord, NewDocument, Store, SubtaskRecord
path = sys.argv[1]
def say(*words):
    print(*words, flush=True)
def wait_for(sign):
    while not os.path.exists(path + sign):
        time.sleep(0.001)
"""

HOLD = (
    PRELUDE
    + """
async def main():
    store = Store.open(path)
    lease = store.runs.create("task", runtime="scripted", owner="holder")
    store.runs.finish_subtask(lease, SubtaskRecord("s1", "code", "x", "verified", "kept"))
    await store.runs.flush(lease)
    say(lease.run)
    time.sleep(60)
asyncio.run(main())
"""
)

RACE = (
    PRELUDE
    + """
async def main():
    store = Store.open(path)
    say("ready")
    wait_for(".go")
    try:
        lease = await store.runs.lease("last", f"process {os.getpid()}")
    except StoreError as error:
        say(type(error).__name__)
    else:
        say("won", lease.token)
    wait_for(".over")
    await store.aclose()
asyncio.run(main())
"""
)

MAKE = (
    PRELUDE
    + """
async def main():
    say("ready")
    wait_for(".go")
    async with Store.open(path) as store:
        for number in range(20):
            lease = store.runs.create(f"{os.getpid()} {number}", runtime="scripted", owner="maker")
            store.documents.add(NewDocument(f"{os.getpid()}/{number}.md", f"words {number}"))
            store.runs.finish(lease, "done", "verified", "answer", "{}")
        await store.flush()
    say("made")
asyncio.run(main())
"""
)

WRITE_UNTIL_KILLED = (
    PRELUDE
    + """
async def main():
    store = Store.open(path)
    number = 0
    lease = store.runs.create("task", runtime="scripted", owner="writer")
    while True:
        number += 1
        store.runs.start_attempt(lease, f"s{number}", 1, "tiny")
        store.runs.record_call(lease, f"s{number}", 1, CallRecord("tiny"))
        store.runs.finish_attempt(lease, f"s{number}", 1, "verified", "[]", f"text {number}")
        store.runs.finish_subtask(lease, SubtaskRecord(f"s{number}", "code", "x", "verified", f"text {number}"))
        if number % 3 == 0:
            await store.runs.flush(lease)
            say(number)
asyncio.run(main())
"""
)

FULL_DISK = (
    PRELUDE
    + """
async def main():
    store = Store.open(path)
    lease = store.runs.create("task", runtime="scripted", owner="writer")
    store.runs.finish_subtask(lease, SubtaskRecord("s1", "code", "x", "verified", "before"))
    await store.runs.flush(lease)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    for attempt in ("first", "second"):
        store.runs.finish_subtask(lease, SubtaskRecord("s2", "code", "x", "verified", os.urandom(400_000).hex()))
        store.runs.finish_subtask(lease, SubtaskRecord("s3", "code", "x", "verified", "after the failed one"))
        try:
            await store.runs.flush(lease)
            say("not told")
        except StoreError as error:
            say(type(error).__name__, "|", error)
    try:
        store.documents.add(NewDocument("big", os.urandom(400_000).hex()))
    except StoreError as error:
        say(type(error).__name__, "|", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.runs.finish_subtask(lease, SubtaskRecord("s4", "code", "x", "verified", "there is space again"))
    await store.runs.flush(lease)
    store.close()
asyncio.run(main())
"""
)


@contextmanager
def process(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate(timeout=30)


def line(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def end(started: subprocess.Popen[str]) -> str:
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    return out


def sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("INSERT INTO chunk_index (chunk_index, rank) VALUES ('integrity-check', 1)")


async def test_a_run_of_a_living_process_is_refused_and_of_a_killed_one_given_at_once(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with process(HOLD, path) as holder:
        run = line(holder)
        async with Store.open(path) as store:
            assert store.runs.get(run).status == "running"
            with pytest.raises(RunLeasedError, match="worked on by holder"):
                await store.runs.lease(run, "second")
            holder.send_signal(signal.SIGKILL)
            holder.wait(timeout=30)
            assert store.runs.get(run).status == "interrupted"
            began = time.monotonic()
            lease = await store.runs.lease(run, "second")
            assert time.monotonic() - began < 5, "nobody waits for the lease of the dead"
            assert store.runs.finished(lease.run)["s1"].text == "kept"


async def test_a_dead_process_that_nobody_has_reaped_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with process(HOLD, path) as holder:
        run = line(holder)
        os.kill(holder.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        async with Store.open(path) as store:
            while store.runs.get(run).status == "running" and time.monotonic() < deadline:
                time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs here
            assert store.runs.get(run).status == "interrupted"


def test_of_several_processes_exactly_one_gets_the_run(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with Store.open(path) as store:
        store.runs.create("task", runtime="scripted", owner="first")
    with process(RACE, path) as one, process(RACE, path) as two, process(RACE, path) as three:
        assert [line(each) for each in (one, two, three)] == ["ready"] * 3
        Path(f"{path}.go").touch()
        said = sorted(line(each) for each in (one, two, three))
        Path(f"{path}.over").touch()  # who won has held it until all had tried
        for each in (one, two, three):
            end(each)
    assert said == ["RunLeasedError", "RunLeasedError", "won 2"]


def test_several_processes_may_make_and_fill_one_file(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with process(MAKE, path) as one, process(MAKE, path) as two, process(MAKE, path) as three:
        assert [line(each) for each in (one, two, three)] == ["ready"] * 3
        Path(f"{path}.go").touch()
        assert [end(each) for each in (one, two, three)] == ["made\n"] * 3
    sound(path)
    with Store.open(path) as store:
        assert len(store.runs.list(100)) == 60
        assert len(store.documents.list()) == 60


def test_a_full_disk_is_told_loses_nothing_confirmed_and_heals(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with process(FULL_DISK, path) as writer:
        said = end(writer).splitlines()
    assert len(said) == 3
    for told in said:
        assert told.startswith("StoreWriteError | The database "), told
        assert "disk" in told
    sound(path)
    with Store.open(path) as store:
        subtasks = store.runs.get("last").subtasks
        assert [subtask.text for subtask in subtasks] == ["before", "there is space again"]
        assert store.documents.list() == []


def test_a_program_that_forgets_to_close_loses_nothing(tmp_path: Path) -> None:
    program = PRELUDE + (
        "store = Store.open(path)\n"
        "lease = store.runs.create('task', runtime='scripted', owner='x')\n"
        "store.runs.add_note(lease, 'a', 'the last word')\n"
    )
    with process(program, tmp_path / "nonet.db") as forgetful:
        end(forgetful)
    with Store.open(tmp_path / "nonet.db") as store:
        assert [note.text for note in store.runs.get("last").notes] == ["the last word"]


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(8))
def test_kill_nine_loses_nothing_that_was_confirmed(tmp_path: Path, round_: int) -> None:
    path = tmp_path / "nonet.db"
    with process(WRITE_UNTIL_KILLED, path) as writer:
        confirmed = int(line(writer))
        until = time.monotonic() + 0.15 * (round_ + 1)
        while time.monotonic() < until:
            confirmed = int(line(writer))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=30)
        confirmed = max([confirmed, *(int(number) for number in rest.split()[:-1])])
    sound(path)
    with Store.open(path) as store:
        finished = store.runs.finished(store.runs.resolve("last"))
        numbers = [int(name[1:]) for name in finished]
        assert numbers == list(range(1, len(numbers) + 1)), "what is kept is a beginning of what was written"
        assert len(numbers) >= confirmed > 0
        assert all(record.text == f"text {name[1:]}" for name, record in finished.items())
        run = store.runs.get("last")
        assert run.status == "interrupted"
        ended = {attempt.subtask for attempt in run.attempts if attempt.finished_at_s is not None}
        assert ended >= set(finished), "a result and its status come together"


@pytest.mark.slow
def test_killed_again_and_again_one_run_is_finished(tmp_path: Path) -> None:
    """Each life resumes, adds a few subtasks and is killed; none is lost, none is done twice."""
    path = tmp_path / "nonet.db"
    program = PRELUDE + (
        "async def main():\n"
        "    store = Store.open(path)\n"
        "    lease = await store.runs.lease('last', 'life')\n"
        "    number = len(store.runs.finished(lease.run))\n"
        "    while True:\n"
        "        number += 1\n"
        "        store.runs.finish_subtask(lease, SubtaskRecord(f's{number}', 'code', 'x', 'verified', str(number)))\n"
        "        await store.runs.flush(lease)\n"
        "        say(number)\n"
        "        time.sleep(0.005)\n"
        "asyncio.run(main())\n"
    )
    with Store.open(path) as store:
        run = store.runs.create("task", runtime="scripted", owner="first").run
    confirmed = 0
    for _ in range(6):
        with process(program, path) as life:
            for _ in range(5):
                number = int(line(life))
                assert number > confirmed
                confirmed = number
            life.send_signal(signal.SIGKILL)
            life.wait(timeout=30)
    with Store.open(path) as store:
        assert len(store.runs.finished(run)) >= confirmed >= 30
        assert store.runs.get(run).leases == 7
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) - count(DISTINCT subtask) FROM artifacts").fetchone() == (0,)
