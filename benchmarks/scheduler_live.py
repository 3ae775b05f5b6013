"""The scheduler in real time, over HTTP, against fake Ollama servers that take their time to load and to answer."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from simulated import table

from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.lines import Priority
from nonet.runtimes.neighbours import Neighbours
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.scheduler import Scheduler

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fakes.ollama import FakeOllama
from fakes.ollama_parts import MODELS

LOAD_MS, CALL_MS = 400.0, 40.0
DOCUMENTS = 40
STAGES = tuple(model.name for model in MODELS if "completion" in model.capabilities)[:3]

Ask = Callable[[ChatRequest], Awaitable[object]]


def _server() -> FakeOllama:
    return FakeOllama([("", "yes")], load_ms=LOAD_MS, latency_ms=CALL_MS, parallel=2, max_loaded=1)


async def _document(ask: Ask, number: int) -> None:
    for model in STAGES:
        await ask(ChatRequest(model, (Message("user", f"document {number}"),), max_completion_tokens=8))


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def live_stages() -> None:
    """All documents at once through the scheduler; and two workers that take each document through its stages."""
    rows = []
    async with _server() as fake, _Opened(fake) as runtime:
        scheduler = Scheduler(runtime, slots=2, max_loaded=1)
        for model in STAGES:
            scheduler.outlook.expect(model, DOCUMENTS)

        async def ask(request: ChatRequest) -> None:
            await scheduler.chat(request, priority=Priority.BATCH)

        seconds = await _timed(asyncio.gather(*(_document(ask, number) for number in range(DOCUMENTS))))
        await scheduler.aclose()
        ours = (seconds, fake.counts.loads)
    async with _server() as fake, _Opened(fake) as runtime:

        async def worker(numbers: range) -> None:
            for number in numbers:
                await _document(runtime.chat, number)

        seconds = await _timed(asyncio.gather(*(worker(range(first, DOCUMENTS, 2)) for first in range(2))))
        theirs = (seconds, fake.counts.loads)
    ideal = DOCUMENTS * len(STAGES) * CALL_MS / 2 / 1e3 + len(STAGES) * LOAD_MS / 1e3
    for name, (seconds, loads) in (("nonet", ours), ("first come, a worker a slot", theirs)):
        rows.append([name, f"{seconds:.2f}", f"{seconds / ideal:.2f}", loads])
    print(f"\n### A fake Ollama server in real time: {DOCUMENTS} documents, 3 stages, room for 1, 2 slots\n")
    table(["", "seconds", "of lower bound", "loads"], rows)


async def live_hosts() -> None:
    """One server, two, and two of which one dies in the middle."""
    rows = []
    seconds = [await _many_hosts(1), await _many_hosts(2), await _many_hosts(2, kill=True)]
    for name, (took, answered, faults) in zip(("one", "two", "two, one killed half-way"), seconds, strict=True):
        rows.append([name, f"{took:.2f}", f"{seconds[0][0] / took:.2f}x", answered, faults])
    print("\n### Fake Ollama servers in real time: 400 calls of one model, 2 slots each\n")
    table(["servers", "seconds", "speed-up", "answered", "calls made again"], rows)


async def live_processes() -> None:
    """Two schedulers, as two processes have them, each with a batch of its own model, on a server with room for one."""
    rows = []
    for name, folder in (("each on its own", None), ("sharing", Path(tempfile.mkdtemp(prefix="nonet-bench-")))):
        async with _server() as fake:
            runtimes = [OllamaRuntime(fake.url) for _ in range(2)]
            schedulers = [Scheduler(runtime, slots=1, max_loaded=1) for runtime in runtimes]
            if folder is not None:
                for scheduler in schedulers:
                    scheduler.share("ollama", Neighbours(folder, fake.url))
            work = [_batch(scheduler, model) for scheduler, model in zip(schedulers, STAGES, strict=False)]
            seconds = await _timed(asyncio.gather(*work))
            for scheduler, runtime in zip(schedulers, runtimes, strict=True):
                await scheduler.aclose()
                await runtime.aclose()
            rows.append([name, f"{seconds:.2f}", fake.counts.loads])
    print(f"\n### Two processes, {DOCUMENTS} calls each of a model of its own, room for 1\n")
    table(["", "seconds", "loads"], rows)


async def _batch(scheduler: Scheduler, model: str) -> None:
    requests = [ChatRequest(model, (Message("user", f"call {n}"),), max_completion_tokens=8) for n in range(DOCUMENTS)]
    await asyncio.gather(*(scheduler.chat(request, priority=Priority.BATCH) for request in requests))


async def _many_hosts(hosts: int, *, kill: bool = False, calls: int = 400) -> tuple[float, int, int]:
    fakes = [_server() for _ in range(hosts)]
    runtimes = []
    for fake in fakes:
        await fake.__aenter__()
        runtimes.append(OllamaRuntime(fake.url, retries=0))
    scheduler = Scheduler()
    for number, runtime in enumerate(runtimes):
        scheduler.add_host(runtime, name=f"h{number}", slots=2, max_loaded=1)
    answered = 0

    async def one(number: int) -> None:
        nonlocal answered
        request = ChatRequest(STAGES[0], (Message("user", f"call {number}"),), max_completion_tokens=8)
        await scheduler.chat(request, priority=Priority.BATCH)
        answered += 1
        if kill and answered == calls // 2:
            await fakes[1].__aexit__(None, None, None)

    seconds = await _timed(asyncio.gather(*(one(number) for number in range(calls))))
    faults = sum(server.faults for server in scheduler.servers.values())
    await scheduler.aclose()
    for runtime in runtimes:
        await runtime.aclose()
    for fake in fakes[: 1 if kill else hosts]:
        await fake.__aexit__(None, None, None)
    return seconds, answered, faults


class _Opened:
    """A runtime of one fake, closed at the end."""

    def __init__(self, fake: FakeOllama) -> None:
        self._runtime = OllamaRuntime(fake.url)

    async def __aenter__(self) -> OllamaRuntime:
        return self._runtime

    async def __aexit__(self, *_: object) -> None:
        await self._runtime.aclose()
