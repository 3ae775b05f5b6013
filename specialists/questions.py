"""What a retrieval request wants: an answer, or passages themselves; and the words to search with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nonet.specialists.protocol import Source
from nonet.specialists.ranking import bm25
from nonet.specialists.spans import candidates
from nonet.specialists.text import content_stems, sentences, words

_WHOLE = r"passages?|paragraphs?|sections?|excerpts?|stud(?:y|ies)|papers?|articles?|abstracts?|texts?|chapters?|notes?"
_LINES = r"quotes?|quotations?|sentences?|lines?|statements?|wording|mentions?|places?"
_FILES = r"files?|documents?|pages?|sources?"
_VERB = r"find|list|show|give|get|locate|retrieve|fetch|quote|cite|pull|collect|search|look\s+up|bring|return|point"
_FIND = re.compile(
    rf"\b(?:{_VERB})\b(?:\s+\S+){{0,6}}?\s+(?P<noun>{_WHOLE}|{_LINES}|{_FILES})\b(?!\s*(?:'s|of\s+the\s+answer))",
    re.IGNORECASE,
)
_WANTED = re.compile(
    rf"\b(?:a|an|one|the|that|this)(?:\s+\S+){{0,2}}?\s+(?P<noun>{_WHOLE})\b(?:\s+\S+){{0,3}}?\s+"
    r"(?:(?:has|have|needs?|ought|is|are)\s+to\s+be|must\s+be|should\s+be)\s+(?:first\s+)?"
    r"(?:found|looked\s+up|located|retrieved|fetched|searched\s+for)\b",
    re.IGNORECASE,
)
"""A passage that is to be found, in the passive."""
_WHICH = re.compile(
    rf"\b(?:which|what|in\s+(?:which|what))\s+(?P<noun>{_WHOLE}|{_LINES}|{_FILES})\b[^?]{{0,80}}?"
    r"\b(?:sa(?:y|ys|id)|mentions?|mentioned|states?|stated|describes?|described|covers?|covered|explains?|explained|"
    r"talks?|discuss\w*|contains?|address\w*|deals?|is\s+about|are\s+about)\b",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"^\W*where\s+(?:is\s+it|is\s+that|do(?:es)?\s+\S+(?:\s+\S+){0,3}?|in\s+(?:the|these|my)\s+\w+)\s+"
    r"(?:say|said|mention|mentioned|state|stated|describe|described|written|explain)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\b(?:in|from|according\s+to|using|search(?:ing)?)\s+(?:the|these|those|my|our|all)\s+(?:attached\s+|given\s+|stored\s+)?"
    r"(?:documents?|docs|files?|collection|sources?|passages?|notes?|texts?|articles?|library|corpus)\b"
    r"|\b(?:cite|quote|name|give|show|include)\s+(?:the|your|any|all)?\s*"
    r"(?:passages?|sources?|quotes?|documents?|evidence)(?:\s+(?:that\s+)?(?:you|it)\b[^.?!]*[.!]?|\s*[.!]?\s*$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\u201c(?P<curly>[^\u201c\u201d]{8,}?)\u201d(?!\w)|(?<!\w)\"(?P<straight>[^\"]{8,}?)\"(?!\w)")
_ANNOUNCED = re.compile(r"\bquestion:\s*(?P<asked>\S[^\n]*)", re.IGNORECASE)
_ASKS = re.compile(
    r"\W*(?:(?:in|at|on|for|from|to|of|by|with|under)\s+)?(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were"
    r"|do|does|did|can|could|has|have|had)\b",
    re.IGNORECASE,
)
_COUNT = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_DEFAULT_PLURAL = 3
_INNER = re.compile(r"\s*(?:who|what)\s+(?:is|are|was|were)\s+(?P<what>\S.*?)\s*\?\s*$", re.IGNORECASE)
_MOST_FILLED_WORDS = 8
"""A longer answer is a sentence, and no part of another."""
_LONG_ARTIFACT_WORDS = 40


class Want(StrEnum):
    """What the request is after."""

    ANSWER = "answer"
    PASSAGES = "passages"
    QUOTES = "quotes"
    """Single sentences, with the name of their document."""


@dataclass(frozen=True, slots=True)
class Question:
    """A retrieval request, read."""

    text: str
    """The question that the request quotes, else the request, without asides such as "in the documents", and with the
    answers to the questions inside it."""
    want: Want
    count: int
    """How many passages or quotes."""
    known: tuple[str, ...]
    """What earlier subtasks found that this one builds on, each short, but for answers that stand in `text`."""

    @property
    def query(self) -> str:
        """The words to search with."""
        return " ".join([self.text, *self.known])


def is_asked(text: str) -> bool:
    """Whether the words are those of a question."""
    return _ASKS.match(text) is not None


def question_in(asked: str) -> str:
    """The question that a request quotes or announces, else the request itself.

    >>> question_in("Find the passages that answer \u201cWho built the mill at Orrin?\u201d.")
    'Who built the mill at Orrin?'
    >>> question_in("Look up the answer to the question below. Question: Who built it?")
    'Who built it?'
    >>> question_in('Who wrote "The Glass Harbour"?')
    'Who wrote "The Glass Harbour"?'
    """
    for match in _QUOTED.finditer(asked):
        quoted = (match.group("curly") or match.group("straight")).strip()
        if quoted.endswith("?") or _ASKS.match(quoted):
            return quoted
    announced = _ANNOUNCED.search(asked)
    return announced.group("asked").strip() if announced else asked


def read_question(instruction: str, artifacts: Sequence[Source] = ()) -> Question:
    """Read a request by rules alone; a model is not asked."""
    match = _FIND.search(instruction) or _WHICH.search(instruction) or _WANTED.search(instruction)
    want, count = Want.ANSWER, 1
    asked = question_in(instruction)
    stripped = " ".join(_ASIDE.sub(" ", asked).split()).strip(" ,;:")
    text = stripped if content_stems(stripped) else asked
    if match and not _is_aside(instruction, match):
        noun = match.group("noun").lower()
        want = Want.PASSAGES if re.fullmatch(_WHOLE, noun) else Want.QUOTES
        count = _count(match.group(), plural=noun.endswith("s") and noun != "abstracts")
    elif _WHERE.search(instruction):
        want = Want.QUOTES
    known: list[str] = []
    for source in artifacts:
        filled = _filled(text, source)
        if filled == text and (short := _short(instruction, source.text)):
            known.append(short)
        text = filled
    return Question(text, want, count, tuple(known))


def _filled(text: str, source: Source) -> str:
    """The question with a short answer in the place of the description that it answers.

    "Who is the spouse of the director of X?" asks a small model for the director, whatever it is told besides.
    """
    described = _INNER.match(source.asked)
    answer = _bare_answer(source)
    if not described or not answer:
        return text
    phrase = described.group("what")
    at = text.casefold().find(phrase.casefold())
    return text if at < 0 else f"{text[:at]}{answer}{text[at + len(phrase) :]}"


def _bare_answer(source: Source) -> str:
    """The answer alone: of a sentence that says the question again, the one name or number that it adds; else ""."""
    answer = " ".join(source.text.split()).strip(' ."\u201c\u201d')
    if len(answer.split()) <= _MOST_FILLED_WORDS and not set(content_stems(answer)) & set(content_stems(source.asked)):
        return answer
    added = candidates(source.asked, [answer])
    return added[0] if len(added) == 1 else ""


def _is_aside(instruction: str, match: re.Match[str]) -> bool:
    """Who adds "cite the passages you used" asks for an answer all the same."""
    return any(aside.start() <= match.start("noun") < aside.end() for aside in _ASIDE.finditer(instruction))


def _count(phrase: str, *, plural: bool) -> int:
    if digits := re.search(r"\b([1-9]\d?)\b", phrase):
        return int(digits.group(1))
    for word in words(phrase):
        if word in _COUNT and _COUNT[word] > 1:
            return _COUNT[word]
    return _DEFAULT_PLURAL if plural else 1


def _short(instruction: str, text: str) -> str:
    """An earlier result as it is, or the two sentences of a long one that speak most to the request."""
    if len(words(text)) <= _LONG_ARTIFACT_WORDS:
        return " ".join(text.split())
    spans = sentences(text)
    scores = bm25(content_stems(instruction), [content_stems(span.text) for span in spans])
    best = sorted(sorted(range(len(spans)), key=lambda at: -scores[at])[:2])
    return " ".join(" ".join(spans[at].text.split()) for at in best)
