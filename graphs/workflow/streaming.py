"""The events of a run as they come, for a `for` loop, with or without an event loop around it."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from nonet.graphs.events import Event, OnEvent

if TYPE_CHECKING:
    from nonet.graphs.workflow.result import WorkflowResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The last event of a stream."""

    result: WorkflowResult[T]


StreamEvent = Event | Done[T]
Work = Callable[[OnEvent], Awaitable["WorkflowResult[T]"]]
"""The run, given whom to tell its events."""


async def astream(work: Work[T]) -> AsyncIterator[StreamEvent[T]]:
    """Start the run and give its events; when nobody takes them any more, it is stopped, and kept."""
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    running = asyncio.ensure_future(work(events.put_nowait))
    running.add_done_callback(lambda _task: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        yield Done(await running)
    finally:
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def stream(work: Work[T]) -> Iterator[StreamEvent[T]]:
    """As `astream`, with an event loop in a thread of its own."""
    events: queue.SimpleQueue[StreamEvent[T] | BaseException | None] = queue.SimpleQueue()
    stopping: list[Callable[[], object]] = []

    async def tell() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # a coroutine that runs has one
        stopping.append(lambda: loop.call_soon_threadsafe(task.cancel))
        events.put(Done(await work(events.put)))

    def run() -> None:
        try:
            asyncio.run(tell())
        except BaseException as error:  # noqa: BLE001  raised again where the events are taken
            events.put(error)
        finally:
            events.put(None)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name="nonet-stream", daemon=True)
    thread.start()
    try:
        while (event := events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        if thread.is_alive():
            for stop in stopping:
                stop()
            thread.join()
