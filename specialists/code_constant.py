"""A function without arguments that returns what earlier work found is written by code: a model only names the value.

Asked to write it whole, a small model returns the question, a heading, or all of the text it was given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.runtimes import Finish, Message
from nonet.specialists.budget import Part, fit
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.protocol import Assignment, Desk, Evidence, Source
from nonet.specialists.questions import question_in
from nonet.specialists.templates import render
from nonet.specialists.text import neutral, words

_SHORT_WORDS = 25
"""Up to so many words a result is the value itself; a longer one holds it somewhere."""
_VALUE_TOKENS = 60
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
    question = question_in(source.asked)
    parts = [Part(paragraph, priority) for priority, paragraph in enumerate(source.text.split("\n\n"))]

    def build(texts: Sequence[str]) -> Sequence[Message]:
        return render("retrieval", passages=neutral("\n\n".join(texts)), known="", question=question)

    try:
        prompt = await fit(parts, build, desk, _VALUE_TOKENS)
        response = await desk.chat(prompt.messages, max_completion_tokens=_VALUE_TOKENS)
    except (ContextOverflowError, IncompleteAnswerError):
        return ""
    if response.finish is Finish.LENGTH:
        return ""
    return " ".join(response.text.split()).strip("\"'\u201c\u201d ").rstrip(".")
