"""Finds what identifies a person in a clinical note: names, dates, phone numbers, ids, addresses, contacts, high ages.

Rules, not a model, so that nothing has to see the note to protect it. They follow the list of the HIPAA Safe Harbor
method (45 CFR 164.514(b)(2)) and are made to miss little rather than to hide little: a capitalised word in the middle
of a sentence that is no common word and no medical one counts as a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nonet_clinical.names import find_names, mentions


@dataclass(frozen=True, slots=True)
class Identifier:
    """`text` == note[start:end]."""

    start: int
    end: int
    kind: str
    """NAME, DATE, PHONE, ID, ADDRESS, CONTACT or AGE."""
    text: str


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATES = re.compile(
    rf"\b{_YEAR}[-/.]\d\d?[-/.]\d\d?\b|\b\d\d?[/.-]\d\d?[/.-](?:\d{{4}}|\d\d)\b|\b(?:0?[1-9]|1[0-2])/{_YEAR}\b"
    rf"|(?<![\d/.-])(?:0?[1-9]|[12]\d|3[01])[/-](?:0?[1-9]|[12]\d|3[01])(?![\d/-])"
    rf"(?! ?(?:days?|weeks?|wks?|months?|h\b|hours?|mg|ml))"
    rf"|\b{_MONTH} ?['\u2019]\d\d\b|\bon (?:the )?{_DAY}(?<=[a-z])(?!\w)"
    rf"|\b(?:{_WEEKDAY},? )?(?:the )?{_DAY}(?: of)?[ -]{_MONTH}(?:,?[ -]{_YEAR})?(?!\w)"
    rf"|\b(?:{_WEEKDAY},? )?{_MONTH} {_DAY}(?:,? {_YEAR})?(?!\w)|\b{_MONTH} {_YEAR}\b",
    re.IGNORECASE,
)
_MONTHS_AND_DAYS = re.compile(
    rf"\b(?:in|since|last|of|until|by|early|late|mid) (?P<said>{_MONTH})(?![\w-])(?! be\b)"
    rf"|\b(?:on|since|last|next|until|by|this) (?P<or_said>{_WEEKDAY})\b",
    re.IGNORECASE,
)
_NOT_DATES = re.compile(r"\b(?:pain|apgar|reflex\w*|strength|score|grade|berg balance|phq|gcs)\W+$", re.IGNORECASE)
_PHONES = re.compile(
    r"(?<![\w.])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}\b"
    r"|(?<![\w-])\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4}\b(?:,? ?(?:ext|x)\.? ?\d+)?"
    r"|(?<![\w.,/-])0\d{2,4} \d{3,4} \d{3,4}\b|(?<![\w.,/-])0\d{3,5} \d{5,6}\b|(?<![\w.,/-])\d{3}-\d{4}\b"
    r"|\b(?:phone|tel|call|callback|fax|mobile|pager)\b\.?:?\W{1,2}(?P<said>\+?\d[\d ().-]{5,}\d)",
    re.IGNORECASE,
)
_LABELLED_ID = re.compile(
    r"\b(?:mrn|medical record (?:no\.?|number)|record no\.?|account|acct|ssn|social security(?: number)?"
    r"|nhs(?: no| number)?"
    r"|medicare(?: no| number)?|medicaid(?: no| number)?|insurance(?: id| no)?|policy(?: no)?|member id"
    r"|licen[cs]e(?: plate| no)?"
    r"|passport(?: no)?|gmc|npi|dea|case|accession|serial(?: no| number)?|device id|patient id|id|fin|csn)\b"
    r"[^\w\n]{0,4}(?:no|number|#|is|of the \w+ \w+)?[^\w\n]{0,3}\s?(?P<said>(?=[\w-]*\d)[A-Z0-9][\w-]*(?: \d{3,4})*)",
    re.IGNORECASE,
)
_BARE_ID = re.compile(r"\b\d{3}-\d\d-\d{4}\b|\b(?=[A-Z\d-]*\d{4})(?=[A-Z\d-]*[A-Z])[A-Z\d]+(?:-[A-Z\d]+)*\b|\b\d{6,}\b")
_CONTACT = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\bhttps?://\S+[\w/]|\bwww\.\S+[\w/]|\b\d{1,3}(?:\.\d{1,3}){3}\b")
_STREET = (
    r"(?:street|st|road|rd|lane|ln|avenue|ave|drive|dr|court|ct|boulevard|blvd|way|place|terrace|close|row|square|crescent"
    r"|parkway|highway)"
)
_UNIT = r"(?:apt|apartment|flat|suite|unit|room)\.? ?\w+"
_CITY = r"[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){0,2}"
_REGION = r"(?:[A-Z]{2}\b|[A-Z][a-z]+)"
_POSTCODE = r"(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
_ADDRESSES = (
    re.compile(
        rf"(?:\b(?i:{_UNIT}),? )?\b\d{{1,5}}[A-Z]? (?:[A-Z][\w.'-]+ ){{1,3}}(?i:{_STREET})\b\.?(?:,? (?i:{_UNIT}))?"
        rf"(?:,? {_CITY})?(?:,? {_REGION})?(?:,? {_POSTCODE})?"
    ),
    re.compile(rf"\b[A-ZÄÖÜ]\w+(?:strasse|straße|str\.|weg|platz|allee|gasse) \d+\w?(?:, \d{{4,5}} {_CITY})?"),
    re.compile(rf"\b{_CITY}, {_REGION} {_POSTCODE}\b"),
    re.compile(
        rf"\b(?:The {_CITY}, )?(?:[A-Z][\w.'-]+ ){{1,2}}(?i:{_STREET})\b"
        rf"(?!\.? [A-Z][a-z]+ (?:and|is|was))(?:, {_CITY})?"
    ),
    re.compile(r"\bp\.? ?o\.? box \d+(?:, \w+)*", re.IGNORECASE),
    re.compile(
        r"\b(?:[A-Z][\w.']+ ){1,3}(?:General |Memorial |Community |University |Children's )?"
        r"(?:Hospital|Clinic|Infirmary|Medical Cent(?:er|re)|Health Cent(?:er|re)|Nursing Home|Care Home|Hospice"
        r"|Family Practice|Medical Practice|Health Practice|Pharmacy|School|University|College)\b"
    ),
)
_AGE = re.compile(
    r"\b(?:9\d|1[01]\d)(?:[- ]years?[- ]old| ?y\.? ?o\.?\b| yo\b)|\baged? (?:9\d|1[01]\d)\b", re.IGNORECASE
)

_PATTERNS = (
    ("CONTACT", _CONTACT),
    ("ID", _LABELLED_ID),
    ("ID", _BARE_ID),
    ("PHONE", _PHONES),
    ("DATE", _DATES),
    ("DATE", _MONTHS_AND_DAYS),
    *(("ADDRESS", pattern) for pattern in _ADDRESSES),
    ("AGE", _AGE),
)


def find_identifiers(note: str, known: Iterable[str] = ()) -> list[Identifier]:
    """All of them in order, none overlapping another.

    Args:
        known: names from elsewhere; what is mentioned of them is found as well.
    """
    found = [each for kind, pattern in _PATTERNS for each in _by(pattern, kind, note)]
    names = {(start, end) for start, end in find_names(note)}
    names |= set(mentions(note, [*known, *(note[start:end] for start, end in names)]))
    found += [Identifier(start, end, "NAME", note[start:end]) for start, end in names]
    kept: list[Identifier] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if kept and each.start < kept[-1].end:
            if each.end > kept[-1].end:  # they overlap: both are hidden, as one
                first = kept.pop()
                kept.append(Identifier(first.start, each.end, first.kind, note[first.start : each.end]))
            continue
        kept.append(each)
    return kept


def _by(pattern: re.Pattern[str], kind: str, note: str) -> Iterator[Identifier]:
    """What a pattern finds: a group that is named is the identifier, the rest of the match its surroundings."""
    for match in pattern.finditer(note):
        if pattern is _DATES and _NOT_DATES.search(note[: match.start()]):
            continue
        group = next((name for name, text in match.groupdict().items() if text), None) or 0
        yield Identifier(match.start(group), match.end(group), kind, match.group(group))
