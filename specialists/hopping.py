"""Passages that a question needs but does not name: found by what the passages it does name say.

"Who is the spouse of the director of Jump for Glory?" finds the film's passage; the director's name stands in it, and
what that passage does not answer ("spouse") is searched again together with the name. No model is asked. On MuSiQue
all passages that a question needs are then among the first five for .46 of the questions, instead of .30.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nonet.specialists.protocol import Passage, Searcher
from nonet.specialists.ranking import title
from nonet.specialists.text import content_stems, sentences

_FROM = 3
"""Passages whose names are followed."""
_OPEN = 1 / 3
"""Of the question's stems: more than this left out by each of the first passages, and it is searched further. So it is
for 78 % of MuSiQue's questions and 52 % of HotpotQA's, which need several passages, and for 34 % of MuSiQue's single
steps, where it puts one of 35 behind the fifth place (benchmarks/quality_ir.py)."""
_DEPTH = 30
"""Passages of the first search that are weighed beside those it leads to."""
_NAMES = 4
"""Names of each."""
_HITS = 10
"""Passages of each further search that are weighed."""
_LEAST_COSINE, _COSINE_SPAN = 0.3, 0.5
"""A cosine of 0.3 says nothing of two texts, one of 0.8 that they speak of the same (all-MiniLM-L6-v2)."""
_RANK_SHARE = 0.5
_WORD = re.compile(r"[\w'\u2019.-]+")
_NAME = re.compile(
    r"\b[^\W\d_a-z][\w'\u2019.-]*"
    r"(?:\s+(?:of|the|and|de|la|von|van|&)\s+[^\W\d_a-z][\w'\u2019.-]*|\s+[^\W_a-z][\w'\u2019.-]*)*"
)
_ASIDE = re.compile(r"\s*\([^)]*\)")
_Key = tuple[str, int]
"""The document and the chunk of a passage."""


async def seek(query: str, searcher: Searcher, limit: int) -> list[Passage]:
    """What a search for a question finds, and what the names in it lead to where much of the question stays open.

    Args:
        query: the whole question.
        searcher: where to look; it bounds the rounds.
        limit: at most so many, best first.
    """
    found = list(await searcher.search(query, max(limit, _DEPTH)))
    if not is_open(query, found):
        return found[:limit]
    return await follow(query, found, searcher, limit, rounds=searcher.rounds)


async def follow(
    query: str, passages: Sequence[Passage], searcher: Searcher, limit: int, *, rounds: int = 1
) -> list[Passage]:
    """The passages, and those that the names in the first of them lead to, best first.

    Args:
        query: the whole question.
        passages: what it found, best first.
        searcher: where to look further; at most 12 times a round, and never twice for the same.
        limit: at most so many.
        rounds: at most so many; each follows the names in the first passages of the one before. 0: none.
    """
    trail = _Trail(query, searcher)
    found, leads = list(passages), list(passages[:_FROM])
    for _ in range(rounds):
        found = await trail.further(found, leads, limit)
        leads = trail.new_leads(found)
    return found


@dataclass(slots=True)
class _Trail:
    """What was searched for so far, and how each passage was come by."""

    query: str
    searcher: Searcher
    asked: dict[str, Sequence[Passage]] = field(default_factory=dict)
    ways: dict[_Key, tuple[Passage, ...]] = field(default_factory=dict)
    """The passages that led to one that was not found at first."""
    followed: set[_Key] = field(default_factory=set)

    async def further(self, passages: Sequence[Passage], leads: Sequence[Passage], limit: int) -> list[Passage]:
        """The passages and what the leads among them lead to, best first."""
        best = max((passage.score for passage in passages), default=0.0) or 1.0
        found = {_key(passage): passage for passage in passages}
        scores = {key: passage.score / best for key, passage in found.items()}
        gains = dict.fromkeys(scores, 0.0)
        for lead in leads:
            self.followed.add(_key(lead))
            way = (*self.ways.get(_key(lead), ()), lead)
            open_words = unanswered(self.query, *way)
            for name in bridges(self.query, lead):
                hits = await self._search(f"{open_words} {name}".strip())
                for hit, strength in zip(hits, _strengths(hits), strict=True):
                    key = _key(hit)
                    if key != _key(lead):
                        if key not in found:
                            found[key] = replace(hit, score=0.0)
                            self.ways.setdefault(key, way)
                        gains[key] = max(gains.get(key, 0.0), scores[_key(lead)] * strength)
        total = {key: scores.get(key, 0.0) + gains[key] for key in found}
        order = sorted(total, key=lambda key: -total[key])[:limit]
        return [replace(found[key], score=total[key]) for key in order]

    def new_leads(self, passages: Sequence[Passage]) -> list[Passage]:
        """The best that following has brought, and that were not followed themselves."""
        new = [each for each in passages if _key(each) in self.ways and _key(each) not in self.followed]
        return new[:_FROM]

    async def _search(self, words: str) -> Sequence[Passage]:
        if words not in self.asked:
            self.asked[words] = await self.searcher.search(words, _HITS)
        return self.asked[words]


def is_open(query: str, passages: Sequence[Passage]) -> bool:
    """Whether each of the first passages leaves much of the question unspoken of."""
    stems = set(content_stems(query))
    left = [len(set(content_stems(unanswered(query, passage))) & stems) for passage in passages[:_FROM]]
    return bool(left) and min(left) > _OPEN * len(stems)


def _key(passage: Passage) -> _Key:
    return passage.document, passage.chunk


def _strengths(hits: Sequence[Passage]) -> list[float]:
    """How much each hit of a further search is worth, 0 to 1.5: by its cosine where there is one, and its rank score.

    Rank scores alone do not compare between searches: the first hit of a senseless one looks as good as any.
    """
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    return [
        _RANK_SHARE * hit.score / best
        + (0.0 if hit.cosine is None else min(1.0, max(0.0, (hit.cosine - _LEAST_COSINE) / _COSINE_SPAN)))
        for hit in hits
    ]


def unanswered(query: str, *passages: Passage) -> str:
    """The words of the question that none of the passages speaks of."""
    spoken = {stem for each in passages for stem in content_stems(f"{title(each.document)} {each.text}")}
    return " ".join(word for word in _WORD.findall(query) if not _within(word, spoken))


def _within(word: str, spoken: set[str]) -> bool:
    stems = set(content_stems(word))
    return bool(stems) and stems <= spoken


def bridges(query: str, passage: Passage) -> list[str]:
    """Names in the passage that are not in the question, its title and its most fitting sentences first."""
    asked = set(content_stems(query))
    spans = sentences(passage.text)
    fitting = sorted(range(len(spans)), key=lambda at: (-len(asked & set(content_stems(spans[at].text))), at))
    candidates = [_ASIDE.sub("", title(passage.document))]
    candidates += [name for at in fitting for name in _names_in(spans[at].text)]
    names: dict[str, str] = {}
    for name in candidates:
        stems = set(content_stems(name))
        if stems and not stems <= asked:
            names.setdefault(name.casefold(), name)
    return list(names.values())[:_NAMES]


def _names_in(sentence: str) -> list[str]:
    """Capitalised phrases; a single word that opens the sentence may be capitalised for that alone."""
    found = [(match.start(), match.group().strip(" .'\u2019-")) for match in _NAME.finditer(sentence)]
    return [name for start, name in found if name and (start > 0 or " " in name)]
