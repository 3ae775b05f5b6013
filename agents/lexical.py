"""Nearest examples without an embedding model: BM25 by SQLite's FTS5, with stemming, in memory.

SQLite is the best-kept full-text engine that every Python already carries, so this needs no further dependency.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_MAX_QUERY_WORDS = 48
"""Long requests say who should get them in their first words; an OR over thousands of terms would be slow."""
_SHAPE = re.compile(r"\d+")


class ExampleIndex:
    """Finds the examples whose words are closest to a text.

    Args:
        examples: the texts to search, at least one.
    """

    def __init__(self, examples: Sequence[str]) -> None:
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute("CREATE VIRTUAL TABLE example USING fts5(words, tokenize='porter unicode61')")
        self._connection.executemany(
            "INSERT INTO example(rowid, words) VALUES (?, ?)",
            [(number, " ".join(_words(text))) for number, text in enumerate(examples, 1)],
        )
        self._own = [self._raw(text).get(number, 0.0) for number, text in enumerate(examples)]

    def similarities(self, text: str) -> dict[int, float]:
        """Similarity by the example's position: 1 for an example itself, absent where no word is shared."""
        return {
            number: min(1.0, score / self._own[number])
            for number, score in self._raw(text).items()
            if self._own[number] > 0
        }

    def _raw(self, text: str) -> dict[int, float]:
        words = list(dict.fromkeys(_words(text)))[:_MAX_QUERY_WORDS]
        if not words:
            return {}
        query = " OR ".join(f'"{word}"' for word in words)
        rows = self._connection.execute("SELECT rowid, -bm25(example) FROM example WHERE example MATCH ?", (query,))
        return {int(rowid) - 1: float(score) for rowid, score in rows}


def _words(text: str) -> list[str]:
    """Its words, every number as one word, so that word problems resemble each other."""
    return _WORD.findall(_SHAPE.sub(" someNumber ", text.casefold()))
