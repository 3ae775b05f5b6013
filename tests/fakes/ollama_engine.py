"""The part of the fake Ollama server that would hold the models: loading, slots and the queue."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fakes.ollama_chat import refused_as
from fakes.ollama_parts import Counts, FakeModel


class Engine:
    """Loads models one at a time, runs `parallel` calls of each at once, and refuses when too many wait for a load."""

    def __init__(self, counts: Counts, *, load_ms: float, parallel: int, max_queue: int, max_loaded: int) -> None:
        self.loaded: OrderedDict[str, tuple[FakeModel, tuple[Any, ...]]] = OrderedDict()
        self._counts = counts
        self._load_seconds = load_ms / 1e3
        self._parallel = parallel
        self._max_queue = max_queue
        self._max_loaded = max_loaded
        self._loading = asyncio.Lock()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._waiting = 0

    def unload(self, name: str) -> None:
        """Take a model out of memory."""
        self.loaded.pop(name, None)

    @asynccontextmanager
    async def slot(self, model: FakeModel, runner: tuple[Any, ...]) -> AsyncIterator[int]:
        """A place to run, the model loaded; gives the nanoseconds that loading took."""
        if self._loading.locked() and self._waiting >= self._max_queue:
            raise refused_as("73")
        self._waiting += 1
        try:
            load_ns = await self._load(model, runner)
            slot = self._slots.setdefault(model.name, asyncio.Semaphore(self._parallel))
            await slot.acquire()
        finally:
            self._waiting -= 1
        self._counts.concurrent += 1
        self._counts.most_concurrent = max(self._counts.most_concurrent, self._counts.concurrent)
        try:
            yield load_ns
        finally:
            self._counts.concurrent -= 1
            slot.release()

    async def _load(self, model: FakeModel, runner: tuple[Any, ...]) -> int:
        if self._is_loaded(model, runner):
            return 0
        async with self._loading:
            if self._is_loaded(model, runner):
                return 0
            self.unload(model.name)
            await asyncio.sleep(self._load_seconds)
            while len(self.loaded) >= self._max_loaded:
                self.loaded.popitem(last=False)
            self.loaded[model.name] = (model, runner)
            self._counts.loads += 1
        return int(self._load_seconds * 1e9)

    def _is_loaded(self, model: FakeModel, runner: tuple[Any, ...]) -> bool:
        held = self.loaded.get(model.name)
        if held is None or held[1] != runner:
            return False
        self.loaded.move_to_end(model.name)
        return True
