"""Dates in prose, to put sentences in their order."""

from __future__ import annotations

import re

Date = tuple[int, int, int]
"""Year, month and day; 0 where it is not said."""

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|{'|'.join(name[:3] for name in _MONTHS)})\.?"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
_DAY = r"(?P<day>[12]?\d|3[01])(?:st|nd|rd|th)?"
_FORMS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}-(?P<number>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
        rf"(?<![\d.,$€£-]){_YEAR}(?![\d.,-]*\d|\s*(?:%|percent|euros?|dollars?|crowns?|km|kg|m|words|people|copies)\b)",
    )
)


def first_date(text: str) -> Date | None:
    """The first date of the most exact form there is; None where there is none."""
    for pattern in _FORMS:
        if match := pattern.search(text):
            parts = match.groupdict()
            month = int(parts["number"]) if parts.get("number") else _month(parts.get("month"))
            return int(parts["year"]), month, int(parts.get("day") or 0)
    return None


def _month(name: str | None) -> int:
    return next((at for at, month in enumerate(_MONTHS, start=1) if name and month.startswith(name.lower()[:3])), 0)


def written(date: Date) -> str:
    """As in ISO 8601, as far as it is known: "1961", "1961-05"."""
    year, month, day = date
    return f"{year}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if month and day else "")
