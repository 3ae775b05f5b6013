"""The statements that keep a document, its chunks and their words together. Each runs in the writer's transaction."""

from __future__ import annotations

import re
import sqlite3
import time
from bisect import bisect_right
from collections.abc import Sequence

from nonet.store.artifacts import digest_of, drop_unused, get_text, put_text, storable
from nonet.store.records import Change, NewDocument
from nonet.store.segmentless import pairs
from nonet.store.vector_rows import forget

Chunk = tuple[int, int, str, int | None]
"""Start, end (characters), heading and page."""

TITLE_CHARACTERS = 120
_HEADING = re.compile(r"^ {0,3}(?:(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*|(`{3,}|~{3,}).*)$", re.MULTILINE)


def chunks_of(document: NewDocument) -> list[Chunk]:
    """Its chunks with their headings; a document without chunks is one. Raises ValueError for bad offsets."""
    spans = document.chunks or ([(0, len(document.text))] if document.text else [])
    for start, end in spans:
        if not 0 <= start < end <= len(document.text):
            raise ValueError(f"chunk {start}:{end} is not within the {len(document.text)} characters of the text")
    pages = document.pages or [None] * len(spans)
    if document.headings:
        headings = [storable(text) for text in document.headings]
    else:
        by_marks = document.markdown or document.media_type == "text/markdown"
        marks = _headings(storable(document.text)) if by_marks else []
        places = [place for place, _ in marks]
        headings = [_heading_at(marks, places, start) for start, _ in spans]
    return [(start, end, heading, page) for (start, end), heading, page in zip(spans, headings, pages, strict=True)]


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


def _heading_at(marks: Sequence[tuple[int, str]], places: Sequence[int], start: int) -> str:
    """The last heading at or before `start`."""
    at = bisect_right(places, start)
    return marks[at - 1][1] if at else ""


def keep(connection: sqlite3.Connection, document: NewDocument) -> Change:
    """Add the document, replace one of its name, or find that nothing changed."""
    text = storable(document.text)
    chunks = chunks_of(document)
    digest = digest_of(text)
    old = connection.execute(
        "SELECT seq, text_digest, media_type FROM documents WHERE name = ?", (document.name,)
    ).fetchone()
    dated = document.dated or document.modified
    source = (document.path, document.size_bytes, document.modified, dated, document.file_digest, document.rules)
    if old is not None:
        if old[1:] == (digest, document.media_type) and _chunks(connection, old[0]) == chunks:
            connection.execute(
                "UPDATE documents SET path = ?, size_bytes = ?, modified_at_s = ?, dated_at_s = ?, file_digest = ?,"
                " rules = ?, collection = ?, added_at_s = ? WHERE seq = ?",
                (*source, document.collection, time.time(), old[0]),
            )
            return "unchanged"
        drop(connection, document.name)
    title = storable(document.title.strip())[:TITLE_CHARACTERS] or title_of(text)
    seq = connection.execute(
        "INSERT INTO documents (name, text_digest, title, media_type, characters, collection, added_at_s,"
        " path, size_bytes, modified_at_s, dated_at_s, file_digest, rules)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.name, put_text(connection, text), title, document.media_type, len(text), document.collection,
            time.time(), *source,
        ),
    ).lastrowid  # fmt: skip
    for number, chunk in enumerate(chunks):
        _keep_chunk(connection, document.name, text, (seq, number), chunk)
    return "added" if old is None else "replaced"


def _keep_chunk(
    connection: sqlite3.Connection, name: str, text: str, place: tuple[int | None, int], chunk: Chunk
) -> None:
    start, end, heading, page = chunk
    seq = connection.execute(
        "INSERT INTO chunks (document_seq, number, start_char, end_char, heading, page) VALUES (?, ?, ?, ?, ?, ?)",
        (*place, start, end, heading, page),
    ).lastrowid
    body = text[start:end]
    connection.execute(
        "INSERT INTO chunk_index (rowid, name, heading, body) VALUES (?, ?, ?, ?)", (seq, name, heading, body)
    )
    if found := pairs(body):
        connection.execute("INSERT INTO pair_index (rowid, pairs) VALUES (?, ?)", (seq, found))


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
    # An index without its own content must be given the very words that were put in (sqlite.org/fts5, section 4.4.3).
    connection.executemany(
        "INSERT INTO chunk_index (chunk_index, rowid, name, heading, body) VALUES ('delete', ?, ?, ?, ?)",
        [(chunk, name, heading, text[start:end]) for chunk, start, end, heading in chunks],
    )
    connection.executemany(
        "INSERT INTO pair_index (pair_index, rowid, pairs) VALUES ('delete', ?, ?)",
        [(chunk, found) for chunk, start, end, _ in chunks if (found := pairs(text[start:end]))],
    )
    forget(connection, [chunk for chunk, *_ in chunks])
    connection.execute("DELETE FROM documents WHERE seq = ?", (seq,))
    drop_unused(connection, [digest])
    return True


def _chunks(connection: sqlite3.Connection, seq: int) -> list[Chunk]:
    return connection.execute(
        "SELECT start_char, end_char, heading, page FROM chunks WHERE document_seq = ? ORDER BY number", (seq,)
    ).fetchall()
