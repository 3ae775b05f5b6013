"""What calls cost, added up: by model, host, specialist's subtask, run or job.

Calls of runs that were removed, and embeddings, are in sums of their own (call_sums.py), so that nothing is lost.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Literal

from nonet.store.call_sums import HOUR_SECONDS, OF_A_CALL, SUMS, EmbedCall, add_embedding
from nonet.store.reader import Reader
from nonet.store.records import Account
from nonet.store.writer import Writer

AccountKind = Literal["model", "host", "subtask", "run", "job"]

_NAMES: dict[AccountKind, str] = {
    "model": "c.model",
    "host": "c.host",
    "subtask": "r.id || ' ' || c.subtask",
    "run": "r.id",
    "job": "q.name || ' ' || j.document",
}
_REMOVED = "CASE s.kind WHEN 'embed' THEN '(embeddings)' ELSE '(removed runs)' END"
_SUMMED_NAMES: dict[AccountKind, str] = {
    "model": "s.model",
    "host": "s.host",
    "subtask": _REMOVED,
    "run": _REMOVED,
    "job": "s.queue || ' (finished)'",
}
_COUNTS = 7
"""So many of the sums are whole numbers, and the two swaps before the joules."""
_TOTALS = ", ".join(f"{'sum' if name == 'joules' else 'total'}({name})" for name in SUMS)
_EMBEDDINGS = "\0embeddings"
"""A key of the writer that no run has."""


class AccountStore:
    """The sums of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def embedded(self, call: EmbedCall) -> None:
        """Count a request for embeddings; not waited for."""
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            add_embedding(connection, call, now)

        self._writer.submit(write, _EMBEDDINGS)

    def total(self, since_s: float = 0.0) -> Account:
        """Of all calls that ended since then (seconds since the epoch). Raises StoreError.

        Of calls of which only an hour's sum is left, the whole hour counts.
        """
        return self._added("''", "", "''", "", since_s, 1)[0]

    def by(self, kind: AccountKind, since_s: float = 0.0, limit: int = 1000) -> list[Account]:
        """The same by what is named, those that took longest first, and last what is of no run. Raises StoreError."""
        joined = " JOIN runs r ON r.seq = c.run_seq"
        summed = ""
        if kind == "job":
            joined += " JOIN jobs j ON j.run = r.id JOIN queues q ON q.seq = j.queue_seq"
            summed = " AND s.queue <> ''"
        grouped = self._added(_NAMES[kind], joined, _SUMMED_NAMES[kind], summed, since_s, limit)
        return [account for account in grouped if account.calls]

    def _added(  # noqa: PLR0917  the parts of one query
        self, name: str, joined: str, summed_name: str, summed: str, since_s: float, limit: int
    ) -> list[Account]:
        self._writer.drain()
        stored = ", ".join(f"s.{each}" for each in SUMS)
        rows = self._reader.rows(
            f"WITH each (name, {', '.join(SUMS)}) AS (SELECT {name}, {OF_A_CALL} FROM calls c{joined}"  # noqa: S608  our own words
            f" WHERE c.created_at_s >= ?1 UNION ALL SELECT {summed_name}, {stored} FROM call_sums s"
            f" WHERE (s.hour + 1) * {HOUR_SECONDS} > ?1{summed})"
            f" SELECT name, {_TOTALS} FROM each GROUP BY {'name' if joined else 'NULL'}"
            " ORDER BY name IN ('(embeddings)', '(removed runs)'), total(seconds) DESC, name LIMIT ?2",
            (since_s, limit),
        )
        return [_account(row) for row in rows] or [_account(("", *(0.0 for _ in SUMS[:-1]), None))]


def _account(row: tuple[Any, ...]) -> Account:
    """SQLite's total() gives every sum as a float."""
    values = [row[0], *map(int, row[1 : 1 + _COUNTS]), *row[1 + _COUNTS : -3], *map(int, row[-3:-1]), row[-1]]
    return Account(*values)
