"""A long summary of a long text is made part by part.

A small model writes less than a hundred words in one answer, however many it is asked for, and reads a page better than
a chapter.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nonet.specialists.budget import Cut, Span, batches, covered, split_along
from nonet.specialists.extract import extract
from nonet.specialists.focused import MOST_TOKENS, choose, joined, read_out
from nonet.specialists.length import LengthWish
from nonet.specialists.structure import without_turns
from nonet.specialists.text import sentences, words

_WORDS_A_PART = 80
_FEWEST_WORDS = 50
"""Of a part of a text that nothing in particular is asked of: as many parts as all of it takes, if none is shorter."""
_PIECE_CHARS = (400, 700)
_MARK_TOKENS = 8
"""A mark where something is left out, and who speaks where a turn goes on."""

Count = Callable[[str], Awaitable[int]]
"""Of a text's tokens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one part of the summary is made of."""

    text: str
    spans: tuple[Span, ...]
    """Characters of the whole text, in its order."""


def parts_of(most_words: int | None) -> int:
    """How many parts a summary of so many words is made of.

    >>> [parts_of(words) for words in (None, 70, 119, 120, 200, 240)]
    [1, 1, 1, 2, 3, 3]
    """
    return max(1, math.floor((most_words or 0) / _WORDS_A_PART + 0.5))


async def readings(  # noqa: PLR0917  what is read, for what, and how much of it
    text: str, focus: Collection[str], most_words: int, room: int, count: Count, cuts: Sequence[Cut] = ()
) -> list[Reading]:
    """What each part reads: all of a text in even shares where that fits, else what speaks of the focus.

    Empty where it does not fit and has no focus, or no place speaks of it.

    Args:
        text: too long to be read at once.
        focus: stems of what was asked; empty to read all.
        most_words: of the summary.
        room: tokens for the text of one part, at most.
        count: of a text's tokens.
        cuts: where it is best cut.
    """
    most = min(room, MOST_TOKENS) if focus else room
    total = await count(text)
    parts, needed = parts_of(most_words), -(-total // most)
    if not focus and needed > parts:
        if needed * _FEWEST_WORDS > most_words:
            return []
        parts = needed
    if total <= parts * most:
        spans: Sequence[Span] | None = [(0, len(text))]
    else:
        spans = await choose(text, focus, parts * most, count, without_turns(cuts)) if focus else None
    return await _shared_out(text, spans, parts, room, count, cuts) if spans else []


async def _shared_out(  # noqa: PLR0917  as readings
    text: str, spans: Sequence[Span], parts: int, room: int, count: Count, cuts: Sequence[Cut]
) -> list[Reading]:
    """In even shares, along the cuts where such fit; in more where none do, and in none where not even a piece does."""
    for along in (cuts, ()) if cuts else ((),):
        pieces = [piece for span in spans for piece in split_along(text, span, _PIECE_CHARS, along)]
        shares = [_reading(text, group) for group in _moved(_evenly(pieces, parts), along)]
        if all([await count(share.text) <= room for share in shares]):
            return shares
    sizes = [await count(_reading(text, [piece]).text) + _MARK_TOKENS for piece in pieces]
    if max(sizes) > room:
        return []
    return [_reading(text, [pieces[at] for at in group]) for group in batches(sizes, room)]


def _evenly(pieces: Sequence[Span], parts: int) -> list[list[Span]]:
    total = covered(pieces)
    groups: list[list[Span]] = [[] for _ in range(parts)]
    before = 0
    for start, end in pieces:
        groups[min(parts - 1, (before + (end - start) // 2) * parts // total)].append((start, end))
        before += end - start
    return [group for group in groups if group]


def _moved(groups: list[list[Span]], cuts: Sequence[Cut]) -> list[list[Span]]:
    """With a piece more or less in each where the next one then begins at a stronger cut."""
    levels = dict(reversed(cuts))
    moved = [list(group) for group in groups]
    for one, two in pairwise(moved):
        here = levels.get(two[0][0], math.inf)
        if len(two) > 1 and levels.get(two[1][0], math.inf) < here:
            one.append(two.pop(0))
        elif len(one) > 1 and levels.get(one[-1][0], math.inf) < here:
            two.insert(0, one.pop())
    return moved


def _reading(text: str, pieces: Sequence[Span]) -> Reading:
    spans = joined(pieces)
    return Reading(read_out(text, spans), tuple(spans))


def within(parts: Sequence[str], most_words: int) -> list[str]:
    """The parts without sentences at the end of the longest of them, until together they are short enough.

    One sentence of each is kept, however long.

    >>> within(["It rained. The mill stood still for a day.", "Rye was sown."], 8)
    ['It rained.', 'Rye was sown.']
    """
    said = [[span.text for span in sentences(part)] for part in parts]
    while sum(len(words(text)) for part in said for text in part) > most_words:
        longest = max(
            (part for part in said if len(part) > 1), key=lambda part: len(words(" ".join(part))), default=None
        )
        if longest is None:
            break
        longest.pop()
    return [
        part if len(kept) == len(sentences(part)) else " ".join(kept) for part, kept in zip(parts, said, strict=True)
    ]


def central(parts: Sequence[str], focus: Collection[str], wish: LengthWish) -> str:
    """Sentences of the parts, in their order, for a summary of them all that no model can make any more."""
    text = "\n\n".join(parts)
    spans = extract(text, focus=focus, most_sentences=wish.sentences or wish.bullets, most_words=wish.words)
    return " ".join(" ".join(span.text.split()) for span in spans)
