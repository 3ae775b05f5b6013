"""The statements that keep a document, its chunks and their words together. Each runs in the writer's transaction."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence

from nonet.errors import DocumentError
from nonet.store.artifacts import digest_of, drop_unused, get_text, put_text, storable
from nonet.store.records import Change, NewDocument

Chunk = tuple[int, int, str]
"""Start, end (characters) and heading."""

TITLE_CHARACTERS = 120
_HEADING = re.compile(r"^ {0,3}(?:(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*|(`{3,}|~{3,}).*)$", re.MULTILINE)


def chunks_of(document: NewDocument) -> list[Chunk]:
    """Its chunks with their headings; a document without chunks is one. Raises ValueError for bad offsets."""
    spans = document.chunks or ([(0, len(document.text))] if document.text else [])
    for start, end in spans:
        if not 0 <= start < end <= len(document.text):
            raise ValueError(f"chunk {start}:{end} is not within the {len(document.text)} characters of the text")
    if document.headings:
        return [(start, end, storable(text)) for (start, end), text in zip(spans, document.headings, strict=True)]
    marks = _headings(storable(document.text)) if document.media_type == "text/markdown" else []
    return [(start, end, _heading_at(marks, start)) for start, end in spans]


def _headings(text: str) -> list[tuple[int, str]]:
    """Where each Markdown heading (ATX, outside of fences) stands, with those above it: "Setup > Linux"."""
    marks: list[tuple[int, str]] = []
    trail: list[tuple[int, str]] = []
    fence = ""
    for match in _HEADING.finditer(text):
        hashes, title, ticks = match.groups()
        if ticks:
            fence = "" if fence and ticks.startswith(fence) else fence or ticks
        elif not fence:
            trail = [entry for entry in trail if entry[0] < len(hashes)] + [(len(hashes), title)]
            marks.append((match.start(), " > ".join(name for _, name in trail)))
    return marks


def title_of(text: str) -> str:
    """The first line that has words, without the marks of headings and comments; cut to TITLE_CHARACTERS."""
    line = next((line for line in text[:4000].splitlines() if re.search(r"\w", line)), "")
    return line.strip(" \t#*/=-\"'`<!>;")[:TITLE_CHARACTERS]


def _heading_at(marks: Sequence[tuple[int, str]], start: int) -> str:
    """The last heading at or before `start`."""
    return next((title for place, title in reversed(marks) if place <= start), "")


def keep(connection: sqlite3.Connection, document: NewDocument) -> Change:
    """Add the document, replace one of its name, or find that nothing changed."""
    text = storable(document.text)
    chunks = chunks_of(document)
    digest = digest_of(text)
    old = connection.execute(
        "SELECT seq, text_digest, media_type FROM documents WHERE name = ?", (document.name,)
    ).fetchone()
    if old is not None:
        if old[1:] == (digest, document.media_type) and _chunks(connection, old[0]) == chunks:
            connection.execute(
                "UPDATE documents SET path = ?, size_bytes = ?, modified_at_s = ? WHERE seq = ?",
                (document.path, document.size_bytes, document.modified, old[0]),
            )
            return "unchanged"
        drop(connection, document.name)
    title = storable(document.title.strip())[:TITLE_CHARACTERS] or title_of(text)
    about = (title, document.media_type, document.path, document.size_bytes, len(text), document.modified)
    seq = connection.execute(
        "INSERT INTO documents (name, text_digest, title, media_type, path, size_bytes, characters, modified_at_s,"
        " vector_model, added_at_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?)",
        (document.name, put_text(connection, text), *about, time.time()),
    ).lastrowid
    for number, (start, end, heading) in enumerate(chunks):
        chunk = connection.execute(
            "INSERT INTO chunks (document_seq, number, start_char, end_char, heading) VALUES (?, ?, ?, ?, ?)",
            (seq, number, start, end, heading),
        ).lastrowid
        connection.execute(
            "INSERT INTO chunk_index (rowid, name, heading, body) VALUES (?, ?, ?, ?)",
            (chunk, document.name, heading, text[start:end]),
        )
    return "added" if old is None else "replaced"


def drop(connection: sqlite3.Connection, name: str) -> bool:
    """Remove the document, its chunks, their words, and the text if nothing else names it; False if there is none."""
    row = connection.execute("SELECT seq, text_digest FROM documents WHERE name = ?", (name,)).fetchone()
    if row is None:
        return False
    seq, digest = row
    text = get_text(connection, digest)
    chunks = connection.execute(
        "SELECT seq, start_char, end_char, heading FROM chunks WHERE document_seq = ?", (seq,)
    ).fetchall()
    # An external-content index must be given the very words that were put in (sqlite.org/fts5, section 4.4.3).
    connection.executemany(
        "INSERT INTO chunk_index (chunk_index, rowid, name, heading, body) VALUES ('delete', ?, ?, ?, ?)",
        [(chunk, name, heading, text[start:end]) for chunk, start, end, heading in chunks],
    )
    connection.execute("DELETE FROM documents WHERE seq = ?", (seq,))
    drop_unused(connection, [digest])
    return True


def put_vectors(connection: sqlite3.Connection, name: str, vectors: Sequence[bytes], model: str) -> None:
    """One vector a chunk, in order. Raises DocumentError if there are more or fewer chunks."""
    seqs = connection.execute(
        "SELECT c.seq FROM chunks c JOIN documents d ON d.seq = c.document_seq WHERE d.name = ? ORDER BY c.number",
        (name,),
    ).fetchall()
    if len(seqs) != len(vectors):
        raise DocumentError(f"The document {name} has {len(seqs)} chunks, and {len(vectors)} vectors were given.")
    connection.executemany(
        "UPDATE chunks SET vector = ? WHERE seq = ?",
        [(vector, seq) for vector, (seq,) in zip(vectors, seqs, strict=True)],
    )
    connection.execute("UPDATE documents SET vector_model = ? WHERE name = ?", (model, name))


def _chunks(connection: sqlite3.Connection, seq: int) -> list[Chunk]:
    return connection.execute(
        "SELECT start_char, end_char, heading FROM chunks WHERE document_seq = ? ORDER BY number", (seq,)
    ).fetchall()
