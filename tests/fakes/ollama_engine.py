"""The part of the fake Ollama server that would hold the models: loading, slots, the queue and keep_alive."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fakes.ollama_chat import refused_as
from fakes.ollama_parts import Counts, FakeModel

DEFAULT_KEEP_SECONDS = 300.0
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def keep_seconds(keep_alive: object) -> float:
    """A keep_alive as the wire has it: a duration, seconds, below zero for ever; None: the default."""
    if keep_alive is None:
        return DEFAULT_KEEP_SECONDS
    if isinstance(keep_alive, str):
        parts = re.findall(r"([\d.]+)(ms|s|m|h)", keep_alive)
        return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else float(keep_alive)
    assert isinstance(keep_alive, (int, float))
    return float("inf") if keep_alive < 0 else float(keep_alive)


@dataclass
class Runner:
    """A model in memory."""

    model: FakeModel
    options: tuple[Any, ...]
    users: int = 0
    expires_s: float = float("inf")
    slots: asyncio.Semaphore = field(default_factory=asyncio.Semaphore)


class Engine:
    """Loads models one at a time, runs `parallel` calls of each at once, and refuses when too many wait for a load.

    A model at work is not pushed out: who needs its room waits.
    """

    def __init__(self, counts: Counts, *, load_ms: float, parallel: int, max_queue: int, max_loaded: int) -> None:
        self._runners: OrderedDict[str, Runner] = OrderedDict()
        self._counts = counts
        self._load_seconds = load_ms / 1e3
        self._parallel = parallel
        self._max_queue = max_queue
        self._max_loaded = max_loaded
        self._loading = asyncio.Lock()
        self._ended = asyncio.Event()
        self._waiting = 0

    @property
    def loaded(self) -> dict[str, Runner]:
        """What is in memory, least recently used first."""
        now_s = time.time()
        for name in [name for name, each in self._runners.items() if not each.users and each.expires_s <= now_s]:
            del self._runners[name]
        return self._runners

    def unload(self, name: str) -> None:
        """Take a model out of memory, or let it go when its calls have ended."""
        runner = self._runners.get(name)
        if runner is not None:
            runner.expires_s = 0.0

    @asynccontextmanager
    async def slot(self, model: FakeModel, options: tuple[Any, ...], keep_alive: object = None) -> AsyncIterator[int]:
        """A place to run, the model loaded; gives the nanoseconds that loading took."""
        if self._loading.locked() and self._waiting >= self._max_queue:
            raise refused_as("73")
        self._waiting += 1
        try:
            runner, load_ns = await self._held(model, options)
        finally:
            self._waiting -= 1
        try:
            async with runner.slots:
                self._counts.concurrent += 1
                self._counts.most_concurrent = max(self._counts.most_concurrent, self._counts.concurrent)
                try:
                    yield load_ns
                finally:
                    self._counts.concurrent -= 1
        finally:
            runner.users -= 1
            runner.expires_s = time.time() + keep_seconds(keep_alive)
            self._ended.set()

    async def _held(self, model: FakeModel, options: tuple[Any, ...]) -> tuple[Runner, int]:
        runner = self._found(model, options)
        if runner is not None:
            return runner, 0
        async with self._loading:
            runner = self._found(model, options)
            if runner is not None:
                return runner, 0
            await self._make_room(model)
            await asyncio.sleep(self._load_seconds)
            runner = Runner(model, options, users=1, slots=asyncio.Semaphore(self._parallel))
            self._runners[model.name] = runner
            self._counts.loads += 1
        return runner, int(self._load_seconds * 1e9)

    async def _make_room(self, model: FakeModel) -> None:
        """The model's own runner with other options goes, and else the least recently used that is idle."""
        while model.name in self.loaded or len(self.loaded) >= self._max_loaded:
            idle = [name for name, runner in self.loaded.items() if not runner.users]
            wanted = [model.name] if model.name in self.loaded else idle[:1]
            if wanted and wanted[0] in idle:
                del self._runners[wanted[0]]
                self._counts.pushed_out.append(wanted[0])
            else:
                self._ended.clear()
                await self._ended.wait()

    def _found(self, model: FakeModel, options: tuple[Any, ...]) -> Runner | None:
        runner = self.loaded.get(model.name)
        if runner is None or runner.options != options:
            return None
        self._runners.move_to_end(model.name)
        runner.users += 1
        return runner
