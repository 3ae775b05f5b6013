"""A model as a judge of whether an answer is right: the question it is asked, and what it is measured by.

Small models mostly say yes, or always the same: so a model judges only where `nonet doctor` has seen it do better than
chance on items of which half are wrong.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from nonet.runtimes.types import Message

ANSWER_TOKENS: Final = 16
_SCHEMA_KEY: Final = "right"
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {_SCHEMA_KEY: {"enum": ["yes", "no"]}},
    "required": [_SCHEMA_KEY],
    "additionalProperties": False,
}
LEVEL: Final = 0.05
"""A judge is believed where guessing would do as well in fewer than one of twenty measurements."""

ITEMS: Final = (
    ("What is the capital of Italy?", "The capital of Italy is Rome.", True),
    ("What is the capital of Italy?", "The capital of Italy is Milan.", False),
    ("How many legs does a spider have?", "A spider has eight legs.", True),
    ("How many legs does a spider have?", "A spider has six legs.", False),
    ("A box holds 12 eggs. How many eggs are in 3 boxes?", "There are 36 eggs.", True),
    ("A box holds 12 eggs. How many eggs are in 3 boxes?", "There are 24 eggs.", False),
    ("Which is heavier, a kilogram or a gram?", "A kilogram is heavier.", True),
    ("Which is heavier, a kilogram or a gram?", "A gram is heavier.", False),
    ("Name a fruit that is yellow.", "A banana.", True),
    ("Name a fruit that is yellow.", "I like to swim in the lake.", False),
    ("What do bees make?", "Bees make honey.", True),
    ("What do bees make?", "Bees make the trains run on time.", False),
)
"""Question, answer, and whether it is right. Half are, so that one who always says the same is right half the time."""


def judge_messages(request: str, answer: str) -> tuple[Message, ...]:
    """The question put to a judge."""
    text = f"Question: {request}\nAnswer: {answer}\n\nIs the answer right? Say yes or no, as JSON."
    return (Message("user", text),)


def says_right(text: str) -> bool:
    """What the judge said; `text` obeys SCHEMA."""
    return str(json.loads(text)[_SCHEMA_KEY]) == "yes"


def better_than_chance(right: int, asked: int) -> bool:
    """Whether so many right verdicts are hardly a coin's (one-sided binomial test).

    >>> better_than_chance(9, 12), better_than_chance(10, 12)
    (False, True)
    """
    if not asked:
        return False
    at_least = sum(math.comb(asked, count) for count in range(right, asked + 1))
    return at_least / (1 << asked) < LEVEL
