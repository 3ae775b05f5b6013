"""Filling a queue: a stream of jobs, some thousands in a transaction, two of them at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from nonet.store import Added, NewJob, Store

_JOBS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 8_000_000
_IN_HAND = 2
"""Transactions that are being made while the next rows are read."""

OnAdded = Callable[[Added], None]
"""Called with all that was added so far."""


def add_jobs(
    store: Store,
    queue: str,
    jobs: Iterable[NewJob],
    *,
    work: str,
    priority: int = 0,
    delay_s: float = 0.0,
    again: bool = False,
    on_added: OnAdded | None = None,
) -> Added:
    """Put the jobs into the queue as they come; on disk on return.

    Memory does not grow with their number. If an error or an interrupt ends it, what was reported is kept, and adding
    all once more adds the rest.
    """
    total = Added()
    in_hand: deque[Future[Added]] = deque()

    def settle() -> None:
        nonlocal total
        total += in_hand.popleft().result()
        if on_added is not None:
            on_added(total)

    try:
        for part in _parts(jobs):
            in_hand.append(store.queues.add(queue, part, work=work, priority=priority, delay_s=delay_s, again=again))
            if len(in_hand) > _IN_HAND:
                settle()
    finally:
        while in_hand:
            settle()
    return total


def _parts(jobs: Iterable[NewJob]) -> Iterator[list[NewJob]]:
    part: list[NewJob] = []
    size = 0
    for job in jobs:
        part.append(job)
        size += len(job.text or "")
        if len(part) >= _JOBS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part
