"""One scheduler owns the models: every call of every run goes through it.

A server that swaps models spends most of its time loading them, so calls that wait are not served in the order they
came but by model: work for a model that is loaded goes first, then the longest queue. A B C A B C runs as A A B B C C.
No call waits for ever: one that has waited `max_wait_seconds` goes next whatever it needs.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse

OnSwap = Callable[[str, str], None]
"""Called with the model that was pushed out and the model that is loaded in its place."""


@dataclass(slots=True)
class SchedulerCounts:
    """What the scheduler did, for the user to see."""

    calls: int = 0
    loads: int = 0
    """Calls that found their model not loaded."""
    swaps: int = 0
    """Of which: calls that pushed another model out."""
    swaps_avoided: int = 0
    """Calls served out of turn because their model was loaded."""
    most_waiting: int = 0


@dataclass(slots=True)
class _Waiter:
    """One call that waits for a slot."""

    model: str
    since: float
    turn: asyncio.Future[str | None]
    """Its result: the model that was pushed out for it."""


@dataclass(slots=True)
class Scheduler:
    """Hands out the slots of one runtime.

    Args:
        runtime: what serves the models.
        slots: calls at once; what the server allows (OLLAMA_NUM_PARALLEL) or the embedded runtime has.
        max_loaded: models the runtime keeps loaded at once (Ollama on a CPU: 3).
        max_wait_seconds: a call that waited this long goes next, whatever is loaded.
        clock: for tests.
    """

    runtime: Runtime
    slots: int = 4
    max_loaded: int = 3
    max_wait_seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    counts: SchedulerCounts = field(default_factory=SchedulerCounts)
    _loaded: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False)
    _running: dict[str, int] = field(default_factory=dict, init=False)
    _busy: int = field(default=0, init=False)
    _waiting: dict[str, deque[_Waiter]] = field(default_factory=dict, init=False)
    _waiting_count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.slots < 1 or self.max_loaded < 1:
            raise ValueError("slots and max_loaded must be at least 1")

    async def chat(
        self, request: ChatRequest, on_text: OnText | None = None, on_swap: OnSwap | None = None
    ) -> ChatResponse:
        """As Runtime.chat, when it is this call's turn."""
        async with self._slot(request.model, on_swap):
            return await self.runtime.chat(request, on_text)

    async def embed(self, model: str, texts: Sequence[str], on_swap: OnSwap | None = None) -> EmbedResponse:
        """As Runtime.embed, when it is this call's turn."""
        async with self._slot(model, on_swap):
            return await self.runtime.embed(model, texts)

    def seen_loaded(self, models: Sequence[str]) -> None:
        """Tell what the runtime says is loaded already (Ollama's /api/ps), so that its work goes first."""
        for model in models:
            self._loaded[model] = None

    @asynccontextmanager
    async def _slot(self, model: str, on_swap: OnSwap | None) -> AsyncIterator[None]:
        wait = self._waiting_count or not self._may_start(model)
        pushed_out = await self._wait(model) if wait else self._start(model)
        try:
            if pushed_out is not None and on_swap is not None:
                on_swap(pushed_out, model)
            yield
        finally:
            self._finish(model)

    async def _wait(self, model: str) -> str | None:
        waiter = _Waiter(model, self.clock(), asyncio.get_running_loop().create_future())
        self._waiting.setdefault(model, deque()).append(waiter)
        self._waiting_count += 1
        self.counts.most_waiting = max(self.counts.most_waiting, self._waiting_count)
        self._dispatch()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self._finish(model)  # its slot was granted in the same moment: give it back
            else:
                self._forget(waiter)
            raise

    def _forget(self, waiter: _Waiter) -> None:
        self._waiting[waiter.model].remove(waiter)
        self._waiting_count -= 1
        if not self._waiting[waiter.model]:
            del self._waiting[waiter.model]
        self._dispatch()

    def _may_start(self, model: str) -> bool:
        """A slot is free, and the model is loaded or can be loaded without pushing out one that is at work."""
        if self._busy >= self.slots:
            return False
        if model in self._loaded or len(self._loaded) < self.max_loaded:
            return True
        return any(not self._running.get(name) for name in self._loaded)

    def _start(self, model: str) -> str | None:
        """Take a slot; the model that had to make room, if one had to."""
        pushed_out: str | None = None
        self.counts.calls += 1
        self._busy += 1
        self._running[model] = self._running.get(model, 0) + 1
        if model not in self._loaded:
            self.counts.loads += 1
            if len(self._loaded) >= self.max_loaded:
                pushed_out = next(name for name in self._loaded if not self._running.get(name))
                del self._loaded[pushed_out]
                self.counts.swaps += 1
            self._loaded[model] = None
        self._loaded.move_to_end(model)
        return pushed_out

    def _finish(self, model: str) -> None:
        self._busy -= 1
        self._running[model] -= 1
        if not self._running[model]:
            del self._running[model]
        self._dispatch()

    def _dispatch(self) -> None:
        while self._waiting_count and self._busy < self.slots:
            waiter = self._next()
            if waiter is None:
                return
            self._waiting[waiter.model].popleft()
            self._waiting_count -= 1
            if not self._waiting[waiter.model]:
                del self._waiting[waiter.model]
            waiter.turn.set_result(self._start(waiter.model))

    def _next(self) -> _Waiter | None:
        """The waiter whose turn it is, or None while only models that cannot be loaded yet are asked for."""
        heads = [queue[0] for queue in self._waiting.values()]
        oldest = min(heads, key=lambda waiter: waiter.since)
        if self.clock() - oldest.since >= self.max_wait_seconds:
            # Nothing overtakes it: if its model cannot be loaded yet, the others wait until it can.
            return oldest if self._may_start(oldest.model) else None
        ready = [waiter for waiter in heads if self._may_start(waiter.model)]
        if not ready:
            return None
        best = max(ready, key=lambda w: (w.model in self._loaded, len(self._waiting[w.model]), -w.since))
        if best is not oldest and best.model in self._loaded and oldest.model not in self._loaded:
            self.counts.swaps_avoided += 1
        return best
