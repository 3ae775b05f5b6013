"""Transcripts: who speaks at a place, and what of the writing is sound and not speech."""

from __future__ import annotations

import re
from functools import lru_cache

_TURN = re.compile(r"^[ \t]*(?P<speaker>[^\W\d_a-z][\w.'\u2019 -]{0,39}?):[ \t]+", re.MULTILINE)
_LEAST_TURNS, _LEAST_SHARE = 4, 0.6
"""Of the lines that are not empty, for a text to be a transcript."""
_SOUNDS = re.compile(
    r"[{\[<(](?:[a-z]+(?:[ _-][a-z]+)?)[}\]>)]|(?<!\w)(?:u+h+m*|u+m+|e+h+m*|h+m+|m+h*m+(?:-h+m+)?)(?!\w)(?:\s*,)?",
    re.IGNORECASE,
)
_BEFORE_MARK = re.compile(r"\s+(?=[.,;?!])")


@lru_cache(maxsize=8)
def is_transcript(text: str) -> bool:
    r"""Whether most of its lines begin with who speaks.

    >>> is_transcript("Ann: Shall we?\nBob: Yes.\nAnn: Then the budget.\nBob: It is spent.")
    True
    """
    lines = [line for line in text.splitlines() if line.strip()]
    turns = [match["speaker"] for line in lines if (match := _TURN.match(line))]
    return len(turns) >= _LEAST_TURNS and len(turns) >= _LEAST_SHARE * len(lines) and len(set(turns)) < len(turns)


def turns_of(text: str) -> list[int]:
    """Where each turn of a transcript begins; nowhere in another text."""
    return [match.start() for match in _TURN.finditer(text)] if is_transcript(text) else []


def speaker_at(text: str, place: int) -> str:
    """Who is speaking at a place after the name; empty where the name itself stands there, or nobody is known."""
    match = _TURN.match(text, text.rfind("\n", 0, place) + 1)
    return match["speaker"] if match is not None and match.end() <= place and is_transcript(text) else ""


def spoken(text: str) -> str:
    """What was said, without "uh" and "{laugh}".

    >>> spoken("Uh, the {vocalsound} remote , um is small .")
    'the remote, is small.'
    """
    return _BEFORE_MARK.sub("", " ".join(_SOUNDS.sub(" ", text).split()))
