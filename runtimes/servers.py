"""The servers behind the scheduler: one runtime each, whether it is up, and what is in its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from nonet.errors import (
    CallError,
    CallTimeoutError,
    NonetError,
    ResourceError,
    RuntimeBusyError,
    RuntimeUnavailableError,
    ServerLostError,
)
from nonet.runtimes.hosts import Host
from nonet.runtimes.parallel import Parallelism
from nonet.runtimes.protocol import Runtime
from nonet.runtimes.types import Usage

SERVER_FAULTS = (RuntimeUnavailableError, ServerLostError, CallTimeoutError, RuntimeBusyError)
"""Errors that are the server's, not the call's: the same call may do well elsewhere."""
MOST_PROBE_PAUSE_SECONDS = 5.0
"""Between two looks at a server that is down."""
_FIRST_PROBE_PAUSE_SECONDS = 0.1
KEEP_NEEDED_SECONDS = 1800.0
"""How long a model stays in a server's memory that open plans will call again."""
_RELEASE_SECONDS = 5.0
"""A server answers within 20 ms; one that hangs must not hold up the end of a session."""
MOST_SLOTS = 16
_CALLS_A_CALL_AHEAD = 4
_RECENTLY_SECONDS = 60.0
"""A model that was used since then and is gone was pushed out; it did not expire (Ollama keeps models 5 minutes)."""
_REFRESH_SECONDS = 15.0
"""What is in a server's memory is asked again after so long."""


@runtime_checkable
class ManagedRuntime(Protocol):
    """A runtime whose server can be asked how it is, and told what to keep in memory."""

    async def probe(self) -> str | None:
        """Its version; None where it does not answer."""
        ...

    async def loaded(self) -> tuple[str, ...]:
        """The models in its memory."""
        ...

    async def release(self, model: str) -> None:
        """Take a model out of its memory."""
        ...

    def keep(self, model: str, seconds: float | None) -> None:
        """Let the model stay in memory so long after each call from now on; None: as long as the server wants."""


@dataclass(slots=True, eq=False)
class Server:
    """One host, its runtime, and its breaker.

    The breaker opens with the first fault of the server and lets nothing through until the server answers a probe.
    """

    host: Host
    runtime: Runtime
    on_change: Callable[[], None]
    """Called when calls may start that could not before."""
    clock: Callable[[], float]
    fault: str = ""
    """Why it is down, in words."""
    faults: int = 0
    calls: int = 0
    of_batches: set[str] = field(default_factory=set)
    """Models that were loaded for batches, and that nobody who waits has called since."""
    parallel: Parallelism | None = None
    """Finds out how many calls the server computes at once; None where that is known."""
    managed: ManagedRuntime | None = field(init=False, default=None)
    """The runtime, where its server can be asked; looked at once, because such a look takes 20 microseconds."""
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _probing: asyncio.Task[None] | None = None
    _looking: asyncio.Task[None] | None = None
    _looked_s: float = 0.0

    def __post_init__(self) -> None:
        self.managed = self.runtime if isinstance(self.runtime, ManagedRuntime) else None

    def open_breaker(self, error: NonetError) -> None:
        """Send nothing more until it answers again. Does nothing for a runtime that cannot be probed."""
        self.faults += 1
        if self.managed is None or self._probing is not None:
            return
        self.host.up = False
        self.host.drain = None
        self.fault = error.message
        self._probing = asyncio.create_task(self._probe_until_up())

    async def probe(self) -> bool:
        """Whether it is up, asked now where it was not."""
        managed = self.managed
        if managed is not None and not self.host.up and await managed.probe() is not None:
            await self._close_breaker()
        return self.host.up

    async def release(self, model: str) -> None:
        """Take a model out of the server's memory, so that what is pushed out is what was chosen."""
        managed = self.managed
        if managed is not None:
            with suppress(CallError, RuntimeUnavailableError, TimeoutError):  # the server chooses; the next look tells
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await managed.release(model)

    def keep(self, model: str, *, needed: bool) -> None:
        """Tell the server with the next call of the model whether more of them will come."""
        managed = self.managed
        if managed is not None:
            managed.keep(model, KEEP_NEEDED_SECONDS if needed else None)

    async def release_done(self) -> None:
        """Take out what was loaded for batches, unless another process uses it: nobody is likely to call it soon."""
        done = self.of_batches & (self.host.loaded.keys() - self.host.others_use)
        await asyncio.gather(*(self.release(model) for model in done))

    def served(self, usage: Usage, *, surprised: bool) -> None:
        """A call ended well. `surprised`: its model had to be loaded, and nobody knew."""
        self.calls += 1
        if self.parallel is not None:
            self._find_slots(self.parallel, usage)
        self.look(now=surprised)

    def _find_slots(self, parallel: Parallelism, usage: Usage) -> None:
        """Send as many calls at once as the server was seen to compute, while it had as many as it could want."""
        host = self.host
        if host.running < host.slots:
            parallel.forget()
            return
        parallel.add(self.clock(), usage.prompt_seconds + usage.generation_seconds)
        slots = min(parallel.better(host.slots), MOST_SLOTS)
        if slots != host.slots:
            host.slots = slots
            host.ahead = ahead_of(host.slots)
            parallel.forget()

    def ended(self) -> None:
        """A call ended, well or not."""
        if not self.host.running:
            self._idle.set()

    async def settled(self) -> None:
        """Wait until no call of ours is at work there."""
        while self.host.running:
            self._idle.clear()
            await self._idle.wait()

    def look(self, *, now: bool = False) -> None:
        """Ask what is in its memory, in the background, if that was not done lately."""
        if self.managed is None or self._looking is not None:
            return
        if now or self.clock() - self._looked_s >= _REFRESH_SECONDS:
            self._looked_s = self.clock()
            self._looking = asyncio.create_task(self._look())

    async def aclose(self) -> None:
        """End what goes on in the background."""
        tasks = [task for task in (self._probing, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe_until_up(self) -> None:
        pause_s = _FIRST_PROBE_PAUSE_SECONDS
        try:
            while not await self.probe():
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MOST_PROBE_PAUSE_SECONDS)
        finally:
            self._probing = None

    async def _close_breaker(self) -> None:
        if self.host.present is not None:  # it may have been down from the start, or have got others meanwhile
            with suppress(CallError, ResourceError):
                self.host.present = frozenset(model.name for model in await self.runtime.models())
        self.host.up = True
        self.fault = ""
        await self._see()
        self.on_change()

    async def _look(self) -> None:
        try:
            await self._see()
        finally:
            self._looking = None
        self.on_change()

    async def _see(self) -> None:
        managed = self.managed
        if managed is not None:
            with suppress(CallError, RuntimeUnavailableError):
                self._learn_room(set(await managed.loaded()))

    def _learn_room(self, seen: set[str]) -> None:
        """Believe what the server says; where it holds fewer models than it was thought to, that is its room."""
        host = self.host
        recent_s = self.clock() - _RECENTLY_SECONDS
        lost = [
            name for name, model in host.loaded.items() if name not in seen and model.ready and model.used_s > recent_s
        ]
        if lost and 0 < len(seen) < host.room:
            host.room = len(seen)
        host.see_loaded(seen | host.others_use, self.clock())  # theirs may be on its way into the memory


def ahead_of(slots: int) -> int:
    """Calls that wait at a server beside those in its slots: few, so that one in a hurry soon has its turn."""
    return slots // _CALLS_A_CALL_AHEAD


def that_have(servers: Sequence[Server], model: str) -> list[Server]:
    """Those that could serve the model if they were up."""
    return [server for server in servers if server.host.has(model) and not server.host.leaving]
