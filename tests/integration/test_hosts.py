"""The scheduler over HTTP: hosts that fail and come back, what is kept in memory, how many calls go at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fakes.ollama import FakeOllama
from fakes.ollama_engine import DEFAULT_KEEP_SECONDS, keep_seconds

from nonet.errors import IncompleteAnswerError, RuntimeUnavailableError
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.lines import Priority
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.parallel import WINDOW_CALLS, Parallelism
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.servers import KEEP_NEEDED_SECONDS

SMALL, CODER, LARGER = "smollm2:135m", "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"
SCRIPT = [("long", "one two three four five six seven eight"), ("", "yes")]


@dataclass
class House:
    """A scheduler, and the fake servers behind it."""

    scheduler: Scheduler
    fakes: list[FakeOllama]
    stack: AsyncExitStack

    async def ask(self, text: str = "hello", model: str = SMALL, priority: Priority = Priority.INTERACTIVE) -> str:
        request = ChatRequest(model, (Message("user", text),))
        return (await self.scheduler.chat(request, priority=priority)).text

    async def stop(self, number: int) -> int:
        """The port it had."""
        fake = self.fakes[number]
        port = int(fake.url.rsplit(":", 1)[1])
        await fake.__aexit__(None, None, None)
        return port

    async def start_again(self, number: int, port: int) -> None:
        self.fakes[number] = await self.stack.enter_async_context(FakeOllama(SCRIPT, port=port))


@asynccontextmanager
async def house(
    hosts: int = 1, *, slots: int = 2, room: int = 3, finds: bool = False, **more: Any
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        fakes = [FakeOllama(SCRIPT, max_loaded=room, **more) for _ in range(hosts)]
        scheduler = Scheduler()
        for number, fake in enumerate(fakes):
            await fake.__aenter__()
            runtime = OllamaRuntime(fake.url, retries=0)
            stack.push_async_callback(runtime.aclose)
            scheduler.add_host(
                runtime, name=f"h{number}", slots=slots, max_loaded=room, ahead=slots // 4, finds_slots=finds
            )
        stack.push_async_callback(scheduler.aclose)
        built = House(scheduler, fakes, stack)
        try:
            yield built
        finally:
            for fake in built.fakes:
                await fake.__aexit__(None, None, None)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  what a socket does sets no event
            await asyncio.sleep(0.01)


async def test_a_host_that_dies_in_the_middle_loses_nothing() -> None:
    async with house(2, latency_ms=20) as home:
        asked = [asyncio.create_task(home.ask(f"call {n}", priority=Priority.BATCH)) for n in range(40)]
        await until(lambda: sum(task.done() for task in asked) > 10)
        await home.stop(1)
        assert await asyncio.gather(*asked) == ["yes"] * 40
        dead = home.scheduler.servers["h1"]
        assert not dead.host.up
        assert dead.faults <= 2  # at most its in-flight calls were made again


async def test_a_host_that_comes_back_is_used_again() -> None:
    async with house(1) as home:
        assert await home.ask() == "yes"
        port = await home.stop(0)
        waiting = asyncio.create_task(home.ask(priority=Priority.BATCH))
        await until(lambda: not home.scheduler.servers["h0"].host.up)
        await home.start_again(0, port)
        assert await waiting == "yes"
        assert home.scheduler.servers["h0"].host.up


async def test_somebody_who_waits_is_told_that_no_host_is_up() -> None:
    async with house(1) as home:
        port = await home.stop(0)
        with pytest.raises(RuntimeUnavailableError):
            await home.ask()
        with pytest.raises(RuntimeUnavailableError, match="connection refused"):
            await home.ask()
        await home.start_again(0, port)
        assert await home.ask() == "yes"  # the call itself looks whether it is back


async def test_an_answer_that_begins_again_elsewhere_is_not_shown_twice() -> None:
    async with house(2, slots=1) as home:
        for fake in home.fakes:
            fake.fault("reset_mid_stream", after=4)
        home.fakes[1].behave()
        shown: list[str] = []
        request = ChatRequest(SMALL, (Message("user", "long"),))
        home.scheduler.servers["h1"].host.tokens_per_second = 1.0
        home.scheduler.servers["h0"].host.tokens_per_second = 9.0
        response = await home.scheduler.chat(request, shown.append)
        assert response.text == "".join(shown) == "one two three four five six seven eight"
        assert response.trip.host == "h1"


async def test_another_answer_than_the_one_that_was_shown_is_refused() -> None:
    async with house(2, slots=1) as home:
        home.fakes[0].fault("reset_mid_stream", after=4)
        home.scheduler.servers["h1"].host.tokens_per_second = 1.0
        home.scheduler.servers["h0"].host.tokens_per_second = 9.0
        home.fakes[1]._respond = lambda _request: "something else"
        with pytest.raises(IncompleteAnswerError, match="another one"):
            await home.scheduler.chat(ChatRequest(SMALL, (Message("user", "long"),)), lambda _text: None)


async def test_a_host_can_be_added_and_drained_while_calls_run() -> None:
    async with house(1, latency_ms=20) as home, FakeOllama(SCRIPT, latency_ms=20) as other:
        asked = [asyncio.create_task(home.ask(f"call {n}", priority=Priority.BATCH)) for n in range(60)]
        runtime = OllamaRuntime(other.url)
        home.scheduler.policy.board.call_seconds[SMALL] = 1.0  # enough waits for a second load
        home.scheduler.add_host(runtime, name="new", slots=2)
        await until(lambda: other.counts.calls["/api/chat"] > 4)
        await home.scheduler.remove_host("new")
        had = other.counts.calls["/api/chat"]
        assert await asyncio.gather(*asked) == ["yes"] * 60
        assert other.counts.calls["/api/chat"] == had
        await runtime.aclose()


async def test_what_is_pushed_out_is_what_was_chosen_and_the_server_agrees() -> None:
    async with house(1, slots=1, room=2, load_ms=5) as home:
        await home.ask(model=SMALL)
        await home.ask(model=CODER)
        await home.ask(model=SMALL)
        home.scheduler.outlook.expect(CODER, 1)  # the least recently used, but it will be needed
        await home.ask(model=LARGER)
        assert list(home.fakes[0].engine.loaded) == [CODER, LARGER]
        assert home.fakes[0].counts.pushed_out == []  # we let SMALL go before the server had to choose
        assert (home.scheduler.counts.loads, home.scheduler.counts.swaps) == (3, 1)


async def test_a_model_is_kept_while_a_plan_needs_it_and_then_as_the_server_likes() -> None:
    async with house(1) as home:
        home.scheduler.outlook.expect(SMALL, 1)
        await home.ask()
        home.scheduler.outlook.expect(SMALL, -1)
        await home.ask()
        kept = [keep_seconds(body.get("keep_alive")) for body in home.fakes[0].counts.bodies]
        assert kept == [KEEP_NEEDED_SECONDS, DEFAULT_KEEP_SECONDS]


async def test_what_a_batch_loaded_is_let_go_at_its_end_but_not_what_somebody_asked_for() -> None:
    async with house(1) as home:
        await home.ask(model=SMALL, priority=Priority.BATCH)
        await home.ask(model=CODER, priority=Priority.BATCH)
        await home.ask(model=CODER)
        await home.scheduler.aclose()
        assert list(home.fakes[0].engine.loaded) == [CODER]


async def test_a_model_that_the_server_dropped_is_found_out() -> None:
    async with house(1, load_ms=60) as home:
        await home.ask()
        home.fakes[0].engine.unload(SMALL)
        await home.ask()  # it was thought to be loaded
        await until(lambda: home.fakes[0].counts.calls["/api/ps"] >= 1)
        assert list(home.scheduler.servers["h0"].host.loaded) == [SMALL]


async def test_a_server_that_holds_fewer_models_than_it_was_thought_to() -> None:
    async with house(1, slots=1, room=1, load_ms=60) as home:
        host = home.scheduler.servers["h0"].host
        host.room = 3  # as Ollama has it by default, on a machine with little memory
        for model in (SMALL, CODER, SMALL):
            await home.ask(model=model)
        await until(lambda: host.room == 1)


@pytest.mark.parametrize("parallel", [1, 2, 4])
async def test_as_many_calls_go_at_once_as_the_server_computes(parallel: int) -> None:
    async with house(1, slots=4, finds=True, latency_ms=20, parallel=parallel) as home:
        host = home.scheduler.servers["h0"].host
        for _ in range(20):  # on a busy machine a window may say nothing
            calls = 2 * WINDOW_CALLS
            await asyncio.gather(*(home.ask(f"call {n}", priority=Priority.BATCH) for n in range(calls)))
            if host.slots == parallel:
                break
        assert host.slots == parallel


def test_slots_are_found_from_what_the_server_says_of_its_calls() -> None:
    def found(parallel: int, slots: int) -> int:
        seen = Parallelism()
        for number in range(WINDOW_CALLS):
            seen.add(ended_s=1.0 * (number // parallel + 1), computing_s=1.0)
        return seen.better(slots)

    assert [found(parallel, 4) for parallel in (1, 2, 3, 4, 6)] == [1, 2, 3, 4, 6]
    quiet = Parallelism()
    for number in range(WINDOW_CALLS):
        quiet.add(ended_s=1.0 * number, computing_s=0.001)  # a server that does not say how long it computed
    assert quiet.better(4) == 4
