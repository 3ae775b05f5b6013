"""Where a request could be cut: list items, sentences, and the matter a request is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nonet.agents.lexicon import DOCUMENT_NOUN, any_of, compiled

_LINE_MARK = re.compile(
    r"^[ \t]*(?:(?P<mark>\d{1,4}|[a-hA-H])[.):]|\((?P<paren>\d{1,2}|[a-hA-H])\)|[-*•–])[ \t]+(?=\S)",  # noqa: RUF001
    re.MULTILINE,
)
_INLINE_MARK = re.compile(
    r"(?:(?<=\s)|^)(?:\((?P<paren>\d{1,2}|[a-h]|i{1,3}|iv|v)\)|(?P<mark>\d{1,2}|[a-h])\)"
    r"|(?P<dot>\d{1,2})\.(?=\s+[A-Za-z¤]))\s+"
)
_ORDINAL = any_of("first|second|third|fourth|fifth|one|two|three|four|lastly|finally")
_WORD_MARK = compiled(
    rf"(?:(?<=[.:;!?]\s)|(?<=\n)|^)(?:(?:and )?(?:the )?{_ORDINAL}"
    r"(?: (?:task|thing|job|request|one|part|item|step|of all|up))?"
    r"|(?:task|part|step|item|job|request|todo|goal|number|no\.) ?#?(?:[a-h]|\d{1,2}|one|two|three|four))"
    r"\s*(?::|[.)](?=\s+[A-Z¤]))\s*"
)
_CAPITAL = "[A-Z0-9¤\u00c0-\u00de(-]"
_LETTER = re.compile(r"[^\W\d_]")
_WHOLE_WORD = re.compile(r"(?<![\w.])[^\W\d_]{4,}(?: \d{1,4})?$")
_SENTENCE_END = re.compile(
    r"[.!?…]+[\"'\u201d\u2019)\]]*(?=\s)|\n\s*\n|[\u3002\uff01\uff1f]"
    r"|\n(?=\s*(?:[Qq]uestion|[Tt]ext|[Ii]nput|[Cc]ontext|[Aa]rticle|[Aa]bstract|[Nn]ote)s?\s*:)"
)
_ABBREVIATION = compiled(
    r"(?:^|[\s(])"
    + any_of(
        r"(?:[a-z]\.)*[a-z]|etc|cf|vs|mr|mrs|ms|dr|prof|st|sr|jr|no|fig|sec|ch|vol|pp?|ed|eds|al|inc|ltd|co|corp",
        "approx|resp|ca|min|max|dept|est|gen|col|sgt|capt|lt|rev|hon",
    )
    + r"\.$"
)
_LABEL = compiled(rf"\b(?:and|or|to|with|than|versus|vs\.?|task|part|option|{DOCUMENT_NOUN}) [a-z]\.$")
_NEXT_CAPITAL = re.compile(r"\s+[\"\u201c'(]?" + _CAPITAL)
_BLANK = re.compile(r"\n\s*\n")
_COLON = re.compile(r":\s+")

_QUESTION_MENTION = compiled(
    r"\b(?:this|the following|following|that|the next|the) question\b"
    r"|\bquestion (?:below|that follows|at the end|underneath)\b"
    r"|\b(?:one|study|paper|document|passage|text) (?:that|which) asks\b"
)
_QUESTION_LABEL = compiled(r"(?:^|[\n.;,]\s*)(?P<label>(?:the )?(?:question|query|q)\s*(?:is)?\s*[:=])\s*")
_PASTED = any_of(DOCUMENT_NOUN, "passages?|paragraphs?|sentences?|notes?|conversations?|posts?|snippets?|code|poems?")
_TEXT_MENTION = compiled(
    rf"\b(?:(?:following|this|below|next)(?: \w+){{0,2}}? {_PASTED}|{_PASTED} below)\b[^.;:\n]{{0,120}}:\s+"
)
_TEXT_LABEL = compiled(rf"(?:^|\n)\s*(?:{DOCUMENT_NOUN}|passage|input|context)\s*:\s+")
_LONG_PARAGRAPH_CHARACTERS = 600
"""A paragraph after the first of this length is taken for pasted text, not for orders."""
_MIN_MARKS = 2
"""A single mark makes no list."""
_SERIES = (tuple(str(number) for number in range(1, 100)), tuple("abcdefgh"), ("i", "ii", "iii", "iv", "v"))


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the request: an item of a list, or what stands around it."""

    start: int
    end: int
    item: int | None = None
    """Position in its list; None outside lists."""


@dataclass(frozen=True, slots=True)
class Payload:
    """Words that are the matter of a request, never orders: a question to answer, a pasted text."""

    start: int
    end: int
    mention: int
    """Offset of the words that point to it ("the question below")."""


def find_payload(masked: str) -> Payload | None:
    """The question or pasted text that the request points to, if there is one."""
    mentioned = _TEXT_MENTION.search(masked)
    text = _TEXT_LABEL.search(masked) or mentioned
    if text and text.end() < len(masked) and not _starts_list(masked, text.end()):
        return Payload(text.end(), len(masked), text.start() if text is mentioned else max(0, text.start() - 1))
    mention = _QUESTION_MENTION.search(masked)
    if mention:
        label = _QUESTION_LABEL.search(masked, mention.end())
        start = label.start("label") if label else _first_colon(masked, mention.end())
        if start is not None and start < len(masked) and not _starts_list(masked, start):
            return Payload(start, _paragraph_end(masked, start), mention.start())
    return _long_paragraph(masked)


def regions(masked: str, end: int) -> list[Region]:
    """The request up to `end` as list items and the stretches around them, in order."""
    marks, by_line = _list_marks(masked, end)
    if not marks:
        return [Region(0, end)]
    found = [Region(0, marks[0].start())]
    for number, mark in enumerate(marks[:-1]):
        found.append(Region(mark.end(), marks[number + 1].start(), number))
    last = marks[-1]
    blank = _BLANK.search(masked, last.end(), end) if by_line else None
    stop = blank.start() if blank else end
    found.extend((Region(last.end(), stop, len(marks) - 1), Region(stop, end)))
    return [region for region in found if masked[region.start : region.end].strip()]


def sentences(masked: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of a stretch; abbreviations and initials end none."""
    begin = start
    for match in _SENTENCE_END.finditer(masked, start, end):
        if not _really_ends(masked, begin, match, end):
            continue
        if masked[begin : match.end()].strip():
            yield begin, match.end()
        begin = match.end()
    if masked[begin:end].strip():
        yield begin, end


def _really_ends(masked: str, begin: int, match: re.Match[str], end: int) -> bool:
    mark = match.group()
    if mark[0] not in ".!?…":
        return True
    capital = _NEXT_CAPITAL.match(masked, match.end(), end) is not None or _types_small(masked, match)
    if not capital and not _line_ends(masked, match.end()):
        return False
    if mark != ".":
        return True
    before = masked[max(begin, match.start() - 24) : match.end()]
    return _ABBREVIATION.search(before) is None or _LABEL.search(before) is not None


def _types_small(masked: str, match: re.Match[str]) -> bool:
    """Whether the writer begins no sentence with a capital, and this is more than an abbreviation's dot."""
    first = _LETTER.search(masked)
    ends = match.group()[0] in "!?" or _WHOLE_WORD.search(masked, max(0, match.start() - 24), match.start()) is not None
    return ends and first is not None and first.group().islower()


def _line_ends(masked: str, offset: int) -> bool:
    return masked[offset : offset + 40].lstrip(" \t\r").startswith("\n")


def _list_marks(masked: str, end: int) -> tuple[list[re.Match[str]], bool]:
    """The marks of the list that structures the request, and whether each begins a line."""
    lines = list(_LINE_MARK.finditer(masked, 0, end))
    if len(lines) >= _MIN_MARKS:
        return lines, True
    inline = list(_INLINE_MARK.finditer(masked, 0, end))
    for kind in ("paren", "mark", "dot"):
        marks = _ascending([mark for mark in inline if mark.group(kind)], kind)
        if marks:
            return marks, False
    words = list(_WORD_MARK.finditer(masked, 0, end))
    return (words, False) if len(words) >= _MIN_MARKS else ([], False)


def _ascending(marks: list[re.Match[str]], kind: str) -> list[re.Match[str]]:
    """Those that count 1, 2, 3 or a, b, c; years and sizes in brackets do not."""
    for series in _SERIES:
        kept: list[re.Match[str]] = []
        for mark in marks:
            if len(kept) < len(series) and mark.group(kind) == series[len(kept)]:
                kept.append(mark)
        if len(kept) >= _MIN_MARKS:
            return kept
    return []


def _starts_list(masked: str, start: int) -> bool:
    return _LINE_MARK.match(masked, start) is not None or _INLINE_MARK.match(masked, start) is not None


def _first_colon(masked: str, start: int) -> int | None:
    """A question may well hold a colon of its own, and so may a title; what announces it comes before them."""
    match = _COLON.search(masked, start)
    return match.end() if match else None


def _paragraph_end(masked: str, start: int) -> int:
    blank = _BLANK.search(masked, start)
    return blank.start() if blank else len(masked)


def _long_paragraph(masked: str) -> Payload | None:
    """A long paragraph after the first, with all that follows it."""
    for match in _BLANK.finditer(masked):
        stop = _paragraph_end(masked, match.end())
        if stop - match.end() > _LONG_PARAGRAPH_CHARACTERS and not _starts_list(masked, match.end()):
            return Payload(match.end(), len(masked), max(0, match.start() - 1))
    return None
