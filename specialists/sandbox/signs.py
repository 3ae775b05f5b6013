"""Which limits a program ran into, by the signal it died of and by what it printed about it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

_SIGNALS = {
    getattr(signal, name): limit for name, limit in (("SIGXCPU", "cpu"), ("SIGXFSZ", "file")) if hasattr(signal, name)
}
"""Windows has neither."""
_SHELL = 128
"""A shell ends with so much and the number of the signal that ended what it ran."""
_WORDS = {
    "memory": (
        "MemoryError",
        "Cannot allocate memory",
        "heap out of memory",
        "out of memory",
        "memory exhausted",
        "std::bad_alloc",
    ),
    "file": ("File too large", "file too large", "EFBIG"),
    "disk": ("No space left on device", "ENOSPC"),
    "processes": ("Resource temporarily unavailable", "can't start new thread", "EAGAIN"),
}
_LAST_LINES = 20


def limits_told(exit_status: int, stderr: str) -> Iterator[str]:
    """Names of limits. A program that failed for them says so in its last lines."""
    ended_by = -exit_status if exit_status < 0 else exit_status - _SHELL
    if ended_by in _SIGNALS:
        yield _SIGNALS[ended_by]
    if exit_status:
        end = "\n".join(stderr.splitlines()[-_LAST_LINES:])
        yield from (limit for limit, signs in _WORDS.items() if any(sign in end for sign in signs))
