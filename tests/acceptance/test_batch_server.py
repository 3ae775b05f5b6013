"""A server that is down, or answers with any fault there is: no document pays for it, and work goes on soon after."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from fakes.ollama import FakeOllama
from fakes.ollama_parts import FaultKind

from nonet.graphs.batch_events import BatchEvent, JobDone
from nonet.graphs.batch_open import batch_of
from nonet.graphs.batch_work import Work
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.store import JobStatus, NewJob, Store

TEXT = "The wheel of mill {} turned all winter. The miller Anna Berg replaced two oak paddles on 3 March."
GOES_ON_WITHIN_SECONDS = 10.0
ANSWERS: tuple[FaultKind, ...] = (
    "slow_first_token", "overflow", "cut", "done_without_end", "truncated_prompt", "no_counts",
)  # fmt: skip
"""An answer all the same, or one that speaks of the prompt: the work goes on with it, or without the model."""
ELSEWHERE = {"many_vectors", "not_found", "redirect"}
"""Not of chats; and what says that the model or the address is wrong, not that the server fails."""


def fill(store: Store, documents: int) -> None:
    jobs = [
        NewJob(f"d{number}", hashlib.sha256(f"d{number}".encode()).digest(), 90, text=TEXT.format(number))
        for number in range(documents)
    ]
    work = Work("summarization", "Summarize {document} in one sentence.").to_json()
    store.queues.add("q", jobs, work=work).result()


async def opened(path: Path, url: str) -> Session:
    names = ("connect_timeout_seconds", "first_token_timeout_seconds", "stall_timeout_seconds")
    patience: dict[str, Any] = dict(zip(names, (1.0, 2.0, 1.0), strict=True))
    return await Session.open(Settings(runtime="ollama", ollama_host=url, db=path, **patience))


class Times:
    """When documents were done."""

    def __init__(self) -> None:
        self.done: list[float] = []
        self.some = asyncio.Event()

    def __call__(self, event: BatchEvent) -> None:
        if isinstance(event, JobDone):
            self.done.append(time.monotonic())
            self.some.set()


def check(session: Session, documents: int) -> None:
    jobs = list(session.store.queues.jobs("q"))
    assert {(job.status, job.attempts) for job in jobs} == {(JobStatus.DONE, 1)}, "no try was used up by the server"
    assert len(jobs) == documents


@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=pytest.mark.slow)])
async def test_work_goes_on_soon_after_a_server_that_was_down(tmp_path: Path, seconds: float) -> None:
    times, documents = Times(), 40
    async with FakeOllama(latency_ms=50) as server:
        url, port = server.url, int(server.url.rpartition(":")[2])
        session = await opened(tmp_path / "nonet.db", url)
        fill(session.store, documents)
        working = asyncio.create_task(batch_of(session, places=4, on_event=times).run())
        await asyncio.wait_for(times.some.wait(), 60)
    await asyncio.sleep(seconds)  # nobody listens any more
    before = len(times.done)
    assert before < documents
    times.some.clear()
    async with FakeOllama(latency_ms=50, port=port):
        back = time.monotonic()
        await asyncio.wait_for(times.some.wait(), 60)
        went_on = time.monotonic() - back
        await asyncio.wait_for(working, 120)
    assert went_on < GOES_ON_WITHIN_SECONDS
    check(session, documents)
    await session.aclose()


KINDS: list[Any] = [
    pytest.param(kind, marks=[] if kind == "cut_line" else pytest.mark.slow)
    for kind in get_args(FaultKind)
    if kind not in {*ANSWERS, *ELSEWHERE}
]


@pytest.mark.parametrize("kind", KINDS)
async def test_no_document_pays_for_a_fault_of_the_server(tmp_path: Path, kind: FaultKind) -> None:
    times, documents = Times(), 12
    said = {"recorded": b"20", "garbage_http": b"what?\r\n\r\n", "garbage": b"}{\n", "error_line": b"bad"}
    async with FakeOllama(latency_ms=20) as server, await opened(tmp_path / "nonet.db", server.url) as session:
        fill(session.store, documents)
        server.fault(kind, times=1_000_000, data=said.get(kind, b""), seconds=5.0, after=1)
        working = asyncio.create_task(batch_of(session, places=4, on_event=times).run())
        await asyncio.sleep(3.0)
        assert not working.done()
        assert times.done == [], "nothing can be done by such a server"
        server.behave()
        back = time.monotonic()
        await asyncio.wait_for(times.some.wait(), 60)
        went_on = time.monotonic() - back
        await asyncio.wait_for(working, 120)
        check(session, documents)
    assert went_on < GOES_ON_WITHIN_SECONDS, kind


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANSWERS)
async def test_what_is_an_answer_all_the_same_holds_nothing_up(tmp_path: Path, kind: FaultKind) -> None:
    async with FakeOllama(latency_ms=20) as server, await opened(tmp_path / "nonet.db", server.url) as session:
        fill(session.store, 12)
        server.fault(kind, times=1_000_000, seconds=0.2)
        await asyncio.wait_for(batch_of(session, places=4).run(), 120)
        check(session, 12)
