"""What stands between quotation marks in a text, in the marks of many languages; apostrophes and inches are none.

Code and JSON are passed over. Of marks within marks the outermost are given.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CLOSED_BY = {
    '"': '"', "\uff02": "\uff02",
    "\u201c": '\u201d"', "\u201d": "\u201d\u201c", "\u201e": '\u201c\u201d"', "\u301d": "\u301e\u301f",
    "\u00ab": "\u00bb", "\u00bb": "\u00ab\u00bb", "\u2039": "\u203a", "\u203a": "\u2039\u203a",
    "\u300c": "\u300d", "\u300e": "\u300f",
    "'": "'\u2019", "\u2018": "\u2019'", "\u201a": "\u2018\u2019",
}  # fmt: skip
"""Of English, German, French, Danish, Swedish and Japanese, and the single ones."""
_ALWAYS_OPEN = frozenset("\u00ab\u2039\u300c\u300e\u301d")
_ALWAYS_CLOSE = frozenset("\u300d\u300f\u301e\u301f\u00bb\u203a\u00ab\u2039")
"""Brackets, and guillemets, which may have a space inside: they close what they can wherever they stand."""
_APOSTROPHES = frozenset("'\u2019")
_ELIDED = re.compile(
    r"['\u2018](?:\d0s|(?:tis|twas|twere|twill|em|n|til|till|cause|cos|bout|round|neath|s|t|nuff)\b)", re.IGNORECASE
)
""""'tis", "the '90s", "rock 'n' roll", "'t Hooft": words that begin with an apostrophe."""
_JOINS = re.compile(
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc]"
)
"""A letter or digit of a script that puts spaces between words: beside it, a mark is within a word. In Korean a
particle follows the mark without one."""
_CODE = re.compile(r"(```|~~~).*?(?:\1|\Z)|`[^`\n]*`", re.DOTALL)
"""In fences and between backticks."""
_JSON_OPENS = re.compile(r"[{\[]\s*[\"{\[]")
_APART = re.compile(r"\n\s*\n|\n(?=\s{0,3}(?:[-*+\u2022|#>]|\d{1,3}[.)])\s?)")
"""Between paragraphs, list items and rows of a table; no quotation reaches over them."""


def joins(letter: str) -> bool:
    """Whether it goes on a word, in a script that puts spaces between words."""
    return _JOINS.match(letter) is not None


def _without_json(text: str) -> str:
    """Objects, and lists of two and more, are blotted out; one quotation in brackets is none."""
    at = 0
    while opens := _JSON_OPENS.search(text, at):
        at = opens.start() + 1
        try:
            value, end = json.JSONDecoder().raw_decode(text, opens.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) or len(value) > 1:
            text = text[: opens.start()] + "\0" * (end - opens.start()) + text[end:]
            at = end
    return text


Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Quotation:
    """text[start:end], the marks included."""

    start: int
    end: int
    text: str
    """Without the marks and the white space inside them."""
    closed: bool = True
    """False: it only begins, and its paragraph ends; an answer may be broken off within a quote."""


def quotations(text: str, known: Known = lambda _text: False) -> list[Quotation]:
    r"""What stands between quotation marks, in order.

    Args:
        text: any.
        known: whether some words are those of a source; it decides which of several apostrophes ends a quotation.

    >>> [each.text for each in quotations("The dogs' \u201cfood\u201d, and 'tis \u00ab bon \u00bb")]
    ['food', 'bon']
    """
    plain = _without_json(_CODE.sub(lambda match: "\0" * len(match.group()), text))
    bounds = [0, *(match.end() for match in _APART.finditer(plain)), len(plain)]
    return [
        each
        for begin, end in itertools.pairwise(bounds)
        for each in _Paragraph(text, plain, begin, end, known).quotations()
    ]


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    plain: str
    """The text with its code blotted out."""
    begin: int
    end: int
    known: Known

    def quotations(self) -> Iterator[Quotation]:
        at = self.begin
        while at < self.end:
            if self._opens(at):
                close = self._closing(at)
                if close is not None:
                    yield Quotation(at, close + 1, self._between(at, close))
                    at = close
                elif not _APOSTROPHES & set(_CLOSED_BY[self.plain[at]]):
                    yield Quotation(at, self.end, self._between(at, self.end), closed=False)
                    return
            at += 1

    def _between(self, opened: int, closed: int) -> str:
        return self.text[opened + 1 : closed].strip()

    def _opens(self, at: int) -> bool:
        mark = self.plain[at]
        if mark not in _CLOSED_BY or at + 1 >= self.end:
            return False
        if mark in _ALWAYS_OPEN:
            return True
        after = self.plain[at + 1]
        if self._joins(at - 1) or self.plain[at - 1 : at] in {"=", "\\"} or after.isspace() or after == mark:
            return False  # within a word, an attribute of HTML, escaped, or empty
        return not _ELIDED.match(self.plain, at)

    def _closes(self, at: int) -> bool:
        return self.plain[at] in _ALWAYS_CLOSE or (not self.plain[at - 1].isspace() and not self._joins(at + 1))

    def _joins(self, at: int) -> bool:
        return self.begin <= at < self.end and joins(self.plain[at])

    def _closing(self, opened: int) -> int | None:
        """Where the quotation ends that begins here; None where it does not."""
        ends = list(self._ends(opened))
        if self.plain[ends[0] if ends else opened] not in _APOSTROPHES:
            return ends[0] if ends else None
        whole = [end for end in ends if self.known(self._between(opened, end))]
        if whole:
            return whole[-1]
        plain = [end for end in ends if not self._may_be_possessive(end)]
        if plain or self.plain[opened] != "'":
            return (plain or ends)[0]
        return None  # "'Umar and his sons' house": two apostrophes

    def _ends(self, opened: int) -> Iterator[int]:
        """Marks that may end it: the first, and of apostrophes all up to the next quotation."""
        mark = self.plain[opened]
        within = 0
        for at in range(opened + 2, self.end):
            closes = self.plain[at] in _CLOSED_BY[mark] and self._closes(at)
            if closes and not (mark == '"' and self._is_inch(at)):
                if self.plain[at] in _APOSTROPHES:
                    yield at
                elif within:
                    within -= 1
                else:
                    yield at
                    return
            elif self._opens(at) and set(_CLOSED_BY[self.plain[at]]) & set(_CLOSED_BY[mark]):
                if _APOSTROPHES & set(_CLOSED_BY[mark]):
                    return
                within += 1

    def _is_inch(self, at: int) -> bool:
        """Whether it stands behind a figure, and another mark ends what was begun."""
        after = self.plain.find('"', at + 1, self.end)
        return self.plain[at - 1].isdigit() and after >= 0 and self._closes(after) and not self._opens(after)

    def _may_be_possessive(self, at: int) -> bool:
        """Such as "the dogs' bowl" and "goin' home": a word follows."""
        follows = self.plain[at + 1 : at + 3]
        return self.plain[at - 1].casefold() in "sn" and len(follows) > 1 and follows[0] == " " and follows[1].isalpha()
