"""Deterministic calls are made once, texts are embedded together, and energy is shared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from nonet.errors import CallTimeoutError
from nonet.runtimes import ChatRequest, ChatResponse, EmbedResponse, Message, Usage
from nonet.runtimes.embed_batches import MOST_TEXTS, EmbedBatches, Take
from nonet.runtimes.energy import EnergyMeter, EnergyShares
from nonet.runtimes.lines import Priority
from nonet.runtimes.once import Once

PRIORITY = Priority.INTERACTIVE


@dataclass
class Memory:
    """A cache in memory."""

    kept: dict[str, ChatResponse] = field(default_factory=dict)

    def get(self, key: str) -> ChatResponse | None:
        return self.kept.get(key)

    def put(self, key: str, response: ChatResponse) -> None:
        self.kept[key] = response


class Model:
    """Answers when the test lets it, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def ask(self) -> ChatResponse:
        self.asked += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return ChatResponse("yes", "tiny", usage=Usage(9, 1, 2.0))


def request(**more: object) -> ChatRequest:
    fields: dict[str, object] = {"model": "tiny", "messages": (Message("user", "hello"),), **more}
    return ChatRequest(**fields)  # type: ignore[arg-type]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_the_answer_depends_on_names_the_call() -> None:
    once = Once({"tiny": "v1", "other": "v1", "unknown": ""})
    same = once.key(request())
    assert same is not None
    assert same == once.key(request())
    others = [
        request(model="other"),
        request(seed=1),
        request(stop=("a",)),
        request(max_completion_tokens=5),
        request(schema={"type": "object"}),
        request(certainty=True),
        request(messages=(Message("system", "hello"),)),
        request(messages=(Message("user", "hello"), Message("user", ""))),
    ]
    keys = [once.key(each) for each in others]
    assert len({same, *keys}) == len(others) + 1
    assert Once({"tiny": "v2"}).key(request()) != same  # the same name, another model
    assert once.key(request(temperature=0.1)) is None
    assert once.key(request(model="unknown")) is None
    assert once.key(request(model="missing")) is None


async def test_a_call_under_way_is_shared_and_then_kept() -> None:
    once, model = Once({"tiny": "v1"}, Memory()), Model()
    shown: list[str] = []
    calls = [asyncio.create_task(once.answer("key", model.ask, listen)) for listen in (None, shown.append, None)]
    await settle()
    model.go.set()
    answers = await asyncio.gather(*calls)
    assert model.asked == 1
    assert [answer.text for answer in answers] == ["yes"] * 3
    assert [answer.trip.origin for answer in answers] == ["", "shared", "shared"]
    assert [answer.usage.prompt_tokens for answer in answers] == [9, 0, 0]
    assert shown == ["yes"]
    again = await once.answer("key", model.ask, shown.append)
    assert (again.text, again.trip.origin, model.asked) == ("yes", "cache", 1)
    assert shown == ["yes", "yes"]
    assert (once.counts.shared, once.counts.cached) == (2, 1)


async def test_when_the_call_that_was_shared_is_cancelled_another_takes_its_place() -> None:
    once, model = Once({"tiny": "v1"}), Model()
    first, second = (asyncio.create_task(once.answer("key", model.ask, None)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    model.go.set()
    assert (await second).trip.origin == ""
    assert model.asked == 2


async def test_who_waits_does_not_wait_for_a_batch() -> None:
    once, model = Once({"tiny": "v1"}), Model()
    calls = [
        asyncio.create_task(once.answer("key", model.ask, None, priority))
        for priority in (Priority.BATCH, Priority.INTERACTIVE)
    ]
    await settle()
    assert model.asked == 2
    model.go.set()
    await asyncio.gather(*calls)


async def test_an_error_is_not_shared() -> None:
    once, model = Once({"tiny": "v1"}, Memory()), Model()
    calls = [asyncio.create_task(once.answer("key", model.ask, None)) for _ in range(2)]
    await settle()
    model.error = CallTimeoutError("late")
    model.go.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [CallTimeoutError, CallTimeoutError]
    assert model.asked == 2


class Sender:
    """Keeps what was sent; a request waits for its turn."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.turn = asyncio.Event()

    async def __call__(self, _model: str, _priority: Priority, take: Take) -> EmbedResponse:
        await self.turn.wait()
        texts = list(take())
        self.sent.append(texts)
        return EmbedResponse(tuple((float(len(text)),) for text in texts), Usage(len(texts)))


async def test_texts_that_wait_are_sent_together_and_each_gets_its_own_vectors() -> None:
    sender = Sender()
    batches = EmbedBatches(sender)
    asked = [asyncio.create_task(batches.embed("m", texts, PRIORITY)) for texts in (["a", "bb"], ["ccc"], ["dddd"])]
    await settle()
    asked[1].cancel()
    sender.turn.set()
    first, cancelled, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, EmbedResponse)
    assert isinstance(last, EmbedResponse)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert (first.vectors, last.vectors) == (((1.0,), (2.0,)), ((4.0,),))
    assert first.usage.prompt_tokens + last.usage.prompt_tokens == 4  # counted once
    assert sender.sent == [["a", "bb", "ccc", "dddd"]]


async def test_a_request_does_not_grow_beyond_measure_and_nobody_joins_one_that_was_sent() -> None:
    sender = Sender()
    batches = EmbedBatches(sender)
    sender.turn.set()
    many = ["x"] * (MOST_TEXTS - 1)
    await asyncio.gather(*(batches.embed("m", texts, PRIORITY) for texts in (many, ["a", "b"])))
    await batches.embed("m", ["late"], PRIORITY)
    assert [len(texts) for texts in sender.sent] == [MOST_TEXTS - 1, 2, 1]


async def test_a_request_that_nobody_waits_for_any_more_is_not_sent() -> None:
    sender = Sender()
    batches = EmbedBatches(sender)
    asked = [asyncio.create_task(batches.embed("m", ["a"], PRIORITY)) for _ in range(2)]
    await settle()
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    sender.turn.set()
    await settle()
    assert sender.sent == []


class Meter(EnergyMeter):
    """Tells what the test says."""

    now: float | None = 0.0

    def __init__(self) -> None:
        super().__init__([])

    def joules(self) -> float | None:
        return self.now


def test_energy_is_shared_among_the_calls_at_work() -> None:
    meter = Meter()
    shares = EnergyShares(meter)
    first = shares.begin()
    meter.now = 10.0
    second = shares.begin()  # 10 J were the first's alone
    meter.now = 30.0
    assert shares.end(first) == pytest.approx(20.0)
    meter.now = 35.0
    assert shares.end(second) == pytest.approx(15.0)
    meter.now = 40.0  # nobody's
    shared = shares.begin(others=3)
    meter.now = 48.0
    assert shares.end(shared, others=3) == pytest.approx(2.0)  # three calls of other processes had theirs
    meter.now = 100.0  # nobody's
    third = shares.begin()
    meter.now = None
    assert shares.end(third) is None
