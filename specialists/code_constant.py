"""A function without arguments that returns what earlier work found is written by code: a model only names the value.

Asked to write it whole, a small model returns the question, a heading, or all of the text it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nonet.specialists.code_request import CodeRequest
from nonet.specialists.protocol import Assignment, Desk, Evidence, Passage, Source
from nonet.specialists.questions import question_in, read_question
from nonet.specialists.ranking import bm25, rank_sentences
from nonet.specialists.reading import Reader
from nonet.specialists.text import content_stems, words

_SHORT_WORDS = 25
"""Up to so many words a result is the value itself; a longer one holds it somewhere."""
_PASSAGE = re.compile(r"(?:^|\n\n)(?=[^\n]{1,120}:\n)")
_PASSAGE_NAME = re.compile(r"(?P<name>[^\n]{1,120}):\n")
"""How retrieval shows a passage: the document's name, then the text."""
_WITHOUT_ARGUMENTS = re.compile(
    r"\b[a-z_]\w*\(\s*\)|\b(?:without|with no|tak(?:es|ing) no) (?:any )?(?:arguments?|parameters?)\b",
    re.IGNORECASE,
)
_RETURNS_FOUND = re.compile(
    r"\breturn(?:s|ing)?\s+(?:(?:that|this|the|its|what(?:ever)?)\s+(?:\w+\s+){0,2}?)?"
    r"(?:it|answer|answers|result|value|name|fact|finding|phrase|date|year|found|find|finds)\b"
    r"|\b(?:has|have|needs?|is) to return\b",
    re.IGNORECASE,
)
_OTHER_TYPE = re.compile(
    r"\bas (?:an? )?(?:\w+ )?"
    r"(?:int(?:eger)?|float|number|bool(?:ean)?|list|tuple|dict(?:ionary)?|set|date|json|bytes)\b",
    re.IGNORECASE,
)
_BARE = frozenset(
    words(
        """a an the please write create implement define make give me us python function functions method called named
        name it that which who with without no any arguments argument parameters parameter takes taking take has have
        and of for code in plain simple short small little returns return string as i need want would like to"""
    )
)
"""Words of a request for a function that say nothing of what it does."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A function to write, and the result whose value it returns."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Written:
    """The function, written."""

    code: str
    value: Evidence


def read_constant(assignment: Assignment, request: CodeRequest) -> Constant | None:
    """What is asked for, or None where a model has to write the code.

    >>> from nonet.specialists.code_request import read_request
    >>> text = "Write a Python function `answer()` that returns that answer as a string."
    >>> found = read_constant(Assignment(text, (Source("s1", "Lisbon", "artifact"),)), read_request(text))
    >>> found.name, found.source.text
    ('answer', 'Lisbon')
    >>> read_constant(Assignment(text), read_request(text)) is None
    True
    """
    artifacts = [source for source in assignment.sources if source.kind == "artifact"]
    text = assignment.instruction
    if (
        len(artifacts) != 1
        or len(assignment.sources) != 1
        or request.language != "python"
        or request.tests
        or len(request.names) != 1
        or _OTHER_TYPE.search(text)
        or not (
            _WITHOUT_ARGUMENTS.search(text) and (_RETURNS_FOUND.search(text) or _says_no_more(text, request.names[0]))
        )
    ):
        return None
    return Constant(request.names[0], artifacts[0])


def _says_no_more(text: str, name: str) -> bool:
    """Whether what it is to do is said elsewhere: without arguments it can only give what it reads."""
    return not set(words(text)) - _BARE - set(words(name))


async def write_constant(constant: Constant, desk: Desk) -> Written | None:
    """The code, and what is to be said of its value; None where no value can be named.

    A short result is the value; in a longer one a model looks for the answer to what the result was asked for.
    """
    result = constant.source.text.strip()
    short = len(words(result)) <= _SHORT_WORDS
    value = result if short else await _named_value(constant.source, desk) if constant.source.asked else ""
    if not value:
        return None
    name = constant.source.name
    if short:
        said = Evidence("value", passed=True, detail=f"it returns what {name} found, word for word")
    else:
        found = _plain(value) in _plain(result)
        said = Evidence(
            "value", passed=None if found else False, detail=f"the value is {'' if found else 'not '}verbatim in {name}"
        )
    code = f"def {constant.name}():\n    return {value!r}"
    return Written(code, said)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


async def _named_value(source: Source, desk: Desk) -> str:
    """The answer that a model reads in the result, as it would in the documents. Raises CallError."""
    question = read_question(question_in(source.asked))
    passages = _passages(source.text, question.query)
    ranked = rank_sentences(question.query, passages)
    if not ranked:
        return ""
    reading = await Reader(question, passages, ranked, Assignment(source.asked), desk).read()
    if any(note.kind == "length" for note in reading.notes):
        return ""
    return reading.answer.strip("\"'\u201c\u201d ").rstrip(".")


def _passages(text: str, query: str) -> list[Passage]:
    """The passages that a search gave, or else the paragraphs of a text; best first."""
    parts = [part for part in _PASSAGE.split(text) if part.strip()]
    if len(parts) == 1:
        parts = [part for part in text.split("\n\n") if part.strip()]
    found = []
    for number, part in enumerate(parts):
        name = _PASSAGE_NAME.match(part)
        body = part[name.end() :] if name else part
        found.append(Passage(name.group("name") if name else "", number, 0.0, 0, len(body), body))
    scores = bm25(content_stems(query), [content_stems(f"{passage.document} {passage.text}") for passage in found])
    return [found[at] for at in sorted(range(len(found)), key=lambda at: -scores[at])]
