"""Reads a request for a translation: into which language, and the text where it stands in the request itself."""

from __future__ import annotations

import re

from nonet.specialists import Assignment, Source

LANGUAGES = tuple(
    """
    English German French Spanish Italian Portuguese Dutch Swedish Danish Norwegian Finnish Polish Czech
    Hungarian Romanian Turkish Greek Russian Ukrainian Arabic Hebrew Hindi Chinese Japanese Korean Vietnamese
    Indonesian
    """.split()  # noqa: SIM905
)
SCRIPTS = {
    "Russian": "Cyrillic", "Ukrainian": "Cyrillic", "Greek": "Greek", "Arabic": "Arabic", "Hebrew": "Hebrew",
    "Hindi": "Devanagari", "Chinese": "East-asian", "Japanese": "East-asian", "Korean": "Hangul",
}  # fmt: skip
"""By language: the script that tells it."""
_LANGUAGE = re.compile(
    rf"\b(?:in)?to (?P<name>{'|'.join(LANGUAGES)})\b|\bin (?P<other>{'|'.join(LANGUAGES)})\b", re.IGNORECASE
)
_INLINE = (
    re.compile(r"[\"\u201c\u00ab](?P<text>.+)[\"\u201d\u00bb]", re.DOTALL),
    re.compile(r"(?:^|\s)'(?P<text>.+)'", re.DOTALL),
    re.compile(r":\s*(?P<text>.+)$", re.DOTALL),
)


def target_language(request: str) -> str | None:
    """The language that a request names, as English names it.

    >>> target_language("Translate the letter into german, please.")
    'German'
    """
    match = _LANGUAGE.search(request)
    return (match.group("name") or match.group("other")).capitalize() if match else None


def sources_of(assignment: Assignment) -> tuple[Source, ...]:
    """What is to be translated: documents and earlier results, else what the request quotes or has behind a colon."""
    given = tuple(each for each in assignment.sources if each.text.strip())
    if given:
        return given
    for pattern in _INLINE:
        if match := pattern.search(assignment.instruction):
            return (Source("the request", match.group("text").strip()),)
    return ()
