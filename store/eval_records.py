"""What the store takes and gives of evaluations. Times are seconds since the epoch (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class NewEval:
    """One way of answering (an arm), on one suite."""

    suite: str
    arm: str
    models: str
    """Which models answered, in words."""
    runtime: str
    key: str
    """SHA-256 of all that the answers depend on, hexadecimal: with the same key, items are not asked again."""
    facts: Mapping[str, Any]
    """Seed, data, settings: what a reader must know to ask the same again."""


@dataclass(frozen=True, slots=True)
class EvalRecord:
    """An evaluation that is kept."""

    id: str
    suite: str
    arm: str
    models: str
    runtime: str
    facts: Mapping[str, Any]
    items: int
    created_at_s: float


@dataclass(frozen=True, slots=True)
class EvalItem:
    """One item that was answered and graded."""

    item: str
    """Its name in the data."""
    group: str
    """The kind of item: a data set, or a pattern within it."""
    request: str
    answer: str
    verdict: str
    """Empty where the arm gives none."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """By metric."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """As `nonet run --json` gives it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the arm told: its plan, what was cut, an error."""


@dataclass(frozen=True, slots=True)
class EvalChoice:
    """What a judge said of two answers that were shown without names."""

    item: str
    judge: str
    choice: str
    """"first" or "second" evaluation of the pair, or "tie"."""
    left: str
    """Which of the two was shown on the left: "first" or "second"."""
