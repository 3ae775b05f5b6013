"""Several processes and one server: nobody fights over its memory, and who dies claims nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fakes.ollama import FakeOllama
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.board import Board, Limits
from nonet.runtimes.hosts import Host, Loaded
from nonet.runtimes.lines import Priority, Ticket
from nonet.runtimes.neighbours import Claim, Neighbours, Use
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.policy import Policy
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.sharing import claim_of, heed

SMALL, CODER = "smollm2:135m", "qwen2.5-coder:0.5b"


def test_a_process_sees_what_the_others_claim_and_not_itself(tmp_path: Path) -> None:
    one, two, elsewhere = (Neighbours(tmp_path, server) for server in ("h", "h", "other"))
    claim = Claim({"tiny": Use(2, 5, 1)}, want="large")
    assert two.others() == [Claim()]
    one.tell(claim)
    assert two.others() == [claim]
    assert one.others() == [Claim()]
    assert elsewhere.others() == []
    one.tell(Claim())
    assert two.others() == [Claim()]
    one.close()
    assert two.others() == []
    two.close()
    elsewhere.close()


CLAIMING = """
import sys, time
from pathlib import Path
from nonet.runtimes.neighbours import Claim, Neighbours, Use
neighbours = Neighbours(Path(sys.argv[1]), "h")
neighbours.tell(Claim({"tiny": Use(1)}))
print("told", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_claimed_is_free(tmp_path: Path) -> None:
    ours = Neighbours(tmp_path, "h")
    with subprocess.Popen([sys.executable, "-c", CLAIMING, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "told\n"
        assert ours.others() == [Claim({"tiny": Use(1)})]
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        assert ours.others() == []
    assert len(list(tmp_path.rglob("*.json"))) == 1  # what it left was cleared away
    ours.close()


def test_a_folder_that_cannot_be_made_or_a_strange_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    alone = Neighbours(tmp_path / "file", "h")
    alone.tell(Claim({"tiny": Use(1)}))
    assert alone.others() == []
    ours, other = Neighbours(tmp_path, "h"), Neighbours(tmp_path, "h")
    next(path for path in tmp_path.rglob("*.json") if path.name == other._name).write_text("[1, 2")
    assert ours.others() == []
    ours.close()
    other.close()


def board_of(host: Host) -> Board:
    return Board({host.name: host}, Limits(interactive_seconds=30.0, batch_seconds=100.0))


def test_slots_are_shared_while_both_have_work() -> None:
    host = Host("h", slots=4)
    board = board_of(host)
    heed(board, host, [Claim({"tiny": Use(running=3)})], 0.0)
    assert host.free == 2  # its share: one of the three is waited for, at the server
    heed(board, host, [Claim({"tiny": Use(running=0, waiting=9)})], 0.0)
    assert host.free == 2
    heed(board, host, [Claim()], 0.0)
    assert host.free == 4


def test_a_batch_elsewhere_makes_room_for_somebody_who_waits_but_not_for_a_batch_before_its_time() -> None:
    host = Host("h", slots=2, room=1)
    board = board_of(host)
    policy = Policy(board)
    others = [Claim({"tiny": Use(running=2, waiting=50)})]
    heed(board, host, others, 0.0)
    policy.submit(Ticket("large", Priority.BATCH, 0.0), 0.0)
    assert claim_of(board, host, others, 1.0).want == ""
    assert claim_of(board, host, others, 99.0).want == "large"
    policy.submit(Ticket("asked", Priority.INTERACTIVE, 1.0), 1.0)
    assert claim_of(board, host, others, 1.0).want == "asked"
    somebody = [Claim({"tiny": Use(running=1, interactive=1)})]
    assert claim_of(board, host, somebody, 1.0).want == ""
    heed(board, host, others, 1.0)
    assert policy.decide(1.0) == []  # it is still at work there
    heed(board, host, [Claim({"tiny": Use(waiting=50)})], 1.0)
    assert [grant.ticket.model for grant in policy.decide(1.0)] == ["asked"]


@asynccontextmanager
async def process(fake: FakeOllama, folder: Path | None, *, slots: int = 1) -> AsyncIterator[Scheduler]:
    """A scheduler as a process of its own has it."""
    runtime = OllamaRuntime(fake.url)
    scheduler = Scheduler()
    scheduler.add_host(runtime, name="h", slots=slots, max_loaded=1)
    if folder is not None:
        scheduler.share("h", Neighbours(folder, "h"))
    yield scheduler
    await scheduler.aclose()
    await runtime.aclose()


async def work(scheduler: Scheduler, model: str, calls: int, priority: Priority = Priority.BATCH) -> None:
    requests = [ChatRequest(model, (Message("user", f"{model} {number}"),)) for number in range(calls)]
    await asyncio.gather(*(scheduler.chat(request, priority=priority) for request in requests))


async def loads_of_two(folder: Path | None, calls: int = 8) -> int:
    async with (
        FakeOllama(load_ms=60, latency_ms=20, max_loaded=1) as fake,
        process(fake, folder) as one,
        process(fake, folder) as two,
    ):
        await asyncio.gather(work(one, SMALL, calls), work(two, CODER, calls))
        return fake.counts.loads


async def test_two_processes_do_not_fight_over_the_loaded_model(tmp_path: Path) -> None:
    assert await loads_of_two(None) >= 10  # each pushes out what the other has just loaded
    assert await loads_of_two(tmp_path) <= 3


async def test_somebody_who_waits_gets_in_between_the_batch_of_another_process(tmp_path: Path) -> None:
    async with (
        FakeOllama(load_ms=60, latency_ms=40, max_loaded=1) as fake,
        process(fake, tmp_path) as batch,
        process(fake, tmp_path) as asking,
    ):
        busy = asyncio.create_task(work(batch, SMALL, 60))
        while fake.counts.calls["/api/chat"] < 3:  # noqa: ASYNC110  what a socket does sets no event
            await asyncio.sleep(0.01)
        await work(asking, CODER, 1, Priority.INTERACTIVE)
        assert not busy.done()
        assert fake.counts.calls["/api/chat"] < 50
        await busy


async def test_slots_of_one_server_are_the_limit_of_both(tmp_path: Path) -> None:
    async with (
        FakeOllama(latency_ms=30, max_loaded=1, parallel=8) as fake,
        process(fake, tmp_path, slots=4) as one,
        process(fake, tmp_path, slots=4) as two,
    ):
        await work(one, SMALL, 1)
        started = asyncio.create_task(work(one, SMALL, 60))
        while fake.counts.calls["/api/chat"] < 8:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)
        other = asyncio.create_task(work(two, SMALL, 60))
        while fake.counts.calls["/api/chat"] < 40:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)
        fake.counts.most_concurrent = 0  # both know of each other by now
        await asyncio.gather(started, other)
        assert fake.counts.most_concurrent <= 5


TURNS = st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 9), max_size=4)


@given(TURNS, TURNS, st.integers(1, 4))
def test_two_processes_agree_whose_models_stay(ours: dict[str, int], theirs: dict[str, int], room: int) -> None:
    """However they came to be loaded, both apply one rule, and as many models stay as there is room for."""
    hosts = []
    for turns in (ours, theirs):
        host = Host("h", slots=9, room=room)
        for name, since_s in list(turns.items())[:room]:
            host.loaded[name] = Loaded(float(since_s), float(since_s))
            host.start(name, Priority.BATCH, float(since_s))
        hosts.append(host)
    boards = [board_of(host) for host in hosts]
    claims = [claim_of(board, host, [], 10.0) for board, host in zip(boards, hosts, strict=True)]
    running = {name for claim in claims for name in claim.models}
    for board, host, other in zip(boards, hosts, reversed(claims), strict=True):
        heed(board, host, [other], 10.0)
    staying = {name for host in hosts for name, model in host.loaded.items() if model.busy and host.admits(name)}
    assert len(staying) == min(room, len(running))
