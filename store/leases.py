"""Who may write a run: a claim with an expiry and a fencing token, so that a run has one author at a time.

A lease is live until it expires, unless the process that holds it is known to be dead: after a kill, the run can be
resumed at once. The token rises with each lease and stands in every write's WHERE, so a process that was thought
dead and wakes up again writes nothing (Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import functools
import os
import platform
import sqlite3
import time
from pathlib import Path

from nonet.errors import RunLeasedError, RunNotFoundError
from nonet.store.records import Lease

LEASE_SECONDS = 30.0
"""How long a lease is good without a renewal; renewed at a third of it."""


def process_name() -> str:
    """This process, told apart from a later one with the same number: machine, namespace, pid and start time."""
    return _process_name(os.getpid())


@functools.lru_cache(maxsize=4)  # by pid, so that a fork gets its own
def _process_name(pid: int) -> str:
    return f"{_machine()} {pid} {_started(pid)}"


@functools.cache
def _machine() -> str:
    """What tells whether a pid means anything to us: the boot and the pid namespace, or else the host's name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node().replace(" ", "-")


def _started(pid: int) -> str:
    """The process's start in ticks since boot (field 22 of /proc/PID/stat, proc(5)); "-" where that is unknown."""
    return (_stat(pid) or ["-"])[-1]


def _stat(pid: int) -> list[str]:
    """Fields 3 (state) to 22 (start) of /proc/PID/stat; empty where there is none. The name before may hold spaces."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()[:20]


def is_dead(process: str) -> bool:
    """True only where that process is known to have ended; False where it lives or cannot be known."""
    front, _, started = process.rpartition(" ")
    machine, _, number = front.rpartition(" ")
    if machine != _machine() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    stat = _stat(int(number))
    return bool(stat) and (stat[0] in "ZX" or (started != "-" and stat[-1] != started))


def is_live(expires_s: float, process: str, now: float) -> bool:
    """True while whoever holds the lease may still write."""
    return expires_s > now and not is_dead(process)


def fence(connection: sqlite3.Connection, lease: Lease) -> int:
    """The run's row number, if the lease still holds.

    Raises:
        RunLeasedError: another lease was given meanwhile.
        RunNotFoundError: the run is gone.
    """
    row = connection.execute("SELECT seq, lease_token, lease_owner FROM runs WHERE id = ?", (lease.run,)).fetchone()
    if row is None:
        raise RunNotFoundError(f"The run {lease.run} is no longer there.")
    if row[1] != lease.token:
        raise RunLeasedError(
            f"The run {lease.run} was taken over by {row[2]}.",
            kept="What was stored before that is kept.",
            next_step=f"See `nonet runs show {lease.run}`.",
        )
    seq: int = row[0]
    return seq


def take(connection: sqlite3.Connection, run_id: str, owner: str, seconds: float) -> Lease:
    """Lease a run that nobody is working on. A run that ended keeps its status. Raises as `fence`."""
    row = connection.execute(
        "SELECT lease_token, lease_owner, lease_process, lease_expires_s, status FROM runs WHERE id = ?", (run_id,)
    ).fetchone()
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id}.", next_step="See `nonet runs list`.")
    token, holder, process, expires, status = row
    now = time.time()
    if is_live(expires, process, now):
        raise RunLeasedError(
            f"The run {run_id} is being worked on by {holder}.",
            next_step=f"Wait for it to end, or stop it; its claim runs out in {max(expires - now, 0):.0f} s.",
        )
    connection.execute(
        "UPDATE runs SET lease_token = ?, lease_owner = ?, lease_process = ?, lease_expires_s = ?,"
        " status = CASE WHEN status IN ('done', 'refused') THEN status ELSE 'running' END,"
        " finished_at_s = CASE WHEN status IN ('done', 'refused') THEN finished_at_s END WHERE id = ?",
        (token + 1, owner, process_name(), now + seconds, run_id),
    )
    return Lease(run_id, owner, token + 1, status)


def extend(connection: sqlite3.Connection, lease: Lease, seconds: float) -> None:
    """Move the expiry. Raises as `fence`."""
    seq = fence(connection, lease)
    connection.execute("UPDATE runs SET lease_expires_s = ? WHERE seq = ?", (time.time() + seconds, seq))


def give_back(connection: sqlite3.Connection, lease: Lease) -> None:
    """End the lease, if it is still this one."""
    connection.execute("UPDATE runs SET lease_expires_s = 0 WHERE id = ? AND lease_token = ?", (lease.run, lease.token))
