"""From any text to an FTS5 query, and to the chunks it finds."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence

from nonet.store.records import Hit

MAX_TERMS = 64
"""Of a query, the first so many different ones count: FTS5 takes time for each."""

WEIGHTS = (1.0, 2.0, 1.0)
"""Of a match in the document's name, the chunk's heading and its text."""

_WORD = re.compile(r"[^\W_]+")
STOP_WORDS = frozenset(
    """
    a about all also an and any are as at be been but by can could d did do does for from had has have he her his how
    i if in into is it its just ll m may me more my no not of on or our out re s shall she should so some such t than
    that the their them then there these they this to up us ve was we were what when where which who whom why will
    with would you your
    """.split()  # noqa: SIM905 - words, not a list of strings
)


def terms_of(query: str) -> list[str]:
    """The words that are searched, each once, in order; stop words only where there is nothing else."""
    # Composed, because FTS5 keeps a letter and its combining accent together where a regular expression does not.
    words = list({word.lower(): word for word in _WORD.findall(unicodedata.normalize("NFC", query))}.items())
    telling = [word for key, word in words if key not in STOP_WORDS]
    return (telling or [word for _, word in words])[:MAX_TERMS]


def match_expression(terms: Iterable[str]) -> str:
    """An FTS5 expression that any of the terms matches. Quoted, nothing in them is an operator (sqlite.org/fts5)."""
    return " OR ".join(f'"{term}"' for term in terms)


def search(connection: sqlite3.Connection, query: str, limit: int, documents: Sequence[str] | None) -> list[Hit]:
    """The best chunks by BM25, best first; of equals the earlier one."""
    terms = terms_of(query)
    if not terms or limit <= 0 or (documents is not None and not documents):
        return []
    rows = connection.execute(
        "SELECT d.name, c.number, -bm25(chunk_index, ?4, ?5, ?6) AS score,"
        " c.start_char, c.end_char, d.text_digest"
        " FROM chunk_index JOIN chunks c ON c.seq = chunk_index.rowid JOIN documents d ON d.seq = c.document_seq"
        " WHERE chunk_index MATCH ?1 AND (?2 IS NULL OR d.name IN (SELECT value FROM json_each(?2)))"
        " ORDER BY score DESC, c.seq LIMIT ?3",
        (match_expression(terms), None if documents is None else json.dumps(list(documents)), limit, *WEIGHTS),
    ).fetchall()
    texts: dict[str, str] = {}
    for row in rows:
        digest = row[5]
        if digest not in texts:
            texts[digest] = connection.execute("SELECT text FROM texts WHERE digest = ?", (digest,)).fetchone()[0]
    return [
        Hit(name, number, score, start, end, texts[digest][start:end])
        for name, number, score, start, end, digest in rows
    ]
