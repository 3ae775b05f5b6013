"""All dates that a text states, with or without a year, to compare what two texts say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nonet.specialists.dates import MONTHS, YEAR, YEAR_FIRST, YEAR_LAST, Date, exists, month_number

_ALSO = r"\s*(?:[-\u2013\u2014/,&]|,?\s(?:and|or|to|until|till|through)\s)\s*"
"""Between two days or two months of one date: "3-5 May", "May and June 1961"."""
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_SHORT = [name[:3] for name in MONTHS if name != "may"]
_NAME = rf"(?:(?:{'|'.join(MONTHS)})\b|(?:{'|'.join(_SHORT)}|sept)\b\.?)"
_EACH_NAME = re.compile(_NAME, re.IGNORECASE)
_NAMED = rf"(?P<months>{_NAME}(?:{_ALSO}{_NAME}){{0,3}})"
_LISTED = rf"(?P<days>{_DAY}(?:{_ALSO}{_DAY}){{0,5}})(?!\d|:\d)"
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
            yield from _said(match, [(year, month, day) for month in months for day in days])


def _numeric(text: str) -> Iterator[Said]:
    for match in YEAR_FIRST.finditer(text):
        yield from _said(match, [(int(match["year"]), int(match["second"]), int(match["day"]))])
    for pattern in (YEAR_LAST, _TWO_DIGITS):
        for match in pattern.finditer(text):
            first, second, last = int(match["first"]), int(match["second"]), int(match["year"])
            years = [last] if len(match["year"]) > 2 else [century + last for century in _CENTURIES]  # noqa: PLR2004
            orders = [(second, first), *([] if match["mark"].startswith(".") else [(first, second)])]
            yield from _said(match, [(year, month, day) for year in years for month, day in orders])


def _said(match: re.Match[str], dates: list[Date]) -> Iterator[Said]:
    real = frozenset(date for date in dates if exists(date[0] or _LEAP_YEAR, date[1], date[2] or 1))
    if real:
        yield Said(*match.span(), real)
