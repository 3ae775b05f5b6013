"""A user id that belongs to nobody, for untrusted code that root starts: limits on processes do not bind root."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_WHOLE_RANGE = (1 << 30, 1 << 20)
"""(first id, how many): far above what systems and containers give away."""
_NARROW_RANGE = (40_000, 20_000)
"""Where only 65,536 ids are mapped: above people's, below those that systemd gives to services (61,184)."""


def own_user() -> int | None:
    """An id of one's own to become; None where we are not root or no such id is mapped here."""
    if os.geteuid() != 0:
        return None
    for first, number in (_WHOLE_RANGE, _NARROW_RANGE):
        if _mapped(first, first + number):
            return first + secrets.randbelow(number)
    return None


def _mapped(first: int, last: int) -> bool:
    try:
        lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    ranges = [(int(inside), int(inside) + int(number)) for inside, _, number in map(str.split, lines)]
    return any(start <= first and last <= end for start, end in ranges)
