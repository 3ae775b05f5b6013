"""The form, style and language that a summary is asked for: read from the request by rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """What the summary looks like."""

    PROSE = "prose"
    BULLETS = "bullets"
    ABSTRACT = "abstract"
    """One paragraph, as at the head of a paper."""
    TABLE = "table"
    """A row a section, or a document where there are several."""
    COMPARISON = "comparison"
    """A row a document, with what stands in that one alone."""
    TIMELINE = "timeline"
    """What has a date, in the order of the dates, in the text's own words."""


class Style(StrEnum):
    """How it is worded; the value goes into the prompt."""

    PLAIN = "in plain words that anybody understands"
    FORMAL = "in a formal tone"
    TECHNICAL = "for experts, with the technical terms"


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """What was asked for besides the length."""

    form: Form = Form.PROSE
    style: Style | None = None
    language: str | None = None
    """Its English name, such as "German"; None: that of the text."""

    @property
    def phrase(self) -> str:
        """For the prompt, behind the length: ", in plain words ..., in German"."""
        parts = ["as an abstract"] if self.form is Form.ABSTRACT else []
        parts += [str(self.style)] if self.style else []
        parts += [f"in {self.language}"] if self.language else []
        return "".join(f", {part}" for part in parts)


_LANGUAGES = (
    "English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Czech", "Swedish", "Danish",
    "Norwegian", "Finnish", "Russian", "Ukrainian", "Greek", "Turkish", "Arabic", "Hebrew", "Hindi", "Chinese",
    "Japanese", "Korean", "Vietnamese", "Indonesian",
)  # fmt: skip
_LANGUAGE = re.compile(rf"\b(?:in|into|auf|to)\s+({'|'.join(_LANGUAGES)})\b", re.IGNORECASE)
_PLAIN = (
    r"\b(?:plain|simple|easy|everyday)\s+(?:words|language|english|terms)\b|\bstyle\s*:\s*plain\b"
    r"|\bfor\s+(?:a\s+)?(?:child|children|lay(?:man|people|persons?)|beginners?|everybody)\b"
)
_STYLES = (
    (Style.PLAIN, _PLAIN),
    (Style.FORMAL, r"\bformal(?:ly)?\b|\bstyle\s*:\s*formal\b"),
    (Style.TECHNICAL, r"\bfor\s+(?:an?\s+)?(?:experts?|specialists?|engineers?)\b|\btechnical(?:ly)?\b"),
)
_FORMS = (
    (Form.TIMELINE, r"\b(?:time\s?line|chronolog\w*|in\s+order\s+of\s+(?:time|date))\b"),
    (Form.COMPARISON, r"\b(?:compar(?:e|es|ing|ison)|contrast\w*|differences?\s+between)\b"),
    (Form.TABLE, r"\b(?:as|in|into|with|make|give|draw|a)\s+(?:me\s+)?(?:a\s+|the\s+)?table\b|\btabulate\b"),
    (Form.ABSTRACT, r"\b(?:as|into|write|give\s+me)\s+(?:an?\s+|the\s+)?abstract\b"),
)


def read_options(request: str, *, documents: int = 1) -> SummaryOptions:
    """What a request asks for.

    Args:
        request: its words.
        documents: how many there are to sum up; a comparison takes at least two.
    """
    found = [form for form, pattern in _FORMS if re.search(pattern, request, re.IGNORECASE)]
    if documents < 2 and Form.COMPARISON in found:  # noqa: PLR2004 - a comparison takes two
        found.remove(Form.COMPARISON)
    style = next((style for style, pattern in _STYLES if re.search(pattern, request, re.IGNORECASE)), None)
    language = _LANGUAGE.search(request)
    return SummaryOptions(
        form=found[0] if found else Form.PROSE,
        style=style,
        language=language.group(1).capitalize() if language else None,
    )
