"""Blocking work in threads that a cancelled task does not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from threading import Event
from typing import TypeVar

T = TypeVar("T")

Emit = Callable[[T], bool]
"""Hands on one piece of work; True: nobody wants more, so stop."""


async def stream(
    executor: ThreadPoolExecutor,
    work: Callable[[Emit[T]], None],
    *,
    stop: Event,
    on_done: Callable[[], None],
) -> AsyncGenerator[T, None]:
    """What `work` emits, as it comes, on the event loop's thread. Ends when the work ends, and raises what it raised.

    Closing the iterator (cancelling its task does) returns at once: the work sees it at its next `emit`.

    Args:
        executor: where the work runs.
        work: the blocking call; it ends soon after `emit` returns True.
        stop: set when nobody wants more; may be set from elsewhere.
        on_done: called on the event loop when the work has really ended, unless the loop has ended before.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | None] = asyncio.Queue()

    def post(callback: Callable[..., None], *arguments: object) -> bool:
        try:
            loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop was closed before the work was done
            return False
        return True

    def emit(item: T) -> bool:
        return stop.is_set() or not post(queue.put_nowait, item) or stop.is_set()

    def finish(_future: Future[None]) -> None:
        post(on_done)
        post(queue.put_nowait, None)

    future = executor.submit(work, emit)
    future.add_done_callback(finish)
    try:
        while (item := await queue.get()) is not None:
            yield item
        future.result()
    finally:
        stop.set()


async def call(
    executor: ThreadPoolExecutor, work: Callable[[], T], *, stop: Event, on_done: Callable[[], None]
) -> T | None:
    """What `work` returns, or None where `stop` was set before it did. Cancelled and ended as `stream` is."""

    def once(emit: Emit[T]) -> None:
        emit(work())

    result: T | None = None
    async with aclosing(stream(executor, once, stop=stop, on_done=on_done)) as results:
        async for item in results:
            result = item
    return result
