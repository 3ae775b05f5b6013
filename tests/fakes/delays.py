"""A scripted runtime whose answers take the time that the task says, on a clock that may be real or pretended."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nonet.runtimes import ChatRequest, ChatResponse, OnText
from nonet.runtimes.scripted import ScriptedRuntime

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]
_SECONDS = re.compile(r"takes (\d+(?:\.\d+)?) seconds")
_SETTLING = 300
"""Turns of the event loop in which everything that can go on has gone on."""


class DelayedRuntime(ScriptedRuntime):
    """Answers "takes 3 seconds" after three seconds of its clock."""

    def __init__(self, sleep: Sleep, **options: object) -> None:
        super().__init__(lambda request: request.messages[-1].content, **options)  # type: ignore[arg-type]
        self._sleep = sleep

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        found = _SECONDS.search(request.messages[-1].content)
        await self._sleep(float(found[1]) if found else 0.0)
        return await super().chat(request, on_text)


class PretendedClock:
    """Time that passes only when nothing else can go on: makespans come out exact, whatever the machine does."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleeping, (self.now + seconds, self._count, woken))
        await woken

    async def run(self, work: Awaitable[T]) -> T:
        """Do the work to its end, moving the clock on."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(_SETTLING):
                await asyncio.sleep(0)
            if self._sleeping and not task.done():
                self.now, _, woken = heapq.heappop(self._sleeping)
                woken.set_result(None)
            else:
                await asyncio.sleep(0.001)  # a thread of the store is at work
        return await task
