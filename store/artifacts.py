"""Content-addressed text: each is kept once, named by its SHA-256, and never changed."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable

from nonet.errors import StoreCorruptError

_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` with each lone surrogate, which UTF-8 has no place for, replaced by U+FFFD; as long as before.

    Models emit them (half an emoji in a JSON escape), and a result must not be lost for one.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def digest_of(text: str) -> str:
    """The SHA-256 of the text in UTF-8, hexadecimal."""
    return hashlib.sha256(storable(text).encode()).hexdigest()


def put_text(connection: sqlite3.Connection, text: str) -> str:
    """Keep the text if it is new; its digest either way. Runs in the caller's transaction."""
    text = storable(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    connection.execute("INSERT OR IGNORE INTO texts (digest, text) VALUES (?, ?)", (digest, text))
    return digest


def get_text(connection: sqlite3.Connection, digest: str) -> str:
    """The text of that digest.

    Raises:
        KeyError: it is not kept.
        StoreCorruptError: what is kept is not what was stored.
    """
    row = connection.execute("SELECT text FROM texts WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise KeyError(digest)
    text: str = row[0]
    if digest_of(text) != digest:
        raise StoreCorruptError(f"The text {digest} is damaged.", next_step="Restore the database from a backup.")
    return text


REFERENCES = (
    ("runs", "task_digest"),
    ("runs", "answer_digest"),
    ("artifacts", "text_digest"),
    ("attempts", "text_digest"),
    ("run_files", "text_digest"),
    ("calls", "prompt_digest"),
    ("calls", "answer_digest"),
    ("documents", "text_digest"),
)
"""Every column that names a text; a test compares them with the schema."""

_UNUSED = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = texts.digest)"  # noqa: S608 - names from above
    for table, column in REFERENCES
)


def drop_unused(connection: sqlite3.Connection, digests: Iterable[str] | None = None) -> int:
    """Remove texts that nothing names any more, of `digests` or of all; how many."""
    if digests is None:
        return connection.execute(f"DELETE FROM texts WHERE {_UNUSED}").rowcount  # noqa: S608 - as above
    statement = f"DELETE FROM texts WHERE digest = ? AND {_UNUSED}"  # noqa: S608 - as above
    return sum(connection.execute(statement, (digest,)).rowcount for digest in set(digests))
