"""System calls that Python's standard library does not have, for the processes inside."""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
SIGKILL = 9
_PR_SET_PDEATHSIG = 1


def check(result: int, what: str) -> int:
    """The result. Raises OSError with `what` and the reason where it is below zero."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def syscall(what: str, number: int, *arguments: int | bytes | None) -> int:
    """A call by its number. Raises OSError."""
    # Whole registers: ctypes would pass a bare int as 32 bits and leave the upper half undefined.
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in arguments]
    return check(LIBC.syscall(ctypes.c_long(number), *words), what)


def prctl(what: str, option: int, value: int | bytes, *more: int) -> None:
    """The call of that name. Raises OSError."""
    argument = ctypes.c_ulong(value) if isinstance(value, int) else ctypes.c_char_p(value)
    rest = [ctypes.c_ulong(word) for word in (*more, 0, 0, 0)[:3]]
    check(LIBC.prctl(option, argument, *rest), what)


def die_with_parent(parent: int | None) -> None:
    """Be killed when the parent dies; at once if it has already. None: the parent lives in another pid namespace."""
    prctl("parent death signal", _PR_SET_PDEATHSIG, SIGKILL)
    if parent is not None and os.getppid() != parent:
        raise OSError("the parent has gone")
