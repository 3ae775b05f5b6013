"""Sessions for those who have none: a LangGraph node, a langchain Runnable. One a process's event loop and settings.

A session is kept open for as long as its event loop runs, because opening one may mean loading models; a task of the
loop closes it when the loop ends. Callers that are not async share one loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from nonet.settings import load

if TYPE_CHECKING:
    from nonet.graphs.session import Session
    from nonet.specialists import Specialist

T = TypeVar("T")


@dataclass(slots=True)
class _Kept:
    """A session of one event loop, opened by a task that closes it, too."""

    opened: asyncio.Future[Session]
    keeper: asyncio.Task[None] = field(repr=False)


_KEPT: dict[tuple[int, str], _Kept] = {}
"""By event loop and settings."""


async def shared(settings: Mapping[str, Any], own: Sequence[Specialist] = ()) -> Session:
    """The session of this event loop and these settings; opened at first use. Raises as Session.open."""
    loop = asyncio.get_running_loop()
    key = (id(loop), repr((sorted(settings.items(), key=lambda each: each[0]), [id(each) for each in own])))
    if key not in _KEPT:
        opened: asyncio.Future[Session] = loop.create_future()
        keeper = loop.create_task(_keep(key, opened, settings, own), name="nonet-session")
        _KEPT[key] = _Kept(opened, keeper)
    return await asyncio.shield(_KEPT[key].opened)


async def _keep(
    key: tuple[int, str], opened: asyncio.Future[Session], settings: Mapping[str, Any], own: Sequence[Specialist]
) -> None:
    from nonet.graphs.session import Session  # noqa: PLC0415

    try:
        session = await Session.open(load(settings).settings, own=own)
        opened.set_result(session)
        try:
            await asyncio.Event().wait()  # until the event loop ends and cancels what still runs
        finally:
            await _close(session)
    except Exception as error:
        if opened.done():
            raise
        opened.set_exception(error)  # told to who waits for it; the next one tries again
    finally:
        _KEPT.pop(key, None)


async def _close(session: Session) -> None:
    try:
        await session.aclose()
    except RuntimeError:  # the interpreter is ending, and starts no threads any more
        session.store.close()


@dataclass(slots=True)
class _Background:
    """An event loop in a thread, for those who are not async."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    thread: threading.Thread | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name="nonet-loop", daemon=True)
        self.thread.start()
        atexit.register(self.stop)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._stopped())

    async def _stopped(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        """End the loop, and with it the sessions that were opened in it."""
        if self.thread is not None and self.thread.is_alive():
            self.loop.call_soon_threadsafe(self._stopping.set)
            self.thread.join(timeout=10)


_BACKGROUND: list[_Background] = []
_LOCK = threading.Lock()


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """Wait for the work, which is done in the shared event loop of this process."""
    with _LOCK:
        if not _BACKGROUND:
            _BACKGROUND.append(_Background())
            _BACKGROUND[0].start()
    return asyncio.run_coroutine_threadsafe(work, _BACKGROUND[0].loop).result()
