"""Follows `nonet hosts add`, `drain` and `remove` while a session is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nonet.errors import CallError, ResourceError, StoreError
from nonet.graphs.choice import ollama_host
from nonet.graphs.scheduling import take_in

if TYPE_CHECKING:
    from nonet.runtimes.ollama import OllamaRuntime
    from nonet.runtimes.scheduler import Scheduler
    from nonet.settings import Settings
    from nonet.store import HostRecord, Store

LOOK_SECONDS = 2.0


@dataclass(slots=True)
class HostWatch:
    """Looks into the store every two seconds.

    Args:
        settings: for the hosts that come.
        store: where the commands write.
        scheduler: which follows.
        windows: by model, as the other hosts serve them.
    """

    settings: Settings
    store: Store
    scheduler: Scheduler
    windows: Mapping[str, int] = field(default_factory=dict)
    _ours: dict[str, OllamaRuntime] = field(default_factory=dict)
    """Hosts that were added here."""
    _watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow what was said before, then what will be."""
        await self.follow(self.store.hosts.known())
        self._watching = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Stop, and close the connections to the hosts that were added."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for runtime in self._ours.values():
            await runtime.aclose()

    async def follow(self, records: list[HostRecord]) -> None:
        """Make the scheduler's hosts those of the settings and of these records."""
        told = {record.address: record for record in records}
        for name, record in told.items():
            if name not in self.scheduler.servers and not record.draining:
                await self._add(name)
        for name, server in list(self.scheduler.servers.items()):
            if name in self._ours and name not in told:
                await self.scheduler.remove_host(name)
                await self._ours.pop(name).aclose()
            else:
                leaving = name in told and told[name].draining
                if server.host.leaving != leaving:
                    server.host.leaving = leaving
                    self.scheduler.dispatch()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(StoreError):  # who writes to the store tells of its faults
                await self.follow(self.store.hosts.known())

    async def _add(self, name: str) -> None:
        """A host that does not answer yet is asked again at the next look."""
        host, runtime = ollama_host(self.settings, name)
        runtime.set_windows(self.windows)
        try:
            models = await runtime.models()
        except (CallError, ResourceError):
            await runtime.aclose()
            return
        self._ours[name] = runtime
        take_in(self.scheduler, host, models, knows_models=True)
