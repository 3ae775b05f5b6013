"""All dates that a text states, with or without a year, to compare what two texts say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nonet.specialists.dates import MONTHS, YEAR, YEAR_FIRST, YEAR_LAST, Date, exists, month_number
from nonet.specialists.text import content_stems

_ALSO = r"\s*(?:[-\u2013\u2014/,&]|,?\s(?:and|or|to|until|till|through)\s)\s*"
"""Between two days or two months of one date: "3-5 May", "May and June 1961"."""
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_SHORT = [name[:3] for name in MONTHS if name != "may"]
_NAME = rf"(?:(?:{'|'.join(MONTHS)})\b|(?:{'|'.join(_SHORT)}|sept)\b\.?)"
_EACH_NAME = re.compile(_NAME, re.IGNORECASE)
_NAMED = rf"(?P<months>{_NAME}(?:{_ALSO}{_NAME}){{0,3}})"
_LISTED = rf"(?P<days>{_DAY}(?:{_ALSO}{_DAY}){{0,5}})(?!\d|:\d|\.\d|,\d{{3}}(?!\d))"
_WORDED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w.,/-]){_LISTED}\s+(?:days?\s+of\s+|of\s+)?{_NAMED}(?:,?\s+(?:of\s+)?{YEAR}\b)?",
        rf"\b{_NAMED}\s+(?:the\s+)?{_LISTED}(?:,?\s+{YEAR}\b)?",
        rf"\b{_NAMED},?\s+(?:of\s+)?{YEAR}\b",
    )
)
_TWO_DIGITS = re.compile(
    r"(?<![\w.,/-])(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d\d)(?![\w/-]|[.,]\d)"
)
_COUNTED = re.compile(r"\s?[%\u00b0]|[^\S\n]+(?P<word>[^\W\d_]+)")
"""Behind a day: what it may count instead."""
_OF_A_DAY = re.compile(r"\b(?:on|(?:the|an?)(?:\s\w+)?)\s$", re.IGNORECASE)
"""Before a month whose day is one: "on May 3 people met", "the deadly May 3 attacks"."""
_OF_A_MONTH = re.compile(r"\b(?:in|during)\s(?:early\s|late\s)?$", re.IGNORECASE)
_LONGEST_BEFORE = 24
_CENTURIES = (1900, 2000)
_LEAP_YEAR = 2000
"""Has every day that a date without a year may have."""


@dataclass(frozen=True, slots=True)
class Said:
    """A date as a text says it: text[start:end]."""

    start: int
    end: int
    readings: frozenset[Date]
    """What it may mean; of several days or months each is one, so is either order of "03/05"."""
    may_count: bool = False
    """Whether its day may as well count what follows: "since May 20 people have joined"."""


def dates_in(text: str) -> list[Said]:
    """Days and months in the order of the text, with or without a year, in English words or in numbers; no bare years.

    >>> [sorted(said.readings) for said in dates_in("From 3 May 1961 (03/05/61) to June 12th and in May 1987")]
    [[(1961, 5, 3)], [(1961, 3, 5), (1961, 5, 3), (2061, 3, 5), (2061, 5, 3)], [(0, 6, 12)], [(1987, 5, 0)]]
    """
    found: list[Said] = []
    for said in sorted((*_worded(text), *_numeric(text)), key=lambda said: (said.start, -said.end)):
        if not found or said.start >= found[-1].end:
            found.append(said)
    return found


def _worded(text: str) -> Iterator[Said]:
    for pattern in _WORDED:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            if not parts["months"][0].isupper():  # "may" and "march" are words, too
                continue
            months = [month_number(name) for name in _EACH_NAME.findall(parts["months"])]
            days = [int(day) for day in re.findall(r"\d+", parts.get("days") or "")] or [0]
            year = int(parts["year"] or 0)
            counts = _may_count(text, match)
            if counts and _counts(text, match):
                continue
            yield from _said(match, [(year, month, day) for month in months for day in days], may_count=counts)


def _may_count(text: str, match: re.Match[str]) -> bool:
    """Whether what stands behind a month without a year may be the number of something."""
    days = match.groupdict().get("days")
    if not days or match["year"] or match.start("days") < match.start("months") or re.search("st|nd|rd|th", days):
        return False
    if _OF_A_DAY.search(text, max(0, match.start() - _LONGEST_BEFORE), match.start()):
        return False
    behind = _COUNTED.match(text, match.end())
    return behind is not None and (behind["word"] is None or bool(content_stems(behind["word"])))


def _counts(text: str, match: re.Match[str]) -> bool:
    """Whether a number that may count can be no day: nobody says "in May 3"."""
    behind = text[match.end() : match.end() + _LONGEST_BEFORE].lstrip()[:1]
    in_it = _OF_A_MONTH.search(text, max(0, match.start() - _LONGEST_BEFORE), match.start())
    return not behind.isalpha() or (in_it is not None and behind.islower())


def _numeric(text: str) -> Iterator[Said]:
    for match in YEAR_FIRST.finditer(text):
        yield from _said(match, [(int(match["year"]), int(match["second"]), int(match["day"]))])
    for pattern in (YEAR_LAST, _TWO_DIGITS):
        for match in pattern.finditer(text):
            first, second, last = int(match["first"]), int(match["second"]), int(match["year"])
            years = [last] if len(match["year"]) > 2 else [century + last for century in _CENTURIES]  # noqa: PLR2004
            orders = [(second, first), *([] if match["mark"].startswith(".") else [(first, second)])]
            yield from _said(match, [(year, month, day) for year in years for month, day in orders])


def _said(match: re.Match[str], dates: list[Date], *, may_count: bool = False) -> Iterator[Said]:
    real = frozenset(date for date in dates if exists(date[0] or _LEAP_YEAR, date[1], date[2] or 1))
    if real:
        yield Said(*match.span(), real, may_count)
