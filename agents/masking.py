"""Hides what must never be split or read for cues: code, quotations, addresses, calls and lists.

Every rule of the planner reads the masked text and cuts the original at the same offsets, so both have one length.
"""

from __future__ import annotations

import re

FILLER = "\u00a4"
"""Stands for one hidden character: a sign that no pattern of the planner takes for a word."""

_FENCE = re.compile(r"(?:```|~~~).*?(?:```|~~~|\Z)", re.DOTALL)
_CODE_LINES = re.compile(
    r"^(?:(?:async )?def |class \w+[(:]|from [\w.]+ import |import [\w.]+(?:\s*$| as )|>>> |@\w+[\w.(]*|#include"
    r"|function \w+\().*\n?(?:(?:[ \t]+\S.*|[ \t]*)(?:\n|\Z))*",
    re.MULTILINE,
)
_SPANS = re.compile(
    r"`[^`\n]+`"
    r"|\b(?:https?|ftp|file)://\S*[^\s.,;:!?)\]}\"'»\u201d]"
    r"|\b[\w.+-]{1,64}@[\w-]+\.[\w.-]*\w"
    r"|\u201c[^\u201d\n]*(?:\u201d|$)"
    r"|«[^»\n]*(?:»|$)"
    r"|„[^\u201c\u201d\n]*[\u201c\u201d]"
    r"|\"[^\"\n]*\""
    r"|(?<![\w'])'(?=\S)[^'\n]{1,80}(?<=\S)'(?!\w)"
    r"|\u2018[^\u2019\n]{1,80}\u2019(?!\w)"
    r"|\b\w[\w./\\-]{0,80}\.(?:md|txt|py|pdf|html?|csv|json|docx?|rst|toml|ya?ml|log)\b",
    re.MULTILINE,
)
_OPENING = re.compile(r"(?<=\w)\(|\[|\{|(?<=[=<>]=)\s?\(|(?<== )\(")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_MAX_BRACKET_CHARACTERS = 2_000
_MAX_BRACKETS = 400


def mask(text: str) -> str:
    """The text with everything that is data rather than request replaced by fillers; the length stays."""
    masked = text
    if "```" in masked or "~~~" in masked:
        masked = _FENCE.sub(_hide, masked)
    masked = _CODE_LINES.sub(_hide_lines, masked)
    masked = _SPANS.sub(_hide, masked)
    return _hide_brackets(masked)


def _hide(match: re.Match[str]) -> str:
    return FILLER * len(match.group())


def _hide_lines(match: re.Match[str]) -> str:
    """The last line end stays: it may separate two requests."""
    body = match.group()
    hidden = len(body.rstrip())
    return FILLER * hidden + body[hidden:]


def _hide_brackets(text: str) -> str:
    """Hide argument lists and literals, nested ones whole. An unclosed bracket hides nothing."""
    pieces: list[str] = []
    done = 0
    for _ in range(_MAX_BRACKETS):
        match = _OPENING.search(text, done)
        if match is None:
            break
        start = match.end() - 1
        end = _closing(text, start)
        pieces.append(text[done:start])
        if end is None:
            pieces.append(text[start])
            done = start + 1
        else:
            pieces.append(FILLER * (end - start))
            done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _closing(text: str, start: int) -> int | None:
    """Offset after the bracket that closes the one at `start`, or None within the limit."""
    expected: list[str] = []
    for offset in range(start, min(len(text), start + _MAX_BRACKET_CHARACTERS)):
        sign = text[offset]
        if sign in _PAIRS:
            expected.append(_PAIRS[sign])
        elif expected and sign == expected[-1]:
            expected.pop()
            if not expected:
                return offset + 1
    return None
