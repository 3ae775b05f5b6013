"""Finds names of people in a clinical note: by titles, labels, credentials, relatives, and by unknown words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nonet.runtimes.token_bound import is_common_word
from nonet_clinical.medicine import is_medical

Span = tuple[int, int]

_PARTICLE = r"(?:van der|van den|van|von|de la|de|del|di|da|bin|al|el|la|le)"
_PART = (
    r"(?:[A-Z](?:\.|(?=\s))"
    r"|(?:O'|Mc|Mac|D')?[A-ZÀ-Þ][a-zß-ÿ]+(?:['-][A-ZÀ-Þ]?[a-zß-ÿ]+)*"
    r"|[A-ZÀ-Þ]{2,}(?:-[A-ZÀ-Þ]{2,})?)"
)
_NAME = rf"{_PART}(?: (?:{_PARTICLE} )?{_PART}){{0,3}}"
_TITLE = r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Nurse|Sister|Rev|Baby (?:Girl|Boy))"
_LABELS = (
    r"(?:patient(?: name)?|name|pt|re|caller|attending|surgeon|assistant|signed|mother|father|next of kin|contact"
    r"|author|provider|physician|referring|dictated by|seen by|witness|guardian|by)"
)
_RELATIVES = (
    r"(?:wife|husband|spouse|partner|son|daughter|mother|father|mom|mum|dad|sister|brother|aunt|uncle|niece|nephew|cousin"
    r"|grand(?:father|mother|son|daughter)|friend|neighbou?r|flatmate|roommate|girlfriend|boyfriend|fianc[eé]e?|carer|caregiver|nurse|physio\w*|therapist"
    r"|midwife|doctor|surgeon|interpreter|boss|teacher)"
)
_RELATIVE = re.compile(rf"\b(?i:{_RELATIVES})s?,?\s(?P<name>{_NAME})")
_NAMES = (
    re.compile(rf"\b{_TITLE}\.?\s(?:{_PARTICLE} )?{_NAME}"),
    re.compile(rf"(?i:^[ \t]*|[,.(;] ?)(?i:{_LABELS})[ \t]*[:#-][ \t]*(?P<name>{_NAME}(?:, {_NAME})?)", re.MULTILINE),
    re.compile(rf"\b(?P<name>{_NAME}), (?:MD|DO|RN|NP|PA(?:-C)?|PhD|DPM|LCSW|MBBS|FRCS)\b"),
    _RELATIVE,
    re.compile(rf"\b(?i:patient|signed|to|by|with|from|sees|saw|me,)\s(?P<name>{_NAME})"),
    re.compile(rf"^(?P<name>{_NAME})(?=,| \()", re.MULTILINE),
    re.compile(r"^(?P<name>[A-ZÀ-Þ'-]{2,}, [A-ZÀ-Þ'-]{2,})(?=[\s,])", re.MULTILINE),
    re.compile(r"\b(?P<name>[A-Z][a-z]+(?:-[A-Z][a-z]+)?, [A-Z]\.)"),
)
_INITIAL = re.compile(r"\b(?:[A-Z]\. ?){1,2}(?:[A-Z]'|Mc|Mac)?[A-Z][a-z]+(?:-[A-Z][a-z]+)?\b")
_BEGINS = re.compile(rf"\A\s*(?P<name>{_PART}(?: {_PART}){{1,2}})(?=[ ,(])")
_DOES = re.compile(
    r"(?P<name>[A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?:'s)? "
    r"(?:was|is|has|had|will|may|can|works|lives|says|said|reports|denies|takes|feels|plans|wants"
    r"|moved|came|walks|states|smokes|drinks|calls|called|emails|agrees|agreed|remains|continues|returns|presented|presents"
    r"|did|does|needs|uses|tells|told|asked|asks|brought|went|and)\b"
)
_LOWER_PAIR = re.compile(r"\b(?P<name>[a-z]{3,} [a-z]{3,})\b")
_SMALL_NAME = re.compile(
    r"\b(?:pt|patient|re|name|mr|mrs|ms|dr|wife|husband|son|daughter|referral to|seen by|by)\.? "
    r"(?P<name>(?:[a-z]\. )?[a-z]+(?: [a-z]+)?)"
)
_CAPITALISED = re.compile(rf"{_PART}(?: {_PART}){{0,3}}")
_OPENS = re.compile(r"(?:^|[.!?]\s|\n\s*\n|(?:^|\n)[^\n]{0,60}\n)[\s\"'([*-]*$")
"""A sentence begins here; so it does after a short line, which is a heading or a field."""
_SMALL_OPENING = re.compile(r"[.!?]\s+[a-z]")
_OPENING = re.compile(r"[.!?]\s+\w")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_SHORTEST_PART = 3


def find_names(note: str) -> Iterator[Span]:
    """Where names stand; some are found several times, and parts of others."""
    for pattern in _NAMES:
        for match in pattern.finditer(note):
            group = "name" if "name" in pattern.groupindex else 0
            text = match.group(group)
            if _may_be_a_name(text) or (pattern is _RELATIVE and not is_medical(text)):
                yield match.span(group)
    for match in _INITIAL.finditer(note):
        yield match.span()
    first = _BEGINS.match(note)
    if first is not None and not first.group("name").isupper() and not is_medical(first.group("name")):
        yield first.span("name")
    yield from _by_what_it_does(note)
    yield from _small(note)
    for match in _CAPITALISED.finditer(note):
        yield from _unknown_words(note, match)


def _by_what_it_does(note: str) -> Iterator[Span]:
    for match in _DOES.finditer(note):
        if not _is_ordinary(match.group("name")):
            yield match.span("name")


def _small(note: str) -> Iterator[Span]:
    """Names in small letters: behind a label, and anywhere in a note that is written without capitals."""
    for match in _SMALL_NAME.finditer(note):
        words = match.group("name").split()
        if all(_is_strange(word) for word in words if "." not in word):
            yield match.span("name")
        elif _is_strange(words[0]):
            yield match.start("name"), match.start("name") + len(words[0])
    if len(_SMALL_OPENING.findall(note)) * 2 > len(_OPENING.findall(note)):
        for match in _LOWER_PAIR.finditer(note):
            if all(map(_is_strange, match.group("name").split())):
                yield match.span("name")


def _is_strange(word: str) -> bool:
    return not is_common_word(word) and not is_medical(word)


def _may_be_a_name(text: str) -> bool:
    words = _WORD.findall(text)
    return any(len(word) > 1 and not is_common_word(word) and not is_medical(word) for word in words) or bool(
        re.match(rf"{_TITLE}\b", text) and len(words) > 1
    )


def _unknown_words(note: str, match: re.Match[str]) -> Iterator[Span]:
    """Capitalised words that are neither common nor medical: in the middle of a sentence, or two and more of them."""
    words = list(_WORD.finditer(match.group()))
    strange = [each for each in words if len(each.group()) > 1 and not _is_ordinary(each.group())]
    if not strange:
        return
    opens = _OPENS.search(note[: match.start()]) is not None
    if opens and len(words) == 1:
        return
    if opens and strange[0].start() > 0 and len(strange) == 1 and strange[0] is not words[-1]:
        return
    first, last = strange[0], strange[-1]
    yield match.start() + first.start(), match.start() + last.end()


def _is_ordinary(word: str) -> bool:
    return is_common_word(word) or is_medical(word) or (word.isupper() and len(word) <= 5)  # noqa: PLR2004  an acronym


def mentions(note: str, names: Iterable[str]) -> Iterator[Span]:
    """Every mention of a part of a name, in whatever case it is written."""
    parts = {
        word
        for name in names
        for word in _WORD.findall(name)
        if len(word) >= _SHORTEST_PART and not re.fullmatch(_TITLE, word) and not is_medical(word)
    }
    for part in sorted(parts):
        small = is_common_word(part)  # "May", "Green": only as it was written
        for match in re.finditer(rf"\b{re.escape(part)}\b", note, 0 if small else re.IGNORECASE):
            yield match.span()
