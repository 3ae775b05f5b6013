"""What the steps of the schema share."""

from __future__ import annotations

import sqlite3


def run_script(connection: sqlite3.Connection, script: str) -> None:
    """Its statements, each of which ends a line, in the transaction that is open (executescript would commit it)."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)
