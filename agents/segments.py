"""Where a request could be cut: list items, sentences, and the payload a request is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_I = re.IGNORECASE
_LINE_MARK = re.compile(
    r"^[ \t]*(?:(?P<mark>\d{1,4}|[a-hA-H])[.):]|\((?P<paren>\d{1,2}|[a-hA-H])\)|[-*•–])[ \t]+(?=\S)", re.MULTILINE
)
_INLINE_MARK = re.compile(
    r"(?:(?<=\s)|^)(?:\((?P<paren>\d{1,2}|[a-h]|i{1,3}|iv|v)\)|(?P<mark>\d{1,2}|[a-h])\)|(?P<dot>\d{1,2})\.(?=\s+[A-Za-z¤]))\s+"
)
_WORD_MARK = re.compile(
    r"(?:(?<=[\s(])|^)(?:(?:first|second|third|fourth|fifth|one|two|three|lastly|finally)(?: (?:task|thing|job|request|one|part|item|step|of all|up))?"
    r"|(?:task|part|step|item|job|request|todo|goal|number|no\.) ?#?(?:[a-h]|\d{1,2}|one|two|three|four))\s*[:.)](?=\s)\s*",
    _I,
)
_SENTENCE_END = re.compile(
    r"[.!?…]+[\"'”’)\]]*(?=\s+[\"“'(]?[A-Z0-9¤\u00c0-\u024f(-])|[.!?…]+[\"'”’)\]]*\s*\n|\n\s*\n|[。！？]|\n(?=\s*(?:question|text|input|context|article|abstract|note)s?\s*:)",
    _I | 0,
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|etc|cf|vs|mr|mrs|ms|dr|prof|st|sr|jr|no|fig|sec|ch|vol|pp?|ed|eds|al|inc|ltd|co|corp|approx|u\.s|u\.k|a\.m|p\.m|resp|ca|min|max|dept|est|gen|col|sgt|capt|lt|rev|hon)\.$",
    _I,
)
_UPPER_AFTER = re.compile(r"\s+[\"“'(]?[A-Z0-9¤\u00c0-\u00de(-]")
_QUESTION_MENTION = re.compile(
    r"\b(?:this|the following|following|that|the next|the) question\b|\bquestion (?:below|that follows|at the end|underneath)\b|\b(?:one|study|paper|document|passage|text) (?:that|which) asks\b",
    _I,
)
_QUESTION_LABEL = re.compile(r"(?:^|[\n.;,]\s*)(?:the )?(?:question|query|q)\s*(?:is)?\s*[:=]\s*", _I)
_TEXT_MENTION = re.compile(
    r"\b(?:(?:following|this|below|next)(?: \w+){0,2}? (?:text|article|abstract|passage|paragraph|sentence|story|letter|e-?mail|transcript|report|note|conversation|review|speech|message|post|snippet|code|program|poem|chapter)s?"
    r"|(?:text|article|abstract|passage|paragraph|story|letter|e-?mail|transcript|report|message|code) below)\b[^.;:\n]{0,120}:\s+",
    _I,
)
_TEXT_LABEL = re.compile(
    r"(?:^|\n)\s*(?:text|article|abstract|passage|input|context|transcript|document|e-?mail|story)\s*:\s+", _I
)
_LONG_PARAGRAPH = 600
"""Characters from which a paragraph after the first is taken for pasted text, not for orders."""


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
    text = _TEXT_LABEL.search(masked) or _TEXT_MENTION.search(masked)
    if text and not _starts_list(masked, text.end()):
        return Payload(text.end(), len(masked), text.start() if text.re is _TEXT_MENTION else max(0, text.start() - 1))
    mention = _QUESTION_MENTION.search(masked)
    if mention:
        found = _QUESTION_LABEL.search(masked, mention.end())
        start = found.end() if found else _last_colon(masked, mention.end())
        if start is not None and start < len(masked) and not _starts_list(masked, start):
            return Payload(start, _paragraph_end(masked, start), mention.start())
    return _long_paragraph(masked)


def regions(masked: str, end: int) -> list[Region]:
    """The request up to `end` as list items and the stretches around them, in order."""
    marks, by_line = _list_marks(masked, end)
    if len(marks) < 2:
        return [Region(0, end)]
    found: list[Region] = []
    if marks[0].start() > 0:
        found.append(Region(0, marks[0].start()))
    for number, mark in enumerate(marks):
        stop = marks[number + 1].start() if number + 1 < len(marks) else end
        if number + 1 == len(marks) and by_line:
            blank = re.compile(r"\n\s*\n").search(masked, mark.end(), stop)
            item_end = blank.start() if blank else stop
            found.append(Region(mark.end(), item_end, number))
            if item_end < stop:
                found.append(Region(item_end, stop))
        else:
            found.append(Region(mark.end(), stop, number))
    return [region for region in found if masked[region.start : region.end].strip()]


def sentences(masked: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of a stretch; abbreviations and initials end none."""
    begin = start
    for match in _SENTENCE_END.finditer(masked, start, end):
        stop = match.end()
        mark = match.group()
        if mark.startswith(".") and not mark.startswith("..") and "\n" not in mark:
            if _ABBREVIATION.search(masked, max(begin, match.start() - 8), match.start() + 1):
                continue
            if not _UPPER_AFTER.match(masked, stop):
                continue
        if masked[begin:stop].strip():
            yield begin, stop
        begin = stop
    if masked[begin:end].strip():
        yield begin, end


def _list_marks(masked: str, end: int) -> tuple[list[re.Match[str]], bool]:
    """The marks of the list that structures the request, and whether each begins a line."""
    lines = list(_LINE_MARK.finditer(masked, 0, end))
    if len(lines) >= 2:
        return lines, True
    inline = list(_INLINE_MARK.finditer(masked, 0, end))
    for kind in ("paren", "mark", "dot"):
        marks = _ascending([mark for mark in inline if mark.group(kind)], kind)
        if len(marks) >= 2:
            return marks, False
    words = list(_WORD_MARK.finditer(masked, 0, end))
    return (words, False) if len(words) >= 2 else ([], False)


def _ascending(marks: list[re.Match[str]], kind: str) -> list[re.Match[str]]:
    """Those that count 1, 2, 3 or a, b, c; years and sizes in brackets do not."""
    for series in (
        ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
        list("abcdefgh"),
        ["i", "ii", "iii", "iv", "v"],
    ):
        kept: list[re.Match[str]] = []
        for mark in marks:
            if len(kept) < len(series) and mark.group(kind) == series[len(kept)]:
                kept.append(mark)
        if len(kept) >= 2:
            return kept
    return []


def _starts_list(masked: str, start: int) -> bool:
    return _LINE_MARK.match(masked, start) is not None or _INLINE_MARK.match(masked, start) is not None


def _last_colon(masked: str, start: int) -> int | None:
    matches = list(re.compile(r":\s+").finditer(masked, start))
    return matches[-1].end() if matches else None


def _paragraph_end(masked: str, start: int) -> int:
    blank = re.compile(r"\n\s*\n").search(masked, start)
    return blank.start() if blank else len(masked)


def _long_paragraph(masked: str) -> Payload | None:
    """A long paragraph after the first, with all that follows it."""
    for match in re.compile(r"\n\s*\n").finditer(masked):
        stop = _paragraph_end(masked, match.end())
        if stop - match.end() > _LONG_PARAGRAPH and not _starts_list(masked, match.end()):
            return Payload(match.end(), len(masked), max(0, match.start() - 1))
    return None
