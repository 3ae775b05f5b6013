"""What can be checked of a translation: language, numbers, names, length, and that nothing is left as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nonet.runtimes.token_bound import is_common_word
from nonet.specialists import Evidence
from nonet.specialists.checks import degeneration_check
from nonet.specialists.language import language_of
from nonet.specialists.text import names, numbers, sentences, words
from nonet_translation.request import SCRIPTS

_SHORTEST, _LONGEST = 0.5, 2.0
"""Characters of the translation for one of the text, between languages of the Latin, Greek and Cyrillic scripts."""
_DENSE = {"Chinese": (0.15, 0.9), "Japanese": (0.2, 1.1), "Korean": (0.25, 1.1)}
_FEWEST_CHARACTERS = 40
_FEWEST_WORDS = 6
_MOST_SHOWN = 4
_TRANSLATABLE = frozenset(
    """
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday english german french spanish italian dutch russian chinese
    japanese american british european germany france spain italy austria switzerland netherlands belgium greece
    turkey russia china japan india europe africa asia america england scotland ireland poland sweden norway
    denmark finland vienna munich cologne rome paris london moscow athens lisbon brussels geneva zurich prague
    warsaw copenhagen church street bridge university museum minister president king queen doctor mr mrs ms dr
    north south east west christmas easter i city river lake sea ocean saint st army parliament union council
    court bank hospital school company
    """.split()  # noqa: SIM905
)
"""Capitalised words of English that other languages have words for: not names to be kept."""
_LATIN_NAME = re.compile(r"[^\W\d_]{3,}")
_SMALL_WORD = re.compile(r"\b[a-z]{4,}\b")
_FEWEST_COMMON = 8
_MOST_LEFT = 0.15
_DIGITS = re.compile(r"\d")


def translation_checks(text: str, translation: str, target: str) -> Iterator[Evidence]:
    """The checks in order. None of them knows whether the meaning is the same, and the last one says so."""
    yield from (check for check in (degeneration_check(translation),) if check is not None)
    yield from _language(text, translation, target)
    yield _numbers(text, translation)
    if target not in SCRIPTS:  # names are written anew in another script
        yield from _names(text, translation)
    yield from _length(text, translation, target)
    yield _untranslated(text, translation)
    if language_of(text) == "English" and target != "English":
        yield from _words_left(text, translation)
    yield Evidence("meaning", passed=None, detail="nobody compared the meaning")


def _language(text: str, translation: str, target: str) -> Iterator[Evidence]:
    found = language_of(translation)
    wanted = SCRIPTS.get(target, target)
    if found is None:
        if language_of(text) == wanted:
            return
        yield Evidence("language", passed=None, detail=f"too little to tell whether it is {target}")
    elif found == wanted:
        yield Evidence("language", passed=True, detail=f"it is in {found}")
    else:
        known = wanted in {
            "English",
            "German",
            "French",
            "Spanish",
            "Italian",
            "Portuguese",
            "Dutch",
            *SCRIPTS.values(),
        }
        # Swedish that looks Dutch says nothing; Dutch that looks English says all.
        passed = False if known or found == language_of(text) else None
        yield Evidence("language", passed=passed, detail=f"it is in {found}, not in {target}")


def _numbers(text: str, translation: str) -> Evidence:
    """Digits must stay; how a number is grouped and whether its decimals follow a comma or a point may change."""
    wanted = {_bare(number) for number in numbers(text)}
    missing = sorted(wanted - {_bare(number) for number in numbers(translation)} - {_bare(translation)})
    all_digits = re.sub(r"\D", "", translation)
    missing = [number for number in missing if number not in all_digits]
    if missing:
        return Evidence("numbers", passed=False, detail=f"not in the translation: {', '.join(missing[:_MOST_SHOWN])}")
    if not wanted:
        return Evidence("numbers", passed=True, detail="there are no numbers to keep")
    return Evidence("numbers", passed=True, detail=f"all {len(wanted)} numbers are kept")


def _bare(number: str) -> str:
    return re.sub(r"\D", "", number).lstrip("0") or "0"


def _names(text: str, translation: str) -> Iterator[Evidence]:
    """Names that no dictionary has must stand in the translation. German text has a capital on every noun: no check."""
    if language_of(text) == "German":
        return
    wanted = {name for name in names(text) if name not in _TRANSLATABLE and _LATIN_NAME.fullmatch(name)}
    if not wanted:
        return
    there = set(words(translation))
    missing = sorted(
        name for name in wanted if not any(word.startswith(name[: max(3, len(name) - 2)]) for word in there)
    )
    if missing:
        yield Evidence("names", passed=False, detail=f"not in the translation: {', '.join(missing[:_MOST_SHOWN])}")
    else:
        yield Evidence("names", passed=True, detail=f"all {len(wanted)} names are kept")


def _length(text: str, translation: str, target: str) -> Iterator[Evidence]:
    if len(text) < _FEWEST_CHARACTERS:
        return
    low, high = _DENSE.get(target, (_SHORTEST, _LONGEST))
    ratio = len(translation) / len(text)
    detail = f"{ratio:.2f} of the text's length"
    yield Evidence(
        "length",
        passed=low <= ratio <= high,
        detail=detail if low <= ratio <= high else f"{detail} is out of proportion",
    )


def _words_left(text: str, translation: str) -> Iterator[Evidence]:
    """Common English words that stand in the translation as they were. Languages share some, so a few are no fault."""
    common = {word for word in _SMALL_WORD.findall(text) if is_common_word(word)}
    if len(common) < _FEWEST_COMMON:
        return
    left = sorted(common & set(_SMALL_WORD.findall(translation)))
    if len(left) > _MOST_LEFT * len(common):
        detail = f"{len(left)} of {len(common)} English words are left: {', '.join(left[:_MOST_SHOWN])}"
        yield Evidence("untranslated", passed=False, detail=detail)


def _untranslated(text: str, translation: str) -> Evidence:
    """A sentence of some length that stands in the translation as it was."""
    plain = " ".join(words(translation))
    kept = [
        sentence.text
        for sentence in sentences(text)
        if len(words(sentence.text)) >= _FEWEST_WORDS
        and not _DIGITS.search(sentence.text.split()[0])
        and " ".join(words(sentence.text)) in plain
    ]
    if kept:
        return Evidence("untranslated", passed=False, detail=f"left as it was: {kept[0][:80]}")
    return Evidence("untranslated", passed=True, detail="no sentence is left as it was")
