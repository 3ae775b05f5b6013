"""Reads a FAQ: Markdown with a question as each heading, or "Q:" and "A:", or paragraphs that begin with a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^#{1,6}\s+(?P<question>.+?)\s*#*\s*$", re.MULTILINE)
_Q_AND_A = re.compile(
    r"^\s*(?:\*\*)?Q\d*\s*[:.)]\s*(?:\*\*)?\s*(?P<question>.+?)(?:\*\*)?\s*$", re.MULTILINE | re.IGNORECASE
)
_ASKED = re.compile(r"^(?:\*\*|\d+[.)]\s*|[-*]\s+)?(?P<question>[A-Z][^\n?]{5,200}\?)(?:\*\*)?\s*$", re.MULTILINE)
_ANSWER_MARK = re.compile(r"\s*(?:\*\*)?A\d*\s*[:.)]\s*(?:\*\*)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One question and its answer: text[start:end] == answer."""

    document: str
    question: str
    answer: str
    start: int
    end: int


def read_entries(document: str, text: str) -> list[Entry]:
    r"""The entries in order. Of the three forms the one that gives most; a heading without a text below is a section.

    >>> [entry.question for entry in read_entries("faq.md", "# Shop\n## Do you ship?\nYes.\n## When?\nMondays.")]
    ['Do you ship?', 'When?']
    """
    return max((_by(pattern, document, text) for pattern in (_HEADING, _Q_AND_A, _ASKED)), key=len)


def _by(pattern: re.Pattern[str], document: str, text: str) -> list[Entry]:
    marks = list(pattern.finditer(text))
    found = []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):  # without marks there is one end too many
        start = mark.end()
        if pattern is _Q_AND_A and (label := _ANSWER_MARK.match(text, start)):
            start = label.end()
        body = text[start:end]
        start += len(body) - len(body.lstrip())
        answer = body.strip()
        if answer:
            found.append(Entry(document, mark.group("question").strip("* "), answer, start, start + len(answer)))
    return found
