"""The line below the prompt: runtime, models, what waits, tokens a second, budget."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prompt_toolkit.utils import get_cwidth

if TYPE_CHECKING:
    from nonet.repl.front import Front

_RATE_SECONDS = 3.0


def status_line(front: Front, columns: int) -> str:
    """At most `columns` wide: what matters most first, and what finds no room left out."""
    status = front.status
    waiting = max(0, len(front.open) - 1)
    rate = tokens_per_second(front) if front.open else 0.0
    wanted = (
        [status.get("runtime", "starting")],
        _models(status.get("loaded", [])) if "runtime" in status else [],
        [f"{waiting} waiting"] if waiting else [],
        [f"{rate:.0f} tokens/s"] if rate else [],
        [status["budget"]] if status.get("budget") else [],
        [f"session {status['session']}"] if "session" in status else [],
        ["vi"] if front.preferences.editing == "vi" else [],
        ["/help"],
    )
    line = ""
    for ways in wanted:
        longer = (f"{line} | {way}" if line else f" {way}" for way in ways)
        line = next((each for each in longer if get_cwidth(each) <= columns), line)
    return line


def _models(loaded: list[str]) -> list[str]:
    """The models in memory, in words, the longest way first."""
    if len(loaded) < 2:  # noqa: PLR2004  nothing to leave out
        return [loaded[0] if loaded else "no model loaded"]
    return [", ".join(loaded), f"{loaded[0]} and {len(loaded) - 1} more", f"{len(loaded)} models"]


def tokens_per_second(front: Front) -> float:
    """Pieces of answers that came in the last seconds; servers send a token a piece."""
    now = time.monotonic()
    front.pieces[:] = [(at, count) for at, count in front.pieces if now - at < _RATE_SECONDS]
    if not front.pieces:
        return 0.0
    return sum(count for _, count in front.pieces) / max(0.5, now - front.pieces[0][0])
