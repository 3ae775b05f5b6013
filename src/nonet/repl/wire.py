"""What the two processes of a session say to each other: one JSON object a line.

To the engine, under "do": input (in its turn), now (at once), cancel, leave. From it, under "is": ready, status, names,
begin, lines, run, plan, row, text, usage, progress, end. A line of text is a list of [text, style] pairs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

Message = dict[str, Any]
Line = list[list[str]]
"""Pieces of [text, style]; the text is clean already."""
LONGEST_BYTES = 1 << 27
"""Of one message: an answer with its evidence stays far below it."""


def encode(message: Message) -> bytes:
    """A line that `decode` reads."""
    return json.dumps(message).encode() + b"\n"


def decode(line: bytes) -> Message:
    """What `encode` was given."""
    message: Message = json.loads(line)
    return message


def line(*parts: str | tuple[str, str]) -> Line:
    """A line of parts; a part may be (text, style)."""
    return [[part, ""] if isinstance(part, str) else [part[0], part[1]] for part in parts]


def packed(lines: Iterable[Text]) -> list[Line]:
    """Lines of `nonet.render`, whose text is clean, as they travel."""
    from rich.console import Console  # noqa: PLC0415  the front makes lines of its own without rich

    console = Console(color_system="truecolor", force_terminal=True)
    return [
        [[piece.text, str(piece.style or "")] for piece in each.render(console)]
        for text in lines
        for each in text.split("\n", allow_blank=True)
    ]
