"""Documents: kept once, cut in chunks, searched by their words.

Changes are durable on return; a large folder is best added from a thread (`asyncio.to_thread`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from nonet.errors import DocumentError
from nonet.store import document_rows, search
from nonet.store.artifacts import get_text, storable
from nonet.store.filters import ALL, condition
from nonet.store.names import nearest
from nonet.store.queue_records import is_job_document
from nonet.store.reader import Reader
from nonet.store.records import Change, DocumentRecord, Filter, Hit, NewDocument
from nonet.store.writer import Writer

_COLUMNS = (
    "d.name, d.text_digest, d.title, d.media_type, d.path, d.size_bytes, d.characters,"
    " (SELECT count(*) FROM chunks c WHERE c.document_seq = d.seq), d.modified_at_s, d.added_at_s,"
    " d.collection, d.dated_at_s, d.file_digest, d.rules"
)
_HEADS = "SELECT name, title, characters FROM documents"


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
        changes = self.submit(documents).result()
        return [self._record(document.name, change) for document, change in zip(documents, changes, strict=True)]

    def submit(self, documents: Sequence[NewDocument]) -> Future[list[Change]]:
        """As `add_many`, but does not wait: the future is done when they are on disk."""
        for document in documents:
            _check(document)

        def write(connection: sqlite3.Connection) -> list[Change]:
            return [document_rows.keep(connection, document) for document in documents]

        return self._writer.call(write)

    def list(self, where: Filter = ALL) -> list[DocumentRecord]:
        """All documents, or those that are wanted, by name."""
        sql, values = condition(where)
        rows = self._reader.rows(f"SELECT {_COLUMNS} FROM documents d WHERE {sql} ORDER BY d.name", values)
        return [self._from_row(row) for row in rows]

    def collections(self) -> Sequence[str]:
        """The names of the collections that have documents, sorted; "" for the one without a name."""
        return [row[0] for row in self._reader.rows("SELECT DISTINCT collection FROM documents ORDER BY collection")]

    def get(self, name: str) -> DocumentRecord:
        """A document by its name, or by an end of it that no other has ("notes.md" for "docs/notes.md").

        Raises:
            DocumentError: none or several are meant; the nearest are named.
        """
        return self._record(self.resolve(name))

    def text(self, name: str) -> str:
        """The whole text of the document named as for `get`. Raises as `get`."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT text_digest FROM documents WHERE name = ?", (storable(name),)).fetchone()
            return None if row is None else get_text(connection, row[0])

        text = self._reader.read(read)
        return self.get(name).text() if text is None else text

    def heads(self, names: Sequence[str] | None = None, *, where: Filter = ALL) -> Sequence[tuple[str, str, int]]:
        """(name, title, characters) of the documents of these full names, or of all but those of jobs; by name."""
        if names is not None:
            wanted = json.dumps([storable(name) for name in names])
            among = "name IN (SELECT value FROM json_each(?))"
            return self._reader.rows(f"{_HEADS} WHERE {among} ORDER BY name", (wanted,))
        sql, values = condition(where)
        rows = self._reader.rows(f"{_HEADS} d WHERE {sql} ORDER BY name", values)
        return [row for row in rows if not is_job_document(row[0])]

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

    def search(
        self, query: str, limit: int, documents: Sequence[str] | None = None, *, where: Filter = ALL
    ) -> Sequence[Hit]:
        """The best chunks for the words of any text, best first; nothing found is an empty list.

        Args:
            query: any text; operators and quotes in it mean nothing.
            limit: at most so many.
            documents: full names to search among; None for all.
            where: more of what they must be.
        """
        wanted = where if documents is None else replace(where, documents=documents)
        return self._reader.read(lambda connection: search.search(connection, query, limit, wanted))

    def frequencies(self, words: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word stands, in whatever form the index takes for the same."""

        def read(connection: sqlite3.Connection) -> dict[str, int]:
            statement = "SELECT count(*) FROM chunk_index WHERE chunk_index MATCH ?"
            return {
                word: int(connection.execute(statement, (search.match_expression([word]),)).fetchone()[0])
                for word in words
            }

        return self._reader.read(read)

    def _ends(self, name: str) -> Sequence[str]:
        """Full names that end with `name` after a slash."""
        end = "/" + name.removeprefix("./").lstrip("/")
        rows = self._reader.rows("SELECT name FROM documents WHERE substr(name, -?) = ?", (len(end), end))
        return [str(row[0]) for row in rows] if len(end) > 1 else []

    def _record(self, name: str, change: Change = "unchanged") -> DocumentRecord:
        row = self._reader.row(f"SELECT {_COLUMNS} FROM documents d WHERE d.name = ?", (name,))
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
        raise DocumentError(
            f"{document.name!r} is not a name for a document.", next_step="Give the file a name in UTF-8, with letters."
        )
    try:
        document_rows.chunks_of(document)
    except ValueError as error:
        raise DocumentError(f"The document {document.name} is not cut well: {error}.") from error
