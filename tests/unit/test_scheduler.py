"""The scheduler: slots are respected, swaps are few, and nothing starves or leaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from nonet.errors import CallTimeoutError
from nonet.runtimes import ChatRequest, ChatResponse, EmbedResponse, Message, ModelInfo, OnText, TokenCount
from nonet.runtimes.board import Limits
from nonet.runtimes.scheduler import Scheduler


class HeldRuntime:
    """Answers when the test lets it; keeps the order in which calls arrived."""

    name = "held"

    def __init__(self) -> None:
        self.order: list[str] = []
        self.gates: list[asyncio.Future[None]] = []
        self.at_once = 0
        self.most_at_once = 0

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        assert on_text is None
        await self._hold(request.model)
        return ChatResponse(request.messages[0].content, request.model)

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        await self._hold(model)
        return EmbedResponse(tuple((1.0,) for _ in texts))

    async def _hold(self, model: str) -> None:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.order.append(model)
        self.gates.append(gate)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await gate
        finally:
            self.at_once -= 1

    async def models(self) -> tuple[ModelInfo, ...]:
        return ()

    async def describe(self, model: str) -> ModelInfo:
        return ModelInfo(model, 4096)

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        return TokenCount(len(model) + len(messages), exact=False)

    async def aclose(self) -> None: ...

    async def let_all(self) -> None:
        while True:
            await settle()
            waiting = [gate for gate in self.gates if not gate.done()]
            if not waiting:
                return
            waiting[0].set_result(None)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def request(model: str) -> ChatRequest:
    return ChatRequest(model, (Message("user", "hello"),))


async def test_interleaved_models_are_served_model_by_model() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1, max_loaded=1)
    calls = [asyncio.create_task(scheduler.chat(request(model))) for model in "ABCABC"]
    await runtime.let_all()
    await asyncio.gather(*calls)
    assert runtime.order == ["A", "A", "B", "B", "C", "C"]
    assert scheduler.counts.loads == 3
    assert scheduler.counts.swaps == 2
    assert scheduler.counts.swaps_avoided == 1 + 1


async def test_slots_are_the_limit() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=2, max_loaded=3)
    calls = [asyncio.create_task(scheduler.chat(request(model))) for model in "ABABAB"]
    await runtime.let_all()
    await asyncio.gather(*calls)
    assert runtime.most_at_once == 2
    assert scheduler.counts.calls == 6


async def test_a_model_at_work_is_not_pushed_out() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=4, max_loaded=1)
    first = asyncio.create_task(scheduler.chat(request("A")))
    other = asyncio.create_task(scheduler.chat(request("B")))
    await settle()
    assert runtime.order == ["A"]
    await runtime.let_all()
    await asyncio.gather(first, other)
    assert runtime.order == ["A", "B"]


async def test_a_call_that_waited_long_goes_next() -> None:
    now = 0.0
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1, max_loaded=1, limits=Limits(interactive_seconds=5), clock=lambda: now)
    first = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    starving = asyncio.create_task(scheduler.chat(request("B")))
    await settle()
    now = 6.0
    later = asyncio.create_task(scheduler.chat(request("A")))
    await runtime.let_all()
    await asyncio.gather(first, starving, later)
    assert runtime.order == ["A", "B", "A"]


async def test_cancelling_gives_the_place_back() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1)
    running = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    waiting = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    waiting.cancel()
    running.cancel()
    await asyncio.gather(waiting, running, return_exceptions=True)
    after = asyncio.create_task(scheduler.embed("A", ["x"]))
    await runtime.let_all()
    assert (await after).vectors == ((1.0,),)


async def test_a_call_cancelled_as_its_turn_comes_gives_the_slot_back() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1)
    running = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    granted = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    runtime.gates[0].set_result(None)
    await asyncio.sleep(0)  # the running call ends and grants the slot; the waiter has not run yet
    granted.cancel()
    await asyncio.gather(granted, return_exceptions=True)
    await running
    after = asyncio.create_task(scheduler.chat(request("B")))
    await runtime.let_all()
    assert (await after).text == "hello"


async def test_an_error_gives_the_slot_back() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1)
    failing = asyncio.create_task(scheduler.chat(request("A")))
    await settle()
    runtime.gates[0].set_exception(CallTimeoutError("no token came"))
    with pytest.raises(CallTimeoutError):
        await failing
    after = asyncio.create_task(scheduler.chat(request("A")))
    await runtime.let_all()
    assert (await after).model == "A"


async def test_a_loaded_model_goes_first() -> None:
    runtime = HeldRuntime()
    scheduler = Scheduler(runtime, slots=1, max_loaded=1)
    scheduler.seen_loaded(["B"])
    first = asyncio.create_task(scheduler.chat(request("B")))
    await settle()
    calls = [asyncio.create_task(scheduler.chat(request(model))) for model in "AB"]
    await runtime.let_all()
    await asyncio.gather(first, *calls)
    assert runtime.order == ["B", "B", "A"]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Scheduler(HeldRuntime(), slots=0)
    with pytest.raises(ValueError, match="at least 1"):
        Scheduler(HeldRuntime(), max_loaded=0)
