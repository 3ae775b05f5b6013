"""Looks at how a plan's subtasks ended and says what the whole is worth. Deterministic; no model judges here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nonet.agents.composer import SubtaskText
from nonet.agents.plan import Plan, Subtask
from nonet.specialists import Verdict

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Review:
    """What a finished plan is worth."""

    accepted: bool
    """Every subtask has a result that no check speaks against."""
    missing: tuple[str, ...]
    """What the answer lacks, in words."""
    verdict: Verdict
    """Verified only if every leaf and all it reads is; failed if a leaf failed or is missing; else unverified."""


def review(plan: Plan, results: Mapping[str, SubtaskText]) -> Review:
    """Review a plan.

    Args:
        plan: the plan that ran.
        results: subtask id -> result; absent where it was not run.
    """
    verdicts = {name: result.verdict for name, result in results.items()}
    missing = tuple(
        description
        for subtask in plan.subtasks
        if (description := _lack(subtask, verdicts.get(subtask.id))) is not None
    )
    return Review(accepted=not missing, missing=missing, verdict=_overall(plan, verdicts))


def _lack(subtask: Subtask, verdict: Verdict | None) -> str | None:
    """What is missing because of one subtask, or None."""
    if verdict is None:
        return f"{subtask.id} ({subtask.specialist}) was not run: {_short(subtask.instruction)}"
    if verdict is Verdict.FAILED:
        return f"{subtask.id} ({subtask.specialist}) failed: {_short(subtask.instruction)}"
    return None


def _overall(plan: Plan, verdicts: Mapping[str, Verdict]) -> Verdict:
    leaves = [verdicts.get(name) for name in plan.leaves()]
    if any(verdict is None or verdict is Verdict.FAILED for verdict in leaves):
        return Verdict.FAILED
    # Every subtask is a leaf or read, directly or not, by one: so all of them count.
    if all(verdicts.get(subtask.id) is Verdict.VERIFIED for subtask in plan.subtasks):
        return Verdict.VERIFIED
    return Verdict.UNVERIFIED


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}\u2026"
