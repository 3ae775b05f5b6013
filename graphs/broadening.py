"""A broad question asked again with what its first answers have in common (pseudo-relevance feedback).

Who asks for the passages on a subject names few of the words it is written about in. So the first three hits lend
their tell-tale words (a relevance model, Lavrenko and Croft 2001) and the middle of their vectors (Rocchio 1971) to a
second search, the first of them most. A question about one fact is not helped: there the first hits are wrong together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from nonet.store import Hit, Store
from nonet.store.search import terms_of

FEEDBACK = 3
"""Hits that lend, each by its rank: the second half as much as the first."""
_WORDS = 15
_CANDIDATES = 60
"""Words that are looked up in the index for how rare they are."""
_LENT = 0.4
"""Of the new vector, by the hits."""


def expanded(store: Store, query: str, hits: Sequence[Hit]) -> str:
    """The query, and the words by which its first hits stand out from the collection."""
    weights: dict[str, float] = {}
    for rank, hit in enumerate(hits, start=1):
        counts = Counter(word.lower() for word in hit.text.split() for word in terms_of(word))
        total = sum(counts.values()) or 1
        for word, count in counts.items():
            weights[word] = weights.get(word, 0.0) + count / total / rank
    asked = {word.lower() for word in terms_of(query)}
    ranked = sorted(weights, key=lambda word: -weights[word])
    candidates = [word for word in ranked if word not in asked][:_CANDIDATES]
    found = store.documents.frequencies(candidates)
    chunks = store.vectors.state().chunks
    telling = sorted(candidates, key=lambda word: -weights[word] * math.log(1 + chunks / max(1, found[word])))
    return " ".join([query, *telling[:_WORDS]])


def moved(store: Store, vector: Sequence[float], hits: Sequence[Hit]) -> tuple[float, ...]:
    """The query's vector, moved towards those of its first hits."""
    middle = store.vectors.middle({hit.seq: 1.0 / rank for rank, hit in enumerate(hits, start=1)})
    if middle is None:
        return tuple(vector)
    return tuple((1 - _LENT) * own + _LENT * theirs for own, theirs in zip(vector, middle, strict=True))
