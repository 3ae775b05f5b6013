"""The evidence a model is shown: the best sentences of few passages, with their neighbours."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nonet.specialists.protocol import Passage
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.text import content_stems

_MOST_PASSAGES = 2
"""Shown of those found. On HotpotQA and MuSiQue's single steps (56 questions) the answer stands as often in two chosen
so as in the four that 900 characters of the best sentences came from: .53 and .85. The rest draws small models away."""
_LEAST_GAIN = 0.2
"""Of the weight of the question's words: what a further passage has to speak of that no chosen one does."""
_NEARLY_AS_GOOD = 0.85
_LONGEST_HEAD = 80


@dataclass(frozen=True, slots=True)
class Block:
    """What is shown of one passage."""

    passage: int
    title: str
    text: str
    """With the title in front and " ... " where sentences are left out."""
    sentences: tuple[RankedSentence, ...]
    """In the order of the text."""


@dataclass(frozen=True, slots=True)
class Context:
    """Blocks, best first."""

    blocks: tuple[Block, ...]


def build_context(passages: Sequence[Passage], ranked: Sequence[RankedSentence], max_chars: int) -> Context:
    """Take sentences by rank, each with the one before and after it, until `max_chars` are full."""
    places = {(item.passage, item.start): item for item in ranked}
    in_order: dict[int, list[RankedSentence]] = {}
    for key in sorted(places):
        in_order.setdefault(key[0], []).append(places[key])
    taken: dict[int, set[int]] = {}
    used = 0
    for item in ranked:
        siblings = in_order[item.passage]
        at = siblings.index(item)
        mine = taken.setdefault(item.passage, set())
        new = [index for index in (at, at - 1, at + 1) if 0 <= index < len(siblings) and index not in mine]
        for index in new:
            size = siblings[index].end - siblings[index].start
            if used + size > max_chars and used:
                continue
            mine.add(index)
            used += size
        if used >= max_chars:
            break
    return Context(
        tuple(_block(passages[index], index, in_order[index], chosen) for index, chosen in taken.items() if chosen)
    )


def passages_to_show(query: str, passages: Sequence[Passage], ranked: Sequence[RankedSentence]) -> frozenset[int]:
    """Which passages to show: the best, and one that adds to it.

    That is one that speaks of what the best leaves open, or of as much, or of which the best speaks by its title: what
    is asked of a name that only another passage gives stands there.

    Args:
        query: the question.
        passages: best first.
        ranked: their sentences, best first.
    """
    asked = set(content_stems(query))
    said = [set(content_stems(f"{title(passage.document)} {passage.text}")) for passage in passages]
    weights = {stem: math.log(1 + len(said) / (0.5 + sum(stem in each for each in said))) for stem in asked}

    def weigh(stems: Collection[str]) -> float:
        return sum(weights[stem] for stem in stems) / (sum(weights.values()) or 1.0)

    share = [weigh(asked & each) for each in said]
    chosen: list[int] = []
    for at in dict.fromkeys(item.passage for item in ranked):
        spoken = frozenset[str]().union(*(said[other] for other in chosen))
        name = set(content_stems(_head(passages[at])))
        further = weigh(asked & said[at] - spoken) >= _LEAST_GAIN or share[at] >= _NEARLY_AS_GOOD * max(share)
        if not chosen or further or (name and name <= spoken and not name <= asked):
            chosen.append(at)
        if len(chosen) == _MOST_PASSAGES:
            break
    return frozenset(chosen)


def _head(passage: Passage) -> str:
    """The title that a text begins with, else that of its document."""
    line = passage.text.strip().partition("\n")[0]
    return line if passage.start == 0 and len(line) <= _LONGEST_HEAD else title(passage.document)


def _block(passage: Passage, index: int, siblings: Sequence[RankedSentence], chosen: Collection[int]) -> Block:
    shown = [siblings[at] for at in sorted(chosen)]
    pieces: list[str] = []
    last = -1
    for at in sorted(chosen):
        if pieces and at != last + 1:
            pieces.append("...")
        pieces.append(" ".join(siblings[at].text.split()))
        last = at
    name = title(passage.document)
    return Block(index, name, f"{name}: {' '.join(pieces)}", tuple(shown))
