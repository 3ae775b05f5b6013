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

    A rung is tried again only when its last attempt left evidence to repair from, and at most `max_attempts` times;
    the same evidence twice means that repairing does not help, and the next rung has its turn.

    Raises:
        ResourceError, StoreError: the run cannot go on at all (no server, no model, no disk).
        BudgetSpentError: the run may make no more calls.
    """
    session = context.session
    ladder = session.ladders[subtask.specialist]
    assignment = Assignment(subtask.instruction, tuple(sources))
    best: tuple[Outcome, str] | None = None
    number = 0
    for rung, model in enumerate(ladder):
        if rung:
            context.escalations += 1
            context.notice("escalation", f"{subtask.id}: {ladder[rung - 1]} failed its checks, {model} is tried")
        for _ in range(session.settings.max_attempts):
            number += 1
            outcome = await _attempt(context, subtask, assignment, number, model)
            if best is None or _rank(outcome) > _rank(best[0]):
                best = outcome, model
            if outcome.verdict is not Verdict.FAILED:
                return SubtaskOutcome(*best, number)
            failures = tuple(item for item in outcome.evidence if item.passed is False)
            seen = assignment.feedback
            assignment = replace(assignment, feedback=failures, previous=outcome.text)
            if not failures or failures == seen or failures[0].kind == "retrieval":
                break
    if best is None:
        raise AssertionError(f"the ladder of {subtask.specialist} is empty")
    return SubtaskOutcome(*best, number)


async def _attempt(context: RunContext, subtask: Subtask, assignment: Assignment, number: int, model: str) -> Outcome:
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
    return outcome


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
    failed = sum(item.passed is False for item in outcome.evidence)
    return order[outcome.verdict], -failed, int(bool(outcome.text))
