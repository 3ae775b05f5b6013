"""Numbers in prose with what they count, normalised: digits or English words, magnitudes, units, currencies, signs.

A number may be read in more than one way ("1.234", "3m"); where it is compared, any of its readings will do.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from nonet.specialists.text import SMALL_NUMBERS, TENS

Value = Decimal | str
"""A string where it is no number to reckon with, such as "1.2.3"."""

_ONES_AND_TEENS = {word: int(digits) for word, digits in SMALL_NUMBERS.items() if word != "twenty"}
_SMALL = {**_ONES_AND_TEENS, **TENS}
_MAGNITUDES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT = {"k": 1_000, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_ORDINALS = {
    word: at
    for at, word in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
        fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split(),  # noqa: SIM905
        1,
    )
}
_LIKE_NUMBERS = {
    **_ORDINALS, "both": 2, "pair": 2, "couple": 2, "twice": 2, "double": 2, "doubled": 2, "twin": 2, "triple": 3,
    "tripled": 3, "thrice": 3, "dozen": 12, "decade": 10, "century": 100,
}  # fmt: skip
"""What a text may say for a number that its summary gives."""

_UNITS = {
    "%": "% percent per_cent percentage percentage_point percentage_points pp",
    "$": "$ us$ dollar dollars usd",
    "\u20ac": "\u20ac euro euros eur",
    "pound": "\u00a3 pound pounds gbp lb lbs",
    "\u00a5": "\u00a5 yen jpy",
    "\u20b9": "\u20b9 rupee rupees inr",
    "franc": "franc francs chf",
    "crown": "crown crowns kronor kroner sek nok dkk czk",
    "cent": "cent cents",
    "metre": "m metre metres meter meters",
    "kilometre": "km kilometre kilometres kilometer kilometers",
    "centimetre": "cm centimetre centimetres centimeter centimeters",
    "millimetre": "mm millimetre millimetres millimeter millimeters",
    "mile": "mile miles",
    "foot": "ft foot feet",
    "inch": "inch inches",
    "hectare": "ha hectare hectares",
    "acre": "acre acres",
    "gram": "g gram grams",
    "kilogram": "kg kilo kilos kilogram kilograms",
    "milligram": "mg milligram milligrams",
    "tonne": "ton tons tonne tonnes",
    "litre": "litre litres liter liters",
    "second": "sec secs seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "yr yrs year years",
    "decade": "decade decades",
    "watt": "w watt watts",
    "kilowatt": "kw kilowatt kilowatts",
    "megawatt": "mw megawatt megawatts",
    "kilowatt-hour": "kwh kilowatt-hour kilowatt-hours",
    "celsius": "\u00b0c degrees_celsius",
    "fahrenheit": "\u00b0f degrees_fahrenheit",
    "kilobyte": "kb kilobyte kilobytes",
    "megabyte": "mb megabyte megabytes",
    "gigabyte": "gb gigabyte gigabytes",
    "terabyte": "tb terabyte terabytes",
}
_UNIT_OF = {written.replace("_", " "): unit for unit, all_ in _UNITS.items() for written in all_.split()}
_SIGNS = {"%", "$", "us$", "\u20ac", "\u00a3", "\u00a5", "\u20b9", "\u00b0c", "\u00b0f"}


def _either(words: Sequence[str] | dict[str, int] | set[str]) -> str:
    """A pattern for one of them, the longest first."""
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True))


_AFTER = re.compile(
    rf"(?:[\s-]?(?P<power>square|cubic)[\s-]+)?(?:\s?(?P<mark>{_either(_SIGNS)})"
    rf"|[\s-]?(?P<word>{_either(set(_UNIT_OF) - _SIGNS)})(?:(?P<raised>[23\u00b2\u00b3])(?!\d)|(?![^\W_])))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?P<sign>[-\u2212]\s?)?(?:[A-Z]{0,2}(?P<mark>[$\u20ac\u00a3\u00a5\u20b9])|\b(?P<code>usd|eur|gbp|chf))\s?$",
    re.IGNORECASE,
)
_LONGEST_BEFORE = 8
_ENDS_BEFORE = {"$", "\u20ac", "\u00a3", "\u00a5", "\u20b9", "d", "r", "p", "f"}
_DIGITS = (
    r"(?<![\w.,])(?:\d{1,3}(?:[ \u00a0\u202f'\u2019]\d{3})+(?![\d]|[.,]\d)|\d+(?:[.,]\d+)*|\.\d+)"
    r"(?:(?P<nth>st|nd|rd|th)\b|(?P<short>mn|bn|tn|[kmb])\b)?"
)
_MAGNITUDE = _either(_MAGNITUDES)
_FOLLOWS = re.compile(rf"[\s-]+(?P<magnitude>{_MAGNITUDE})\b", re.IGNORECASE)
_WORD = _either({**_SMALL, **_MAGNITUDES})
_RUN = rf"\b(?:{_WORD})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*\b"
_NUMBER = re.compile(
    rf"(?P<digits>{_DIGITS})|\b(?:(?P<tens>{_either(TENS)})[\s-])?(?P<like>{_either(_LIKE_NUMBERS)})s?\b|(?P<run>{_RUN})",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[a-z]+", re.IGNORECASE)
_LONGEST = 40
"""Digits of a number that can be reckoned with."""
_NOT_COUNTED = re.compile(
    r"[\s-]+(?:fold|halves|half|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?)\b",
    re.IGNORECASE,
)
"""After a number that does not count: "two-fold", "three quarters"."""
_NAMED_BEFORE = re.compile(r"\b(?:the|these|those|between|(?P<share>one in))\s$", re.IGNORECASE)
"""Before "two" that were named before, which a summary may count itself; and before a share."""
_DASHES = ("-", "\u2212")
_MINUS = re.compile(r"(?:[^\d\s][^\S\n]+|[(\[|])[-\u2212]$")
"""Behind a digit a dash is one of a range, and at the beginning of a line a bullet."""
_LESS = re.compile(
    r"\b(?:minus|negative|below|under|less|down|fell|falls?|falling|fallen|dropp?\w*|declin\w*|decreas\w*|reduc\w*|"
    r"los[est]\w*|deficit|shr[aiu]nk\w*|cut|cuts|colder|lower\w*)\b",
    re.IGNORECASE,
)
_NEAR = 60
"""Characters before and behind a number, where a word may say what its sign says."""
_YEAR_BEFORE = re.compile(r"\b(1\d|20)\d\d[-\u2013/]$")
"""As in "1961-63"."""
_YEARS = (10, 20)
"""First halves of a year that is spoken in two: nineteen sixty-one."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a text says it: text[start:end] with its unit."""

    start: int
    end: int
    readings: tuple[frozenset[Value], ...]
    """What it may mean; most often one value, more where it may as well be several numbers ("12 500")."""
    unit: str = ""
    """In one spelling; empty where none that is known stands beside it."""
    sign: int = 1
    """-1 with a minus, 0 where a word nearby may say so."""
    counts: bool = True
    """Whether it surely is a number that the text gives: "one of them", "two-fold" and "third" are none."""
    nth: bool = False
    """As in "12th"."""
    rounds_to: Decimal | None = None
    """The last place that it gives, of a number with a magnitude: "3.1 million" may be 3,112,000."""


def quantities_in(text: str) -> list[Quantity]:
    """All numbers of a text in its order.

    >>> [(sorted(map(int, found.readings[0])), found.unit) for found in quantities_in("Three million, $5 and 12 %.")]
    [([3000000], ''), ([5], '$'), ([12], '%')]
    """
    return list(_iter_quantities(text, [match.start() for match in _LESS.finditer(text)]))


def _iter_quantities(text: str, less: Sequence[int]) -> Iterator[Quantity]:
    at = 0
    while match := _NUMBER.search(text, at):
        at = match.end()
        if match["digits"] is not None:
            found = _of_digits(text, match, less)
            at = max(at, found.end)
            yield found
        elif match["run"] is not None:
            yield from _of_words(text, match, less)
        else:
            tens, like = match["tens"], match["like"].lower()
            value = _LIKE_NUMBERS[like] + (TENS[tens.lower()] if tens else 0)
            yield Quantity(*match.span(), (frozenset({Decimal(value)}),), counts=False, nth=like in _ORDINALS)


def _of_digits(text: str, match: re.Match[str], less: Sequence[int]) -> Quantity:
    start, end = match.span()
    written = match["digits"]
    if match["nth"]:
        return Quantity(start, end, _plain(written[:-2]), nth=True)
    rounds_to, readings = None, _plain(written[: len(written) - len(match["short"] or "")])
    if match["short"]:
        readings = (*_times(readings, _SHORT[match["short"].lower()]), *readings)
    elif century := _YEAR_BEFORE.search(text, max(0, start - 5), start) if len(written) == 2 else None:  # noqa: PLR2004
        readings = (*_plain(century[1] + written), *readings)
    while following := _FOLLOWS.match(text, end):  # "3 hundred thousand"
        times = _MAGNITUDES[following["magnitude"].lower()]
        rounds_to = (rounds_to or _last_place(readings)) * times
        readings, end = _times(readings, times), following.end()
    mark = text[max(0, start - 2) : start].rstrip()[-1:].lower()
    before = _BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start) if mark in _ENDS_BEFORE else None
    unit, end = _unit(text, end, before)
    sign = -1 if before and before["sign"] else _sign(text, start, end, less)
    first = before.start() if before else start - (sign == -1 and text[start - 1] in _DASHES)
    return Quantity(first, end, readings, unit, sign, rounds_to=rounds_to)


@lru_cache(maxsize=10_000)
def _plain(written: str) -> tuple[frozenset[Value], ...]:
    """How digits may be read: "1.234" as either, "12 500" as one number or two."""
    pieces = re.split(r"[ \u00a0\u202f'\u2019]", written)
    if len(pieces) > 1:
        return frozenset({_value("".join(pieces))}), frozenset(map(_value, pieces))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        return (frozenset({_value(written.replace(",", ""))}),)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", written):
        whole = _value(written.replace(".", "").replace(",", "."))
        return frozenset({whole}), frozenset({_value(written.replace(",", "."))})
    return (frozenset({_value(written.replace(",", "."))}),)


def _value(digits: str) -> Value:
    if len(digits) > _LONGEST:
        return digits
    try:
        return Decimal(digits)
    except InvalidOperation:
        return digits


def _times(readings: Sequence[frozenset[Value]], times: int) -> tuple[frozenset[Value], ...]:
    return tuple(frozenset(one * times if isinstance(one, Decimal) else one for one in reading) for reading in readings)


def _last_place(readings: Sequence[frozenset[Value]]) -> Decimal:
    (value, *_) = readings[0]
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def _of_words(text: str, match: re.Match[str], less: Sequence[int]) -> Iterator[Quantity]:
    """The numbers of a run of number words: "two hundred and five" is one, "two and three" are two."""
    found = list(_spoken(match["run"]))
    years = len(found) == 2 and _YEARS[0] <= found[0][2] <= _YEARS[1] and 10 <= found[1][2] < 100  # noqa: PLR2004
    if years and not re.search(r"\band\b", match["run"], re.IGNORECASE):
        both = frozenset[Value](Decimal(value) for *_, value, _ in found)
        yield Quantity(*match.span(), (frozenset({Decimal(100 * found[0][2] + found[1][2])}), both))
        return
    for first, last, value, place in found:
        start, end = match.start() + first, match.start() + last
        named = _PARTS.match(text, start)
        vague = named is not None and named[0].lower() in _MAGNITUDES
        spoken_of = _NAMED_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start)
        own = spoken_of and (value == 2 or spoken_of["share"])  # noqa: PLR2004
        counts = value > 1 and not vague and not own and not _NOT_COUNTED.match(text, end)
        unit, behind = _unit(text, end, None)
        yield Quantity(
            start, behind, (frozenset({Decimal(value)}),), unit, _sign(text, start, behind, less), counts,
            rounds_to=Decimal(place) if place >= _MAGNITUDES["thousand"] else None,
        )  # fmt: skip


def _spoken(run: str) -> Iterator[tuple[int, int, int, int]]:
    """Start, end, value, and the least magnitude that its last word gives."""
    total = group = first = last = place = 0
    fresh, joined = True, True
    for word in _PARTS.finditer(run.lower()):
        said = word.group()
        if said == "and":
            joined = place >= _MAGNITUDES["hundred"]
            continue
        small = _SMALL.get(said)
        room = group % 100
        fits = small is None or room == 0 or (room >= TENS["twenty"] and room % 10 == 0 and 0 < small < 10)  # noqa: PLR2004
        if not fresh and not (fits and joined and small != 0):
            yield first, last, total + group, place
            total = group = 0
            fresh = True
        if fresh:
            first, fresh = word.start(), False
        joined, last = True, word.end()
        if small is not None:
            group, place = group + small, 1
        elif said == "hundred":
            group, place = max(group, 1) * 100, 100
        else:
            total, group, place = total + max(group, 1) * _MAGNITUDES[said], 0, _MAGNITUDES[said]
    yield first, last, total + group, place


def _unit(text: str, end: int, before: re.Match[str] | None) -> tuple[str, int]:
    """The unit beside a number, and where the number ends with it."""
    if before:
        return _UNIT_OF[(before["mark"] or before["code"]).lower()], end
    if not (match := _AFTER.match(text, end)):
        return "", end
    unit = _UNIT_OF[" ".join((match["mark"] or match["word"]).lower().split())]
    raised = {"2": "square", "\u00b2": "square", "3": "cubic", "\u00b3": "cubic"}.get(match["raised"] or "", "")
    power = (match["power"] or raised).lower()
    return f"{power} {unit}".strip(), match.end()


def _sign(text: str, start: int, end: int, less: Sequence[int]) -> int:
    dashed = text[start - 1 : start] in _DASHES
    if _MINUS.search(text, max(0, start - _LONGEST_BEFORE - 2), start) if dashed else _spoken_minus(text, start):
        return -1
    near = bisect_left(less, end + _NEAR) > bisect_left(less, start - _NEAR)
    return 0 if dashed or near else 1


def _spoken_minus(text: str, start: int) -> bool:
    return text[max(0, start - 10) : start].rstrip().lower().endswith(("minus", "negative"))
