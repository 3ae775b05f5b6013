"""Quotes, checked against the passages they are said to come from. What leaves here is verbatim or does not leave."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby

from nonet.specialists.protocol import Citation, Passage
from nonet.specialists.quote_marks import joins
from nonet.specialists.text import Span, sentences, words

_NEAR_ENOUGH = 0.6
"""Word F1 of a quote and a sentence above which the sentence is what the model meant. Between a copy with a slip or
two (above 0.8) and two sentences on one topic (below 0.5)."""
_LEAST_LENGTH = 2 / 3
"""Words of the shorter of the two to those of the longer. A part of a sentence that takes the place of the whole, or
the whole that takes the place of a part, says something else than the answer did."""
SHORTEST_REPAIR = 4
"""Words; fewer match some sentence by accident."""

_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u301d\u301e\u301f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}
_INVISIBLE = frozenset(
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Soft hyphens, joiners, and all that Unicode has to set the direction of a text (UAX #9): a reader does not see them,
and a model does not repeat them."""
_EMPHASIS = re.compile(r"(?<![^\W_])[*_`]+(?=\S)|(?<=\S)[*_`]+(?![^\W_])")
"""Markdown's, which a model leaves out of a quote or puts into it; not that of "2*3" or "a_b"."""
_LINE_END = re.compile(r"(?<=[^\W\d_])([-\u2010\u00ad])([^\S\n]*\n[^\S\n]*)(?=[^\W\d_])")
"""A hyphen there may be the word's own or only the line's; nobody can tell, so both are looked for."""
_GROUPED = re.compile(r"\d[.,]\d")
"""Within a number."""
_AROUND = " .,;:!?\u2026\u3001\u3002\u060c\u061b\u061f\u06d4\u0964"
"""What may stand at the end of a quote, inside its marks, and belong to the sentence around it."""
_WORD = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_DOTS = r"(?:\.(?:\s?\.){2,}|\u2026)"
_CHANGED = re.compile(rf"(\[\s*{_DOTS}\s*\]|\(\s*{_DOTS}\s*\)|{_DOTS})|\[{_WORD}(?:\s{_WORD})?\]")
"""What a quote says that it leaves out, or puts in the place of a word or two; a number is never put in."""
_OTHER_CASE = re.compile(r"\[([^\W\d_])\](?=[^\W\d_])")
"""As in "[T]he"."""
_LONGEST_ELISION = 500
"""Characters: some sentences. In the whole of a long text, any words stand somewhere behind any others."""
_LONGEST_STAND_IN = 30
"""Characters that a word or two in brackets may stand for."""


class Match(StrEnum):
    """How a quote was found."""

    VERBATIM = "verbatim"
    ALIKE = "alike"
    """The same but for case, white space, or the form of quotes and dashes; the citation has the document's form."""
    ELIDED = "elided"
    """Piece by piece in order, but for what it says that it leaves out or puts in; the citation spans the pieces."""
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
    """Find a quote in the passages: verbatim, else alike, else the nearest sentence, else nowhere. In whole words."""
    return Sought(passages).check(quote)


class Sought:
    """Passages in which quotes are looked for; what that takes is worked out at the first quote that needs it."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages

    def check(self, quote: str) -> QuoteCheck:
        """As `check_quote`."""
        return self.find(quote) or self._nearest(quote)

    def find(self, quote: str) -> QuoteCheck | None:
        """Where it is, verbatim or alike; None where it is not."""
        wanted = quote.strip()
        if not words(wanted):
            return None
        for passage in self._passages:
            start = _find(wanted, passage.text)
            if start >= 0:
                return QuoteCheck(quote, Match.VERBATIM, cite(passage, start, start + len(wanted)))
        folded = _folded(wanted)[0].strip(_AROUND)
        for passage, text, offsets in self._plain:
            start = _find(folded, text) if folded else -1
            if start >= 0:
                end = offsets[start + len(folded) - 1] + 1
                return QuoteCheck(quote, Match.ALIKE, cite(passage, offsets[start], end))
        return None

    def elided(self, quote: str) -> QuoteCheck | None:
        """Where the pieces of it stand in order, if it says that it leaves something out; None where they do not."""
        pieces = _pieces(quote)
        for passage, text, offsets in self._plain:
            found = _in_order(pieces, text) if pieces else None
            if found:
                return QuoteCheck(quote, Match.ELIDED, cite(passage, offsets[found[0]], offsets[found[1] - 1] + 1))
        return None

    @cached_property
    def _plain(self) -> list[tuple[Passage, str, list[int]]]:
        return [
            (passage, *_folded(passage.text, omitted))
            for passage in self._passages
            for omitted in _line_ends(passage.text)
        ]

    @cached_property
    def _sentences(self) -> list[tuple[Passage, Span, set[str]]]:
        return [
            (passage, span, set(words(span.text))) for passage in self._passages for span in sentences(passage.text)
        ]

    def _nearest(self, quote: str) -> QuoteCheck:
        wanted = set(words(quote))
        if len(wanted) >= SHORTEST_REPAIR:
            found = [
                (_f1(wanted, said), passage, span)
                for passage, span, said in self._sentences
                if min(len(wanted), len(said)) >= _LEAST_LENGTH * max(len(wanted), len(said))
            ]
            score, passage, span = max(found, key=lambda item: item[0], default=(0.0, None, None))
            if passage is not None and span is not None and score >= _NEAR_ENOUGH:
                return QuoteCheck(quote, Match.NEAREST, cite(passage, span.start, span.end))
        return QuoteCheck(quote, Match.ABSENT, None)


def _find(wanted: str, text: str) -> int:
    """Where it stands in whole words; -1 where it does not."""
    return next(_places(wanted, text), -1)


def _places(wanted: str, text: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        if not (_is_joined(text, at) or _is_joined(text, at + len(wanted))):
            yield at
        at = text.find(wanted, at + 1)


def _pieces(quote: str) -> list[tuple[int, str]]:
    """What a changed quote has of the text, and how much may stand before each of it; empty if it is not changed."""
    plain = _OTHER_CASE.sub(r"\1", quote)
    pieces: list[tuple[int, str]] = []
    at = gap = 0
    for change in _CHANGED.finditer(plain):
        pieces.append((gap, plain[at : change.start()]))
        gap, at = _LONGEST_ELISION if change[1] else _LONGEST_STAND_IN, change.end()
    if not pieces and plain == quote:
        return []
    folded = [(gap, _folded(piece.strip())[0].strip(_AROUND)) for gap, piece in [*pieces, (gap, plain[at:])]]
    return [(gap, piece) for gap, piece in folded if words(piece)]


def _in_order(pieces: Sequence[tuple[int, str]], text: str) -> tuple[int, int] | None:
    """From where to where the pieces stand in the text, none further behind the one before than it may."""
    reached: list[tuple[int, int]] = []
    for number, (gap, piece) in enumerate(pieces):
        ends = [end for _, end in reached]
        further: list[tuple[int, int]] = []
        for at in _places(piece, text):
            before = bisect_right(ends, at) - 1
            if number == 0:
                further.append((at, at + len(piece)))
            elif before >= 0 and at - ends[before] <= gap:
                further.append((reached[before][0], at + len(piece)))
        reached = further
    return reached[0] if reached else None


def _is_joined(text: str, at: int) -> bool:
    """Whether a word or number goes on over this place; where words stand without spaces, nobody can tell."""
    if not 0 < at < len(text):
        return False
    if joins(text[at - 1]) and (joins(text[at]) or unicodedata.combining(text[at]) > 0):
        return True
    return any(_GROUPED.match(text, begin) for begin in (at - 1, at - 2) if begin >= 0)


def _line_ends(text: str) -> list[set[int]]:
    """What may be left out of it at the ends of lines: nothing, hyphens and breaks, or breaks alone."""
    found = list(_LINE_END.finditer(text))
    return [set(), *({at for each in found for at in range(*each.span(group))} for group in (0, 2) if found)]


def _folded(text: str, omitted: Collection[int] = ()) -> tuple[str, list[int]]:
    """The text in its plainest form, and for each of its characters where it stood."""
    out: list[str] = []
    offsets: list[int] = []
    marks = {at for match in _EMPHASIS.finditer(text) for at in range(*match.span())}
    marks.update(omitted)
    for index, letter in enumerate(text):
        if index in marks:
            continue
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
            # Whoever speaks within a quote has single marks where the document has double ones. Feet are no inches.
            out.append("'" if piece == '"' and not (out and out[-1].isdigit()) else piece)
            offsets.append(index)
    return _ordered(out), offsets


def _ordered(letters: Sequence[str]) -> str:
    """With the accents of a letter in the order that Unicode gives them; Arabic is written with them in any."""
    runs = groupby(letters, key=lambda letter: unicodedata.combining(letter) > 0)
    return "".join(each for marks, run in runs for each in (sorted(run, key=unicodedata.combining) if marks else run))


def _f1(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
