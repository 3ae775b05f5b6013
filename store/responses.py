"""Answers that are given again: what a deterministic call depends on names them, and their size is bounded."""

from __future__ import annotations

import sqlite3
import time

from nonet.store.artifacts import storable
from nonet.store.reader import Reader
from nonet.store.records import CacheCounts
from nonet.store.writer import Writer

_KEY = "responses"
"""Of its writes; their errors are nobody's business but the cache's."""
_KEPT_SHARE = 0.9
"""When the bound is passed, so much of it is kept, so that not every further answer has to make room."""


class ResponseStore:
    """The response cache of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader
        self._size_bytes: int | None = None
        """As far as this process knows; summing up with every answer would cost more than keeping it."""

    def get(self, key: str) -> str | None:
        """What was kept under the key; it counts as used. Raises StoreError."""
        row = self._reader.row("SELECT response FROM responses WHERE key = ?", (key,))
        if row is None:
            return None
        now = time.time()
        self._writer.submit(
            lambda connection: connection.execute(
                "UPDATE responses SET hits = hits + 1, used_at_s = ? WHERE key = ?", (now, key)
            ),
            _KEY,
        )
        response: str = row[0]
        return response

    def put(self, key: str, model: str, response: str, most_bytes: int) -> None:
        """Keep a response; what was used longest ago goes where all of them take more than `most_bytes`."""
        kept, now = storable(response), time.time()
        size = len(kept.encode()) + len(key)
        if size > most_bytes:
            return

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO responses (key, model, response, size_bytes, hits, created_at_s, used_at_s)"
                " VALUES (?, ?, ?, ?, 0, ?, ?)",
                (key, model, kept, size, now, now),
            )
            self._grow(connection, size, most_bytes)

        self._writer.submit(write, _KEY)

    def counts(self) -> CacheCounts:
        """What it holds. Raises StoreError."""
        self._writer.settle(_KEY)
        row = self._reader.row("SELECT count(*), coalesce(sum(size_bytes), 0), coalesce(sum(hits), 0) FROM responses")
        return CacheCounts(*(row or (0, 0, 0)))

    def clear(self) -> int:
        """Forget all of them; how many there were. Durable on return."""
        return self._writer.call(lambda connection: connection.execute("DELETE FROM responses").rowcount).result()

    def _grow(self, connection: sqlite3.Connection, size: int, most_bytes: int) -> None:
        """In the writer's thread, after an answer was added."""
        self._size_bytes = None if self._size_bytes is None else self._size_bytes + size
        if self._size_bytes is None or self._size_bytes > most_bytes:
            self._size_bytes = _make_room(connection, most_bytes)


def _make_room(connection: sqlite3.Connection, most_bytes: int) -> int:
    """The size of what stays."""
    total: int = connection.execute("SELECT coalesce(sum(size_bytes), 0) FROM responses").fetchone()[0]
    if total <= most_bytes:
        return total
    for key, size in connection.execute("SELECT key, size_bytes FROM responses ORDER BY used_at_s").fetchall():
        if total <= most_bytes * _KEPT_SHARE:
            break
        connection.execute("DELETE FROM responses WHERE key = ?", (key,))
        total -= size
    return total
