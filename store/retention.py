"""What is removed, and that it is really gone: runs, the texts that only they named, their checkpoints."""

from __future__ import annotations

import sqlite3
import time

from nonet.errors import RunLeasedError
from nonet.store.artifacts import drop_unused
from nonet.store.call_sums import fold
from nonet.store.leases import is_live
from nonet.store.records import Pruned
from nonet.store.run_rows import ENDED, drop_checkpoints


def delete(connection: sqlite3.Connection, run_id: str) -> Pruned:
    """Remove one run. Raises RunLeasedError while a living process works on it."""
    seq, owner, process, expires = connection.execute(
        "SELECT seq, lease_owner, lease_process, lease_expires_s FROM runs WHERE id = ?", (run_id,)
    ).fetchone()
    if is_live(expires, process, time.time()):
        raise RunLeasedError(f"The run {run_id} is being worked on by {owner}.", next_step="Stop it first.")
    return _remove(connection, [(seq, run_id)])


def prune(connection: sqlite3.Connection, *, keep: int | None, older_than_seconds: float | None) -> Pruned:
    """Remove ended runs beyond the newest `keep` ended ones, or that ended longer ago."""
    marks = ", ".join("?" * len(ENDED))
    ended = connection.execute(
        f"SELECT seq, id, finished_at_s FROM runs WHERE status IN ({marks}) ORDER BY seq DESC",  # noqa: S608
        tuple(sorted(ENDED)),
    ).fetchall()
    before = None if older_than_seconds is None else time.time() - older_than_seconds
    doomed = [
        (seq, run_id)
        for rank, (seq, run_id, finished) in enumerate(ended)
        if (keep is not None and rank >= keep) or (before is not None and finished is not None and finished < before)
    ]
    return _remove(connection, doomed)


_RUN_TEXTS = """
    SELECT task_digest FROM runs WHERE seq = ?1 UNION SELECT answer_digest FROM runs WHERE seq = ?1
    UNION SELECT text_digest FROM artifacts WHERE run_seq = ?1 UNION SELECT text_digest FROM attempts WHERE run_seq = ?1
    UNION SELECT text_digest FROM run_files WHERE run_seq = ?1
    UNION SELECT prompt_digest FROM calls WHERE run_seq = ?1 UNION SELECT answer_digest FROM calls WHERE run_seq = ?1
"""


def forget(connection: sqlite3.Connection, run_id: str, queue: str) -> None:
    """Remove the run of a job, whose result is kept elsewhere, and the texts that only it named.

    Looks at no other run's texts. What its calls cost stays, under the name of the queue.
    """
    row = connection.execute("SELECT seq FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        return
    fold(connection, row[0], queue)
    digests = [found[0] for found in connection.execute(_RUN_TEXTS, row) if found[0] is not None]
    connection.execute("DELETE FROM runs WHERE seq = ?", row)
    drop_checkpoints(connection, run_id)
    drop_unused(connection, digests)


def shrink(connection: sqlite3.Connection) -> int:
    """Give free pages back to the file system; how many bytes."""
    free_pages: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(free_pages):  # sqlite3 takes one step of a statement without columns, and a step frees a page
        connection.execute("PRAGMA incremental_vacuum(1)")
    return free_pages * int(connection.execute("PRAGMA page_size").fetchone()[0])


def _remove(connection: sqlite3.Connection, runs: list[tuple[int, str]]) -> Pruned:
    for seq, run_id in runs:
        fold(connection, seq)
        connection.execute("DELETE FROM runs WHERE seq = ?", (seq,))
        drop_checkpoints(connection, run_id)
    texts = drop_unused(connection)
    return Pruned(len(runs), texts, shrink(connection))
