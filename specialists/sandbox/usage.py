"""What a process and all that came of it use together, read from outside, where it cannot interfere.

Sources: proc_pid_stat(5), proc_pid_statm(5), proc_tid_children(5).
"""

from __future__ import annotations

import os
from pathlib import Path

from nonet.specialists.sandbox.protocol import Limits

_INSIDE = 4
"""At most so many processes are our own: bubblewrap twice, or the one that waits, and process 1."""


def over_limit(root: int, limits: Limits, cpu_seconds: float) -> tuple[str, str]:
    """Which limit the descendants of `root` are over, and in words; two empty texts if none."""
    resident = ticks = threads = processes = 0
    waiting = [root]
    while waiting and threads <= limits.processes + _INSIDE:
        pid = waiting.pop()
        try:
            # After the name, which may hold blanks and brackets.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            waiting += _children(pid)
        except OSError:
            continue  # it has just ended
        processes += 1
        ticks += sum(int(fields[index]) for index in (11, 12, 13, 14))
        threads += int(fields[17])
        resident += int(fields[21])
    if threads > limits.processes + _INSIDE:
        return "processes", f"ended: it has more than {limits.processes} processes and threads"
    if resident * os.sysconf("SC_PAGE_SIZE") > limits.memory_bytes + processes * _shared_bytes():
        return "memory", f"ended: it takes more than {limits.memory_bytes >> 20} MiB of memory"
    if ticks / os.sysconf("SC_CLK_TCK") > cpu_seconds:
        return "cpu", f"ended: it took more than {cpu_seconds:g} s of CPU time"
    return "", ""


def _children(pid: int) -> list[int]:
    # Any thread may have started one.
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def _shared_bytes() -> int:
    """A process's code and libraries are counted in each that maps them."""
    return 8 << 20
