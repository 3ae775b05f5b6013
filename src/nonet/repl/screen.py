"""Lines onto the terminal, above the prompt: prose wrapped between words, code as it is, links that open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from nonet.repl.looks import line_style
from nonet.repl.wire import Line

_LINES_AT_ONCE = 20
"""A few milliseconds of work, after which keys are heard again."""
_FENCE = "```"


def as_terminal_text(lines: Sequence[Line], width: int, theme: str) -> Iterator[str]:
    """The lines as what is written to a terminal of that width, some at a time, so that keys are heard in between."""
    from rich.console import Console  # noqa: PLC0415  not before the first prompt
    from rich.text import Text  # noqa: PLC0415

    no_color = bool(os.environ.get("NO_COLOR"))
    console = Console(
        file=sys.stdout, force_terminal=True, width=width, no_color=no_color, markup=False, emoji=False, highlight=False
    )
    in_code = False
    for start in range(0, len(lines), _LINES_AT_ONCE):
        with console.capture() as captured:
            for pieces in lines[start : start + _LINES_AT_ONCE]:
                made = Text.assemble(*((text, line_style(style, theme)) for text, style in pieces))
                fence = made.plain.lstrip().startswith(_FENCE)
                console.print(made, soft_wrap=in_code or fence)
                in_code = in_code != fence
        yield captured.get()


def warm_up() -> None:
    """Load what the first answer will need, before there is one."""
    for _ in as_terminal_text([[["x", "bold"]]], 10, "auto"):
        pass


def as_plain_text(lines: Sequence[Line]) -> str:
    """The lines without any style, each with its newline."""
    return "".join("".join(text for text, _ in pieces) + "\n" for pieces in lines)
