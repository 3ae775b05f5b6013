"""A run's result as the session shows it: as the command line does, with code highlighted and sources that open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.render import result_lines

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.graphs.result import RunResult


def answer_lines(result: RunResult) -> list[Text]:
    """The answer, its sources, its checks and its cost."""
    return result_lines(result)
