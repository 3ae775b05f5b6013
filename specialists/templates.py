"""The prompts under prompts/*.md: a system part and a user part around a line of dashes, with {{blanks}}."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from nonet.runtimes import Message

_BLANK = re.compile(r"\{\{(\w+)\}\}")


def render(name: str, **values: str) -> tuple[Message, ...]:
    """Fill a prompt's blanks, each once: a value that looks like a blank stays as it is. Raises KeyError."""
    system, user = _parts(name)

    def fill(part: str) -> str:
        return _BLANK.sub(lambda match: values[match.group(1)], part)

    messages = (Message("system", fill(system)), Message("user", fill(user)))
    return messages if system else messages[1:]


@cache
def _parts(name: str) -> tuple[str, str]:
    text = files("nonet.specialists").joinpath("prompts", f"{name}.md").read_text("utf-8")
    system, _, user = text.partition("\n---\n")
    return system.strip(), user.strip()
