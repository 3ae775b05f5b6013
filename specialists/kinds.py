"""The kind of answer that a question asks for, and whether an answer is of it."""

from __future__ import annotations

import re

from nonet.specialists.text import content_stems, number_words, words

_NUMBER_ASKED = re.compile(
    r"\b(?:when|how\s+(?:many|much|old|long|far|tall|high|large|big|often|deep|fast)|what\s+percent\w*|"
    r"(?:what|which|in\s+(?:what|which))\s+(?:year|date|day|percentage|number|amount|population|age|rank\w*))\b",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(
    r"\b(?:who|whom|whose|(?:what|which|in\s+(?:what|which))\s+(?:country|city|state|continent|town|river|person|"
    r"company|team|organi[sz]ation|university|nationality|province|county|island))\b",
    re.IGNORECASE,
)
_ACRONYM_ASKED = re.compile(r"\b(?:acronym|abbreviation|initials)\b", re.IGNORECASE)
_ACRONYM = re.compile(r"\b[A-Z][A-Z0-9.&-]+\b")
_YES_NO_ASKED = re.compile(
    r"^\W*(?:is|are|was|were|am|do|does|did|can|could|has|have|had|will|would|should|may|might|must)\b"
    r"|[.,;:]\s+(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should)\s[^.,;:]*\?\W*$",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\bor\b|\bbetween\b.*\band\b", re.IGNORECASE)
_INDIRECT = re.compile(
    r"\b(?:can|could|would|will|do|does|did|may|might)\s+(?:you|we|i|it|they|anyone|anybody|someone|somebody)\s+(?:please\s+)?"
    r"(?:tell|know|find|say|show|give|name|explain|remember|recall|look|check|see|learn|list|quote)\b.*?"
    r"\b(?:who|whom|whose|what|which|when|where|why|how)\b",
    re.IGNORECASE,
)
"""A question inside a question: who asks "Can you tell me who founded it?" wants to hear who."""
_OR = re.compile(r"\bor\b", re.IGNORECASE)
_YES_NO = re.compile(r"^\W*(?P<said>yes|no)\b(?!\s+or\b|\s*/)", re.IGNORECASE)
_BASIS = (
    r"(?:according\s+to|based\s+on|from)\s+(?:the|this|these)\s+(?:given\s+|provided\s+)?"
    r"(?:texts?|passages?|documents?|context|information|evidence)"
)
_ANNOUNCED = (
    _BASIS,
    r"(?:(?:the|my)\s+)?(?:(?:short|final)\s+)?answer(?:\s+to\s+\w+\s+question)?\s*(?:is|would\s+be|[:\u2013\u2014-])",
    r"(?:it|this|that)(?:['\u2019]s|\s+is|\s+would\s+be)",
    r"i(?:\s+would|['\u2019]d)?\s+(?:say|answer|think|conclude)(?:\s+that)?",
    r"(?:so|thus|hence|therefore)",
)
_MARKS = r"[\s:,*_(\"'\u201c\u201d\u2018\u2019)]{0,8}"
_SURE = r"(?:an?\s+)?(?:(?:most\s+)?(?:likely|probably)\s+|clear(?:ly)?\s+)?[*_]{0,2}"
_ENDS = r"[*_)\"'\u201d\u2019]*(?=\s*$|\s*[,;:!(\u2013\u2014]|\.(?!\s*\d)|\s+-\s|\s+(?:because|since|as)\b)"
_WORDED = re.compile(
    rf"(?<!\bwhether )(?<!\bwhether the )(?<!\bif )(?<!\bif the )(?:\b{_BASIS},?\s+)?"
    rf"(?:\b(?:{'|'.join(_ANNOUNCED)})|(?<=[,;:\u2013\u2014])){_MARKS}{_SURE}\b(?P<said>yes|no)\b{_ENDS}",
    re.IGNORECASE,
)
"""Yes or no as an answer's decision, announced or in a clause of its own; the "no" of "It is no observatory" and of
"at house no. 5" decides nothing."""

_ROLE = re.compile(
    r"\b(?:who|what|which)(?:'s|\s+(?:is|are|was|were))\s+(?:the\s+|an?\s+)?(?:name\s+of\s+the\s+)?(?:[\w-]+\s+){0,2}?"
    r"(?P<role>[a-z][\w-]+)\s+(?:of|for|in|to)\b",
    re.IGNORECASE,
)
_SAME_ROLE = (
    ("spouse", "wife", "husband", "marr", "wed"),
    ("author", "writer", "wrote", "writ"),
    ("composer", "compos", "music", "wrote"),
    ("founder", "found", "establish"),
    ("mother", "father", "parent", "son", "daughter", "child", "born"),
    ("performer", "perform", "singer", "sang", "sung", "record", "song", "album"),
    ("employer", "work", "employ"),
    ("birthplace", "born", "birth"),
)
"""Words that tell the same relation; prefixes, so that forms are found."""
_ROLE_PREFIX = 5


def role_spoken_of(question: str, text: str) -> bool:
    """Whether a text speaks of the relation that a question asks for ("the spouse of"), in a word of its kind.

    True where the question asks for none.

    >>> role_spoken_of("Who is the spouse of Raoul Walsh?", "Raoul Walsh directed it, with Ann Marlow.")
    False
    >>> role_spoken_of("Who is the spouse of Raoul Walsh?", "Ann Marlow married Raoul Walsh.")
    True
    """
    match = _ROLE.search(question)
    if match is None:
        return True
    role = match.group("role").casefold()
    told = [role[:_ROLE_PREFIX]]
    for same in _SAME_ROLE:
        if any(role.startswith(prefix) for prefix in same):
            told += same
    return any(word.startswith(tuple(told)) for word in words(text))


def asks_number(question: str) -> bool:
    """Whether a number or a date is asked for."""
    return _NUMBER_ASKED.search(question) is not None


def asks_name(question: str) -> bool:
    """Whether a name is asked for."""
    return _NAME_ASKED.search(question) is not None


def asks_yes_or_no(question: str) -> bool:
    """Whether yes or no is asked for: no choice between two, and no word such as "who"."""
    asked = _YES_NO_ASKED.search(question) is not None and _INDIRECT.search(question) is None
    return asked and _OR.search(question) is None


def says_yes_or_no(answer: str) -> bool:
    """Whether an answer decides for yes or for no: at its beginning, else in one way wherever it does.

    >>> says_yes_or_no("I would say no, it closed."), says_yes_or_no("It is no longer known.")
    (True, False)
    """
    if _YES_NO.match(answer):
        return True
    return len({found["said"].casefold() for found in _WORDED.finditer(answer)}) == 1


def without_yes_or_no(answer: str) -> str:
    """What an answer says beside yes or no.

    >>> without_yes_or_no("The answer is yes: it opened in 1688.")
    'it opened in 1688.'
    """
    return _WORDED.sub("", _YES_NO.sub("", answer)).lstrip(" ,.;:!*_")


def wrong_kind(question: str, answer: str) -> str:
    """Why an answer cannot be one to the question, in words; empty where it may be."""
    if _ACRONYM_ASKED.search(question):
        return "" if _ACRONYM.search(answer) else "an acronym is asked for, and the answer is none"
    if asks_number(question) and not number_words(answer):
        return "a number or date is asked for, and the answer has none"
    asked = set(words(question))
    named = any(word[0].isupper() and not set(words(word)) <= asked for word in answer.split())
    if asks_name(question) and not named:
        return "a name is asked for, and the answer has none"
    return ""


def repeats(question: str, answer: str) -> bool:
    """Whether an answer only says words of a question that asks for others."""
    if asks_yes_or_no(question) or _CHOICE.search(question):
        return False
    return set(content_stems(answer)) <= set(content_stems(question))
