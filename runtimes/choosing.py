"""Asking a model to choose one of a few, without taking its habits for an opinion.

A small model favours the first option, or the letter A, or a word it likes. So the options are shown in several orders,
each time under other letters, and the answers are counted: a habit spreads over all options, an opinion does not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from nonet.errors import CallError, CallTimeoutError
from nonet.runtimes.types import Message

MAX_ORDERS: Final = 4
"""Orders the options are shown in, at most: one call each."""
_SURE_SHARE: Final = 0.75
_ANSWER_TOKENS: Final = 16
_LETTERS: Final = "ABCDEFGH"
_Z: Final = 1.645
"""One-sided 95 %."""


class Ask(Protocol):
    """One call under a JSON schema; the whole answer. Raises as Runtime.chat."""

    async def __call__(
        self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, averaged over the orders."""

    name: str
    """Of the option with the most votes; the one that was given first, among equals."""
    share: float
    """Of the orders in which it won, 0 to 1; answers that were none count against it."""
    margin: float
    """`share` less that of the next."""
    sure: bool
    """It won in three of four orders or more; of two or three options in all orders."""
    calls: int


async def choose(ask: Ask, question: str, options: Sequence[Option]) -> Choice:
    """Let the model choose. Stops early where the rest can change nothing.

    Args:
        ask: makes a call. An answer that is none (CallError: cut, late, against the schema) votes for nothing.
        question: what is to be chosen, with what it is about.
        options: two to eight.

    Raises:
        ValueError: fewer or more options.
        ResourceError: as `ask`.
    """
    if not 1 < len(options) <= len(_LETTERS):
        raise ValueError(f"{len(options)} options to choose from: two to {len(_LETTERS)} are possible")
    orders = orders_of(len(options))
    votes = [0] * len(options)
    asked = 0
    for order in orders:
        asked += 1
        try:
            voted = await _one(ask, question, [options[place] for place in order])
        except CallTimeoutError:  # it would be as late the next time
            break
        if voted is not None:
            votes[order[voted]] += 1
        first, second = sorted(votes, reverse=True)[:2]
        left = len(orders) - asked
        decided = first >= _SURE_SHARE * len(orders) and second + left < first
        hopeless = first + left < _SURE_SHARE * len(orders)
        if decided or hopeless:
            break
    best = max(range(len(options)), key=lambda place: (votes[place], -place))
    next_best = max(count for place, count in enumerate(votes) if place != best)
    return Choice(
        name=options[best].name,
        share=votes[best] / asked,
        margin=(votes[best] - next_best) / asked,
        sure=votes[best] >= _SURE_SHARE * len(orders),
        calls=asked,
    )


def orders_of(count: int) -> list[list[int]]:
    """Orders in which every option stands in as many different places as there are orders.

    >>> orders_of(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    rotations = [[(place + shift) % count for place in range(count)] for shift in range(count)]
    if count <= MAX_ORDERS:
        return rotations
    step = count / MAX_ORDERS
    return [rotations[int(number * step)] for number in range(MAX_ORDERS)]


def better_than_chance(right: int, asked: int, chance: float, *, room: float = 0.15) -> bool:
    """Whether so many right answers show more than chance by `room`, with 95 % confidence (Wilson's lower bound).

    >>> better_than_chance(11, 12, 0.25), better_than_chance(5, 12, 0.25)
    (True, False)
    """
    return lower_bound(right, asked) >= chance + room


def lower_bound(right: int, asked: int) -> float:
    """Wilson's one-sided lower bound on a share; 0 where nothing was asked.

    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not asked:
        return 0.0
    share = right / asked
    spread = _Z * math.sqrt(share * (1 - share) / asked + _Z**2 / (4 * asked**2))
    return (share + _Z**2 / (2 * asked) - spread) / (1 + _Z**2 / asked)


async def _one(ask: Ask, question: str, options: Sequence[Option]) -> int | None:
    """The place of the option that was chosen in this order, or None for no answer."""
    letters = _LETTERS[: len(options)]
    lines = "\n".join(
        f"{letter}: {option.name}, {option.description}" for letter, option in zip(letters, options, strict=True)
    )
    schema = {
        "type": "object",
        "properties": {"answer": {"enum": list(letters)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    prompt = f"{question}\n{lines}\n\nAnswer with the letter."
    try:
        answer = json.loads(await ask((Message("user", prompt),), schema, _ANSWER_TOKENS))["answer"]
    except CallTimeoutError:
        raise
    except (CallError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return letters.index(answer) if isinstance(answer, str) and answer in tuple(letters) else None
