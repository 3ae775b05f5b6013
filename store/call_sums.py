"""Sums by the hour of calls that are not kept one by one: those of runs that were removed, and embeddings.

A call leaves its run's rows and enters the sums in one transaction, so that no sum of `accounts` changes by a removal.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

HOUR_SECONDS = 3600
SUMS = (
    "calls",
    "from_cache",
    "shared",
    "failed",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "wait_seconds",
    "load_seconds",
    "prompt_seconds",
    "generation_seconds",
    "seconds",
    "swaps",
    "swaps_avoided",
    "joules",
)
"""In the order of an Account; only the joules may be unknown."""

OF_A_CALL = (
    "1, c.origin = 'cache', c.origin = 'shared', c.error <> '', c.prompt_tokens, c.completion_tokens, c.cached_tokens,"
    " c.wait_seconds, c.load_seconds, c.prompt_seconds, c.generation_seconds, c.seconds, c.swapped_out <> '',"
    " c.swap_avoided, c.joules"
)
"""What one row of `calls` adds to each."""

_KEY = "hour, kind, model, host, queue"
_JOULES = "coalesce(joules + excluded.joules, joules, excluded.joules)"
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS if name != "joules")
_INTO = f"INSERT INTO call_sums ({_KEY}, {', '.join(SUMS)})"
_OR_ADD = f"ON CONFLICT ({_KEY}) DO UPDATE SET {_ADDED}, joules = {_JOULES}"
_TOTALS = ", ".join(f"{'sum' if name == 'joules' else 'total'}({name})" for name in SUMS)
_FOLD = (
    f"{_INTO} SELECT hour, kind, model, host, ?, {_TOTALS} FROM"  # noqa: S608  our own words
    f" (SELECT CAST(c.created_at_s / {HOUR_SECONDS} AS INTEGER) AS hour, c.kind, c.model, c.host,"
    f" {', '.join(f'{value} AS {name}' for value, name in zip(OF_A_CALL.split(', '), SUMS, strict=True))}"
    f" FROM calls c WHERE c.run_seq = ?) WHERE true GROUP BY hour, kind, model, host {_OR_ADD}"
)
_ADD = f"{_INTO} VALUES (?, ?, ?, ?, '', {', '.join('?' * len(SUMS))}) {_OR_ADD}"


@dataclass(frozen=True, slots=True)
class EmbedCall:
    """A request for embeddings that was answered; it may have served several runs."""

    model: str
    host: str = ""
    prompt_tokens: int = 0
    wait_seconds: float = 0.0
    load_seconds: float = 0.0
    seconds: float = 0.0
    swapped: bool = False
    """Another model was pushed out for it."""
    swap_avoided: bool = False
    joules: float | None = None


def fold(connection: sqlite3.Connection, run_seq: int, queue: str = "") -> None:
    """Add the calls of a run that is about to be removed. `queue`: whose job it was."""
    connection.execute(_FOLD, (queue, run_seq))


def add_embedding(connection: sqlite3.Connection, call: EmbedCall, now: float) -> None:
    """Count a request for embeddings."""
    sums = (
        *(1, 0, 0, 0, call.prompt_tokens, 0, 0, call.wait_seconds, call.load_seconds, 0.0, 0.0, call.seconds),
        *(call.swapped, call.swap_avoided, call.joules),
    )
    connection.execute(_ADD, (int(now // HOUR_SECONDS), "embed", call.model, call.host, *sums))
