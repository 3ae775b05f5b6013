"""A summary without a model: the sentences most central to a text, verbatim and in their order.

Centrality is the cosine of a sentence's tf-idf vector with that of the whole text (Radev et al. 2004, "Centroid-based
summarization"), leaned towards the beginning, where most prose says what it is about.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from nonet.specialists.ranking import bm25
from nonet.specialists.text import Span, content_stems, sentences, words

_LEAD_WEIGHT = 0.3
_FOCUS_WEIGHT = 1.0
_REDUNDANCY = 0.6
"""A sentence that shares this much (cosine) with one that is in stays out."""
_FEWEST_WORDS, _MOST_WORDS = 4, 60
"""Headings and runaway sentences make poor summaries; taken only if there is nothing else."""
_MOST_HEADING_WORDS = 12
_SENTENCE_ENDS = (".", "!", "?", "\u2026", '"', "'", "\u201d", "\u2019", ")", "]", "}", "\u3002", "\uff01", "\uff1f")
_FEWEST_OF_MANY, _MANY = 8, 100
"""Where there are many sentences, those of a few words are what people say in passing."""
_FEWEST_SENTENCES, _MOST_SENTENCES = 3, 8
_WORDS_PER_SENTENCE = 500
"""A longer text gets a longer extract, unless its length is given."""


def extract(
    text: str,
    *,
    focus: Collection[str] = (),
    most_sentences: int | None = None,
    most_words: int | None = None,
    said: Callable[[Span], str] | None = None,
) -> list[Span]:
    """The central sentences in the order of the text; at least one wherever the text has any.

    Args:
        text: what to sum up.
        focus: stems that the summary is to speak of.
        most_sentences: by the length of the text, 3 to 8, unless it or `most_words` is given.
        most_words: in all.
        said: how a sentence will be shown, where that is not as it stands: its words are counted.
    """
    every = sentences(text)
    spans = [span for span in every if not _is_heading(span, len(every))] or every
    vectors = _vectors(spans)
    scores = _scores(spans, vectors, sorted(focus))
    fewest = _FEWEST_OF_MANY if len(spans) >= _MANY else _FEWEST_WORDS
    usable = [at for at, span in enumerate(spans) if fewest <= len(words(span.text)) <= _MOST_WORDS]
    order = sorted(usable or range(len(spans)), key=lambda at: -scores[at])
    limit = most_sentences or (len(spans) if most_words else _usual_length(text))
    chosen: list[int] = []
    used = 0
    for at in order:
        size = len(words(said(spans[at]) if said else spans[at].text))
        if chosen and most_words is not None and used + size > most_words:
            continue
        if any(_cosine(vectors[at], vectors[other]) > _REDUNDANCY for other in chosen):
            continue
        chosen.append(at)
        used += size
        if len(chosen) >= limit:
            break
    return [spans[at] for at in sorted(chosen)]


def _is_heading(span: Span, among: int) -> bool:
    """Whether it is a title or a label: few words, no sentence's end. In a transcript of many lines none is told so."""
    line = span.text.rstrip()
    if line.endswith(":") or line.startswith("#"):
        return True
    return among < _MANY and len(words(line)) <= _MOST_HEADING_WORDS and not line.endswith(_SENTENCE_ENDS)


def _usual_length(text: str) -> int:
    return min(_MOST_SENTENCES, max(_FEWEST_SENTENCES, len(words(text)) // _WORDS_PER_SENTENCE))


def _vectors(spans: Sequence[Span]) -> list[dict[str, float]]:
    counts = [Counter(content_stems(span.text)) for span in spans]
    present = Counter(stem for count in counts for stem in count)
    return [{stem: tf * math.log(1 + len(spans) / present[stem]) for stem, tf in count.items()} for count in counts]


def _scores(spans: Sequence[Span], vectors: Sequence[Mapping[str, float]], focus: Sequence[str]) -> list[float]:
    centroid: dict[str, float] = {}
    for vector in vectors:
        for stem, weight in vector.items():
            centroid[stem] = centroid.get(stem, 0.0) + weight
    # By BM25, a rare word of the question weighs more than a common one: on QMSum ROUGE-2 is 6.2 with it and 5.2 with
    # the plain share of the words.
    asked = bm25(focus, [content_stems(span.text) for span in spans]) if focus else [0.0] * len(spans)
    best = max(asked, default=0.0) or 1.0
    return [
        _cosine(vector, centroid) + _LEAD_WEIGHT / (1 + at) + _FOCUS_WEIGHT * asked[at] / best
        for at, vector in enumerate(vectors)
    ]


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    small, large = (one, other) if len(one) < len(other) else (other, one)
    dot = sum(weight * large.get(stem, 0.0) for stem, weight in small.items())
    norms = math.sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
    return dot / norms if norms else 0.0
