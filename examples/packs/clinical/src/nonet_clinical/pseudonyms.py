"""Puts pseudonyms in the place of identifiers, the same one for the same person or day, and finds those that leak."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from nonet.runtimes.token_bound import is_common_word
from nonet_clinical.identifiers import Identifier, find_identifiers

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
_TITLES = frozenset("dr mr mrs ms miss prof nurse baby girl boy".split())  # noqa: SIM905


@dataclass(slots=True)
class Pseudonyms:
    """Of one task: all its texts share them. What they stand for stays in memory, and goes with it."""

    _people: list[tuple[frozenset[str], str]] = field(default_factory=list)
    """The words of each full name, and its pseudonym."""
    _names: list[str] = field(default_factory=list)
    _others: dict[tuple[str, str], str] = field(default_factory=dict)
    _secrets: set[str] = field(default_factory=set)
    _count: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    """How many identifiers of each kind were replaced."""

    def apply(self, text: str) -> str:
        """The text without identifiers."""
        pieces: list[str] = []
        done = 0
        found = find_identifiers(text, self._names)
        for each in sorted(found, key=lambda each: -len(each.text)):
            self._of(each)  # the longest form of a name comes first, and its parts are found in it
        for each in found:
            pieces += [text[done : each.start], self._of(each)]
            done = each.end
            self.replaced[each.kind] += 1
        return "".join([*pieces, text[done:]])

    def leaks(self, text: str) -> list[str]:
        """The kinds of identifiers, or parts of names, that stand in a text, in the words they have there."""
        words = " ".join(_WORD.findall(text.casefold()))
        return sorted(secret for secret in self._secrets if f" {secret} " in f" {words} ")

    def _of(self, each: Identifier) -> str:
        words = [word for word in _WORD.findall(each.text.casefold()) if word not in _TITLES]
        plain = " ".join(words)
        if each.kind == "NAME":
            self._secrets |= {word for word in words if len(word) >= _SHORTEST and not is_common_word(word)}
            self._names.append(each.text)
            return self._person(frozenset(words))
        if any(character.isdigit() for character in plain) and len(plain) > _SHORTEST:
            self._secrets.add(plain)
        key = (each.kind, plain)
        if key not in self._others:
            self._others[key] = self._new(each.kind)
        return self._others[key]

    def _person(self, words: frozenset[str]) -> str:
        for known, pseudonym in self._people:
            if words <= known:
                return pseudonym
        pseudonym = self._new("NAME")
        self._people.append((words, pseudonym))
        return pseudonym

    def _new(self, kind: str) -> str:
        self._count[kind] += 1
        return f"[{kind}-{self._count[kind]}]"
