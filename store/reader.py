"""The connection that reads. It sees what is committed, so reads of runs first let the writer finish."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from nonet.errors import StoreError
from nonet.store.engine import connect
from nonet.store.faults import faults_of

T = TypeVar("T")


class Reader:
    """One read-only connection, opened at the first use, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises StoreError."""
        with self._lock, faults_of(self._path):
            return self._opened().execute(sql, values).fetchall()  # one statement sees one moment by itself

    def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query. Raises StoreError."""
        return next(iter(self.rows(sql, values)), None)

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` gives, all its statements seeing the same moment. Raises StoreError."""
        with self._lock, faults_of(self._path):
            connection = self._opened()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                with suppress(sqlite3.OperationalError):  # a corrupt page may have ended it
                    connection.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"The database {self._path} is closed.")
        if self._connection is None:
            self._connection = connect(self._path, read_only=True)
        return self._connection

    def close(self) -> None:
        """Close the connection; twice is fine."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
