"""Documents: kept once, cut in chunks, searched by their words, with vectors where a model gave some.

Changes are durable on return; a large folder is best added from a thread (`asyncio.to_thread`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from nonet.errors import DocumentError
from nonet.store import document_rows, search
from nonet.store.artifacts import get_text, storable
from nonet.store.names import nearest
from nonet.store.reader import Reader
from nonet.store.records import Change, ChunkVector, DocumentRecord, Hit, NewDocument
from nonet.store.writer import Writer

_COLUMNS = (
    "d.name, d.text_digest, d.title, d.media_type, d.path, d.size_bytes, d.characters,"
    " (SELECT count(*) FROM chunks c WHERE c.document_seq = d.seq), d.modified_at_s, d.added_at_s, d.vector_model"
)


class DocumentStore:
    """The documents of one database."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def add(self, document: NewDocument) -> DocumentRecord:
        """Keep a document. One of the same name is replaced, unless its text and chunks are the same.

        Raises:
            DocumentError: it has no name, or its chunks do not lie within its text.
            StoreError: it could not be stored.
        """
        return self.add_many([document])[0]

    def add_many(self, documents: Sequence[NewDocument]) -> list[DocumentRecord]:
        """Keep several, all or none, in one transaction. Raises as `add`."""
        for document in documents:
            _check(document)

        def write(connection: sqlite3.Connection) -> list[Change]:
            return [document_rows.keep(connection, document) for document in documents]

        changes = self._writer.call(write).result()
        return [self._record(document.name, change) for document, change in zip(documents, changes, strict=True)]

    def list(self) -> list[DocumentRecord]:
        """All documents, by name."""
        rows = self._reader.rows(f"SELECT {_COLUMNS} FROM documents d ORDER BY d.name")  # noqa: S608 - a constant
        return [self._from_row(row) for row in rows]

    def get(self, name: str) -> DocumentRecord:
        """A document by its name, or by an end of it that no other has ("notes.md" for "docs/notes.md").

        Raises:
            DocumentError: none or several are meant; the nearest are named.
        """
        return self._record(self.resolve(name))

    def resolve(self, name: str) -> str:
        """The full name of a document. Raises as `get`."""
        name = storable(name)
        if self._reader.row("SELECT 1 FROM documents WHERE name = ?", (name,)):
            return name
        ends = self._ends(name)
        if len(ends) == 1:
            return ends[0]
        if ends:
            raise DocumentError(
                f"Several documents end with {name}: {', '.join(ends[:5])}.", next_step="Give more of the name."
            )
        known = [row[0] for row in self._reader.rows("SELECT name FROM documents LIMIT 1000")]
        raise DocumentError(
            f"There is no document {name}.", next_step=f"{nearest(name, known)} See `nonet docs list`.".strip()
        )

    def remove(self, name: str) -> bool:
        """Remove the document named as for `get`; False where there is none. Raises DocumentError for several."""
        name = storable(name)
        known = self._reader.row("SELECT 1 FROM documents WHERE name = ?", (name,))
        if known is None and not self._ends(name):
            return False
        return self._writer.call(partial(document_rows.drop, name=self.resolve(name))).result()

    def search(self, query: str, limit: int, documents: Sequence[str] | None = None) -> Sequence[Hit]:
        """The best chunks for the words of any text, best first; nothing found is an empty list.

        Args:
            query: any text; operators and quotes in it mean nothing.
            limit: at most so many.
            documents: full names to search among; None for all.
        """
        return self._reader.read(lambda connection: search.search(connection, query, limit, documents))

    def set_vectors(self, document: str, vectors: Sequence[bytes], model: str) -> None:
        """Attach one vector a chunk, in order, in place of earlier ones.

        Args:
            vectors: little-endian float32, all of one length.
            model: what made them; only vectors of one model can be compared.

        Raises:
            DocumentError: there is no such document, or it has another number of chunks.
        """
        sizes = {len(vector) for vector in vectors}
        if len(sizes) > 1 or any(size % 4 for size in sizes):
            raise DocumentError(f"The vectors of {document} are not float32 of one length.")
        self._writer.call(
            partial(document_rows.put_vectors, name=self.resolve(document), vectors=vectors, model=model)
        ).result()

    def vectors(self, model: str, documents: Sequence[str] | None = None) -> Sequence[ChunkVector]:
        """Every chunk's vector by that model, of all documents or of those named, for a scan by cosine."""
        rows = self._reader.rows(
            "SELECT d.name, c.number, c.start_char, c.end_char, c.vector FROM chunks c"
            " JOIN documents d ON d.seq = c.document_seq WHERE d.vector_model = ?1 AND c.vector IS NOT NULL"
            " AND (?2 IS NULL OR d.name IN (SELECT value FROM json_each(?2))) ORDER BY c.seq",
            (model, None if documents is None else json.dumps(list(documents))),
        )
        return [ChunkVector(*row) for row in rows]

    def _ends(self, name: str) -> Sequence[str]:
        """Full names that end with `name` after a slash."""
        end = "/" + name.removeprefix("./").lstrip("/")
        rows = self._reader.rows("SELECT name FROM documents WHERE substr(name, -?) = ?", (len(end), end))
        return [str(row[0]) for row in rows] if len(end) > 1 else []

    def _record(self, name: str, change: Change = "unchanged") -> DocumentRecord:
        row = self._reader.row(f"SELECT {_COLUMNS} FROM documents d WHERE d.name = ?", (name,))  # noqa: S608
        if row is None:
            raise DocumentError(f"There is no document {name}.", next_step="See `nonet docs list`.")
        return self._from_row(row, change)

    def _from_row(self, row: tuple[Any, ...], change: Change = "unchanged") -> DocumentRecord:
        return replace(DocumentRecord(*row), change=change, read=partial(self._text, row[0], row[1]))

    def _text(self, name: str, digest: str) -> str:
        try:
            return self._reader.read(lambda connection: get_text(connection, digest))
        except KeyError as error:
            raise DocumentError(
                f"The document {name} was replaced or removed meanwhile.", next_step="Look it up again."
            ) from error


def _check(document: NewDocument) -> None:
    if not document.name.strip() or storable(document.name) != document.name:
        raise DocumentError(f"{document.name!r} is not a name for a document.")
    try:
        document_rows.chunks_of(document)
    except ValueError as error:
        raise DocumentError(f"The document {document.name} is not cut well: {error}.") from error
