"""A long summary of a long text is made part by part.

A small model writes less than a hundred words in one answer, however many it is asked for, and reads a page better than
a chapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from nonet.specialists.budget import Span, batches, split_chars, split_tokens
from nonet.specialists.focused import MOST_TOKENS, choose, read_out

_WORDS_A_PART = 80

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

    >>> [parts_of(words) for words in (None, 50, 100, 150, 240)]
    [1, 1, 1, 2, 3]
    """
    return max(1, round((most_words or 0) / _WORDS_A_PART))


async def readings(text: str, focus: Collection[str], parts: int, room: int, count: Count) -> list[Reading]:
    """What each part reads: all of a text in even shares where that fits, else what speaks of the focus.

    Empty where it does not fit and has no focus, or no place speaks of it.

    Args:
        text: too long to be read at once.
        focus: stems of what was asked; empty to read all.
        parts: how many, at most.
        room: tokens for the text of one part, at most.
        count: of a text's tokens.
    """
    most = min(room, MOST_TOKENS) if focus else room
    if await count(text) <= parts * most:
        for cut in (_evenly(text, parts), await split_tokens(text, most, count)):
            if len(cut) <= parts and all([await count(text[slice(*span)]) <= most for span in cut]):
                return [Reading(text[slice(*span)], (span,)) for span in cut]
    chosen = await choose(text, focus, parts * most, count) if focus else None
    return await _shared_out(text, chosen, most, count) if chosen else []


def _evenly(text: str, parts: int) -> list[Span]:
    size = -(-len(text) // parts)
    return split_chars(text, (size, size + size // 8))


async def _shared_out(text: str, spans: Sequence[Span], most: int, count: Count) -> list[Reading]:
    pieces = [
        (start + first, start + last)
        for start, end in spans
        for first, last in await split_tokens(text[start:end], most // 2, count)
    ]
    sizes = [await count(read_out(text, [piece])) + 2 for piece in pieces]
    groups = batches(sizes, most)
    return [
        Reading(read_out(text, [pieces[at] for at in group]), tuple(pieces[at] for at in group)) for group in groups
    ]
