"""Opens the one file: recognises what is no nonet database, makes a private one, sets what a connection needs."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from nonet.errors import StoreCorruptError, StoreError, StoreWriteError
from nonet.store.faults import faults_of
from nonet.store.migrations import MIGRATIONS, migrate

APPLICATION_ID = 0x6E6E6574
"""`nnet` in ASCII, in the file's header: what tells our files from other SQLite files (sqlite.org/fileformat2)."""

BUSY_SECONDS = 60.0
"""How long a connection waits for another process's write before it gives up."""

_MAGIC = b"SQLite format 3\0"


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to an existing database with our settings; statements commit by themselves outside BEGIN.

    It may be handed from thread to thread, but one thread at a time may use it.

    Raises:
        sqlite3.Error: as it comes; callers translate it with `faults`.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        configure(connection)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: sqlite3.Connection) -> None:
    """What holds for a connection, not for the file: durable, strict, deleting for real."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA secure_delete = ON")  # what was removed is overwritten, as some builds do anyway


def prepare(path: Path, *, create: bool) -> None:
    """Make sure that a nonet database of this release stands at `path`.

    A new file gets mode 0600, and its folder, where missing, 0700; an existing folder keeps its mode. One of an older
    schema N is copied to `FILE.vN` before it is changed.

    Raises:
        StoreCorruptError: the file is damaged, or belongs to something else.
        StoreWriteError: it cannot be written or made.
        StoreError: it is a folder, is missing while `create` is false, or was made by a newer nonet.
    """
    try:
        _claim(path, create=create)
    except PermissionError as error:
        raise StoreWriteError(
            f"The database {path} cannot be opened: {error.strerror or error}.",
            next_step="Make the file and its folder writable, or name another with --db.",
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or half a surrogate pair in the name
        raise StoreWriteError(
            f"The database {str(path)!r} cannot be made: {getattr(error, 'strerror', None) or error}.",
            next_step="Check the path and the disk's space, or name another with --db.",
        ) from error
    with faults_of(path):
        connection = connect(path)
        try:
            if _recognise(connection, path):
                _set_journal(connection)
            migrate(connection, APPLICATION_ID, partial(_back_up, path))
            _check_writable(connection)
        finally:
            connection.close()


def _claim(path: Path, *, create: bool) -> None:
    """Look at the file, or make an empty one. Raises OSError."""
    if path.is_dir():
        raise StoreError(
            f"{path} is a folder, not a database.", next_step="Name a file in it, such as --db FOLDER/nonet.db."
        )
    if not path.exists():
        if not create:
            raise StoreError(f"There is no database {path}.", next_step="Check the path given with --db.")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made before SQLite sees it, so that it is never readable by others, not even for a moment.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    if not path.is_file():
        raise StoreError(f"{path} is not a file.", next_step="Name a database file with --db.")
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        path.chmod(0o600)
    elif head != _MAGIC:
        raise StoreCorruptError(
            f"{path} is not a database.", kept="It was left untouched.", next_step="Name another file with --db."
        )


def _recognise(connection: sqlite3.Connection, path: Path) -> bool:
    """True where the file is an empty database; raise unless it is that, or ours and not of a later release."""
    connection.execute("BEGIN")  # one snapshot: another process may be making the file at this moment
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("ROLLBACK")
    if not (application or version or tables):
        return True
    if application != APPLICATION_ID:
        raise StoreCorruptError(
            f"{path} is a SQLite database, but not one of nonet's.",
            kept="It was left untouched.",
            next_step="Name another file with --db.",
        )
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The database {path} was made by a newer nonet (schema {version}, this one knows {len(MIGRATIONS)}).",
            kept="It was left untouched.",
            next_step="Upgrade nonet, or name another file with --db.",
        )
    return False


def _set_journal(connection: sqlite3.Connection) -> None:
    """WAL, kept in the file. SQLite does not wait for a lock here (two processes making one file), so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or it has no effect
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _back_up(path: Path, version: int) -> None:
    """Copy the file, as it was before its schema is changed, to `FILE.vN`; whole or not at all, mode 0600."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    try:
        with closing(connect(path, read_only=True)) as source, closing(sqlite3.connect(name)) as copy:
            source.backup(copy)
        os.replace(name, f"{path}.v{version}")  # noqa: PTH105  names, not paths
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _check_writable(connection: sqlite3.Connection) -> None:
    """Find out now, not at the first result, that the file or its folder is read-only."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
