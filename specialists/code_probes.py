"""Calls like those of a request's tests, with other values: where two answers differ on them, one is wrong.

A test says what one call must give. What other calls must give nobody says, but answers written apart from each other
rarely agree on what is wrong (AlphaCode, Li et al. 2022; MBR-exec, Shi et al. 2022; CodeT, Chen et al. 2022). The
values stay close to those of the tests, because code owes nothing to inputs that the request does not speak of.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from nonet.specialists.code_syntax import try_parse
from nonet.specialists.code_tests import Test

MOST_PROBES = 16
_TRIES_A_PROBE = 6
_MOST_CHARS = 2000
"""Of a probe's arguments."""
_EVEN = 0.5
_SOME = 0.3
_SMALL = 20
_ALPHABETS = {"digit": "0123456789", "upper": "ABCXYZ", "lower": "abcxyz"}
_SIZED = (list, tuple, str)
_T = TypeVar("_T")
_Arguments = tuple[tuple[object, ...], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One call: a function of the code under test and its arguments."""

    name: str
    arguments: str
    """A literal: (positional, by name)."""


def probes(tests: Sequence[Test], most: int = MOST_PROBES) -> tuple[Probe, ...]:
    """Other calls of the functions that the tests call; the same tests give the same ones."""
    calls = [call for test in tests for call in _calls(test)]
    # A generator of its own, so that nothing else that draws numbers changes them.
    draw = random.Random("\n".join(f"{name} {arguments!r}" for name, arguments in calls))  # noqa: S311
    seen = {(name, repr(arguments)) for name, arguments in calls}
    found: list[Probe] = []
    for number in range(most * _TRIES_A_PROBE if calls else 0):
        name, arguments = calls[number % len(calls)]
        text = repr(_Changer(draw, arguments).changed())
        if (name, text) not in seen and len(text) <= _MOST_CHARS:
            seen.add((name, text))
            found.append(Probe(name, text))
        if len(found) == most:
            break
    return tuple(found)


def _calls(test: Test) -> Iterator[tuple[str, _Arguments]]:
    """Calls of the tested functions whose arguments are written out."""
    tree = try_parse(test.source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in test.names:
            try:
                positional = tuple(ast.literal_eval(argument) for argument in node.args)
                named = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            if positional or named:
                yield node.func.id, (positional, named)


class _Changer:
    """Other arguments of the same kinds: what must be sorted stays sorted, a count of a list stays its count."""

    def __init__(self, draw: random.Random, arguments: _Arguments) -> None:
        self._draw = draw
        self._positional, self._named = arguments
        self._values = [*self._positional, *self._named.values()]
        self._lengths = {len(value) for value in self._values if isinstance(value, _SIZED)}
        self._longer = draw.choice((0, 0, 0, 1, -1))
        """By how many items the outermost lists and texts grow; all by the same, because some belong together."""

    def changed(self) -> _Arguments:
        """One of the arguments is changed, or all of them."""
        only = self._draw.choice((None, *range(len(self._values))))
        new = list(self._values)
        for index, value in enumerate(self._values):
            if only in (None, index) and not self._counts(value):
                new[index] = self._other(value, outer=True)
        if self._longer:
            new = [self._recounted(value, new) if self._counts(value) else value for value in new]
        return tuple(new[: len(self._positional)]), dict(zip(self._named, new[len(self._positional) :], strict=True))

    def _counts(self, value: object) -> bool:
        """Whether it is the length of another argument, which may be chance only where that is 1."""
        return type(value) is int and value > 1 and value in self._lengths

    def _recounted(self, count: object, new: Sequence[object]) -> object:
        """The new length of the first argument that was as long as this."""
        pairs = zip(self._values, new, strict=True)
        sized = (
            len(now) for old, now in pairs if isinstance(now, _SIZED) and isinstance(old, _SIZED) and len(old) == count
        )
        return next(sized, count)

    def _other(self, value: object, *, outer: bool = False) -> object:
        other = value
        if isinstance(value, bool):
            other = self._draw.random() < _EVEN
        elif isinstance(value, int):
            other = self._integer(value)
        elif isinstance(value, float):
            other = round(value + self._draw.choice((-1.5, -0.5, 0.5, 1.0, 2.5)), 6)
        elif isinstance(value, str):
            other = self._text(value, outer=outer)
        elif isinstance(value, list | tuple):
            other = type(value)(self._items(list(value), outer=outer))
        elif isinstance(value, set):
            other = {self._other(item) for item in sorted(value, key=repr)}
        elif isinstance(value, dict):
            other = {key: self._other(item) if self._draw.random() < _EVEN else item for key, item in value.items()}
        return other

    def _integer(self, value: int) -> int:
        steps = (1, 2, 3, 5) if abs(value) < _SMALL else (1, 2, 7, abs(value) // 3)
        other = value + self._draw.choice(steps) * self._draw.choice((1, -1))
        # A count, a size, the number of a term: below the sign that a test shows there may be no meaning.
        return max(1 if value > 0 else 0, other) if value >= 0 else other

    def _items(self, items: list[object], *, outer: bool) -> list[object]:
        # One list that happens to be in order may be any list; beside something to find in it, it has to be.
        ordered = _ordered(items) and (len(self._values) > 1 or self._draw.random() < _EVEN)
        new = [self._other(item) if self._draw.random() < _EVEN else item for item in items]
        if not ordered and self._draw.random() < _SOME:
            self._draw.shuffle(new)
        if outer:
            self._grow(new)
        return sorted(new, key=_number) if ordered else new

    def _text(self, text: str, *, outer: bool) -> str:
        letters = list(text)
        for index, letter in enumerate(letters):
            if letter.isalnum() and self._draw.random() < _SOME:
                kin = [other for other in text if _kind(other) == _kind(letter)]
                letters[index] = self._draw.choice((*kin, self._draw.choice(_ALPHABETS.get(_kind(letter), letter))))
        if outer:
            self._grow(letters)
        return "".join(letters)

    def _grow(self, items: list[_T]) -> None:
        if self._longer > 0 and items:
            items.insert(self._draw.randrange(len(items) + 1), self._draw.choice(items))
        elif self._longer < 0 and len(items) > 1:
            items.pop(self._draw.randrange(len(items)))


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "digit"
    return "upper" if letter.isupper() else "lower" if letter.islower() else "other"


def _ordered(items: Sequence[object]) -> bool:
    """Three numbers or more, none below the one before it."""
    numbers = all(type(item) in (int, float) for item in items)
    return numbers and len(items) > 2 and all(_number(a) <= _number(b) for a, b in pairwise(items))  # noqa: PLR2004


def _number(item: object) -> float:
    return item if isinstance(item, int | float) else 0.0
