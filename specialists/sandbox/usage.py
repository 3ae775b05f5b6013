"""What a process and all that came of it use together, read from outside, where it cannot interfere.

Sources: proc_pid_stat(5), proc_pid_statm(5), proc_tid_children(5).
"""

from __future__ import annotations

import os
from pathlib import Path

from nonet.specialists.sandbox.inside_held import SOCKET_BYTES
from nonet.specialists.sandbox.protocol import Limits

_INSIDE = 4
"""At most so many processes are our own: bubblewrap twice, or the one that waits, and process 1."""
_CONFINED_DEPTH = 2
_FREE_SOCKETS = 64
"""So many stay uncounted, because most hold next to nothing."""


def over_limit(root: int, limits: Limits, cpu_seconds: float, *, own_network: bool) -> tuple[str, str]:
    """Which limit the descendants of `root` are over, and in words; two empty texts if none.

    `own_network`: those from the second generation on have a network namespace of their own, with none but theirs in.
    """
    resident = ticks = threads = processes = sockets = 0
    waiting = [(root, 0)]
    while waiting and threads <= limits.processes + _INSIDE:
        pid, depth = waiting.pop()
        try:
            # After the name, which may hold blanks and brackets.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            waiting += [(child, depth + 1) for child in _children(pid)]
            if own_network and depth == _CONFINED_DEPTH:
                sockets = _sockets(pid)
        except OSError:
            continue  # it has just ended
        processes += 1
        ticks += sum(int(fields[index]) for index in (11, 12, 13, 14))
        threads += int(fields[17])
        resident += int(fields[21])
    if threads > limits.processes + _INSIDE:
        return "processes", f"ended: it has more than {limits.processes} processes and threads"
    # What waits in sockets belongs to no process.
    taken = resident * os.sysconf("SC_PAGE_SIZE") + max(0, sockets - _FREE_SOCKETS) * SOCKET_BYTES
    if taken > limits.memory_bytes + processes * _shared_bytes():
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


def _sockets(pid: int) -> int:
    """How many there are in its network namespace: "sockets: used 12"."""
    first = Path(f"/proc/{pid}/net/sockstat").read_text(encoding="ascii").partition("\n")[0]
    return int(first.split()[-1])
