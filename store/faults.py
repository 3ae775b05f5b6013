"""From SQLite's errors to ours: what happened and what to do next, never a bare sqlite3 exception."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nonet.errors import StoreCorruptError, StoreError, StoreWriteError

_WRITE_FAULTS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space, then run it again."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the file and its folder writable, or name another with --db."),
    sqlite3.SQLITE_IOERR: ("the disk refused to read or write", "Check its space, quota and health."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Check that its folder exists and is writable, or use --db."),
    sqlite3.SQLITE_PERM: ("access was refused", "Check the permissions of the file and its folder."),
    sqlite3.SQLITE_AUTH: ("access was refused", "Check the permissions of the file and its folder."),
    sqlite3.SQLITE_BUSY: ("another process has kept it locked", "Wait for that process to end, then try again."),
    sqlite3.SQLITE_LOCKED: ("another connection has kept it locked", "Wait for it to end, then try again."),
    sqlite3.SQLITE_TOOBIG: ("a text is larger than a database can hold", "Split the text."),
}
KEPT = "What was confirmed before is kept."


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError that says in the user's words what `error` means for the database at `path`."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorruptError(
            f"The database {path} is damaged ({error}).",
            next_step="Restore it from a backup, rescue what can be read with `sqlite3 FILE .recover`, "
            "or name another with --db.",
        )
    if primary in _WRITE_FAULTS:
        what, next_step = _WRITE_FAULTS[primary]
        return StoreWriteError(f"The database {path} cannot be used: {what}.", kept=KEPT, next_step=next_step)
    if isinstance(error, sqlite3.DataError):
        return StoreWriteError(f"A value does not fit the database {path} ({error}).", kept=KEPT)
    return StoreError(f"The database {path} failed: {error}.", kept=KEPT, next_step="Run `nonet doctor`.")


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Turn sqlite3's errors inside the block into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error, path) from error
