"""One step of a workflow: once, in rounds, or for every item of a list; what it gives is kept before it is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from nonet.graphs.events import ArtifactKept, SubtaskFinished
from nonet.graphs.records import evidence_json, evidence_of
from nonet.graphs.workflow import conditions, keeping
from nonet.graphs.workflow.checking import Checked
from nonet.graphs.workflow.flow import FAILED, SKIPPED, WAITING, Ended, Flow, State, Value
from nonet.graphs.workflow.holding import Gate
from nonet.graphs.workflow.outputs import output_of
from nonet.graphs.workflow.step import Step
from nonet.graphs.workflow.values import accepts_none, digest_of_parts
from nonet.graphs.workflow.working import Job, run_once
from nonet.specialists import Evidence, Outcome, Verdict
from nonet.store import SubtaskRecord

RunSteps = Callable[[Flow, Checked, Mapping[str, Value], str], Awaitable[dict[str, Value]]]
"""Runs a workflow that is a step."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The workflow, or the part of one, that a step stands in."""

    values: Mapping[str, Value]
    """Inputs, and what earlier steps gave."""
    prefix: str
    """Of the ids under which its steps are kept."""
    steps: frozenset[str]
    """The names that are steps; the other values are inputs."""
    run_steps: RunSteps


async def perform(flow: Flow, step: Step[..., Any, Any], scope: Scope) -> Value:
    """Run the step, or find why not; what it gave.

    Raises:
        ResourceError, StoreError, BudgetSpentError: the run cannot go on at all.
    """
    started = time.monotonic()
    id_ = f"{scope.prefix}{step.name}"
    gate = Gate(flow, step, scope.values, id_)
    ended = await gate.closed()
    if ended is None:
        given = {name: scope.values[name] for name in step.needs if name in scope.values and name not in gate.left_out}
        performing = _Performing(flow, step, scope, id_, frozenset(gate.left_out))
        with flow.outlook.at_work(id_) if flow.outlook is not None else nullcontext():
            ended = await (performing.rounds(id_, given) if step.item is None else performing.every(step.item, given))
    if ended.record is not None:
        await _keep(flow, ended, top=not scope.prefix, seconds=time.monotonic() - started)
    return ended.value


async def _keep(flow: Flow, ended: Ended, *, top: bool, seconds: float) -> None:
    """Nothing goes on until it is on disk: a crash repeats nothing that has ended. Many steps share a commit."""
    record = ended.record
    assert record is not None  # the caller looked
    if record.seconds == 0.0 and not ended.reused:
        record = replace(record, seconds=seconds)
    if top:
        flow.context.records[record.id] = record
        if record.verdict == Verdict.FAILED:
            flow.missing.append(f"{record.id}: {keeping.why(record)}")
    if not ended.reused:
        flow.keep(record)
        await flow.kept()
    verdict = Verdict(record.verdict)
    flow.context.emit(SubtaskFinished(record.id, verdict, record.attempts, record.seconds, reused=ended.reused))
    if ended.value.state is State.DONE and flow.context.on_event is not None:
        flow.context.emit(ArtifactKept(record.id, ended.value.digest, ended.value.as_text()))


@dataclass(frozen=True, slots=True)
class _Performing:
    flow: Flow
    step: Step[..., Any, Any]
    scope: Scope
    id: str
    left_out: frozenset[str]

    async def every(self, item: tuple[str, str], given: Mapping[str, Value]) -> Ended:
        """For every item of a list, some at a time."""
        name, source = item
        item_type = given[source].type.item()
        try:
            texts = given[source].texts()
        except ValueError as error:
            return Ended(FAILED, keeping.failed(self.step, self.id, "type", f"it goes through {source!r}: {error}"))
        ends: list[_ItemEnd | None] = [None] * len(texts)
        left = iter(enumerate(texts))

        async def hand() -> None:
            for index, text in left:
                one = SKIPPED if text is None else Value.of(item_type, text)
                ended = await self.rounds(f"{self.id}[{index}]", {**given, name: one}, is_item=True)
                ends[index] = _ItemEnd.of(ended)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.step.definition.at_once, len(texts))):
                    group.create_task(hand())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first error that ends the run stands for all
        return self._gathered([each for each in ends if each is not None])

    def _gathered(self, ends: list[_ItemEnd]) -> Ended:
        count = len(ends)
        if any(each.value.state is State.WAITING for each in ends):
            return Ended(WAITING)
        failures = {index: each.why for index, each in enumerate(ends) if each.value.state is not State.DONE}
        annotation = self.step.one.annotation
        if failures and (annotation is Any or not accepts_none(annotation)):
            first = min(failures)
            detail = f"{len(failures)} of {count} items failed; {self.id}[{first}]: {failures[first]}"
            return Ended(FAILED, keeping.failed(self.step, self.id, "items", detail))
        for index, reason in failures.items():
            self.flow.context.notice("item", f"{self.id}[{index}] failed and is None: {reason}")
        texts = tuple(each.value.text if each.value.state is State.DONE else None for each in ends)
        value = Value.of_items(self.step.output, texts)
        if all(each.reused for each in ends) and (before := self.flow.finished(self.id, value.digest)) is not None:
            return Ended(value, before, reused=True)
        proved = not failures and {each.verdict for each in ends} == {str(Verdict.VERIFIED)}
        told = Evidence("items", passed=None if failures else True, detail=f"{count - len(failures)} of {count} items")
        outcome = Outcome("", Verdict.VERIFIED if proved else Verdict.UNVERIFIED, (told,), data={"items": count})
        attempts = sum(each.attempts for each in ends)
        return Ended(value, self._record(outcome, self.id, value.digest, attempts=attempts))

    async def rounds(self, id_: str, given: Mapping[str, Value], *, is_item: bool = False) -> Ended:
        """Once, or again until its condition is true, at most so often as it says."""
        definition = self.step.definition
        if definition.until is None:
            return await self._once(id_, given, is_item=is_item)
        until = conditions.parse(definition.until)
        known = {name: given[name].read() for name in until.names if name in given}
        carried: dict[str, Value] = {}
        ended = Ended(FAILED)
        for number in range(1, definition.at_most + 1):
            ended = await self._once(f"{id_}#{number}", given, is_item=True, carried=carried)
            if ended.value.state is not State.DONE:
                return self._renamed(ended, id_, is_item=is_item)
            try:
                if until.holds({**known, self.step.name: ended.value.read()}):
                    return self._renamed(ended, id_, is_item=is_item)
            except ValueError as error:
                return Ended(FAILED, keeping.failed(self.step, id_, "loop", f"its condition {error}"))
            if definition.carry is not None:
                carried = {definition.carry: ended.value}
        told = f"{definition.until} was not so after {definition.at_most} rounds; the last one stands"
        self.flow.context.notice("loop", f"{id_}: {told}")
        return self._renamed(ended, id_, is_item=is_item, doubt=told)

    def _renamed(self, ended: Ended, id_: str, *, is_item: bool, doubt: str = "") -> Ended:
        """The last round is what the step gave."""
        if ended.record is None:
            return ended
        record = replace(ended.record, id=id_)
        if doubt:
            evidence = (*evidence_of(record.evidence_json), Evidence("loop", passed=None, detail=doubt))
            record = replace(record, verdict=str(Verdict.UNVERIFIED), evidence_json=evidence_json(evidence))
        reused = ended.reused and self.flow.finished(id_, record.input_digest) is not None
        if is_item and not reused:
            self.flow.keep(record)
        return replace(ended, record=record, reused=reused)

    async def _once(
        self, id_: str, given: Mapping[str, Value], *, is_item: bool, carried: Mapping[str, Value] | None = None
    ) -> Ended:
        """One run of it, or what an earlier process made of the very same inputs."""
        seen = {name: value.digest for name, value in {**given, **(carried or {})}.items()}
        digest = digest_of_parts(self.flow.identity(self.step), seen)
        before = self.flow.finished(id_, digest)
        if before is not None:
            if self.step.definition.specialist is not None:
                self.flow.specialists.append(before.verdict)
            return Ended(keeping.value_of(self.step, before), before, reused=True)
        arguments = {**self._arguments(given), **(carried or {})}
        if self.step.workflow is not None:
            ended = await self._tried_within(id_, arguments, digest)
        else:
            ended = await run_once(self.flow, Job(self.step, id_, digest, arguments, given, self.scope.steps))
        if is_item and ended.record is not None:
            await _keep(self.flow, ended, top=False, seconds=ended.record.seconds)
        return ended

    async def _tried_within(self, id_: str, arguments: Mapping[str, Value], digest: str) -> Ended:
        """A workflow as one step, as often and as long as it says; another try begins where the last one failed."""
        definition = self.step.definition
        wait_seconds = definition.retry_wait_seconds
        for number in range(definition.retries + 1):
            clock = asyncio.timeout(definition.timeout_seconds)
            try:
                async with clock:
                    ended = await self._within(id_, arguments, digest)
            except TimeoutError:
                if not clock.expired():
                    raise
                detail = f"it was not done after {definition.timeout_seconds:g} s"
                ended = Ended(FAILED, keeping.failed(self.step, id_, "timeout", detail))
            if ended.value.state is not State.FAILED or number == definition.retries:
                break
            context = self.flow.context
            context.notice("retry", f"{id_} is tried again: {keeping.why(ended.record)}")
            await asyncio.sleep(wait_seconds)
            wait_seconds *= 2
            await self.flow.kept()
            context.finished = {**context.finished, **context.session.store.runs.finished(context.run)}
        return ended

    async def _within(self, id_: str, arguments: Mapping[str, Value], digest: str) -> Ended:
        """A workflow as one step."""
        assert self.step.workflow is not None  # the caller looked
        checked = self.step.workflow.checked()
        passed = dict(arguments)
        for name, parameter in checked.inputs.items():
            if name not in passed and not parameter.required:
                passed[name] = Value.of(parameter.type, parameter.type.to_text(parameter.default))
        started = time.monotonic()
        values = await self.scope.run_steps(self.flow, checked, passed, f"{id_}/")
        value = output_of(checked, values)
        if value.state is State.WAITING:
            return Ended(WAITING)
        if value.state is not State.DONE:
            reason = "a step of it failed" if value.state is State.FAILED else "its output was skipped"
            return Ended(FAILED, keeping.failed(self.step, id_, "workflow", reason))
        text = value.as_text()
        seconds = time.monotonic() - started
        outcome = Outcome(text, Verdict.UNVERIFIED, (Evidence("workflow", passed=True, detail="its steps are done"),))
        record = self._record(outcome, id_, digest, seconds=seconds)
        return Ended(keeping.value_of(self.step, record), record)

    def _arguments(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """By parameter: what it gets. Skipped sources are left out, or None where a parameter has no default."""
        found: dict[str, Value] = {}
        for parameter in self.step.parameters:
            source = self.step.source_of(parameter.name)
            if source in given:
                found[parameter.name] = given[source]
            elif source in self.left_out and parameter.required:
                found[parameter.name] = SKIPPED
        return found

    def _record(
        self, outcome: Outcome, id_: str, digest: str, *, attempts: int = 0, seconds: float = 0.0
    ) -> SubtaskRecord:
        inputs = tuple(name for name in self.step.needs if name in self.scope.steps)
        return keeping.record(
            self.step, outcome, id_=id_, digest=digest, inputs=inputs, attempts=attempts, seconds=seconds
        )


@dataclass(frozen=True, slots=True)
class _ItemEnd:
    """What is remembered of an item."""

    value: Value
    verdict: str
    attempts: int
    reused: bool
    why: str

    @classmethod
    def of(cls, ended: Ended) -> _ItemEnd:
        record = ended.record
        reason = keeping.why(record) if ended.value.state is not State.DONE else ""
        if record is None:
            return cls(ended.value, "", 0, ended.reused, reason)
        return cls(ended.value, record.verdict, record.attempts, ended.reused, reason)
