"""How clearly the wording of a request asks for code: what is to be made, languages, and code that stands in it."""

from __future__ import annotations

import re

from nonet.agents.lexicon import CODE_NOUN, LANGUAGE, any_of, compiled

_MAKE = any_of(
    "write|implement(?:ed|s)?|creat(?:e|ing)|build|defin(?:e|ing)|develop|make|give|need|want|like|produce|provide",
    "add|fix|refactor|debug|program|code|draft|design|generate|complete|put together|come up with|supply|sketch|port",
    "rewrite|optimi[sz]e|extend|wrap|turn",
)
_CODE_FIRST = compiled(
    rf"\W*(?:(?:please|can|could|would|you|i|we|also|need|want|like|to|i'd|me|then|and|help|so|now|just)\W+){{0,6}}"
    rf"{_MAKE}(?: \S+){{0,5}}? {CODE_NOUN}\b"
)
_CODE_MADE = compiled(rf"\b{_MAKE}\b(?: \S+){{0,12}}? {CODE_NOUN}\b")
_CODE_WORD = compiled(rf"\b{CODE_NOUN}\b")
_CODE_NAMED = compiled(
    rf"\W*(?:(?:and|also|plus|then|totally|unrelated)\W+){{0,3}}(?:an?|one|some|two) (?:\w+ ){{0,3}}?{CODE_NOUN}\b"
)
_CODE_STRONG = compiled(
    r"\bimplement(?:ed|s)?\b|\bmust (?:satisfy|pass)\b|\bassert\b|^\W*(?:re)?code\b|\brefactor\b|\bdebug\b"
    r"|\btraceback\b|\b\w+Error\b|\bunit tests?\b|\bpytest\b|\bcompil(?:e|er)\b|\bstack trace\b"
    r"|\bpython (?:function|script|class|code|program|constant|variable|snippet|thing|one-liner)\b"
)
_LANGUAGE = compiled(rf"\b{LANGUAGE}\b|(?<!\w)c(?:\+\+|#)")
_CODE_DATA = compiled(r"\b(?:dicts?|tuples|(?:lists?|arrays?) of \w+s|dataframes?|json|csv|stdin|stdout)\b")
_CODE_SIGN = re.compile(
    r"\b(?:[Ww]rite|[Ii]mplement|[Bb]uild|[Dd]efine)(?: me)? \w+\([\w, ]*\)"
    r"|`\w+(?:\([^`]*\))?`|\b\w+\([^)\n]*\) ?[=!<>]=|^(?:def|class) \w|```|>>> |\bprint\(|\bfor \w+ in \w+\(",
    re.MULTILINE,
)
_CODE_BEGUN = re.compile(r"\bdef \w+\(|\bclass \w+(?:\(\w*\))?:")
"""Code that the request begins and wants completed."""
_CODE_CALL = re.compile(r"\b[a-z]+(?:_\w+)+\b|`\w+\(")


def code_cue(text: str, words: str) -> float:
    """How clearly code is asked for. `words` is the masked text."""
    score = 0.0
    if _CODE_FIRST.match(words):
        score += 1.8
    elif _CODE_MADE.search(words) or _CODE_NAMED.match(words):
        score += 1.0
    elif _CODE_WORD.search(words):
        score += 0.3
    if _CODE_STRONG.search(words):
        score += 0.7
    if _LANGUAGE.search(words):
        score += 0.5
    elif _CODE_DATA.search(words):
        score += 0.3
    if _CODE_SIGN.search(text):
        score += 0.6
    elif _CODE_CALL.search(text):
        score += 0.3
    if _CODE_BEGUN.search(text):
        score += 0.8
    return score
