"""The line below the prompt: runtime, model, what waits, tokens a second, budget; the least important go first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prompt_toolkit.utils import get_cwidth

if TYPE_CHECKING:
    from nonet.repl.front import Front

_RATE_SECONDS = 3.0


def status_line(front: Front, columns: int) -> str:
    """At most `columns` wide."""
    status = front.status
    waiting = max(0, len(front.open) - 1)
    loaded = status.get("loaded", [])
    parts = [
        (0, status.get("runtime", "starting")),
        (1, ", ".join(loaded) if loaded else "no model loaded" if "runtime" in status else ""),
        (2, f"{waiting} waiting" if waiting else ""),
        (3, f"{rate:.0f} tokens/s" if (rate := tokens_per_second(front)) and front.open else ""),
        (4, status.get("budget", "")),
        (5, f"session {status['session']}" if "session" in status else ""),
        (6, "vi" if front.preferences.editing == "vi" else ""),
        (7, "/help"),
    ]
    kept = [(rank, text) for rank, text in parts if text]
    while len(kept) > 1 and get_cwidth(_joined(kept)) > columns:
        kept.pop()
    return _joined(kept)[: max(0, columns)]


def _joined(parts: list[tuple[int, str]]) -> str:
    return " " + " | ".join(text for _, text in parts)


def tokens_per_second(front: Front) -> float:
    """Pieces of answers that came in the last seconds; servers send a token a piece."""
    now = time.monotonic()
    front.pieces[:] = [(at, count) for at, count in front.pieces if now - at < _RATE_SECONDS]
    if not front.pieces:
        return 0.0
    return sum(count for _, count in front.pieces) / max(0.5, now - front.pieces[0][0])
