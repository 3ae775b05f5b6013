"""What happens to processes, disks, locks and clocks: no document is lost, none is done twice in the results."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from nonet.errors import StoreWriteError
from nonet.store import NewJob, Store

WORKER = Path(__file__).with_name("batch_worker.py")


def fill(path: Path, documents: int, *, name: str = "d") -> None:
    with Store.open(path) as store:
        jobs = [
            NewJob(f"{name}{number}", hashlib.sha256(f"{name}{number}".encode()).digest(), 1, text=f"text {number}")
            for number in range(documents)
        ]
        store.queues.add("q", jobs, work="{}").result()


@contextmanager
def worker(path: Path, log: Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(WORKER), str(path), str(log), json.dumps(options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate(timeout=60)


def end(process: subprocess.Popen[str], seconds: float = 120) -> dict[str, Any]:
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    said: dict[str, Any] = json.loads(out)
    return said


def until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begun(log: Path) -> list[str]:
    return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


def check(path: Path, documents: int) -> None:
    """Every document is done, with its own result, once."""
    with Store.open(path) as store:
        queue = store.queues.get("q")
        assert (queue.done, queue.dead, queue.unfinished) == (documents, 0, 0)
        jobs = list(store.queues.jobs("q"))
        assert len({job.document for job in jobs}) == len(jobs) == documents
        assert all(job.output == f"result of {job.document}" for job in jobs)
    sound(path)


def sound(path: Path) -> int:
    """The file is whole, and status and result never disagree; how many are done."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        [done] = connection.execute("SELECT count(*) FROM jobs WHERE status = 'done'").fetchone()
        agree = (
            "SELECT count(*) FROM jobs j JOIN job_results r ON r.job_seq = j.seq"
            " WHERE j.status = 'done' AND r.output = 'result of ' || j.document"
        )
        assert connection.execute(agree).fetchone() == (done,)
        assert connection.execute("SELECT count(*) FROM job_results").fetchone() == (done,)
        counted = connection.execute("SELECT queued, leased, done, dead FROM queues").fetchone()
        listed = [
            connection.execute("SELECT count(*) FROM jobs WHERE status = ?", (status,)).fetchone()[0]
            for status in ("queued", "leased", "done", "dead")
        ]
        assert list(counted) == listed, "the counts are of the same moment"
    return int(done)


@pytest.mark.parametrize(("processes", "documents"), [(2, 300), pytest.param(4, 4000, marks=pytest.mark.slow)])
def test_several_processes_share_a_queue(tmp_path: Path, processes: int, documents: int) -> None:
    path, log = tmp_path / "nonet.db", tmp_path / "log"
    fill(path, documents)
    with ExitStack() as stack:
        lives = [stack.enter_context(worker(path, log, seconds=0.002)) for _ in range(processes)]
        reports = [end(life) for life in lives]
    check(path, documents)
    assert sum(report["done"] for report in reports) == documents
    assert sorted(begun(log)) == sorted(set(begun(log))), "none was begun twice"


@pytest.mark.slow
def test_no_copy_of_the_files_is_ever_in_disagreement(tmp_path: Path) -> None:
    """As power loss leaves them: all files of one moment, whatever is being written."""
    path, log, dice = tmp_path / "nonet.db", tmp_path / "log", random.Random(3)
    fill(path, 60_000)
    copies = tmp_path / "copies"
    seen: list[int] = []
    with worker(path, log, places=32, seconds=0.004) as life:  # there is work to the last
        until(lambda: len(begun(log)) > 200)
        for _ in range(100):
            time.sleep(dice.uniform(0.005, 0.08))
            life.send_signal(signal.SIGSTOP)
            copies.mkdir()
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", copies / f"nonet.db{suffix}")
            seen.append(sound(copies / "nonet.db"))
            shutil.rmtree(copies)
            life.send_signal(signal.SIGCONT)
        assert life.poll() is None, "it was working all the time"
    print(f"100 copies, {min(seen)} to {max(seen)} done in them")
    assert max(seen) > min(seen)


@pytest.mark.slow
def test_a_lock_that_is_held_for_half_a_minute_holds_up_and_harms_nothing(tmp_path: Path) -> None:
    path, log = tmp_path / "nonet.db", tmp_path / "log"
    fill(path, 3000)
    with worker(path, log, seconds=0.01) as one, worker(path, log, seconds=0.01) as two:
        until(lambda: len(begun(log)) > 100)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            time.sleep(30)
            holder.execute("ROLLBACK")
        reports = [end(one), end(two)]
    check(path, 3000)
    assert sum(report["done"] for report in reports) == 3000
    assert all(report["notes"] == [] for report in reports), "nobody was thought dead"
    assert len(begun(log)) == 3000


@pytest.mark.slow
def test_a_process_that_is_stopped_past_its_lease_harms_nothing(tmp_path: Path) -> None:
    path, log = tmp_path / "nonet.db", tmp_path / "log"
    fill(path, 400)
    with worker(path, log, seconds=0.02, beat_seconds=0.2) as sleeper:
        until(lambda: len(begun(log)) > 20)
        sleeper.send_signal(signal.SIGSTOP)
        with worker(path, log, seconds=0.005, beat_seconds=0.2) as other:
            report = end(other)
        assert "reclaimed" in report["notes"]
        sleeper.send_signal(signal.SIGCONT)
        late = end(sleeper)
    check(path, 400)
    assert late["done"] + report["done"] == 400
    assert len(begun(log)) - 400 <= 8, "only what the stopped process had in hand is done again"


def test_a_clock_that_jumps_back_an_hour_holds_nothing_up(tmp_path: Path) -> None:
    path, log = tmp_path / "nonet.db", tmp_path / "log"
    fill(path, 40)
    fill(path, 8, name="again")
    with worker(path, log, back_s=3600.0) as life:
        report = end(life, 60)
    check(path, 48)
    assert report["failed_tries"] == 8


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size, where we may mount one."""
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


@pytest.mark.slow
def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        path, log = disk / "nonet.db", tmp_path / "log"
        fill(path, 3000)
        with worker(path, log, seconds=0.005) as life:
            until(lambda: len(begun(log)) > 200)
            with pytest.raises(OSError, match="No space"):
                fill_up(disk / "ballast")
            report = end(life)
        assert report["error"] == "StoreWriteError"
        assert "the disk is full" in report["message"]
        (disk / "ballast").unlink()
        with worker(path, log) as life:
            end(life)
        check(path, 3000)


@pytest.mark.slow
def test_a_folder_that_turns_read_only_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        path, log = disk / "nonet.db", tmp_path / "log"
        fill(path, 2000)
        with worker(path, log, seconds=0.005) as life:
            until(lambda: len(begun(log)) > 200)
            life.send_signal(signal.SIGKILL)
            life.wait(60)
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            with worker(path, log) as other:
                report = end(other)
            assert report["error"] == "StoreWriteError"
            with pytest.raises(StoreWriteError), Store.open(path) as store:
                store.check_writable()
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with worker(path, log) as life:
            end(life)
        check(path, 2000)
