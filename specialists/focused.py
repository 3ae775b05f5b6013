"""Which parts of a long text speak of what was asked: read in one call, where to read all of it would take many."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence

from nonet.specialists.budget import Cut, Span, split_along
from nonet.specialists.ranking import bm25
from nonet.specialists.speakers import is_transcript, speaker_at
from nonet.specialists.text import content_stems

_PART_CHARS = (400, 700)
_BESIDE, _FARTHEST = 0.3, 3
"""What a part has of the score of its neighbour, of the next one, and so on: an answer seldom repeats the question's
words, but stands beside them."""
_BESIDE_TALK, _FARTHEST_TALK = 0.7, 8
"""The same where people talk: their matter changes slowly, and is read better in a few long pieces than in many short
ones. On seven meetings of QMSum (2,400 tokens read) shares of .3, .5, .7 and .9 find .629, .644, .652 and .577 of the
turns that were marked; on six others .660, .693, .734 and .747, in 3 pieces instead of 8 (these changed, and
benchmarks/quality_summarization.py --arms reading --part even, and odd). Of articles in random order it finds less than
the share above does."""
MOST_TOKENS = 2_400
"""A small model loses the thread in more, however large its window is."""
_EVERYTHING = re.compile(r"\b(?:whole|entire|everything|complete|in full|all of)\b", re.IGNORECASE)
_LEFT_OUT = "\n[...]\n"


def asks_for_all(request: str) -> bool:
    """Whether the request says that nothing is to be left unread.

    >>> asks_for_all("Summarize the whole meeting."), asks_for_all("What did they say about the budget?")
    (True, False)
    """
    return bool(_EVERYTHING.search(request))


async def choose(
    text: str,
    focus: Collection[str],
    room: int,
    count: Callable[[str], Awaitable[int]],
    cuts: Sequence[Cut] = (),
) -> list[Span] | None:
    """The spans that speak of the focus, in the order of the text; None where no part of it does.

    Args:
        text: too long to be read at once.
        focus: stems of what was asked.
        room: tokens that they may take, at most, together with the marks between them.
        count: of a text's tokens.
        cuts: where it is best cut into parts.
    """
    parts = split_along(text, (0, len(text)), _PART_CHARS, cuts)
    alone = bm25(sorted(focus), [content_stems(text[slice(*part)]) for part in parts])
    if not any(alone):
        return None
    beside, farthest = (_BESIDE_TALK, _FARTHEST_TALK) if is_transcript(text) else (_BESIDE, _FARTHEST)
    scores = [
        sum(
            alone[other] * beside ** abs(other - at)
            for other in range(max(0, at - farthest), min(len(parts), at + farthest + 1))
        )
        for at in range(len(parts))
    ]
    order = sorted(range(len(parts)), key=lambda at: -scores[at])
    share = min(1.0, room / max(1, await count(text)))
    most_chars, chars, number = int(len(text) * share), 0, 0
    while number < len(order) and chars + parts[order[number]][1] - parts[order[number]][0] <= most_chars:
        chars += parts[order[number]][1] - parts[order[number]][0]
        number += 1
    while number:
        spans = joined([parts[at] for at in sorted(order[:number])])
        if await count(read_out(text, spans)) <= room:
            return spans
        number -= 1
    return None


def joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours as one."""
    out: list[Span] = []
    for start, end in spans:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def read_out(text: str, spans: Sequence[Span]) -> str:
    """The spans as a model reads them: with a mark where something is left out, and who speaks where a turn goes on."""
    pieces = []
    for start, end in spans:
        piece = text[start:end].strip()
        speaker = speaker_at(text, text.find(piece, start))
        pieces.append(f"{speaker}: {piece}" if speaker else piece)
    return _LEFT_OUT.join(pieces)
