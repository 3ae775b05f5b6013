"""Instructions with places for values: "What happened in {place}?", "{ticket.product}"; `{{` is a brace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from nonet.graphs.workflow.conditions import look_up

_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\}")


def names_in(template: str) -> tuple[str, ...]:
    """The steps and inputs that it reads, each once."""
    return tuple(dict.fromkeys(match[1] for match in _PLACE.finditer(template) if match[1]))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The text with the values in it. Raises ValueError, in words, for a field that a value does not have."""

    def text(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0]
        value = values[match[1]]
        try:
            for field in match[2].split(".")[1:]:
                value = look_up(value, field)
        except AttributeError as error:
            raise ValueError(f"{match[0]} cannot be filled in: {error}") from error
        return in_words(value)

    return _PLACE.sub(text, template)


def in_words(value: Any) -> str:  # noqa: ANN401  a step's output may be anything
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else to_json(value, indent=None).decode()
