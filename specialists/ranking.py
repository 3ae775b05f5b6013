"""Which passages and which sentences speak to a question: lexical and embedding ranks, fused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nonet.specialists.protocol import Desk, Passage
from nonet.specialists.text import content_stems, sentences

_RRF_K = 60
"""Of the paper (Cormack, Clarke and Büttcher 2009); not tuned."""
_NEIGHBOURS, _SHARED = 10, 0.6
"""On Cranfield any share of .4 to .8 gives an nDCG@10 of .46 or .47 (benchmarks/quality_broad.py)."""
_K1, _B = 1.2, 0.75
"""BM25's usual constants."""

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RankedSentence:
    """A sentence of a passage with its rank score (comparable within one ranking)."""

    passage: int
    """Index of its passage."""
    start: int
    """Within the passage."""
    end: int
    text: str
    score: float
    lexical: float
    """BM25 among these sentences; 0 where it shares no word with the query."""


def fuse(rankings: Sequence[Sequence[Item]]) -> list[Item]:
    """Reciprocal rank fusion: best first. An item that a ranking lacks gets nothing from it."""
    return [item for item, _ in fused_scores(rankings)]


def fused_scores(rankings: Sequence[Sequence[Item]], *, k: int = _RRF_K) -> list[tuple[Item, float]]:
    """As `fuse`, each item with its score. A smaller `k` gives more to the first ranks."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda entry: -entry[1])


def summed_scores(rankings: Sequence[Sequence[tuple[Item, float]]], depth: int) -> list[tuple[Item, float]]:
    """Each item with the mean of its shares of each ranking's best score, best first (CombSUM, Fox and Shaw 1994).

    Unlike ranks, the scores tell where a ranking's good items end. An item that a full ranking lacks
    can have at most the last score there, and is given that; one that a shorter ranking lacks has none.

    Args:
        rankings: items with scores of at least 0, best first.
        depth: from which a ranking may have left items out.

    >>> summed_scores([[("a", 8.0), ("b", 6.0)], [("b", 0.8), ("c", 0.4)]], depth=2)
    [('b', 0.875), ('a', 0.75), ('c', 0.625)]
    """
    held = [{item: score / (ranking[0][1] or 1.0) for item, score in ranking} for ranking in rankings if ranking]
    last = [min(shares.values()) if len(shares) >= depth else 0.0 for shares in held]
    total = {
        item: sum(shares.get(item, least) for shares, least in zip(held, last, strict=True)) / len(held)
        for item in dict.fromkeys(item for shares in held for item in shares)
    }
    return sorted(total.items(), key=lambda entry: -entry[1])


def spread(scores: Sequence[float], alike: Sequence[Sequence[float]], share: float = _SHARED) -> list[float]:
    """Scores in which each item shares those of the items most like it.

    What is relevant to one broad question tends to be alike (the cluster hypothesis, Jardine and van Rijsbergen 1971),
    so a passage between good ones is better than its words say, and one that stands alone is worse. For a question
    about one fact it is the wrong thing: there the one passage is wanted.

    Args:
        scores: of the best few, at least 0.
        alike: the cosine of each with each.
        share: of a new score, by the mean of its neighbours' scores.
    """
    shared: list[float] = []
    for at, row in enumerate(alike):
        near = sorted((max(0.0, value) ** 2, other) for other, value in enumerate(row) if other != at)[-_NEIGHBOURS:]
        weight = sum(value for value, _ in near) or 1.0
        mean = sum(value * scores[other] for value, other in near) / weight
        shared.append((1 - share) * scores[at] + share * mean)
    return shared


def bm25(query: Sequence[str], texts: Sequence[Sequence[str]]) -> list[float]:
    """One score a text, over the stems given; the texts themselves are the collection that words are weighed by."""
    counts = [Counter(text) for text in texts]
    present = Counter(stem for count in counts for stem in count)
    mean = sum(len(text) for text in texts) / max(1, len(texts)) or 1.0
    scores: list[float] = []
    for text, count in zip(texts, counts, strict=True):
        total = 0.0
        for stem in set(query):
            if tf := count[stem]:
                idf = math.log(1 + (len(texts) - present[stem] + 0.5) / (present[stem] + 0.5))
                total += idf * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * len(text) / mean))
        scores.append(total)
    return scores


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The dot product of unit vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


async def similarities(query: str, texts: Sequence[str], desk: Desk) -> list[float] | None:
    """Cosine of each text with the query, or None without an embedding model."""
    if not texts:
        return []
    vectors = await desk.embed([query, *texts])
    return None if vectors is None else [cosine(vectors[0], vector) for vector in vectors[1:]]


async def rerank(query: str, passages: Sequence[Passage], desk: Desk) -> tuple[list[Passage], float | None]:
    """The passages by their given order fused with embedding similarity, and the best cosine (None without a model).

    A passage's first words carry its subject in most prose; its name goes in front. Where the search itself knew the
    vectors, nothing is embedded again.
    """
    if known := [passage.cosine for passage in passages if passage.cosine is not None]:
        return list(passages), max(known)
    scores = await similarities(query, [f"{title(passage.document)}: {passage.text}" for passage in passages], desk)
    if scores is None:
        return list(passages), None
    order = list(range(len(passages)))
    by_vector = sorted(order, key=lambda index: -scores[index])
    return [passages[index] for index in fuse([order, by_vector])], max(scores, default=0.0)


def rank_sentences(query: str, passages: Sequence[Passage]) -> list[RankedSentence]:
    """Every sentence of the passages, best first, each once however many passages overlap in it.

    By words and by the rank of the passage. (Embedding the sentences as well costs half a second a question and, on
    HotpotQA, found no more: .77 against .77 of the answers in the best ten.)
    """
    found = _sentences_once(passages)
    named = [content_stems(f"{title(passages[index].document)} {text}") for index, _, _, text in found]
    scores = bm25(content_stems(query), named)
    order = list(range(len(found)))
    by_words = sorted(order, key=lambda at: -scores[at])
    by_passage = sorted(order, key=lambda at: found[at][0])
    ranking = enumerate(fuse([by_words, by_passage]), start=1)
    return [RankedSentence(*found[at], score=1.0 / rank, lexical=scores[at]) for rank, at in ranking]


def _sentences_once(passages: Sequence[Passage]) -> list[tuple[int, int, int, str]]:
    found: list[tuple[int, int, int, str]] = []
    seen: set[tuple[str, int]] = set()
    for index, passage in enumerate(passages):
        for span in sentences(passage.text):
            key = (passage.document, passage.start + span.end)
            if key not in seen:
                seen.add(key)
                found.append((index, span.start, span.end, span.text))
    return found


def title(document: str) -> str:
    """A document's name as a reader would say it: without its folder and suffix."""
    name = document.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    longest_suffix = 5
    return (stem if dot and stem and suffix.isalnum() and len(suffix) <= longest_suffix else name).replace("_", " ")
