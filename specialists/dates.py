"""Dates in prose, to put sentences in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as calendar

Date = tuple[int, int, int]
"""Year, month and day; 0 where it is not said."""

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|{'|'.join(name[:3] for name in MONTHS)})\.?"
YEAR = r"(?P<year>1\d{3}|20\d{2})"
_DAY = r"(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)?"
_ALONE = r"(?<![\d./-])", r"(?!\d|[./-]\d)"
YEAR_FIRST = re.compile(rf"{_ALONE[0]}{YEAR}(?P<mark>[./-])(?P<second>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_ALONE[1]}")
YEAR_LAST = re.compile(
    rf"{_ALONE[0]}(?P<first>\d{{1,2}})(?P<mark>\.\s?|[/-])(?P<second>\d{{1,2}})(?P=mark){YEAR}{_ALONE[1]}"
)
_DAYS = (
    YEAR_FIRST,
    YEAR_LAST,
    re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{YEAR}\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s+{_DAY},?\s+{YEAR}\b", re.IGNORECASE),
)
_MONTHS_OF_YEARS = (re.compile(rf"\b{_MONTH},?\s+(?:of\s+)?{YEAR}\b", re.IGNORECASE),)
_YEARS = (
    re.compile(
        rf"(?<![\d.,$€£-]){YEAR}(?![\d.,-]*\d|\s*(?:%|percent|euros?|dollars?|crowns?|km|kg|m|words|people|copies)\b)",
        re.IGNORECASE,
    ),
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date that a text has."""

    date: Date
    """Without month and day where it is ambiguous."""
    text: str
    """As it stands there."""
    ambiguous: bool = False
    """It may be the one day or the other: 03/05/2024."""

    @property
    def written(self) -> str:
        """As in ISO 8601, as far as it is known: "1961", "1961-05"; one that is ambiguous as it stands."""
        year, month, day = self.date
        if self.ambiguous:
            return self.text
        return f"{year}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if month and day else "")


def first_date(text: str, *, day_first: bool | None = None) -> Dated | None:
    """The first of the most exact dates; None where there is none.

    Args:
        text: a sentence.
        day_first: how 03/05/2024 is to be read; None: it is ambiguous.
    """
    for patterns in (_DAYS, _MONTHS_OF_YEARS, _YEARS):
        found = [
            (match.start(), dated)
            for pattern in patterns
            for match in pattern.finditer(text)
            if (dated := _dated(match, day_first)) is not None
        ]
        if found:
            return min(found, key=lambda each: each[0])[1]
    return None


def day_first(text: str) -> bool | None:
    """Whether the day stands first in a text's dates with strokes (24/12/2023), by those that can be read in one way.

    None where there are none of those, or some of either kind.

    >>> day_first("On 12/24/2023 it froze, on 01/02/2024 it thawed."), day_first("On 03/05/2024 it rained.")
    (False, None)
    """
    plain = {order for first, second in _with_strokes(text) if (order := _order(first, second)) is not None}
    return plain.pop() if len(plain) == 1 else None


def _with_strokes(text: str) -> Iterator[tuple[int, int]]:
    for match in YEAR_LAST.finditer(text):
        if not match["mark"].startswith("."):
            yield int(match["first"]), int(match["second"])


def _order(first: int, second: int) -> bool | None:
    """Whether the first is the day, where only one of the two can be."""
    months = 12
    return first > months if (first > months) != (second > months) else None


def _dated(match: re.Match[str], order: bool | None) -> Dated | None:  # noqa: FBT001  of day and month
    parts, year, said = match.groupdict(), int(match["year"]), match.group().strip()
    if "first" in parts:
        first, second = int(match["first"]), int(match["second"])
        plain = _order(first, second)
        if plain is None:
            plain = True if match["mark"].startswith(".") or first == second else order
        if plain is None:
            return Dated((year, 0, 0), said, ambiguous=True) if exists(year, first, second) else None
        month, day = (second, first) if plain else (first, second)
    else:
        month = int(parts["second"]) if parts.get("second") else month_number(parts.get("month"))
        day = int(parts.get("day") or 0)
    return Dated((year, month, day), said) if exists(year, month or 1, day or 1) else None


def exists(year: int, month: int, day: int) -> bool:
    """Whether the calendar has it."""
    try:
        calendar(year, month, day)
    except ValueError:
        return False
    return True


def month_number(name: str | None) -> int:
    """From 1, by its first three letters; 0 where it is none."""
    return next((at for at, month in enumerate(MONTHS, start=1) if name and month.startswith(name.lower()[:3])), 0)
