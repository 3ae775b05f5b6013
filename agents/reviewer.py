"""Looks at how a plan's subtasks ended and says what the whole is worth. Deterministic; no model judges here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nonet.agents.composer import SubtaskText
from nonet.agents.plan import Plan, Subtask
from nonet.specialists import Verdict

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Review:
    """What a finished plan is worth."""

    missing: tuple[str, ...]
    """What the answer lacks, in words."""
    verdict: Verdict
    """Verified only if every leaf and all it reads is; failed if a leaf failed or is missing, or if a part of the
    request was left out; else unverified."""


def review(plan: Plan, results: Mapping[str, SubtaskText], earlier: Sequence[Plan] = ()) -> Review:
    """Review a plan.

    Args:
        plan: the plan that ran.
        results: subtask id -> result; absent where it was not run.
        earlier: the plans before it, oldest first, where it is a revision.
    """
    lost = left_out([*earlier, plan])
    verdicts = {name: result.verdict for name, result in results.items()}
    missing = tuple(
        description
        for subtask in plan.subtasks
        if (description := _lack(subtask, verdicts.get(subtask.id))) is not None
    )
    missing += tuple(
        f"{each.id} ({each.specialist}) failed and was left out: {_short(each.instruction)}" for each in lost
    )
    return Review(missing=missing, verdict=Verdict.FAILED if lost else _overall(plan, verdicts))


def left_out(plans: Sequence[Plan]) -> tuple[Subtask, ...]:
    """What a revision dropped and put nothing in the place of: what reads it goes on without it."""
    lost: list[Subtask] = []
    for old, new in pairwise(plans):
        before, after = {each.id for each in old.subtasks}, {each.id for each in new.subtasks}
        if after < before:
            lost += [each for each in old.subtasks if each.id not in after]
    return tuple(lost)


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
