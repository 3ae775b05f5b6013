"""Whom and what a question names, and whether the passages found ever speak of them.

A passage that answers nothing may share many words with a question; that nothing found names who is asked about is the
plainest sign that the answer is not there. Of HotpotQA's 50 questions, 20 name somebody whom no passage names once the
two that hold the answer are taken away, and none with them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from nonet.specialists.language import language_of
from nonet.specialists.protocol import Passage
from nonet.specialists.ranking import title
from nonet.specialists.spans import core, name_phrases
from nonet.specialists.text import content_stems, names, number_words, stem, words

_TITLE_CASE = 0.8
"""Share of a question's words of weight that begin with a capital, above which it is a headline: they mark no names."""
_SHORTEST_HEADLINE = 5
_LONGEST_ACRONYM = 5
"""Letters. The text may well have it spelled out."""
_ALIKE = 0.83
"""Of the letters: "Brittish" and "British", "Gothais" and "Gotha"."""
_GENERAL = re.compile(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|\w+(?:ish|ese|[ie]an|can|rman|nch|tch)|swiss|greek)"
)
"""Months and days, which texts write as numbers, and the people of a country, which they name instead."""
_SHORTEST_SLIP = 5
"""Letters of a name that may be misspelt; shorter ones are soon another name."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A name in a question."""

    phrase: str
    stems: frozenset[str]


def subjects(question: str) -> list[Subject]:
    """The names in a question, each whole; none where capitals mark none, as in German or in a headline.

    >>> [subject.phrase for subject in subjects("Who is older, Ann Marlow or the Duke of Kesh?")]
    ['Ann Marlow', 'Duke of Kesh']
    >>> subjects("Patient-Controlled Therapy of Breathlessness: A New Concept for Opioid Administration?")
    []
    """
    weighty = [word for word in question.split() if content_stems(word)]
    capitals = sum(word.strip("\"'\u201c\u2018(")[:1].isupper() for word in weighty)
    headline = len(weighty) >= _SHORTEST_HEADLINE and capitals > _TITLE_CASE * len(weighty)
    if headline or language_of(question) == "German":
        return []
    named = {stem(name) for name in names(question)}
    general = {stem(name) for name in names(question) if _GENERAL.fullmatch(name)}
    found = [Subject(phrase, frozenset(content_stems(phrase)) & named) for phrase in name_phrases(question)]
    return [subject for subject in found if subject.stems - general]


def spoken_of(passages: Sequence[Passage]) -> frozenset[str]:
    """The stems and numbers of passages and of their titles."""
    text = " ".join(f"{title(passage.document)} {passage.text}" for passage in passages)
    return frozenset(content_stems(text)) | number_words(text)


def speaks_of(subject: Subject, said: Collection[str]) -> bool:
    """Whether a text with these stems names the subject, forgiving a slip of the pen; acronyms are passed over."""
    return all(_near(each, said) for each in _without_acronyms(subject))


def unspoken(question: str, passages: Sequence[Passage]) -> list[str]:
    """The names of a question that no passage speaks of."""
    said = [spoken_of([passage]) for passage in passages]
    return [
        core(subject.phrase) for subject in subjects(question) if not any(speaks_of(subject, stems) for stems in said)
    ]


def _without_acronyms(subject: Subject) -> list[str]:
    capitals = (part for part in subject.phrase.split() if part.isupper() and len(part) <= _LONGEST_ACRONYM)
    return sorted(subject.stems - {stem(word) for part in capitals for word in words(part)})


def _near(name: str, said: Collection[str]) -> bool:
    if name in said:
        return True
    if len(name) < _SHORTEST_SLIP:
        return False
    alike = (word for word in said if word[0] == name[0] and abs(len(word) - len(name)) <= 2)  # noqa: PLR2004
    return any(SequenceMatcher(None, name, word).ratio() >= _ALIKE for word in alike)
