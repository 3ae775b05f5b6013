"""kill -9 at random moments: nothing is lost, nothing is doubled, and next to nothing is done again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

from nonet.graphs.batch_work import Work
from nonet.runtimes import ChatRequest
from nonet.runtimes.scripted_answers import default_answer
from nonet.store import JobStatus, NewJob, Store

NURSERY = Path(__file__).with_name("nursery.py")
PLACES = 8
AT_WORK = 0.8
"""Of the kills come when calls are made; the others may come as early as the process's first steps."""
TASK = "Summarize {document} in one sentence. Then find out in {document} who replaced the oak paddles of the mill."
TEXT = "The wheel of mill number {} turned all winter. The miller Anna Berg replaced two oak paddles on 3 March."


class Calls:
    """What the server was asked, by document and prompt."""

    def __init__(self) -> None:
        self.by_prompt: Counter[tuple[str, str]] = Counter()
        self.came = asyncio.Event()

    def __call__(self, request: ChatRequest) -> str:
        said = "\n".join(message.content for message in request.messages)
        self.came.set()
        found = re.search(r"mill number (\w+)", said)
        if found is not None:
            self.by_prompt[found[1], hashlib.sha256(said.encode()).hexdigest()] += 1
        return default_answer(request)

    @property
    def repeated(self) -> int:
        return sum(number - 1 for (document, _), number in self.by_prompt.items() if not document.startswith("poison"))


def fill(store: Store, documents: int, poison: int) -> None:
    names = [str(number) for number in range(documents)] + [f"poison{number}" for number in range(poison)]
    random.Random(1).shuffle(names)
    jobs = [NewJob(name, hashlib.sha256(name.encode()).digest(), 100, text=TEXT.format(name)) for name in names]
    store.queues.add("q", jobs, work=Work("supervisor", TASK).to_json()).result()


class Nursery:
    """The process that forks lives."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n".encode())
        return int(await asyncio.wait_for(self._process.stdout.readline(), 300))


@pytest.mark.parametrize(
    ("documents", "poison", "kills", "seconds", "latency_ms"),
    [(10, 1, 3, 0.2, 20), pytest.param(500, 5, 200, 0.3, 150, marks=pytest.mark.slow)],  # there is work to the last
)
async def test_kill_nine_loses_nothing_and_doubles_nothing(
    tmp_path: Path, *, documents: int, poison: int, kills: int, seconds: float, latency_ms: int
) -> None:
    path, calls, dice = tmp_path / "nonet.db", Calls(), random.Random(7)
    with Store.open(path) as store:
        fill(store, documents, poison)
    async with FakeOllama(calls, latency_ms=latency_ms) as server:
        server.fault("error_500", times=1_000_000, contains="mill number poison")
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(NURSERY), str(path), server.url, str(PLACES), stdin=-1, stdout=-1
        )
        lives = Nursery(process)
        try:
            for _ in range(kills):
                calls.came.clear()
                pid = await lives.ask("go")
                if dice.random() < AT_WORK:
                    await asyncio.wait_for(calls.came.wait(), 60)
                await asyncio.sleep(dice.uniform(0.0, seconds))
                os.kill(pid, signal.SIGKILL)
                await lives.ask("wait")
            await lives.ask("go")
            assert await lives.ask("wait") == 0
        finally:
            process.kill()
            await process.wait()
    with Store.open(path) as store:
        queue = store.queues.get("q")
        assert (queue.done, queue.dead, queue.unfinished) == (documents, poison, 0)
        jobs = list(store.queues.jobs("q"))
        assert len({job.document for job in jobs}) == len(jobs) == documents + poison
        for job in jobs:
            bad = job.document.startswith("poison")
            assert job.status is (JobStatus.DEAD if bad else JobStatus.DONE)
            assert job.attempts == (3 if bad else 1), "a try that was killed is none"
            assert bad or f"mill number {job.document} " in job.output
        print(f"{kills} kills, {calls.repeated} repeated calls, {sum(job.crashes for job in jobs)} documents in hand")
    assert calls.repeated <= kills * PLACES
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert (
            connection.execute("SELECT count(*), count(DISTINCT job_seq) FROM job_results").fetchone()[0] >= documents
        )
