"""What one of several documents has alone: the names, numbers and identifiers that no other says, each one whole.

An identifier is what is written in one piece: a part number, a version, a date, a path, an address, a name of code. Its
pieces say nothing by themselves ("HL", "3318" and "M" of "HL-3318-M"), so it is shown whole or, where it is too long
for a cell of a table, not at all. What stands in a block of code is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nonet.specialists.text import names, numbers, words

_MOST = 6
"""Of a document."""
_LONGEST = 40
"""Characters of an identifier in a table."""
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_PIECE = r"\w+(?:['\u2019]\w+)*"
_BETWEEN = r"(?:::|:[/\\]{1,2}|[-.:/\\@#+&=]|(?<=\d),(?=\d))"
_WHOLE = re.compile(
    r"`(?P<code>[^`\s]+)`|`[^`\n]+`"
    r"|(?P<address>\b[a-z][a-z0-9+.-]{0,20}://[^\s<>()\[\]{}\"'`|]+)"
    rf"|(?<!\w)(?P<joined>(?:~?/|\.{{1,2}}/|@)?{_PIECE}(?:{_BETWEEN}{_PIECE})+|\w(?:\+\+|\#)(?!\w))"
    r"|(?<!\w)(?P<underscored>\w*[^\W_]_+[^\W_]\w*|__\w+__)(?!\w)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:st|nd|rd|th)?", re.IGNORECASE)
_WORD = re.compile(r"\b[^\W\d_][\w'\u2019]*\b")
_ENDS = ".,;:!?"
_POSSESSIVE = re.compile(r"['\u2019]s$")


@dataclass(slots=True)
class _Marks:
    """What a document is told by."""

    said: str
    """Its words, to look for those of another document."""
    written: dict[str, str] = field(default_factory=dict)
    """Each as it is first written, by what it is in lower case."""
    count: Counter[str] = field(default_factory=Counter)


def particular(texts: Sequence[str]) -> list[str]:
    """Of each text what it has alone, the most frequent first, as one line.

    >>> particular(["The new pump HL-3318-M runs v2.1 in Kesh.", "The pump HL-3317-M runs v2.1."])
    ['HL-3318-M, Kesh', 'HL-3317-M']
    """
    every = [_marks(text) for text in texts]
    found: list[str] = []
    for at, marks in enumerate(every):
        others = [each for other, each in enumerate(every) if other != at]
        alone: list[str] = []
        for mark in sorted(marks.written, key=lambda mark: (-marks.count[mark], mark)):
            if len(alone) == _MOST:
                break
            phrase = _phrase(mark)
            if phrase.strip() and not any(mark in other.written or phrase in other.said for other in others):
                alone.append(marks.written[mark])
        found.append(", ".join(alone))
    return found


def _phrase(text: str) -> str:
    return f" {' '.join(words(text))} "


def _marks(text: str) -> _Marks:
    marks = _Marks(_phrase(text))
    plain: dict[str, str] = {}

    def taken(match: re.Match[str]) -> str:
        """What stands in the place of an identifier while names and numbers are looked for."""
        whole = match["code"] or match["joined"] or match["underscored"] or (match["address"] or "").rstrip(_ENDS)
        after = match.group()[len(match.group().rstrip(_ENDS)) :]  # of the sentence, if anything
        whole = _POSSESSIVE.sub("", whole)
        if _NUMBER.fullmatch(whole):
            return whole
        if match["joined"] and not _is_marked(whole):  # "Kesh-based": whether it is a name, its sentence says
            bare = re.sub(r"\W", "", whole)
            plain.setdefault(bare.casefold(), whole)
            return bare
        if 0 < len(whole) <= _LONGEST:
            marks.written.setdefault(whole.casefold(), whole)
            marks.count[whole.casefold()] += 1
        return f"identifier{after}"

    rest = _WHOLE.sub(taken, _FENCED.sub("\n\n", text))
    said = Counter(words(rest))
    capitals = [_POSSESSIVE.sub("", word) for word in _WORD.findall(rest) if word[0].isupper()]
    as_written = {word.casefold(): word for word in reversed(capitals)} | plain
    for name in names(rest):
        written = as_written.get(name, name)
        marks.written.setdefault(written.casefold(), written)
        marks.count[written.casefold()] += said[name]
    for number in numbers(rest):
        marks.written.setdefault(number, number)
        marks.count[number] += said[number]
    return marks


def _is_marked(whole: str) -> bool:
    """Whether it is no word of a sentence, even if it begins one: a digit, a sign, or a capital further on."""
    return any(letter.isupper() for letter in whole[1:]) or any(
        letter.isdigit() or letter in "_@+#" for letter in whole
    )
