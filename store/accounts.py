"""What calls cost, added up from what is kept of them: by model, host, specialist's subtask, run or job."""

from __future__ import annotations

from typing import Any, Literal

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
_SUMS = (
    "count(*), total(c.origin = 'cache'), total(c.origin = 'shared'), total(c.error <> ''), total(c.prompt_tokens),"
    " total(c.completion_tokens), total(c.cached_tokens), total(c.wait_seconds), total(c.load_seconds),"
    " total(c.prompt_seconds), total(c.generation_seconds), total(c.seconds), total(c.swapped_out <> ''),"
    " total(c.swap_avoided), sum(c.joules)"
)
_COUNTS = 7
"""So many of the sums are whole numbers, and the two swaps before the joules."""


class AccountStore:
    """The sums of one database. What was pruned is not in them."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def total(self, since_s: float = 0.0) -> Account:
        """Of all calls that ended since then (seconds since the epoch). Raises StoreError."""
        self._writer.drain()
        rows = self._reader.rows(f"SELECT '', {_SUMS} FROM calls c WHERE c.created_at_s >= ?", (since_s,))  # noqa: S608  our own words
        return _account(rows[0])

    def by(self, kind: AccountKind, since_s: float = 0.0, limit: int = 1000) -> list[Account]:
        """The same by what is named, those that took longest first. Raises StoreError."""
        self._writer.drain()
        joined = " JOIN runs r ON r.seq = c.run_seq"
        if kind == "job":
            joined += " JOIN jobs j ON j.run = r.id JOIN queues q ON q.seq = j.queue_seq"
        rows = self._reader.rows(
            f"SELECT {_NAMES[kind]} AS name, {_SUMS} FROM calls c{joined}"  # noqa: S608  our own words
            " WHERE c.created_at_s >= ? GROUP BY name ORDER BY total(c.seconds) DESC, name LIMIT ?",
            (since_s, limit),
        )
        return [_account(row) for row in rows]


def _account(row: tuple[Any, ...]) -> Account:
    """SQLite's total() gives every sum as a float."""
    values = [row[0], *map(int, row[1 : 1 + _COUNTS]), *row[1 + _COUNTS : -3], *map(int, row[-3:-1]), row[-1]]
    return Account(*values)
