"""One run of a function or a specialist: its arguments, its tries, its time, and what comes of it."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nonet.graphs.attempts import work_on
from nonet.graphs.events import SubtaskStarted
from nonet.graphs.records import record_of
from nonet.graphs.workflow import templates
from nonet.graphs.workflow.flow import FAILED, Ended, Flow, Value
from nonet.graphs.workflow.keeping import FUNCTION, Piece, described, value_of
from nonet.graphs.workflow.shaped import Shaped
from nonet.graphs.workflow.step import Step
from nonet.specialists import Evidence, Outcome, Source, Verdict

_DOUBLING = 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a step."""

    step: Step[..., Any, Any]
    id: str
    digest: str
    """Of all that it sees."""
    arguments: Mapping[str, Value]
    """By parameter."""
    given: Mapping[str, Value]
    """By step and input: what it reads otherwise."""
    steps: frozenset[str]
    """Which of these are steps."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The steps it reads."""
        return tuple(name for name in self.given if name in self.steps)


@dataclass(frozen=True, slots=True)
class _Tried:
    outcome: Outcome
    model: str = ""
    attempts: int = 1
    instruction: str = ""
    """What a specialist was told."""
    again: bool = True
    """Another try may go better."""


class _StepError(Exception):
    """What went wrong with a try of a step, in words, and the kind of its evidence."""

    def __init__(self, kind: str, detail: str, *, again: bool = True) -> None:
        super().__init__(detail)
        self.kind = kind
        self.again = again


async def run_once(flow: Flow, job: Job) -> Ended:
    """Try it as often as its step says. What failed is told by the record.

    Raises:
        ResourceError, StoreError, BudgetSpentError: the run cannot go on at all.
    """
    started = time.monotonic()
    definition = job.step.definition
    wait_seconds = definition.retry_wait_seconds
    attempts = 0
    for number in range(1, definition.retries + 2):
        tried = await _tried(flow, job, number)
        attempts += tried.attempts
        if tried.outcome.verdict is not Verdict.FAILED or not tried.again or number > definition.retries:
            break
        reason = next((each.detail for each in tried.outcome.evidence if each.passed is False), "")
        flow.context.notice("retry", f"{job.id} is tried again: {reason}")
        await asyncio.sleep(wait_seconds)
        wait_seconds *= _DOUBLING
    if definition.specialist is not None:
        flow.specialists.append(str(tried.outcome.verdict))
    record = record_of(
        Piece(job.id, definition.specialist or FUNCTION, tried.instruction or described(job.step), job.inputs),
        tried.outcome,
        input_digest=job.digest,
        model=tried.model,
        attempts=attempts,
        seconds=time.monotonic() - started,
    )
    value = FAILED if tried.outcome.verdict is Verdict.FAILED else value_of(job.step, record)
    return Ended(value, record)


async def _tried(flow: Flow, job: Job, number: int) -> _Tried:
    definition = job.step.definition
    clock = asyncio.timeout(definition.timeout_seconds)
    try:
        async with clock:
            if definition.specialist is not None:
                return await _by_specialist(flow, job)
            flow.context.emit(SubtaskStarted(job.id, FUNCTION, "", number))
            return _Tried(await _by_function(flow, job))
    except TimeoutError:
        if not clock.expired():
            raise
        error = _StepError("timeout", f"it was not done after {definition.timeout_seconds:g} s")
    except _StepError as raised:
        error = raised
    outcome = Outcome("", Verdict.FAILED, (Evidence(error.kind, passed=False, detail=str(error)),))
    return _Tried(outcome, again=error.again)


async def _by_function(flow: Flow, job: Job) -> Outcome:
    given = await _called(flow, job)
    try:
        text = job.step.one.to_text(job.step.one.checked(given))
    except (ValueError, TypeError) as error:
        place = f" ({job.step.place})" if job.step.place else ""
        raise _StepError("schema", f"{job.step.name} returned a {type(given).__name__}: {error}{place}") from error
    checked = Evidence("schema", passed=True, detail=f"it is of the type {job.step.one.name}")
    return Outcome(text, Verdict.UNVERIFIED, (checked,))


async def _called(flow: Flow, job: Job) -> Any:  # noqa: ANN401  what the function returns
    """Call the step's function; its own errors are those of the step, whatever they are."""
    function, named = job.step.function, _arguments(job)
    placed = [named.pop(each.name) for each in job.step.parameters if each.by_place and each.name in named]
    assert function is not None  # of a specialist's step with an instruction, nobody calls it
    try:
        if job.step.is_async:
            return await function(*placed, **named)
        given = await _in_thread(flow, partial(function, *placed, **named))
        return await given if inspect.isawaitable(given) else given
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise _StepError("raised", _told(error, job)) from error  # its own, not ours
    except (Exception, SystemExit) as error:
        raise _StepError("raised", _told(error, job)) from error


def _in_thread(flow: Flow, function: Callable[[], Any]) -> Awaitable[Any]:
    context = contextvars.copy_context()

    def call() -> Any:  # noqa: ANN401
        try:
            return context.run(function)
        except StopIteration as error:  # a future cannot hold it
            raise RuntimeError("StopIteration was raised") from error

    return asyncio.get_running_loop().run_in_executor(flow.threads(), call)


def _told(error: BaseException, job: Job) -> str:
    """The error in a line, with the line of the user's file it came from."""
    said = " ".join(str(error).split())
    file = job.step.place.file if job.step.place is not None else ""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f"{each.filename}:{each.lineno}" for each in reversed(frames) if each.filename == file), "")
    return f"{type(error).__name__}{': ' if said else ''}{said}" + (f" ({place})" if place else "")


def _arguments(job: Job) -> dict[str, Any]:
    found = {}
    for parameter in job.step.parameters:
        if parameter.name not in job.arguments:
            continue
        value = job.arguments[parameter.name]
        given = value.read()
        if parameter.type.annotation not in (value.type.annotation, Any):
            try:
                given = parameter.type.checked(given)
            except ValueError as error:
                raise _StepError("type", f"its parameter {parameter.name!r}: {error}", again=False) from error
        found[parameter.name] = given
    return found


async def _by_specialist(flow: Flow, job: Job) -> _Tried:
    step, definition = job.step, job.step.definition
    if not flow.calls_models:
        raise _StepError("replay", "it reads something else than the run that is replayed", again=False)
    named = definition.specialist or ""
    instruction = await _instruction(flow, job)
    worker = step.specialist or flow.context.session.specialists[named]
    ended = await work_on(
        flow.context,
        Piece(job.id, named, instruction, options=definition.options),
        _sources(job),
        worker=worker if step.one.is_text else Shaped(worker, step.one, step.one.without_none()),
        max_attempts=definition.retries + 1 if definition.retries else None,
    )
    return _Tried(ended.outcome, ended.model, ended.attempts, instruction, again=False)


async def _instruction(flow: Flow, job: Job) -> str:
    definition = job.step.definition
    if job.step.function is not None:
        written = await _called(flow, job)
    else:
        try:
            values = {name: job.given[name].read() for name in job.step.inlined}
            written = templates.fill(definition.instruction or "", values)
        except ValueError as error:
            raise _StepError("input", str(error), again=False) from error
    if not isinstance(written, str) or not written.strip():
        raise _StepError("input", "its instruction is empty or no text", again=False)
    return written


def _sources(job: Job) -> list[Source]:
    found = []
    for name in job.step.definition.reads:
        if name not in job.given:
            continue
        kind = "artifact" if name in job.steps else "document"
        found.append(Source(name, templates.in_words(job.given[name].read()), kind))
    return found
