"""Hosts that were added by hand or are to be left alone, and what models take on each."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from nonet.store.reader import Reader
from nonet.store.records import HostRecord, ModelCost
from nonet.store.writer import Writer

_KEY = "hosts"


class HostStore:
    """What one database knows of hosts."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def known(self) -> list[HostRecord]:
        """In the order in which they were added. Raises StoreError."""
        rows = self._reader.rows("SELECT address, draining, added_at_s FROM hosts ORDER BY added_at_s, address")
        return [HostRecord(address, bool(draining), added_at_s) for address, draining, added_at_s in rows]

    def add(self, address: str, *, draining: bool = False) -> None:
        """A host, or a change of one; durable on return."""
        now = time.time()
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT INTO hosts (address, draining, added_at_s) VALUES (?, ?, ?)"
                " ON CONFLICT (address) DO UPDATE SET draining = excluded.draining",
                (address, draining, now),
            )
        ).result()

    def remove(self, address: str) -> bool:
        """Forget a host; False where there was none. Durable on return."""
        removed = self._writer.call(
            lambda connection: connection.execute("DELETE FROM hosts WHERE address = ?", (address,)).rowcount
        ).result()
        return bool(removed)

    def costs(self) -> list[ModelCost]:
        """What models took on hosts. Raises StoreError."""
        rows = self._reader.rows("SELECT host, model, load_seconds, call_seconds, tokens_per_second FROM model_costs")
        return [ModelCost(*row) for row in rows]

    def save_costs(self, costs: Sequence[ModelCost]) -> None:
        """Keep what was measured, in place of what was known of the same; what is 0 leaves that as it was."""
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO model_costs (host, model, load_seconds, call_seconds, tokens_per_second, measured_at_s)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (host, model) DO UPDATE SET"
                " load_seconds = iif(excluded.load_seconds > 0, excluded.load_seconds, load_seconds),"
                " call_seconds = iif(excluded.call_seconds > 0, excluded.call_seconds, call_seconds),"
                " tokens_per_second = iif(excluded.tokens_per_second > 0, excluded.tokens_per_second,"
                " tokens_per_second), measured_at_s = excluded.measured_at_s",
                [
                    (cost.host, cost.model, cost.load_seconds, cost.call_seconds, cost.tokens_per_second, now)
                    for cost in costs
                ],
            )

        self._writer.submit(write, _KEY)
