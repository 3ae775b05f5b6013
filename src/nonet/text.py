"""Text from users, models and documents, made safe to show: no control characters, nothing that hides or reorders."""

from __future__ import annotations

import json
import re
from typing import Any

_RANGES = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but newline and tab; DEL; C1
    "\u00ad"  # soft hyphen
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides and isolates
    "\u200b-\u200d\u2060-\u2065\u180e\ufeff"  # zero width
    "\u2028\u2029"  # line and paragraph separators
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated format controls, interlinear annotation
    "\U000e0000-\U000e007f"  # tags: invisible copies of ASCII
)
_SURROGATES = "\ud800-\udfff"
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
_UNSAFE = re.compile(f"[{_RANGES}]")
_LONE = re.compile(f"[{_SURROGATES}]")
_UNSAFE_IN_JSON = re.compile(f"[{_RANGES}{_SURROGATES}]")
_ELLIPSIS = "\u2026"


def clean(text: str) -> str:
    r"""The text without anything that acts on a terminal or deceives its reader.

    Removed: ESC and all of C0 and C1 but newline and tab, bidirectional controls, zero-width characters, tags. Line
    ends become newlines and half surrogate pairs U+FFFD. (ECMA-48 for the controls; Trojan Source, CVE-2021-42574.)

    >>> clean("a\x1b[2Jb\u202ec\r\nd")
    'a[2Jbc\nd'
    """
    return _LONE.sub("\ufffd", _UNSAFE.sub("", _LINE_ENDS.sub("\n", text)))


def one_line(text: str, width: int = 0) -> str:
    r"""Cleaned, on one line, at most `width` characters (0: as long as it is).

    >>> one_line("a  b\nc", 4)
    'a b…'
    """
    line = " ".join(clean(text).split())
    return line if not width or len(line) <= width else line[: width - 1] + _ELLIPSIS


def to_json(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:  # noqa: ANN401  any JSON value
    r"""JSON that means exactly `value` and is safe on a terminal: what `clean` would remove stands as an escape.

    >>> print(to_json({"a": "\x7f\u202e"}))
    {"a": "\u007f\u202e"}
    """
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, allow_nan=False)
    return _UNSAFE_IN_JSON.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
