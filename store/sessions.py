"""Interactive sessions: a small state each, and which runs were made in it. What was said stands in the runs."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from nonet.errors import SessionNotFoundError
from nonet.store.names import nearest
from nonet.store.reader import Reader
from nonet.store.records import SessionRecord
from nonet.store.writer import Writer

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 8
_COLUMNS = "id, name, state, created_at_s, (SELECT count(*) FROM session_runs WHERE session_seq = sessions.seq)"


class SessionStore:
    """The sessions of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def create(self) -> SessionRecord:
        """A new, empty session. Durable on return. Raises StoreError."""
        session_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        now = time.time()
        self._writer.call(
            lambda connection: connection.execute(
                "INSERT INTO sessions (id, name, state, used, created_at_s) VALUES (?, '', '{}',"
                " (SELECT coalesce(max(used), 0) + 1 FROM sessions), ?)",
                (session_id, now),
            )
        ).result()
        return SessionRecord(session_id, "", {}, now, 0)

    def find(self, name: str = "last") -> SessionRecord:
        """The session of that name, of that id, of an id that begins so, or the one used last.

        Raises:
            SessionNotFoundError: none or several are meant; the nearest are named.
        """
        if name == "last":
            found = self._reader.rows(f"SELECT {_COLUMNS} FROM sessions ORDER BY used DESC LIMIT 1")  # noqa: S608
        else:
            found = self._reader.rows(
                f"SELECT {_COLUMNS} FROM sessions WHERE ?1 <> '' AND ?1 IN (name, id) LIMIT 2",  # noqa: S608 - our own words
                (name,),
            ) or self._reader.rows(
                f"SELECT {_COLUMNS} FROM sessions WHERE ?1 <> '' AND substr(id, 1, length(?1)) = ?1 LIMIT 2",  # noqa: S608
                (name,),
            )
        if len(found) == 1:
            return _record(found[0])
        raise self._not_one(name, several=bool(found))

    def list(self, limit: int = 20) -> list[SessionRecord]:
        """The sessions, the one used last first. Raises StoreError."""
        rows = self._reader.rows(f"SELECT {_COLUMNS} FROM sessions ORDER BY used DESC LIMIT ?", (limit,))  # noqa: S608
        return [_record(row) for row in rows]

    async def save(self, session_id: str, state: Mapping[str, Any]) -> None:
        """Keep the state in place of the earlier one; durable on return. Raises StoreError."""
        await asyncio.wrap_future(
            self._writer.call(
                lambda connection: connection.execute(
                    "UPDATE sessions SET state = ?, used = (SELECT max(used) + 1 FROM sessions) WHERE id = ?",
                    (json.dumps(dict(state)), session_id),
                )
            )
        )

    def rename(self, session_id: str, name: str) -> None:
        """Give the session a name; another that had it keeps its id only. Durable on return. Raises StoreError."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE sessions SET name = '' WHERE name = ?", (name,))
            connection.execute("UPDATE sessions SET name = ? WHERE id = ?", (name, session_id))

        self._writer.call(write).result()

    def add_run(self, session_id: str, run_id: str) -> None:
        """The run was made in the session; one that is listed already moves to the end. Written behind the run."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM session_runs WHERE session_seq = (SELECT seq FROM sessions WHERE id = ?)"
                " AND run_seq = (SELECT seq FROM runs WHERE id = ?)",
                (session_id, run_id),
            )
            connection.execute(
                "INSERT INTO session_runs (session_seq, run_seq)"
                " SELECT sessions.seq, runs.seq FROM sessions, runs WHERE sessions.id = ? AND runs.id = ?",
                (session_id, run_id),
            )

        self._writer.submit(write, f"session {session_id}")

    async def drop_run(self, session_id: str, run_id: str) -> None:
        """Take a run out of the session; the run itself stays. Durable on return. Raises StoreError."""
        await asyncio.wrap_future(
            self._writer.call(
                lambda connection: connection.execute(
                    "DELETE FROM session_runs WHERE session_seq = (SELECT seq FROM sessions WHERE id = ?)"
                    " AND run_seq = (SELECT seq FROM runs WHERE id = ?)",
                    (session_id, run_id),
                )
            )
        )

    def runs(self, session_id: str, limit: int = 1000) -> tuple[str, ...]:
        """The newest runs of the session, the oldest of them first. Raises StoreError."""
        self._writer.drain()
        rows = self._reader.rows(
            "SELECT runs.id FROM session_runs JOIN runs ON runs.seq = session_runs.run_seq"
            " WHERE session_seq = (SELECT seq FROM sessions WHERE id = ?) ORDER BY session_runs.seq DESC LIMIT ?",
            (session_id, limit),
        )
        return tuple(str(row[0]) for row in reversed(rows))

    def _not_one(self, name: str, *, several: bool) -> SessionNotFoundError:
        known = [word for each in self.list(1000) for word in (each.name, each.id) if word]
        if not known:
            return SessionNotFoundError("There are no sessions yet.", next_step="Start one with `nonet`.")
        if several:
            return SessionNotFoundError(f"Several sessions begin with {name}.", next_step="Give more of the id.")
        hint = nearest(name, known)
        return SessionNotFoundError(f"There is no session {name}.", next_step=f"{hint} See `/sessions`.".strip())


def _record(row: tuple[Any, ...]) -> SessionRecord:
    return SessionRecord(row[0], row[1], json.loads(row[2]), row[3], row[4])
