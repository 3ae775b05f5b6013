"""Short phrases of the evidence that could answer a question: what a model that answered beside it chooses from.

Asked freely, a small model gives back the question's own subject, or what it remembers; asked to choose among the
phrases that stand in the text and are of the kind asked for, it can do neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nonet.specialists.kinds import asks_name, asks_number
from nonet.specialists.text import content_stems

_MOST = 16
"""Choices that a small model still tells apart, and that a grammar takes."""
_LONGEST_WORDS = 8
_CAPITAL = r"[^\W\d_a-z]"
_NAMES = re.compile(
    rf"(?<!\w){_CAPITAL}[\w'\u2019.-]*"
    rf"(?:\s+(?:(?:of|the|and|de|la|von|van|der|du|&)\s+){{0,2}}{_CAPITAL}[\w'\u2019.-]*|\s+\d+(?!\w))*"
)
_ONE_NAME = re.compile(
    rf"(?<!\w){_CAPITAL}[\w'\u2019.-]*"
    rf"(?:\s+(?:(?:of|the|de|la|von|van|der|du)\s+){{0,2}}{_CAPITAL}[\w'\u2019.-]*|\s+\d+(?!\w))*"
)
_BETWEEN_FIRST = re.compile(r"^\W*Between\b")
_OR, _AND = {"or", "or the", "or a", "or an"}, {"and", "and the"}
_TITLES = re.compile(r"[\"\u201c](?P<title>[^\"\u201c\u201d]{2,60})[\"\u201d]")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBERS = re.compile(
    rf"(?:\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTHS})(?:,?\s+\d{{4}})?|\b(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?"
    rf"|\b(?:{_MONTHS})\s+\d{{4}}|\b\d[\d,.]*\d(?:\s?%)?|\b\d(?:\s?%)?)(?:\s+(?:million|billion|thousand|percent|[a-z]{{2,12}}))?"
)


def candidates(question: str, sentences: Sequence[str]) -> list[str]:
    """Phrases of the sentences, best sentence first, each once; none that only repeats the question.

    >>> candidates("When did the bridge open?", ["The stone bridge opened on 3 May 1688."])
    ['3 May 1688']
    >>> candidates("Who directed Red Tide?", ["Red Tide is a film by Ann Marlow, shot in Kesh."])
    ['Ann Marlow', 'Kesh']
    """
    asked = set(content_stems(question))
    found: dict[str, str] = {}
    for sentence in sentences:
        for phrase in _phrases(question, sentence):
            stems = set(content_stems(phrase))
            if stems and not stems <= asked and len(phrase.split()) <= _LONGEST_WORDS:
                found.setdefault(phrase.casefold(), phrase)
    return list(found.values())[:_MOST]


def name_phrases(text: str) -> list[str]:
    """The names in a text, each whole.

    >>> name_phrases("What do Ann Marlow and the Duke of Kesh have in common?")
    ['What', 'Ann Marlow', 'Duke of Kesh']
    """
    return [match.group().strip(" .,'\u2019-") for match in _ONE_NAME.finditer(text)]


def options(question: str) -> list[str]:
    """The two that a question lets choose between by name; nothing where it does not.

    >>> options("Between Ann Marlow and Tom Abbot, who is older?"), options("Who is older, Ann Marlow or Tom Abbot?")
    (['Ann Marlow', 'Tom Abbot'], ['Ann Marlow', 'Tom Abbot'])
    """
    question = _BETWEEN_FIRST.sub("between", question)
    names = list(_ONE_NAME.finditer(question))
    for one, other in pairwise(names):
        between = question[one.end() : other.start()].strip(" ,.").casefold()
        before = question[: one.start()].rstrip().casefold()
        if between in _OR or (between in _AND and before.endswith("between")):
            return [one.group().strip(" .,'\u2019-"), other.group().strip(" .,'\u2019-")]
    return []


def _phrases(question: str, sentence: str) -> Iterator[str]:
    text = " ".join(sentence.split())
    if not asks_number(question):
        yield from (core(match["title"]) for match in _TITLES.finditer(text))
        yield from (core(match.group()) for match in _NAMES.finditer(text))
    if not asks_name(question):
        yield from (core(match.group()) for match in _NUMBERS.finditer(text))


def core(phrase: str) -> str:
    """Without the small words at its ends: "In the Church of England" is the Church of England."""
    parts = phrase.strip(" ,.;'\u2019-").split()
    while parts and not content_stems(parts[0]):
        parts.pop(0)
    while parts and not content_stems(parts[-1]):
        parts.pop()
    return " ".join(parts).strip(" ,.;'\u2019-")
