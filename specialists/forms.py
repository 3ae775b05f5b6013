"""The form, style and language that a summary is asked for: read from the request by rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

FormName = Literal["prose", "bullets", "abstract", "table", "comparison", "timeline"]
"""What the summary looks like. An abstract is one paragraph, as at the head of a paper; a table has a row a section, or
a document where there are several; a comparison has a row a document, with what stands in that one alone; a timeline is
what has a date, in the order of the dates, in the text's own words."""
StyleName = Literal["plain", "formal", "technical"]
"""How it is worded."""
_STYLE_IN_WORDS: dict[str, str] = {
    "plain": "in plain words that anybody understands",
    "formal": "in a formal tone",
    "technical": "for experts, with the technical terms",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """What was asked for besides the length."""

    form: FormName = "prose"
    style: StyleName | None = None
    language: str | None = None
    """Its English name, such as "German"; None: that of the text."""

    @property
    def phrase(self) -> str:
        """For the prompt, behind the length: ", in plain words ..., in German"."""
        parts = ["as an abstract"] if self.form == "abstract" else []
        parts += [_STYLE_IN_WORDS[self.style]] if self.style else []
        parts += [f"in {self.language}"] if self.language else []
        return "".join(f", {part}" for part in parts)


LANGUAGES = (
    "English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Czech", "Swedish", "Danish",
    "Norwegian", "Finnish", "Russian", "Ukrainian", "Greek", "Turkish", "Arabic", "Hebrew", "Hindi", "Chinese",
    "Japanese", "Korean", "Vietnamese", "Indonesian",
)  # fmt: skip
_LANGUAGE = re.compile(rf"\b(?:in|into|auf|to)\s+({'|'.join(LANGUAGES)})\b", re.IGNORECASE)
_PLAIN = (
    r"\b(?:plain|simple|easy|everyday)\s+(?:words|language|english|terms)\b|\bstyle\s*:\s*plain\b"
    r"|\bfor\s+(?:a\s+)?(?:child|children|lay(?:man|people|persons?)|beginners?|everybody)\b"
)


def _in_style(name: str) -> str:
    """Where a style is wished for; "the technical design" and "a formal complaint" are what a text is about."""
    manner = r"(?:terms|words|language|tone|style|way|manner|wording|english)"
    made = r"(?:summar\w+|abstracts?|overviews?|versions?|bullets?|bullet\s+points?|paragraphs?|tables?)"
    wished = rf"(?:in|with)\s+(?:an?\s+)?(?:\w+\s+)?{name}\s+{manner}|{name}\s+{made}|{name}ly|style\s*:\s*{name}"
    return rf"\b(?:{wished})\b|,\s*{name}(?=\s*[.,!]|\s*$)"


_STYLES: tuple[tuple[StyleName, str], ...] = (
    ("plain", _PLAIN),
    ("formal", _in_style("formal")),
    ("technical", rf"\bfor\s+(?:an?\s+)?(?:experts?|specialists?|engineers?)\b|{_in_style('technical')}"),
)
_FORMS: tuple[tuple[FormName, str], ...] = (
    ("timeline", r"\b(?:time\s?line|chronolog\w*|in\s+order\s+of\s+(?:time|date))\b"),
    ("comparison", r"\b(?:compar(?:e|es|ing|ison)|contrast\w*|differences?\s+between)\b"),
    ("table", r"\b(?:as|in|into|with|make|give|draw|a)\s+(?:me\s+)?(?:a\s+|the\s+)?table\b|\btabulate\b"),
    ("abstract", r"\b(?:as|into|write|give\s+me)\s+(?:an?\s+|the\s+)?abstract\b"),
)
_MAKE = r"(?:\b(?:make|give|write|draw|create|produce)\s+(?:me\s+)?)?(?:\b(?:as|in|into|with)\s+)?(?:\b(?:an?|the)\s+)?"
"""What stands before the name of a form, and goes with it."""

FEWEST_COMPARED = 2
"""Documents that a comparison takes."""


def read_manner(request: str, *, documents: int = 1) -> Manner:
    """What a request asks for.

    Args:
        request: its words.
        documents: how many there are to sum up; a comparison takes at least two.
    """
    found = [form for form, pattern in _FORMS if re.search(pattern, request, re.IGNORECASE)]
    if documents < FEWEST_COMPARED and "comparison" in found:
        found.remove("comparison")
    style = next((style for style, pattern in _STYLES if re.search(pattern, request, re.IGNORECASE)), None)
    language = _LANGUAGE.search(request)
    return Manner(
        form=found[0] if found else "prose",
        style=style,
        language=language.group(1).capitalize() if language else None,
    )


def without_manner(request: str, part: str) -> str:
    """The request without what it says of its "form", "style" or "language".

    >>> without_manner("Make a timeline of the floods in German.", "form")
    'the floods in German.'
    >>> without_manner("Sum up the floods in German.", "language")
    'Sum up the floods.'
    """
    if part == "language":
        return re.sub(rf"\s*{_LANGUAGE.pattern}", "", request, flags=re.IGNORECASE)
    patterns = (
        [rf"{_MAKE}(?:{pattern})(?:\s+(?:of|for|about)\b)?\s*" for _, pattern in _FORMS]
        if part == "form"
        else [rf"(?:,?\s*\bin\s+)?(?:{pattern})" for _, pattern in _STYLES]
    )
    for pattern in patterns:
        request = re.sub(pattern, "", request, flags=re.IGNORECASE)
    return request.strip()
