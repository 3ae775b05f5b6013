"""A clock that all processes of one machine share and that no change of the wall clock moves.

Delays and back-offs must not stand still for an hour because the wall clock went back one, and every process must
mean the same moment by the same number. So the file keeps what to add to the seconds since boot, which only run
forward; after a reboot the wall clock is asked once more, and never believed to be before what was seen.
"""

from __future__ import annotations

import functools
import sqlite3
import time
import uuid
from pathlib import Path


def now_s(connection: sqlite3.Connection) -> float:
    """Seconds since the epoch, about; for writes, in their transaction."""
    row = _row(connection)
    if row is not None and row[0] == _boot():
        return _ticks_s() + row[1]
    now = _by_the_wall(row)
    connection.execute(
        "INSERT OR REPLACE INTO clock (id, boot, offset_s, seen_s) VALUES (1, ?, ?, ?)",
        (_boot(), now - _ticks_s(), now),
    )
    return now


def look(connection: sqlite3.Connection) -> float:
    """As `now_s`, for reads."""
    row = _row(connection)
    return _ticks_s() + row[1] if row is not None and row[0] == _boot() else _by_the_wall(row)


def see(connection: sqlite3.Connection) -> None:
    """Remember that it is as late as this."""
    connection.execute("UPDATE clock SET seen_s = max(seen_s, ?)", (now_s(connection),))


def _row(connection: sqlite3.Connection) -> tuple[str, float, float] | None:
    row: tuple[str, float, float] | None = connection.execute("SELECT boot, offset_s, seen_s FROM clock").fetchone()
    return row


def _by_the_wall(row: tuple[str, float, float] | None) -> float:
    return max(time.time(), row[2] if row is not None else 0.0)


def _ticks_s() -> float:
    """Seconds since boot; on Linux those of sleep included."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


@functools.cache
def _boot() -> str:
    """Which boot it is, and whose view of its time; where the system does not tell, a name of this process's own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid4())
    try:
        return f"{boot}/{Path('/proc/self/ns/time').readlink()}"  # containers may have clocks of their own
    except OSError:
        return boot
