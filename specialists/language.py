"""Which language a text is in, as far as it is plain: by its script, and by the commonest words of seven languages.

Not a language identifier: it says nothing rather than guess, because a wrong word here would send a good answer up the
ladder. Libraries that identify languages always name one, also for two words of code.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_WORDS = {
    "English": "the of and to in is that it for was with as are this not be have from by you which or an at",
    "German": "der die das und ist nicht ein eine zu den mit sich des auf für im dem von sind wird auch wie es",
    "French": "le la les des et est une un dans que qui pour pas sur du au avec sont ce cette par plus il elle",
    "Spanish": "el los las y es una que en por con para del se como más pero sus este está son fue ha lo al",
    "Italian": "il gli che è di una per non con sono della nel alla come anche più questo le dei si lo ha",
    "Portuguese": "o os as e é uma que em não para com do da dos mais como foi ao pelo são seu sua um na no",
    "Dutch": "de het een en van is dat niet op te zijn voor met die aan er ook om als door wordt naar bij",
}
_COMMON = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_SCRIPT_OF = {
    "Russian": "Cyrillic", "Ukrainian": "Cyrillic", "Greek": "Greek", "Arabic": "Arabic", "Hebrew": "Hebrew",
    "Hindi": "Devanagari", "Korean": "Hangul", "Chinese": "East-asian", "Japanese": "East-asian",
}  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|https?://\S+", re.DOTALL)
_FEWEST_HITS = 4
"""Common words that a text must have before its language is told by them."""
_LEAD = 2.0
"""How many times as many as of any other language."""
_FEWEST_LETTERS = 12
_SCRIPT_SHARE = 0.6
_MOST_CHARACTERS = 1500
"""Enough to tell a language by, and little work for an answer of any length."""


def language_of(text: str) -> str | None:
    """A language ("German") or, beyond Latin letters, a script ("Cyrillic"); None where it is not plain."""
    return _language(text[:_MOST_CHARACTERS])


def is_in(text: str, language: str) -> bool | None:
    """Whether a text is in a language; None where that is not plain.

    >>> is_in("The dam is of the state, and it was built in the war.", "German"), is_in("A dam.", "German")
    (False, None)
    """
    found, script = language_of(text), _SCRIPT_OF.get(language)
    if found is None:
        return None
    if script is None:
        return found == language
    if found == script and list(_SCRIPT_OF.values()).count(script) > 1:
        return None  # as many languages are written in it
    return found == script


@lru_cache(maxsize=64)
def _language(text: str) -> str | None:
    """Several checks ask about the same text."""
    words = _LETTERS.findall(_CODE.sub(" ", text).casefold())
    script = _script("".join(words))
    if script != "Latin":
        return script
    hits = {name: sum(word in common for word in words) for name, common in _COMMON.items()}
    (best, most), (_, second) = sorted(hits.items(), key=lambda item: -item[1])[:2]
    return best if most >= _FEWEST_HITS and most >= _LEAD * second else None


def _script(letters: str) -> str | None:
    """The script of most letters, by the first word of their Unicode names; None where there are too few or a mix."""
    weight = len(letters.encode())  # a Chinese character has three bytes, and says as much as three letters
    if weight < _FEWEST_LETTERS:
        return None
    if letters.isascii():
        return "Latin"
    names = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    for part in ("CJK", "HIRAGANA", "KATAKANA"):  # Japanese mixes them
        if part in names:
            names["EAST-ASIAN"] += names.pop(part)
    name, count = names.most_common(1)[0]
    return name.capitalize() if count >= _SCRIPT_SHARE * len(letters) else None
