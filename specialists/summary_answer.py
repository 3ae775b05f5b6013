"""What a model gave for a summary: without its announcement, and why it may be no summary at all."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from nonet.specialists.support import faithfulness
from nonet.specialists.text import content_stems, degeneration, share_found, words

_MUCH_TO_SAY = 12
"""Stems of a text that its request lacks, from which a summary has something to say."""
_LEAST_NEW = 3
"""Stems that a summary of such a text adds to its request."""
_ECHOED = 0.5
"""Share of a summary's stems that are the request's, from which it is an echo of it."""
_BESIDE_THE_POINT = 0.5
"""Below this overlap the summary speaks of something else ("the text sums up the main ideas of the article"), or in
another language than the text."""
_COPY_SHARE = 0.9
_SHORT_SOURCE_WORDS = 60
_LABEL_WORDS = 16


def without_label(answer: str) -> str:
    """The answer without an announcement, such as "Here is a summary of the text:"."""
    text = answer.strip()
    first, colon, rest = text.partition(":")
    labels = {
        "summary",
        "answer",
        "the summary",
        "here is the summary",
        "here is a summary",
        "tl;dr",
        "summary of the text",
    }
    opens = first.strip(" *#\n").casefold()
    rest = re.sub(r"^\*\*(?!\S)", "", rest).strip()
    return rest if colon and rest and (opens in labels or _announces(opens)) else text


def _announces(opening: str) -> bool:
    """Such as "Here is a summary of the text in 2 sentences"."""
    return opening.startswith(("here is", "here's", "here are", "sure")) and len(words(opening)) <= _LABEL_WORDS


def restates(raw: str, text: str, topic: AbstractSet[str], *, answers: bool = False) -> str:
    """Why the answer says nothing that was not asked; empty where it does, or where the text has no more to say.

    A small model that is to sum up what a question found gives the question back as a statement.

    Args:
        raw: what the model answered.
        text: what it was to sum up.
        topic: stems of what the summary and the search before it were to speak of.
        answers: the summary is to answer a question, so that one name more is news.
    """
    said = set(content_stems(raw))
    if len(set(content_stems(text)) - topic) < _MUCH_TO_SAY or len(said - topic) >= (1 if answers else _LEAST_NEW):
        return ""
    echo = bool(topic) and share_found(said, set(topic)) >= _ECHOED
    return "the answer says no more than the request does" if echo else ""


def unusable(raw: str, text: str, request: str, *, language: str | None = None) -> str:
    """Why the answer is no summary of the text at all; empty where it may be one.

    Args:
        raw: what the model answered.
        text: what it was to sum up.
        request: repeating it is an echo.
        language: asked for; words of another language cannot be looked for in the text.
    """
    if reason := degeneration(raw, request):
        return reason
    if language is None and faithfulness(raw, text).overlap < _BESIDE_THE_POINT:
        return "few of the answer's words are in the text: it is beside the point, or in another language"
    source = words(text)
    if len(source) >= _SHORT_SOURCE_WORDS and len(words(raw)) >= _COPY_SHARE * len(source):
        return "the answer copies the text"
    return ""
