"""Quotes, checked against the passages they are said to come from. What leaves here is verbatim or does not leave."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nonet.specialists.protocol import Citation, Passage
from nonet.specialists.text import sentences, words

_NEAR_ENOUGH = 0.6
"""Word F1 of a quote and a sentence above which the sentence is what the model meant. Between a copy with a slip or
two (above 0.8) and two sentences on one topic (below 0.5)."""
_SHORTEST_REPAIR = 4
"""Words; fewer match some sentence by accident."""

_ALIKE = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u201b": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
}
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
"""Soft hyphens, joiners and direction marks: a reader does not see them, and a model does not repeat them."""


class Match(StrEnum):
    """How a quote was found."""

    VERBATIM = "verbatim"
    ALIKE = "alike"
    """The same but for case, white space, or the form of quotes and dashes; the citation has the document's form."""
    NEAREST = "nearest"
    """Not there; the nearest sentence took its place."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """What became of one quote."""

    quote: str
    """As it was given."""
    match: Match
    citation: Citation | None
    """Verbatim; None where the quote is absent."""


def cite(passage: Passage, start: int, end: int) -> Citation:
    """A citation of passage.text[start:end], with offsets in the document."""
    quote = passage.text[start:end]
    return Citation(passage.document, quote, passage.start + start, passage.start + end, passage.chunk, passage.page)


def holds(citation: Citation, text: str) -> bool:
    """Whether the citation is verbatim in the document's text."""
    return text[citation.start : citation.end] == citation.quote


def check_quote(quote: str, passages: Sequence[Passage]) -> QuoteCheck:
    """Find a quote in the passages: verbatim, else alike, else the nearest sentence, else nowhere."""
    wanted = quote.strip()
    if not words(wanted):
        return QuoteCheck(quote, Match.ABSENT, None)
    for passage in passages:
        start = passage.text.find(wanted)
        if start >= 0:
            return QuoteCheck(quote, Match.VERBATIM, cite(passage, start, start + len(wanted)))
    folded, _ = _folded(wanted.strip(" .\u2026"))
    for passage in passages:
        text, offsets = _folded(passage.text)
        start = text.find(folded) if folded else -1
        if start >= 0:
            end = offsets[start + len(folded) - 1] + 1
            return QuoteCheck(quote, Match.ALIKE, cite(passage, offsets[start], end))
    return _nearest(quote, passages)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text in its plainest form, and for each of its characters where it stood."""
    out: list[str] = []
    offsets: list[int] = []
    for index, letter in enumerate(text):
        if letter.isspace():
            if out and out[-1] == " ":
                continue
            plain = " "
        elif letter in _INVISIBLE:
            continue
        else:
            # Decomposed and composed accents, ligatures and wide letters are the same words.
            plain = "".join(_ALIKE.get(each, each) for each in unicodedata.normalize("NFKD", letter)).casefold()
        for piece in plain:
            out.append(piece)
            offsets.append(index)
    return "".join(out), offsets


def _nearest(quote: str, passages: Sequence[Passage]) -> QuoteCheck:
    wanted = set(words(quote))
    if len(wanted) >= _SHORTEST_REPAIR:
        found = [
            (_f1(wanted, set(words(span.text))), passage, span)
            for passage in passages
            for span in sentences(passage.text)
        ]
        score, passage, span = max(found, key=lambda item: item[0], default=(0.0, None, None))
        if passage is not None and span is not None and score >= _NEAR_ENOUGH:
            return QuoteCheck(quote, Match.NEAREST, cite(passage, span.start, span.end))
    return QuoteCheck(quote, Match.ABSENT, None)


def _f1(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


_QUOTED = re.compile(r"\"([^\"\n]{12,400})\"|\u201c([^\u201d\n]{12,400})\u201d")
_FEWEST_QUOTED_WORDS = 4
"""Fewer, and it is a title or a word set apart, not a quote."""


def quotes_in(text: str) -> list[str]:
    """What stands between quotation marks in an answer and is long enough to be a quote."""
    found = [match.group(1) or match.group(2) for match in _QUOTED.finditer(text)]
    return [quote for quote in found if len(words(quote)) >= _FEWEST_QUOTED_WORDS]
