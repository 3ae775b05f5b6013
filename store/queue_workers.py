"""Workers: who takes jobs, and how one that is gone is told from one that is slow.

No clock decides. A process that is known to have ended is gone at once. Any other is gone when we have given several
signs of life, some seconds apart, and it none: a database that was locked, a machine that slept, and a process that
was stopped hold up our own signs as well, and a wall clock that jumps means nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from nonet.store import clock, leases
from nonet.store.queue_claims import worker_lost
from nonet.store.queue_ends import reclaim
from nonet.store.queue_records import WorkerId

BEAT_SECONDS = 10.0
MISSED_BEATS = 3
"""So many of ours without one of theirs."""

Seen = tuple[int, str, int]
"""Another worker: its row, its process, its beats."""


@dataclass(slots=True)
class Watch:
    """What one worker remembers of the others."""

    _unchanged: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By row: the beats seen, and how often in a row."""

    def gone(self, others: list[Seen]) -> list[Seen]:
        """Those of the others that are gone, by all that was seen so far; called once a beat."""
        before, self._unchanged = self._unchanged, {}
        found = []
        for seq, process, beats in others:
            seen, times = before.get(seq, (beats, -1))
            times = times + 1 if seen == beats else 0
            self._unchanged[seq] = (beats, times)
            if times >= MISSED_BEATS or leases.is_dead(process):
                found.append((seq, process, beats))
        return found


def register(connection: sqlite3.Connection, owner: str) -> WorkerId:
    """A new worker."""
    made = connection.execute(
        "INSERT INTO workers (owner, process, beats, started_at_s) VALUES (?, ?, 0, ?)",
        (owner, leases.process_name(), clock.now_s(connection)),
    )
    return WorkerId(int(made.lastrowid or 0), owner)


def beat(connection: sqlite3.Connection, worker: WorkerId) -> tuple[frozenset[int], list[Seen]]:
    """A sign of life; the jobs that the worker still has, and the other workers.

    Raises:
        JobLostError: it was thought dead.
    """
    alive = connection.execute("UPDATE workers SET beats = beats + 1 WHERE seq = ?", (worker.seq,))
    if not alive.rowcount:
        raise worker_lost(worker)
    clock.see(connection)
    held = connection.execute("SELECT seq FROM jobs WHERE worker_seq = ? AND status = 'leased'", (worker.seq,))
    kept = frozenset(row[0] for row in held)
    others = connection.execute("SELECT seq, process, beats FROM workers WHERE seq <> ?", (worker.seq,)).fetchall()
    return kept, others


def bury(connection: sqlite3.Connection, worker_seq: int, beats: int) -> int:
    """Take its jobs from a worker that is gone, unless it has beaten meanwhile; how many."""
    row = connection.execute("SELECT owner FROM workers WHERE seq = ? AND beats = ?", (worker_seq, beats)).fetchone()
    return 0 if row is None else _take_jobs(connection, worker_seq, row[0])


def retire(connection: sqlite3.Connection, worker: WorkerId) -> None:
    """The worker ends; what it still had counts as crashed, which after a proper end is nothing."""
    _take_jobs(connection, worker.seq, worker.owner)


def _take_jobs(connection: sqlite3.Connection, worker_seq: int, owner: str) -> int:
    jobs = connection.execute(
        "SELECT seq, crashes, run FROM jobs WHERE worker_seq = ? AND status = 'leased'", (worker_seq,)
    ).fetchall()
    taken = reclaim(connection, jobs, owner)
    connection.execute("DELETE FROM workers WHERE seq = ?", (worker_seq,))
    return taken
