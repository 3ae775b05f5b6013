"""Whether it is the server that fails, or the document.

A document whose calls failed is judged only after some small calls: if those go well, it was the document; if one
fails, it was the server, and nothing is begun until it is well again. So no document dies of a server's fault, and
none that breaks its calls goes on for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nonet.errors import CallError, NonetError, ResourceError

Probe = Callable[[], Awaitable[None]]
"""A small call; raises what the server does wrong."""
OnChange = Callable[[str, float], None]
"""Called when the breaker opens, with what the server did, and when it closes, with "" and the seconds it was open."""

PROBES_TO_CONVICT = 3
"""Calls that must go well before a document is to blame."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 4.0
"""Between probes: the work goes on this soon after the server is well."""
_MOST_PROBES = 4
"""At once, where the server does not answer at all: an old one may wait for ever for an answer that was lost."""


@dataclass(slots=True)
class Breaker:
    """Open while the server is at fault. One event loop."""

    probe: Probe
    on_change: OnChange = lambda _reason, _seconds: None
    first_pause_s: float = FIRST_PAUSE_SECONDS
    _closed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _judging: asyncio.Task[bool] | None = field(default=None, init=False)
    _mending: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._closed.set()

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()

    async def until_closed(self) -> None:
        """Wait until the server is well."""
        await self._closed.wait()

    def trip(self, reason: str) -> None:
        """The server is at fault, beyond doubt."""
        if not self.is_open:
            self._closed.clear()
            self.on_change(reason, 0.0)
            self._mending = asyncio.create_task(self._mend())

    async def blames_server(self) -> bool:
        """After calls failed: whether the server is at fault. Opens the breaker if so."""
        if self.is_open:
            return True
        if self._judging is None or self._judging.done():
            self._judging = asyncio.create_task(self._judge())
        return await asyncio.shield(self._judging)

    async def _judge(self) -> bool:
        for _ in range(PROBES_TO_CONVICT):
            try:
                await self.probe()
            except (CallError, ResourceError) as error:
                self.trip(error.message)
                return True
        return self.is_open

    async def _mend(self) -> None:
        """Probe until one call goes well. A probe that hangs does not hold up the next."""
        started, pause_s = time.monotonic(), self.first_pause_s
        waiting: list[asyncio.Task[bool]] = []
        try:
            while True:
                waiting.append(asyncio.create_task(self._is_well()))
                deadline = time.monotonic() + pause_s
                while waiting and (left := deadline - time.monotonic()) > 0:
                    done, _ = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                    if any(task.result() for task in done):
                        self._closed.set()
                        self.on_change("", time.monotonic() - started)
                        return
                    waiting = [task for task in waiting if task not in done]
                await asyncio.sleep(max(deadline - time.monotonic(), 0))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_SECONDS)
                if len(waiting) >= _MOST_PROBES:
                    waiting.pop(0).cancel()
        finally:
            for task in waiting:
                task.cancel()

    async def _is_well(self) -> bool:
        try:
            await self.probe()
        except NonetError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop probing."""
        for task in (self._judging, self._mending):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
