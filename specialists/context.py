"""The evidence a model is shown: the best sentences with their neighbours, and which of them carry an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nonet.specialists.protocol import Passage
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.text import content_stems, words


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

    def only(self, shown: Collection[int]) -> Context:
        """The blocks of those indices."""
        return Context(tuple(block for index, block in enumerate(self.blocks) if index in shown))

    def evidence_for(self, answer: str, question: str, cited: Collection[int], most: int) -> list[RankedSentence]:
        """The fewest sentences that carry the answer's words, then the question's; at most `most`.

        Args:
            answer: as the model worded it.
            question: what was asked.
            cited: numbers of blocks, from 1, that the model pointed at; they win a tie.
            most: how many at most.
        """
        pool = [
            _Candidate(sentence, frozenset(content_stems(f"{block.title} {sentence.text}")), number in cited)
            for number, block in enumerate(self.blocks, start=1)
            for sentence in block.sentences
        ]
        phrase = " ".join(words(answer))
        answer_left, asked_left = set(content_stems(answer)), set(content_stems(question))
        chosen: list[RankedSentence] = []
        while pool and len(chosen) < most:
            best = max(pool, key=lambda item: item.gain(phrase, answer_left, asked_left))
            if not (_needed if chosen else _related)(best.stems, answer_left, asked_left):
                break
            chosen.append(best.sentence)
            pool.remove(best)
            phrase = ""
            answer_left = answer_left - best.stems
            asked_left = asked_left - best.stems
        return chosen


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: RankedSentence
    stems: frozenset[str]
    cited: bool

    def gain(self, phrase: str, answer_left: set[str], asked_left: set[str]) -> tuple[float, ...]:
        whole = bool(phrase) and f" {phrase} " in f" {' '.join(words(self.sentence.text))} "
        return (whole, len(self.stems & answer_left), len(self.stems & asked_left), self.cited, self.sentence.score)


def _related(stems: frozenset[str], answer_left: set[str], asked_left: set[str]) -> bool:
    return bool(stems & (answer_left | asked_left))


def _needed(stems: frozenset[str], answer_left: set[str], asked_left: set[str]) -> bool:
    """A further sentence must bring a word of the answer, or two of the question."""
    return bool(stems & answer_left) or len(stems & asked_left) > 1


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
