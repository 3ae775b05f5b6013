"""One subtask: attempts on the ladder of models until a verdict is good enough or nothing new can be tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.agents.plan import Subtask
from nonet.errors import CallError
from nonet.graphs.context import RunContext
from nonet.graphs.desk import RunDesk
from nonet.graphs.events import AttemptFinished, SubtaskStarted
from nonet.graphs.records import evidence_json
from nonet.specialists import Assignment, Evidence, Outcome, Source, Verdict


@dataclass(frozen=True, slots=True)
class SubtaskOutcome:
    """How a subtask ended: the outcome that counts, and what it took."""

    outcome: Outcome
    model: str
    attempts: int


async def work_on(context: RunContext, subtask: Subtask, sources: Sequence[Source]) -> SubtaskOutcome:
    """Try, repair from the evidence, climb the ladder. The best outcome seen is returned, never raised away.

    - Good enough is what no check speaks against: verified, or unverified with no failed check.
    - A failed attempt is repaired on the same rung, at most `max_attempts` times, and only while it brings something
      new: the same text with the same evidence twice means that this model can do no better.
    - A failure that no call to a model was made for (nothing to read, nothing found) is the same on every rung.
    - Unverified with a failed check is for a larger model to do better; where there is none, it stands as it is.

    Raises:
        ResourceError, StoreError: the run cannot go on at all (no server, no model, no disk).
        BudgetSpentError: the run may make no more calls.
    """
    session = context.session
    ladder = session.ladders[subtask.specialist]
    tries: list[tuple[Outcome, str]] = []
    for rung, model in enumerate(ladder):
        if rung:
            context.escalations += 1
            context.notice("escalation", f"{subtask.id}: {ladder[rung - 1]} did not pass its checks, {model} is tried")
        assignment = Assignment(subtask.instruction, tuple(sources))
        if tries:
            assignment = _repair(assignment, tries[-1][0], attempt=1)
        seen: set[tuple[str, tuple[Evidence, ...]]] = set()
        for attempt in range(1, session.settings.max_attempts + 1):
            outcome, called = await _attempt(context, subtask, assignment, len(tries) + 1, model)
            tries.append((outcome, model))
            failures = _failures(outcome)
            if outcome.verdict is Verdict.VERIFIED or (outcome.verdict is Verdict.UNVERIFIED and not failures):
                return SubtaskOutcome(outcome, model, len(tries))
            if not called:
                return _best(tries)
            if outcome.verdict is Verdict.UNVERIFIED or (outcome.text, failures) in seen:
                break
            seen.add((outcome.text, failures))
            assignment = _repair(assignment, outcome, attempt=attempt + 1)
    return _best(tries)


def _best(tries: Sequence[tuple[Outcome, str]]) -> SubtaskOutcome:
    return SubtaskOutcome(*max(tries, key=lambda tried: _rank(tried[0])), len(tries))


def _failures(outcome: Outcome) -> tuple[Evidence, ...]:
    return tuple(item for item in outcome.evidence if item.passed is False)


def _repair(assignment: Assignment, outcome: Outcome, attempt: int) -> Assignment:
    return replace(assignment, feedback=_failures(outcome), previous=outcome.text, attempt=attempt)


async def _attempt(
    context: RunContext, subtask: Subtask, assignment: Assignment, number: int, model: str
) -> tuple[Outcome, bool]:
    """The outcome, and whether a model was asked for it."""
    session = context.session
    session.store.runs.start_attempt(context.lease, subtask.id, number, model)
    context.emit(SubtaskStarted(subtask.id, subtask.specialist, model, number))
    desk = RunDesk(context, subtask.id, number, model, await session.window_tokens(model))
    try:
        outcome = await session.specialists[subtask.specialist].work(assignment, desk)
    except CallError as error:
        outcome = Outcome("", Verdict.FAILED, (Evidence("call", passed=False, detail=error.message),))
    session.store.runs.finish_attempt(
        context.lease, subtask.id, number, str(outcome.verdict), evidence_json(outcome.evidence), outcome.text
    )
    context.emit(AttemptFinished(subtask.id, number, model, outcome.verdict, deciding_detail(outcome)))
    return outcome, bool(desk.asked)


def deciding_detail(outcome: Outcome) -> str:
    """The first failed check, else the first check that passed, in words."""
    for wanted in (False, True, None):
        for item in outcome.evidence:
            if item.passed is wanted:
                return item.detail
    return ""


def _rank(outcome: Outcome) -> tuple[int, int, int]:
    """Better verdict first, then fewer failed checks, then any text at all."""
    order = {Verdict.FAILED: 0, Verdict.UNVERIFIED: 1, Verdict.VERIFIED: 2}
    return order[outcome.verdict], -len(_failures(outcome)), int(bool(outcome.text))
