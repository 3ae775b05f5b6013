"""sqlite-vec, where this Python can load it: exact nearest vectors by a scan in C.

Many Pythons cannot (those of pyenv and of macOS are built without extension loading), so nothing is stored in a form
that only the extension reads: its functions run over our own table, and without them vector_rows does the work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from nonet.store.vector_rows import count, each_of

_MOST = 200_000
"""Vectors scanned whole, about 0.1 s; beyond, a first pass over the signs is faster by ten."""


def load(connection: sqlite3.Connection) -> bool:
    """Make sqlite-vec's functions known to a connection; False where that cannot be."""
    package = find_spec("sqlite_vec")  # not imported: that would import NumPy, 17 MB and a fifth of a second
    if package is None or package.origin is None or not hasattr(connection, "enable_load_extension"):
        return False
    try:
        connection.enable_load_extension(True)
        try:
            connection.load_extension(str(Path(package.origin).with_name("vec0")))
        finally:
            connection.enable_load_extension(False)
    except sqlite3.Error:
        return False
    return True


def loaded(connection: sqlite3.Connection) -> bool:
    """Whether its functions are there; the first search of a connection loads them."""
    row = connection.execute("SELECT count(*) FROM pragma_function_list WHERE name = 'vec_distance_cosine'").fetchone()
    return bool(row[0]) or load(connection)


def exact(
    connection: sqlite3.Connection, codes: bytes, limit: int, allowed: Sequence[range] | None
) -> list[tuple[int, float]] | None:
    """(chunk, cosine) of the nearest; None where the extension cannot be loaded, or there are too many to scan."""
    if not loaded(connection):
        return None
    if allowed is None and count(connection) > _MOST:
        return None
    rows = connection.execute(
        "SELECT chunk_seq, 1 - vec_distance_cosine(vec_int8(codes), vec_int8(:codes)) AS score FROM vectors"
        " WHERE :allowed IS NULL OR chunk_seq IN (SELECT value FROM json_each(:allowed))"
        " ORDER BY score DESC, chunk_seq LIMIT :limit",
        {"codes": codes, "allowed": None if allowed is None else json.dumps(each_of(allowed)), "limit": limit},
    )
    return [(int(chunk), float(score)) for chunk, score in rows]
