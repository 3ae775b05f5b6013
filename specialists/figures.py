"""Which dates and numbers of a summary its text does not state.

Dates are compared as dates, numbers with their unit and sign where both say one, however they are written. What a text
states in another way ("in millions" over a table, a year at the head of a diary) is not held against a summary.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from nonet.specialists.dates import MONTHS, Date
from nonet.specialists.language import language_of
from nonet.specialists.quantities import Quantity, Value, quantities_in
from nonet.specialists.stated_dates import Said, dates_in

_SCALED = re.compile(r"(?:\bin\s|\()(?:\S{1,20}\s){0,3}?(?P<scale>thousands?|millions?|billions?)\b", re.IGNORECASE)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}


@dataclass(frozen=True, slots=True)
class Figures:
    """The dates and numbers that a text states."""

    values: dict[Value, frozenset[tuple[str, int]]]
    """Each with the units and signs that it stands there with."""
    amounts: tuple[Decimal, ...]
    """The same in their order, to look for what rounds to a number."""
    dates: frozenset[Date]
    scales: frozenset[int]
    """What the numbers of a table are to be multiplied with."""
    english: bool
    """Whether the names of its months can be read."""

    def missing(self, summary: str, *, translated: bool = False) -> tuple[str, ...]:
        """Dates and numbers of a summary that the text does not state, as they are written, in their order.

        Of one in another language than the text, months cannot be read, and the day of a date is a number.

        >>> figures_of("It rained on 3 May 1961 and on 12 June.").missing("Rain fell on 12 May 1961, for five days.")
        ('12 May 1961', 'five days')
        """
        dates = self._dates(summary)
        absent = [(said.start, said.end) for said in dates if not self._has_date(said)]
        absent += [
            (found.start, found.end)
            for found in quantities_in(summary)
            if found.counts
            and not any(said.start < found.end and found.start < said.end for said in dates)
            and not (self._has(found) or ((translated or found.nth) and self._has_day(found)))
        ]
        return tuple(dict.fromkeys(" ".join(summary[start:end].split()) for start, end in sorted(absent)))

    def without_dates(self, summary: str) -> str:
        """With what was looked for as a date made unreadable: the month in it is no name of its own."""
        for said in self._dates(summary):
            summary = summary[: said.start] + "x" * (said.end - said.start) + summary[said.end :]
        return summary

    @property
    def months(self) -> frozenset[str]:
        """The names of the months in its dates, in lower case."""
        return frozenset(MONTHS[month - 1] for _, month, _ in self.dates)

    def _dates(self, summary: str) -> list[Said]:
        """What is to be looked for as a date: of one that may as well be a count, only if the text has it as a date."""
        found = dates_in(summary) if self.english else []
        return [said for said in found if not said.may_count or self._has_date(said)]

    def _has_date(self, said: Said) -> bool:
        return any(self._has_reading(date) for date in said.readings)

    def _has_reading(self, date: Date) -> bool:
        """As one date; where the text leaves the year to be known, as one date beside its year."""
        year, month, day = date
        return any(
            month == other[1] and day in {0, other[2]} and (year in {0, other[0]} or not other[0])
            for other in self.dates
        ) and (not year or Decimal(year) in self.values)

    def _has(self, found: Quantity) -> bool:
        return any(all(self._has_value(value, found) for value in reading) for reading in found.readings)

    def _has_day(self, found: Quantity) -> bool:
        return any(reading <= {Decimal(day) for _, _, day in self.dates} for reading in found.readings)

    def _has_value(self, value: Value, found: Quantity) -> bool:
        if self._fits(value, found):
            return True
        if found.rounds_to is None or not isinstance(value, Decimal):
            return False
        half = found.rounds_to / 2
        near = self.amounts[bisect_left(self.amounts, value - half) : bisect_left(self.amounts, value + half)]
        return any(self._fits(amount, found) for amount in near) or any(
            self._fits(value / scale, found) for scale in self.scales
        )

    def _fits(self, value: Value, found: Quantity) -> bool:
        return any(
            ("" in (unit, found.unit) or unit == found.unit) and (0 in (sign, found.sign) or sign == found.sign)
            for unit, sign in self.values.get(value, ())
        )


@lru_cache(maxsize=8)
def figures_of(text: str) -> Figures:
    """What a text states; several checks ask about the same one."""
    english = language_of(text) in {None, "English"}
    said = dates_in(text) if english else []
    dates = frozenset(date for each in said for date in each.readings)
    within = iter([*(each for each in said if not each.may_count), Said(len(text), len(text), frozenset())])
    date = next(within)
    values: defaultdict[Value, set[tuple[str, int]]] = defaultdict(set)
    for found in quantities_in(text):
        while date.end <= found.start < len(text):
            date = next(within)
        # The day of a date is no number of anything; its year is spoken of by itself.
        if found.end <= date.start:
            for value in frozenset[Value]().union(*found.readings):
                values[value].add((found.unit, found.sign))
    for year, _, _ in dates:
        values[Decimal(year)].add(("", 1))
    return Figures(
        {value: frozenset(said) for value, said in values.items()},
        tuple(sorted(value for value in values if isinstance(value, Decimal))),
        dates,
        frozenset(_SCALES[match["scale"].lower().removesuffix("s")] for match in _SCALED.finditer(text)),
        english,
    )
