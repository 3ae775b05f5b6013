"""How many calls a server computes at once, seen from what it says of each: it does not tell OLLAMA_NUM_PARALLEL."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

WINDOW_CALLS = 24
_BUSY_SHARE = 0.8
"""The server has to have computed for this part of the window, or nothing can be said."""
_TRIM = 0.05
"""Of a call's computing time, left away at both ends: the clocks are not exact."""


@dataclass(frozen=True, slots=True)
class _Span:
    began_s: float
    ended_s: float


@dataclass(slots=True)
class Parallelism:
    """Takes calls as they end, and says how many were computed at the same time.

    A server computes a call at the end of its time: it waits for a slot, then reads the prompt, then writes.
    """

    _spans: deque[_Span] = field(default_factory=lambda: deque(maxlen=WINDOW_CALLS))

    def add(self, ended_s: float, computing_s: float) -> None:
        """A call that ended well, and how long the server says that it computed."""
        self._spans.append(_Span(ended_s - computing_s * (1 - _TRIM), ended_s - computing_s * _TRIM))

    def forget(self) -> None:
        """Begin anew: the number of calls that are sent at once was changed."""
        self._spans.clear()

    def better(self, slots: int) -> int:
        """A better number of slots than this one, or this one while nothing speaks against it.

        Fewer, where so many calls were never seen together; more, where the server did more work than they could have.
        """
        if len(self._spans) < WINDOW_CALLS:
            return slots
        began_s = min(span.began_s for span in self._spans)
        elapsed_s = max(span.ended_s for span in self._spans) - began_s
        usual = sum(span.ended_s - span.began_s for span in self._spans) / elapsed_s if elapsed_s > 0 else 0.0
        if usual < _BUSY_SHARE:
            return slots
        if self._most_together() < slots:
            return min(slots, math.ceil(usual))
        return max(slots, round(usual))

    def _most_together(self) -> int:
        changes = sorted([(span.began_s, 1) for span in self._spans] + [(span.ended_s, -1) for span in self._spans])
        together = most = 0
        for _, change in changes:
            together += change
            most = max(most, together)
        return most
