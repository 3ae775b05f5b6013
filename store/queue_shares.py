"""Who gets the free places: queues in turn, never one that has as many jobs at work as it may."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claimant:
    """A queue that has jobs ready."""

    seq: int
    ready: int
    leased: int
    concurrency: int | None
    turn: int
    """When it was served last."""


def shares(places: int, claimants: Iterable[Claimant]) -> dict[int, int]:
    """How many places each queue gets, by its `seq`, in the order in which they got the first.

    One place at a time goes to the queue with the fewest jobs at work, of equals to the one that waited longest: so a
    queue of a million documents does not hold up one of ten.
    """
    heap = [(each.leased, each.turn, each.seq, _room(each)) for each in claimants]
    heap = [entry for entry in heap if entry[3] > 0]
    if places and len(heap) == 1:
        return {heap[0][2]: min(places, heap[0][3])}
    heapq.heapify(heap)
    got: dict[int, int] = {}
    for turn in range(places):
        if not heap:
            break
        leased, _, seq, room = heapq.heappop(heap)
        got[seq] = got.get(seq, 0) + 1
        if room > 1:
            heapq.heappush(heap, (leased + 1, _LATER + turn, seq, room - 1))
    return got


_LATER = 1 << 60
"""After every turn that was ever counted."""


def _room(claimant: Claimant) -> int:
    if claimant.concurrency is None:
        return claimant.ready
    return min(claimant.ready, claimant.concurrency - claimant.leased)
