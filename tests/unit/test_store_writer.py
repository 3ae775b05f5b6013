"""One writer: order, isolation, and what a barrier promises."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nonet.errors import StoreError, StoreWriteError
from nonet.store.engine import connect, prepare
from nonet.store.writer import Write, Writer


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database to copy: making one waits for the disk several times."""
    path = tmp_path_factory.mktemp("empty") / "nonet.db"
    prepare(path, create=True)
    return path


@pytest.fixture
def path(tmp_path: Path, empty: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "nonet.db"))


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path)
    yield writer
    writer.close()


def note(text: str) -> Write:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO texts (digest, text) VALUES (?, ?)", (text, text))

    return write


def failing(text: str, error: Exception) -> Write:
    def write(connection: sqlite3.Connection) -> None:
        note(text)(connection)
        raise error

    return write


def kept(path: Path) -> list[str]:
    connection = connect(path, read_only=True)
    try:
        return [row[0] for row in connection.execute("SELECT text FROM texts ORDER BY rowid")]
    finally:
        connection.close()


def test_a_barrier_means_that_another_connection_sees_it(writer: Writer, path: Path) -> None:
    for number in range(100):
        writer.submit(note(str(number)), "run")
    writer.barrier().result(60)
    assert kept(path) == [str(number) for number in range(100)]


def test_a_barrier_with_nothing_outstanding_is_done_at_once(writer: Writer) -> None:
    assert writer.barrier().done()
    writer.submit(note("x"), "run")
    writer.close()
    assert writer.barrier("run").done()


def test_writes_that_come_together_share_commits(writer: Writer, path: Path) -> None:
    all_there = threading.Event()
    writer.submit(lambda _: all_there.wait(60), "first")
    for number in range(500):
        writer.submit(note(str(number)), "run")
    all_there.set()
    writer.barrier().result(60)
    connection = connect(path)
    pages = Path(f"{path}-wal").stat().st_size // (connection.execute("PRAGMA page_size").fetchone()[0] + 24)
    connection.close()
    assert pages < 250, "a commit a write would take more than a page each"


def test_a_failure_takes_no_neighbour_along(writer: Writer, path: Path) -> None:
    writer.submit(note("a"), "one")
    writer.submit(failing("lost", StoreError("no")), "two")
    writer.submit(note("b"), "three")
    writer.barrier("one").result(60)
    writer.barrier("three").result(60)
    with pytest.raises(StoreError, match="no"):
        writer.barrier("two").result(60)
    assert kept(path) == ["a", "b"]


def test_after_a_failure_a_key_is_refused_until_its_barrier_has_said_so(writer: Writer, path: Path) -> None:
    writer.submit(failing("lost", StoreError("first")), "run")
    writer.submit(note("skipped"), "run")
    writer.drain()
    writer.submit(note("skipped, too"), "run")
    writer.submit(failing("lost", StoreError("second")), "run")
    with pytest.raises(StoreError, match="first"):
        writer.barrier("run").result(60)
    writer.submit(note("kept"), "run")
    writer.barrier("run").result(60)
    assert kept(path) == ["kept"]


def test_any_fault_of_the_data_reaches_who_waits(writer: Writer, path: Path) -> None:
    huge = writer.call(lambda connection: connection.execute("SELECT ?", (2**80,)))
    surrogate = writer.call(lambda connection: connection.execute("SELECT ?", ("\ud800",)))
    twice = writer.call(lambda connection: (note("x")(connection), note("x")(connection)))
    good = writer.call(lambda connection: connection.execute("SELECT 7").fetchone()[0])
    assert good.result(60) == 7
    for future in (huge, surrogate, twice):
        with pytest.raises(StoreError):
            future.result(60)
    assert kept(path) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_thread_that_died(path: Path) -> None:
    writer = Writer(path)
    fatal = writer.call(lambda _: exec("raise SystemExit"))
    writer.submit(note("x"), "run")
    with pytest.raises(StoreError, match="has stopped"):
        fatal.result(60)
    with pytest.raises(StoreError):
        writer.barrier("run").result(60)
    with pytest.raises(StoreError):
        writer.submit(note("y"), "run")
    writer.close()
    assert kept(path) == []


def test_a_call_gives_what_it_returned_once_it_is_on_disk(writer: Writer, path: Path) -> None:
    def write(connection: sqlite3.Connection) -> int:
        note("x")(connection)
        return 42

    assert writer.call(write).result(60) == 42
    assert kept(path) == ["x"]


def test_closing_writes_what_is_left_and_twice_is_fine(path: Path) -> None:
    writer = Writer(path)
    for number in range(50):
        writer.submit(note(str(number)), "run")
    writer.close()
    writer.close()
    assert len(kept(path)) == 50
    with pytest.raises(StoreError, match="is closed"):
        writer.submit(note("late"), "run")
    assert writer.barrier().result(60) is None


def test_errors_outlive_closing(path: Path) -> None:
    writer = Writer(path)
    writer.submit(failing("x", StoreError("lost")), "run")
    writer.close()
    with pytest.raises(StoreError, match="lost"):
        writer.barrier().result(60)


def test_a_cancelled_wait_does_not_stop_the_write(writer: Writer, path: Path) -> None:
    future = writer.call(note("x"))
    cancelled = future.cancel()
    writer.submit(note("y"), "run")
    writer.barrier().result(60)
    assert kept(path) == ["x", "y"]
    if cancelled:
        with pytest.raises(CancelledError):
            future.result(60)


def test_a_missing_file_is_a_store_error_at_the_barrier(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "gone.db")
    writer.submit(note("x"), "run")
    with pytest.raises(StoreWriteError):
        writer.barrier("run").result(60)
    writer.close()


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="no clock of one thread")
def test_waiting_for_work_costs_nothing(writer: Writer) -> None:
    others = threading.enumerate()
    writer.submit(note("x"), "run")
    writer.barrier().result(60)
    [thread] = [each for each in threading.enumerate() if each.name == "nonet-writer" and each not in others]
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)  # its own CPU time: what others do does not count
    before = time.clock_gettime(clock)
    time.sleep(0.3)
    assert time.clock_gettime(clock) - before < 0.05


async def test_many_tasks_each_wait_for_their_own(writer: Writer, path: Path) -> None:
    async def work(name: str) -> None:
        for number in range(5):
            writer.submit(note(f"{name} {number}"), name)
            await asyncio.sleep(0)
        await asyncio.wrap_future(writer.barrier(name))

    await asyncio.gather(*(work(str(number)) for number in range(64)))
    assert len(kept(path)) == 320


steps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["write", "write", "write", "store error", "sqlite error", "value error", "call", "barrier"]),
    ),
    max_size=30,
)


def fault(kind: str) -> Exception:
    return {
        "store error": StoreError("broken"),
        "sqlite error": sqlite3.IntegrityError("broken"),
        "value error": ValueError("broken"),
    }[kind]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_what_is_kept_is_what_one_by_one_would_keep(empty: Path, script: list[tuple[str, str]]) -> None:
    """Grouping changes nothing: order is kept, failures stay alone, and a key with a failure stops until told."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nonet.db"
        shutil.copy(empty, path)
        writer = Writer(path)
        expected: list[str] = []
        broken: set[str] = set()
        outcomes = []
        for number, (key, step) in enumerate(script):
            text = f"{key}{number}"
            if step == "write":
                writer.submit(note(text), key)
                expected += [] if key in broken else [text]
            elif step == "call":
                outcomes.append((writer.call(note(text)), False))
                expected.append(text)
            elif step == "barrier":
                outcomes.append((writer.barrier(key), key in broken))
                # The error is forgiven when the barrier is answered, so the next step must not overtake it.
                wait([outcomes[-1][0]], timeout=60)
                broken.discard(key)
            else:
                writer.submit(failing(text, fault(step)), key)
                broken.add(key)
        writer.close()
        assert kept(path) == expected
        assert [future.exception(60) is not None for future, _ in outcomes] == [raised for _, raised in outcomes]
        for key in ("a", "b", "c"):
            assert (writer.barrier(key).exception(60) is not None) == (key in broken)
