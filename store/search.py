"""From any text to an FTS5 query, and to the chunks it finds."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence

from nonet.store.filters import condition
from nonet.store.records import Filter, Hit
from nonet.store.segmentless import pair_expression

MAX_TERMS = 64
"""Of a query, the first so many different ones count: FTS5 takes time for each."""

WEIGHTS = (2.0, 2.0, 1.0)
"""Of a match in the document's name, the chunk's heading and its text. A name at 2 instead of 1: R@5 on HotpotQA .85
instead of .82, on MuSiQue .46 instead of .44, nDCG@10 on Cranfield .37 both times."""

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


def search(connection: sqlite3.Connection, query: str, limit: int, where: Filter) -> list[Hit]:
    """The best chunks by BM25, best first; of equals the earlier one."""
    if limit <= 0 or (where.documents is not None and not where.documents):
        return []
    found = _by_words(connection, terms_of(query), limit, where)
    if expression := pair_expression(query):
        found = _merged(found, _by_pairs(connection, expression, limit, where))[:limit]
    return hits_of(connection, found)


def _by_words(
    connection: sqlite3.Connection, terms: Sequence[str], limit: int, where: Filter
) -> list[tuple[int, float]]:
    if not terms:
        return []
    sql, values = condition(where)
    rows = connection.execute(
        "SELECT c.seq, -bm25(chunk_index, :name_weight, :heading_weight, :text_weight) AS score"
        " FROM chunk_index JOIN chunks c ON c.seq = chunk_index.rowid JOIN documents d ON d.seq = c.document_seq"
        f" WHERE chunk_index MATCH :match AND {sql} ORDER BY score DESC, c.seq LIMIT :limit",
        {
            "match": match_expression(terms), "limit": limit, **values,
            "name_weight": WEIGHTS[0], "heading_weight": WEIGHTS[1], "text_weight": WEIGHTS[2],
        },
    )  # fmt: skip
    return rows.fetchall()


def _by_pairs(connection: sqlite3.Connection, expression: str, limit: int, where: Filter) -> list[tuple[int, float]]:
    sql, values = condition(where)
    rows = connection.execute(
        "SELECT c.seq, -bm25(pair_index) AS score"
        " FROM pair_index JOIN chunks c ON c.seq = pair_index.rowid JOIN documents d ON d.seq = c.document_seq"
        f" WHERE pair_index MATCH :match AND {sql} ORDER BY score DESC, c.seq LIMIT :limit",
        {"match": expression, "limit": limit, **values},
    )
    return rows.fetchall()


def _merged(one: Sequence[tuple[int, float]], other: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Both are BM25 over parts of the same query, so their sum is BM25 over all of it."""
    scores: dict[int, float] = {}
    for seq, score in (*one, *other):
        scores[seq] = scores.get(seq, 0.0) + score
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def hits_of(connection: sqlite3.Connection, found: Sequence[tuple[int, float]]) -> list[Hit]:
    """The chunks with their texts and where they stand, in the order given."""
    texts: dict[str, str] = {}
    hits: list[Hit] = []
    for seq, score in found:
        row = connection.execute(
            "SELECT d.name, c.number, c.start_char, c.end_char, d.text_digest, c.heading, c.page, d.media_type, d.path,"
            " d.dated_at_s, d.collection FROM chunks c JOIN documents d ON d.seq = c.document_seq WHERE c.seq = ?",
            (seq,),
        ).fetchone()
        if row is None:
            continue
        name, number, start, end, digest, *place = row
        if digest not in texts:
            texts[digest] = connection.execute("SELECT text FROM texts WHERE digest = ?", (digest,)).fetchone()[0]
        hits.append(Hit(name, number, score, start, end, texts[digest][start:end], seq, *place))
    return hits
