"""What models are asked when they are measured. Easy for any model that understands; chance gets little of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class SchemaTask:
    """A question, the schema of its answer, and the answer."""

    prompt: str
    schema: Mapping[str, Any]
    expected: Mapping[str, Any]

    def is_right(self, answer: str) -> bool:
        """True when the JSON says what is expected; case, spaces, a plural and the order of lists do not matter."""
        try:
            value = json.loads(answer)
        except ValueError:
            return False
        return isinstance(value, dict) and {key: _plain(each) for key, each in value.items()} == {
            key: _plain(each) for key, each in self.expected.items()
        }


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.casefold().strip(" .").removesuffix("s")
    if isinstance(value, list):
        return sorted(str(_plain(each)) for each in value)
    return value


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT: Final = {"type": "string", "maxLength": 40}
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": 9999}
_LIST: Final = {"type": "array", "items": _TEXT, "maxItems": 4}

SCHEMA_TASKS: Final = (
    SchemaTask(
        "Maria ordered 3 apples. Give the fruit and the count as JSON.",
        _object(fruit=_TEXT, count=_NUMBER),
        {"fruit": "apple", "count": 3},
    ),
    SchemaTask("What is 7 plus 5? Answer as JSON.", _object(sum=_NUMBER), {"sum": 12}),
    SchemaTask(
        "The red car passed the blue house. List the colours in this sentence as JSON.",
        _object(colours=_LIST),
        {"colours": ["red", "blue"]},
    ),
    SchemaTask(
        "Tom is 41 years old and lives in Oslo. Give his name, age and city as JSON.",
        _object(name=_TEXT, age=_NUMBER, city=_TEXT),
        {"name": "Tom", "age": 41, "city": "Oslo"},
    ),
)

CHOICES: Final = {
    "code": "programs",
    "retrieval": "looks up facts",
    "summarization": "shortens texts",
}
ROUTING_ITEMS: Final = (
    ("Write a Python function that reverses a list.", "code"),
    ("Shorten this article to three sentences.", "summarization"),
    ("In which year was the bridge opened, according to the report?", "retrieval"),
    ("Give me the key points of this meeting transcript.", "summarization"),
    ("Find in the manual which voltage the pump needs.", "retrieval"),
    ("Fix the bug in this JavaScript loop.", "code"),
)


def routing_prompt(request: str, choice: str) -> SchemaTask:
    """A request, and the question which specialist gets it."""
    options = ", ".join(f"{name} ({use})" for name, use in CHOICES.items())
    return SchemaTask(
        f"Choose who does it: {options}.\nRequest: {request}\nAnswer as JSON.",
        _object(who={"enum": list(CHOICES)}),
        {"who": choice},
    )


WORDS: Final = (
    *("river", "stone", "window", "green", "seven", "walk", "paper", "light", "under", "market", "quiet", "bread"),
    *("cloud", "letter", "north", "garden", "simple", "table", "early", "music", "orange", "bridge", "winter", "salt"),
    *("number", "house", "slow", "mirror", "field", "copper", "story", "glass", "yellow", "train", "over", "spring"),
)
"""Common words, a token or two each, for a prompt that no server has seen before."""
