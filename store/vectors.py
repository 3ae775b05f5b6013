"""The vectors of one embedding model: which chunks still lack theirs, and which are nearest to a query's."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from nonet.errors import StoreError
from nonet.store import vector_rows
from nonet.store.extension import exact, loaded
from nonet.store.filters import ALL, condition
from nonet.store.reader import Reader
from nonet.store.records import Filter, Hit, PendingChunk, VectorState
from nonet.store.search import hits_of
from nonet.store.vector_rows import Vector, each_of
from nonet.store.writer import Writer

_FEW = 2_000
"""Chunks that are scored one by one: 2 ms a hundred."""
_OVERSAMPLING = 16
"""Chunks of the first pass for each that is wanted. Of 10,000 made chunks it keeps .998 of the best ten
(benchmarks/retrieval_scale.py)."""
_FEWEST_COARSE = 400
_LACKING = "NOT EXISTS (SELECT 1 FROM vectors v WHERE v.chunk_seq = c.seq)"
_COARSE_SHARE = 500
"""One chunk of so many at least: among a million, signs alone tell less of the few that are nearest."""


class VectorStore:
    """The vectors of one database. All are of one model; another model's take their place, on purpose only."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def state(self) -> VectorState:
        """Whose vectors there are, and of how many chunks."""

        def read(connection: sqlite3.Connection) -> VectorState:
            model = connection.execute("SELECT model FROM vector_space").fetchone()
            done = vector_rows.count(connection)
            chunks = connection.execute("SELECT count(*) FROM chunks").fetchone()[0]
            return VectorState(model[0] if model else "", done, chunks)

        return self._reader.read(read)

    def engine(self) -> str:
        """What scans small collections: "sqlite-vec" where Python can load it, else "built-in"."""
        return self._reader.read(lambda connection: "sqlite-vec" if loaded(connection) else "built-in")

    def pending(self, limit: int, where: Filter = ALL) -> Sequence[PendingChunk]:
        """Chunks without a vector, at most so many, in the order they were added."""
        sql, values = condition(where)
        rows = self._reader.rows(
            "SELECT c.seq, d.name, c.heading, substr(t.text, c.start_char + 1, c.end_char - c.start_char)"
            " FROM chunks c JOIN documents d ON d.seq = c.document_seq JOIN texts t ON t.digest = d.text_digest"
            f" WHERE {_LACKING} AND {sql} ORDER BY c.seq LIMIT :limit",
            {**values, "limit": limit},
        )
        return [PendingChunk(*row) for row in rows]

    def pending_count(self, where: Filter = ALL) -> int:
        """How many chunks have no vector."""
        state = self.state()
        if where == ALL or state.chunks == state.done:  # where none lacks one, which ones are wanted does not matter
            return state.chunks - state.done
        sql, values = condition(where)
        row = self._reader.row(
            f"SELECT count(*) FROM chunks c JOIN documents d ON d.seq = c.document_seq WHERE {_LACKING} AND {sql}",
            values,
        )
        return int(row[0]) if row else 0

    def put(self, model: str, vectors: Sequence[tuple[int, Vector]]) -> int:
        """Keep vectors by chunk; how many were new. Chunks that are gone meanwhile are left out.

        Raises:
            StoreError: the database has vectors of another model or length, which cannot be compared with these.
        """
        if not vectors:
            return 0

        def write(connection: sqlite3.Connection) -> int:
            _claim(connection, model, {len(vector) for _, vector in vectors})
            return vector_rows.put(connection, vectors)

        return self._writer.call(write).result()

    def expect(self, model: str) -> None:
        """Make sure that there are none but of this model. Raises StoreError."""
        if (there := self.state().model) not in {"", model}:
            raise _of_another(there, model)

    def clear(self, where: Filter = ALL) -> None:
        """Remove the vectors of some documents, or every one, to make room for another model's."""
        if where == ALL:
            self._writer.call(vector_rows.clear).result()
        else:
            self._writer.call(
                lambda connection: vector_rows.forget(connection, each_of(_allowed(connection, where)))
            ).result()
            self.tidy()

    def tidy(self) -> None:
        """Put small blocks of signs together, after chunks were added a few at a time."""
        self._writer.call(vector_rows.merge_blocks).result()

    def nearest(self, model: str, vector: Vector, limit: int, where: Filter = ALL) -> Sequence[Hit]:
        """The chunks nearest to a query's vector, best first; `score` is the cosine. Nothing of another model's."""

        def read(connection: sqlite3.Connection) -> list[Hit]:
            space = connection.execute("SELECT model, dimensions FROM vector_space").fetchone()
            if space != (model, len(vector)) or limit <= 0:
                return []
            return hits_of(connection, _nearest(connection, vector, limit, where))

        return self._reader.read(read)

    def alike(self, chunks: Sequence[int]) -> list[list[float]]:
        """The cosine of every chunk with every other, in the order given; 0 for one without a vector."""
        return self._reader.read(lambda connection: vector_rows.cosines(connection, chunks))

    def middle(self, weights: Mapping[int, float]) -> tuple[float, ...] | None:
        """The mean of chunks' vectors by their weights, of unit length; None where none of them has one."""
        return self._reader.read(lambda connection: vector_rows.middle(connection, weights))


def _claim(connection: sqlite3.Connection, model: str, sizes: set[int]) -> None:
    space = connection.execute("SELECT model, dimensions FROM vector_space").fetchone()
    if space is None and len(sizes) == 1:
        connection.execute("INSERT INTO vector_space (model, dimensions) VALUES (?, ?)", (model, *sizes))
    elif space is None or sizes != {space[1]} or model != space[0]:
        raise _of_another(space[0] if space else "several lengths", model)


def _of_another(there: str, model: str) -> StoreError:
    return StoreError(
        f"The database has vectors of {there}, not of {model}.",
        kept="They are as they were.",
        next_step="Make them anew for every document: nonet docs embed --again",
    )


def _nearest(connection: sqlite3.Connection, vector: Vector, limit: int, where: Filter) -> list[tuple[int, float]]:
    allowed = None if where == ALL else _allowed(connection, where)
    if (found := exact(connection, vector_rows.codes_of(vector), limit, allowed)) is not None:
        return found
    if allowed is not None and sum(map(len, allowed)) <= _FEW:
        return vector_rows.scored(connection, vector, each_of(allowed), limit)
    few = max(_FEWEST_COARSE, _OVERSAMPLING * limit, vector_rows.count(connection) // _COARSE_SHARE)
    candidates = vector_rows.coarse(connection, vector, few, allowed)
    return vector_rows.scored(connection, vector, candidates, limit)


def _allowed(connection: sqlite3.Connection, where: Filter) -> list[range]:
    """The chunks of the documents that are wanted, in order: a document's are numbered one after the other."""
    sql, values = condition(where)
    rows = connection.execute(
        "SELECT min(c.seq), max(c.seq) + 1, count(*) FROM chunks c JOIN documents d ON d.seq = c.document_seq"
        f" WHERE {sql} GROUP BY c.document_seq ORDER BY 1",
        values,
    ).fetchall()
    if all(end - start == count for start, end, count in rows):
        return [range(start, end) for start, end, _ in rows]
    rows = connection.execute(
        f"SELECT c.seq FROM chunks c JOIN documents d ON d.seq = c.document_seq WHERE {sql} ORDER BY 1", values
    ).fetchall()
    return [range(seq, seq + 1) for (seq,) in rows]
