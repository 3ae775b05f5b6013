"""The evidence a model is shown: the best sentences with their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nonet.specialists.protocol import Passage
from nonet.specialists.ranking import RankedSentence, title


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
