"""Vectors of chunks as bytes: a signed byte a dimension for the score, a bit a dimension for the first pass.

The signs of many chunks lie side by side in blocks: a first pass over a million of 384 dimensions reads 48 MB.
Nothing here needs an extension of SQLite, which many Pythons are built without the means to load.
"""

from __future__ import annotations

import math
import sqlite3
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest, nsmallest
from itertools import chain
from operator import mul
from typing import Any

Vector = Sequence[float]

_BLOCK = 512
"""Vectors a block: 24 KB of signs at 384 dimensions, rewritten when one of their documents goes."""
_NUMPY_FROM = 100_000
"""Chunks from which loading NumPy (0.1 s) pays; where something has loaded it already, it always does."""
_STRONGEST = 127
_MOST_VALUES = 500
"""Bound in one statement; SQLite of before 3.32 takes 999."""


def codes_of(vector: Vector) -> bytes:
    """A signed byte a dimension, scaled so that the strongest is 127: the angle stays, the length goes."""
    strongest = max((abs(value) for value in vector), default=0.0) or 1.0
    return array("b", [round(value / strongest * _STRONGEST) for value in vector]).tobytes()


def signs_of(vector: Vector) -> bytes:
    """A bit a dimension, set where it is positive."""
    bits = sum(1 << place for place, value in enumerate(vector) if value > 0)
    return bits.to_bytes((len(vector) + 7) // 8, "little")


def put(connection: sqlite3.Connection, vectors: Sequence[tuple[int, Vector]]) -> int:
    """Keep vectors of chunks that are still there and have none; how many those were."""
    fresh: list[tuple[int, Vector]] = []
    for chunk, vector in sorted(vectors, key=lambda item: item[0]):
        kept = connection.execute(
            "INSERT OR IGNORE INTO vectors (chunk_seq, codes) SELECT seq, ? FROM chunks WHERE seq = ?",
            (codes_of(vector), chunk),
        ).rowcount
        if kept:
            fresh.append((chunk, vector))
    for start in range(0, len(fresh), _BLOCK):
        block = fresh[start : start + _BLOCK]
        _write_block(connection, [chunk for chunk, _ in block], [signs_of(vector) for _, vector in block])
    return len(fresh)


def _write_block(connection: sqlite3.Connection, chunks: Sequence[int], signs: Sequence[bytes]) -> None:
    connection.execute(
        "INSERT INTO vector_blocks (first_chunk, last_chunk, chunks, signs) VALUES (?, ?, ?, ?)",
        (chunks[0], chunks[-1], array("q", chunks).tobytes(), b"".join(signs)),
    )


def forget(connection: sqlite3.Connection, chunks: Sequence[int]) -> None:
    """Take chunks out of vectors and blocks; what they said cannot be read from the file afterwards."""
    if not chunks:
        return
    gone = set(chunks)
    touched = connection.execute(
        "SELECT seq, chunks, signs FROM vector_blocks WHERE first_chunk <= ? AND last_chunk >= ?",
        (max(chunks), min(chunks)),
    ).fetchall()
    for seq, numbers, signs in touched:
        held = array("q", numbers)
        left = [at for at, chunk in enumerate(held) if chunk not in gone]
        if len(left) == len(held):
            continue
        width = len(signs) // len(held)
        connection.execute("DELETE FROM vector_blocks WHERE seq = ?", (seq,))
        if left:
            _write_block(connection, [held[at] for at in left], [signs[at * width : (at + 1) * width] for at in left])
    connection.executemany("DELETE FROM vectors WHERE chunk_seq = ?", [(chunk,) for chunk in chunks])


def clear(connection: sqlite3.Connection) -> None:
    """Remove every vector, of whatever model."""
    for table in ("vectors", "vector_blocks", "vector_space"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from above


def merge_blocks(connection: sqlite3.Connection) -> None:
    """Put small blocks together: chunks that were added a few at a time would make as many rows."""
    small = connection.execute(
        "SELECT seq, chunks, signs FROM vector_blocks WHERE length(chunks) < ? ORDER BY first_chunk", (8 * _BLOCK // 2,)
    ).fetchall()
    if len(small) < 2:  # noqa: PLR2004 - one alone has nothing to be put to
        return
    width = len(small[0][2]) // (len(small[0][1]) // 8)
    chunks = [chunk for _, numbers, _ in small for chunk in array("q", numbers)]
    signs = [row[2][at : at + width] for row in small for at in range(0, len(row[2]), width)]
    connection.executemany("DELETE FROM vector_blocks WHERE seq = ?", [(row[0],) for row in small])
    order = sorted(range(len(chunks)), key=lambda at: chunks[at])
    for start in range(0, len(order), _BLOCK):
        part = order[start : start + _BLOCK]
        _write_block(connection, [chunks[at] for at in part], [signs[at] for at in part])


def each_of(ranges: Sequence[range]) -> list[int]:
    """The numbers in some ranges, as they come."""
    return list(chain.from_iterable(ranges))


def coarse(connection: sqlite3.Connection, vector: Vector, limit: int, allowed: Sequence[range] | None) -> list[int]:
    """The chunks whose signs agree most with the vector's, about the best `limit` of those allowed."""
    query = signs_of(vector)
    rows = connection.execute("SELECT chunks, signs FROM vector_blocks")
    if (np := _numpy(count(connection))) is not None:
        return _coarse_numpy(np, rows, query, limit, allowed)
    wanted = None if allowed is None else set(each_of(allowed))
    return [chunk for _, chunk in nsmallest(limit, _distances(rows, query, wanted))]


def count(connection: sqlite3.Connection) -> int:
    """How many vectors there are, by the blocks: counting the vectors themselves would read every one of them."""
    return int(connection.execute("SELECT coalesce(sum(length(chunks)), 0) / 8 FROM vector_blocks").fetchone()[0])


def _distances(rows: sqlite3.Cursor, query: bytes, allowed: set[int] | None) -> Iterator[tuple[int, int]]:
    """(bits that differ, chunk)."""
    wanted, width = int.from_bytes(query, "little"), len(query)
    for numbers, signs in rows:
        for at, chunk in enumerate(array("q", numbers)):
            if allowed is None or chunk in allowed:
                bits = int.from_bytes(signs[at * width : (at + 1) * width], "little")
                yield (bits ^ wanted).bit_count(), chunk


def _numpy(chunks: int) -> Any:  # noqa: ANN401 - a module that need not be there
    """NumPy where it pays, is installed and counts bits (from 2.0 on); else None."""
    if chunks < _NUMPY_FROM and "numpy" not in sys.modules:
        return None
    try:
        import numpy as np  # noqa: PLC0415
    except ImportError:
        return None
    return np if hasattr(np, "bitwise_count") else None


def _coarse_numpy(
    np: Any,  # noqa: ANN401
    rows: sqlite3.Cursor,
    query: bytes,
    limit: int,
    allowed: Sequence[range] | None,
) -> list[int]:
    """The same with NumPy, ten times as fast."""
    wanted = np.frombuffer(query, dtype=np.uint8)
    distances, chunks = [], []
    for numbers, signs in rows:
        differing = np.bitwise_count(np.frombuffer(signs, dtype=np.uint8).reshape(-1, len(wanted)) ^ wanted)
        distances.append(differing.sum(axis=1, dtype=np.uint16))
        chunks.append(np.frombuffer(numbers, dtype=np.int64))
    if not distances:
        return []
    every, numbers = np.concatenate(distances), np.concatenate(chunks)
    if allowed is not None:
        wanted = np.zeros(int(numbers.max()) + 1, dtype=bool)
        for each in allowed:
            wanted[each.start : each.stop] = True
        kept = wanted[numbers]
        every, numbers = every[kept], numbers[kept]
    if not len(every):
        return []
    best = np.argpartition(every, min(limit, len(every)) - 1)[:limit]
    return [int(chunk) for chunk in numbers[best]]


def scored(
    connection: sqlite3.Connection, vector: Vector, chunks: Sequence[int], limit: int
) -> list[tuple[int, float]]:
    """(chunk, cosine) of the best, best first; of equals the earlier chunk."""
    kept = _codes(connection, chunks)
    np = _numpy(len(kept))
    scores = _cosines_numpy(np, vector, kept) if np is not None and kept else _cosines(vector, kept)
    return [(-chunk, score) for score, chunk in nlargest(limit, ((score, -chunk) for chunk, score in scores))]


def _codes(connection: sqlite3.Connection, chunks: Sequence[int]) -> dict[int, bytes]:
    """By chunk; those without a vector are not in it."""
    found: dict[int, bytes] = {}
    for start in range(0, len(chunks), _MOST_VALUES):
        part = chunks[start : start + _MOST_VALUES]
        marks = ",".join("?" * len(part))
        found.update(connection.execute(f"SELECT chunk_seq, codes FROM vectors WHERE chunk_seq IN ({marks})", part))  # noqa: S608 - question marks
    return found


def _cosines(vector: Vector, kept: Mapping[int, bytes]) -> Iterator[tuple[int, float]]:
    norm = math.sqrt(sum(map(mul, vector, vector))) or 1.0
    for chunk, codes in kept.items():
        values = array("b", codes)
        length = math.sqrt(sum(map(mul, values, values))) or 1.0
        yield chunk, sum(map(mul, vector, values)) / (norm * length)


def _cosines_numpy(np: Any, vector: Vector, kept: Mapping[int, bytes]) -> list[tuple[int, float]]:  # noqa: ANN401
    query = np.asarray(vector, dtype=np.float32)
    codes = np.frombuffer(b"".join(kept.values()), dtype=np.int8).reshape(len(kept), -1).astype(np.float32)
    lengths = np.linalg.norm(codes, axis=1) * (np.linalg.norm(query) or 1.0)
    return list(zip(kept, ((codes @ query) / np.where(lengths > 0, lengths, 1.0)).tolist(), strict=True))


def cosines(connection: sqlite3.Connection, chunks: Sequence[int]) -> list[list[float]]:
    """The cosine of every chunk with every other; 0 for one without a vector."""
    kept = {chunk: array("b", codes) for chunk, codes in _codes(connection, chunks).items()}
    lengths = {chunk: math.sqrt(sum(map(mul, codes, codes))) or 1.0 for chunk, codes in kept.items()}
    found = [[0.0] * len(chunks) for _ in chunks]
    for row, one in enumerate(chunks):
        for column in range(row):
            other = chunks[column]
            if one in kept and other in kept:
                value = sum(map(mul, kept[one], kept[other])) / (lengths[one] * lengths[other])
                found[row][column] = found[column][row] = value
    return found


def middle(connection: sqlite3.Connection, weights: Mapping[int, float]) -> tuple[float, ...] | None:
    """The mean of the chunks' vectors, each of unit length before it is weighed, and so the mean; None without any."""
    kept = {chunk: array("b", codes) for chunk, codes in _codes(connection, list(weights)).items()}
    if not kept:
        return None
    total = [0.0] * len(next(iter(kept.values())))
    for chunk, codes in kept.items():
        share = weights[chunk] / (math.sqrt(sum(map(mul, codes, codes))) or 1.0)
        total = [value + share * code for value, code in zip(total, codes, strict=True)]
    length = math.sqrt(sum(map(mul, total, total))) or 1.0
    return tuple(value / length for value in total)
