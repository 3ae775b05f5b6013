"""The schema, as ordered steps. A step that was released is never changed: a database of every release must pass.

The SQLModel tables (tables.py) describe the newest schema for reading; a test holds the two together. The steps are
literal SQL so that opening a database, and every write of a run, does without SQLAlchemy (0.7 s to import).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from nonet.store.steps_documents import v4
from nonet.store.steps_evals import v7
from nonet.store.steps_queues import v2
from nonet.store.steps_runs import v1, v3, v5, v6, v8, v9

MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (v1, v2, v3, v4, v5, v6, v7, v8, v9)
"""Step n leads to schema n + 1; `PRAGMA user_version` holds how many were taken."""


def migrate(connection: sqlite3.Connection, application_id: int, back_up: Callable[[int], None]) -> None:
    """Take the steps that are missing, all or none. Another process that does the same waits, and finds it done.

    Args:
        back_up: called with the file's schema before a database that has one is changed; nobody writes meanwhile.

    Raises:
        sqlite3.Error: the file cannot be written; nothing was changed.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if 0 < version < len(MIGRATIONS):
            back_up(version)
        for step in MIGRATIONS[version:]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise
