"""One subtask: attempts on the ladder of models until a verdict is good enough or nothing new can be tried."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    BudgetSpentError,
    CallError,
    CallTimeoutError,
    ContextOverflowError,
    NonetError,
    ResourceError,
    RuntimeBusyError,
)
from nonet.graphs import earlier
from nonet.graphs.context import RunContext
from nonet.graphs.desk import RunDesk
from nonet.graphs.events import AttemptFinished, SubtaskStarted
from nonet.graphs.judging import judged
from nonet.graphs.records import Work, evidence_json, evidence_of
from nonet.graphs.rungs import Rung
from nonet.specialists import Assignment, Evidence, Outcome, Source, Specialist, Verdict
from nonet.specialists.checks import with_checks
from nonet.specialists.confidence import CERTAINTY, USUAL_BAR, confidence
from nonet.specialists.staff import SHIPPED

if TYPE_CHECKING:
    from nonet.graphs.session import Session

_OF_A_CALL = frozenset({"call", "context"})
"""Kinds of evidence that speak of a call or its prompt, not of what a model wrote."""
_MOST_FINDINGS = 6
"""Failed checks that go up with a subtask; small models lose their way in more."""


@dataclass(frozen=True, slots=True)
class SubtaskOutcome:
    """How a subtask ended: the outcome that counts, and what it took."""

    outcome: Outcome
    model: str
    attempts: int


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt and what came of it."""

    outcome: Outcome
    rung: Rung
    place: int
    """Of the rung on the ladder."""
    window_tokens: int
    called: bool
    """A model was asked."""
    error: CallError | ResourceError | None = None

    @property
    def failures(self) -> tuple[Evidence, ...]:
        return tuple(item for item in self.outcome.evidence if item.passed is False)


@dataclass(frozen=True, slots=True)
class _How:
    """Who works, and how often on one rung."""

    worker: Specialist
    max_attempts: int


_SAME_AGAIN = (BadRequestError, ContextOverflowError, ResourceError, RuntimeBusyError)
"""Asking the same model again would end the same way."""
_MOST_TIME_OUTS = 3
"""In a row, of one subtask: each may have taken minutes."""


async def work_on(
    context: RunContext,
    subtask: Work,
    sources: Sequence[Source],
    *,
    worker: Specialist | None = None,
    max_attempts: int | None = None,
) -> SubtaskOutcome:
    """Try, repair from the evidence, climb the ladder. The best outcome seen is returned, never raised away.

    - Good enough is a confidence at or above the bar: without calibration, what no check speaks against.
    - A failed attempt is repaired on the same rung, at most `max_attempts` times, and only while it brings something
      new: the same text with the same evidence twice means that this model can do no better, and a request that was
      refused or does not fit will be so again. The runtime itself has asked a busy server several times.
    - Time-outs of one model and then of the next are the server's: another model would take even longer.
    - A failure that no call to a model was made for (nothing to read, nothing found) is the same on every rung.
    - A doubt (unverified below the bar) is for a larger model to settle; where there is none, it stands as it is.
    - What was wrong so far goes up with the subtask.
    - Where no call is left, what was made stands with its doubts; what failed is missing, for a resume to make.

    Args:
        worker: does the work in the place of the specialist, on its ladder.
        max_attempts: on one rung, instead of the setting.

    Raises:
        ResourceError, StoreError: the run cannot go on at all (no server, no model, no disk).
        BudgetSpentError: the run may make no more calls, and nothing was made that can stand.
    """
    session = context.session
    rungs = session.rungs(subtask.specialist)
    how = _How(worker or session.specialists[subtask.specialist], max_attempts or session.settings.max_attempts)
    tries = _earlier(context, subtask, rungs)
    for place, rung in enumerate(rungs):
        if tries and tries[-1].place > place:
            continue  # an earlier process went on from here
        if tries and (why := await _useless(context, tries, rung)):
            context.notice("ladder", f"{subtask.id}: {rung.label} is not tried: {why}")
            continue
        if tries and tries[-1].place < place:
            context.escalations += 1
            said = f"{tries[-1].rung.label} did not pass its checks, {rung.label} is tried"
            context.notice("escalation", f"{subtask.id}: {said}")
        assignment = Assignment(
            subtask.instruction, tuple(sources), workspace=session.workspace, options=subtask.options
        )
        try:
            if await _on_rung(context, subtask, assignment, tries, place, rung, how):
                break
        except BudgetSpentError as error:
            if not _can_stand(tries):
                raise
            context.notice("ladder", f"{subtask.id}: {rung.label} did not end its work: {error.message}")
            break
    best = max(tries, key=_rank)
    return SubtaskOutcome(best.outcome, best.rung.label, len(tries))


async def _on_rung(  # noqa: PLR0917  what one rung is
    context: RunContext,
    subtask: Work,
    assignment: Assignment,
    tries: list[_Try],
    place: int,
    rung: Rung,
    how: _How,
) -> bool:
    """The attempts of one rung, added to `tries`. True: there is no need to climb, or no use."""
    bar = context.session.bars.get(subtask.specialist, USUAL_BAR)
    seen: set[tuple[str, tuple[Evidence, ...]]] = set()
    made = sum(tried.place == place for tried in tries)
    if tries:
        assignment = _with_findings(assignment, tries, attempt=made + 1)
    for attempt in range(made + 1, how.max_attempts + 1):
        tried = await _attempt(context, subtask, assignment, len(tries) + 1, place, rung, how.worker)
        tries.append(tried)
        outcome = tried.outcome
        if outcome.verdict is not Verdict.FAILED and confidence(outcome) >= bar:
            return True
        if not tried.called:
            return True
        if (
            isinstance(tried.error, _SAME_AGAIN)
            or _only_time_outs(tries)
            or outcome.verdict is not Verdict.FAILED
            or (outcome.text, tried.failures) in seen
        ):
            return False
        seen.add((outcome.text, tried.failures))
        assignment = _with_findings(assignment, tries, attempt=attempt + 1)
    return False


def _earlier(context: RunContext, subtask: Work, rungs: Sequence[Rung]) -> list[_Try]:
    """What an earlier process tried in vain on these rungs."""
    places = {rung.label: (place, rung) for place, rung in enumerate(rungs)}
    found = []
    for kept in earlier.of_subtask(context, subtask):
        if kept.model in places:
            place, rung = places[kept.model]
            outcome = Outcome(kept.text, Verdict.FAILED, evidence_of(kept.evidence_json))
            found.append(_Try(outcome, rung, place, window_tokens=0, called=True))
    return sorted(found, key=lambda tried: tried.place)


def _only_time_outs(tries: Sequence[_Try]) -> bool:
    newest = tries[-_MOST_TIME_OUTS:]
    return len(newest) == _MOST_TIME_OUTS and all(isinstance(tried.error, CallTimeoutError) for tried in newest)


def _can_stand(tries: Sequence[_Try]) -> bool:
    return any(tried.outcome.verdict is not Verdict.FAILED for tried in tries)


async def _useless(context: RunContext, tries: Sequence[_Try], rung: Rung) -> str:
    """Why the next rung can do no better than the last try; empty where it may."""
    last = tries[-1]
    if _can_stand(tries) and (refusal := context.budget.refusal()) is not None:
        return refusal.message
    if isinstance(last.error, AccessRefusedError) and rung.runtime is last.rung.runtime:
        return "its server refuses whatever it is asked"
    if isinstance(last.error, RuntimeBusyError) and rung.runtime is last.rung.runtime:
        return "its server is busy, whatever it is asked"
    if _only_time_outs(tries) and rung.runtime is last.rung.runtime:
        return f"its server let {_MOST_TIME_OUTS} calls in a row run out of time"
    if isinstance(last.error, ContextOverflowError) and await context.session.window_of(rung) <= last.window_tokens:
        return f"the prompt did not fit {last.window_tokens} tokens, and its window is no larger"
    return ""


def _with_findings(assignment: Assignment, tries: Sequence[_Try], attempt: int) -> Assignment:
    """What was wrong, the newest first, and the newest text. What went wrong with a call is no finding about a text."""
    failures = dict.fromkeys(
        item for tried in reversed(tries) for item in tried.failures if item.kind not in _OF_A_CALL
    )
    previous = next((tried.outcome.text for tried in reversed(tries) if tried.outcome.text), "")
    return replace(assignment, feedback=tuple(failures)[:_MOST_FINDINGS], previous=previous, attempt=attempt)


async def _attempt(  # noqa: PLR0917  what one attempt is
    context: RunContext,
    subtask: Work,
    assignment: Assignment,
    number: int,
    place: int,
    rung: Rung,
    worker: Specialist,
) -> _Try:
    session = context.session
    session.store.runs.start_attempt(context.lease, subtask.id, number, rung.label)
    context.emit(SubtaskStarted(subtask.id, subtask.specialist, rung.label, number))
    desk = RunDesk(context, subtask.id, number, rung, await session.window_of(rung))
    failed: CallError | ResourceError | None = None
    try:
        outcome = await _worked(session, subtask.specialist, worker, assignment, desk)
    except (CallError, ResourceError) as error:
        if isinstance(error, ResourceError) and not rung.host:
            raise  # without its own server a run cannot go on; a remote one was only a last try
        failed = error
        outcome = Outcome("", Verdict.FAILED, (_refusal(error),))
    outcome = with_checks(outcome, assignment.instruction)
    if desk.certainties:  # of several calls the least sure one: an answer is no better than its weakest part
        outcome = replace(outcome, data={**outcome.data, CERTAINTY: min(desk.certainties)})
    if place + 1 < len(session.rungs(subtask.specialist)):
        outcome = await judged(subtask.specialist, assignment.instruction, outcome, desk)
    session.store.runs.finish_attempt(
        context.lease, subtask.id, number, str(outcome.verdict), evidence_json(outcome.evidence), outcome.text
    )
    context.emit(AttemptFinished(subtask.id, number, rung.label, outcome.verdict, deciding_detail(outcome)))
    called = bool(desk.asked) or failed is not None
    return _Try(outcome, rung, place, desk.window_tokens, called=called, error=failed)


async def _worked(
    session: Session, specialist: str, worker: Specialist, assignment: Assignment, desk: RunDesk
) -> Outcome:
    """What the specialist made of it. An error that is not ours fails the attempt: a user's own code may raise any."""
    try:
        return await worker.work(assignment, desk)
    except Exception as error:
        if isinstance(error, NonetError) or session.staff.origins.get(specialist, SHIPPED) == SHIPPED:
            raise
        detail = f"its code raised {type(error).__name__}: {error}{_place(error)}"
        return Outcome("", Verdict.FAILED, (Evidence("specialist", passed=False, detail=detail),))


def _place(error: Exception) -> str:
    """The line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f" ({last[0].filename}, line {last[0].lineno})" if last else ""


def _refusal(error: CallError | ResourceError) -> Evidence:
    kind = "context" if isinstance(error, ContextOverflowError) else "call"
    return Evidence(kind, passed=False, detail=error.message)


def deciding_detail(outcome: Outcome) -> str:
    """The first failed check, else the first check that passed, in words."""
    for wanted in (False, True, None):
        for item in outcome.evidence:
            if item.passed is wanted:
                return item.detail
    return ""


def _rank(tried: _Try) -> tuple[float, bool, int]:
    """More confidence first, then any text at all, then the larger model."""
    return confidence(tried.outcome), bool(tried.outcome.text), tried.place
