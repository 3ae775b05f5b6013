"""Runs a workflow, goes on with a run, or makes a new one from an old one; and how each ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from nonet.agents.composer import Composition
from nonet.errors import UsageError
from nonet.graphs.drive import Ended, lead
from nonet.graphs.events import PlanReady
from nonet.graphs.outlook import PlanOutlook
from nonet.graphs.records import citations_of, result_of_run
from nonet.graphs.scope import scope_of_run
from nonet.graphs.workflow import keeping
from nonet.graphs.workflow.changed import IDENTITY, changed_error, changes, check_kind
from nonet.graphs.workflow.engine import run_steps
from nonet.graphs.workflow.flow import ANSWERS, SKIPPED, WAITING_FOR, Answer, Flow, State, Value
from nonet.graphs.workflow.inputs import check_staff
from nonet.graphs.workflow.opening import INPUT, begun, kept_inputs, taken_up
from nonet.graphs.workflow.outputs import output_of
from nonet.graphs.workflow.place import wrong
from nonet.graphs.workflow.result import WorkflowResult
from nonet.runtimes.lines import Priority
from nonet.specialists import Verdict
from nonet.store import SubtaskRecord

if TYPE_CHECKING:
    from nonet.graphs.budget import Limits
    from nonet.graphs.context import RunContext
    from nonet.graphs.events import OnEvent
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.flow import AskPerson
    from nonet.graphs.workflow.ways import Answers
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.store import Filter, RunRecord

T = TypeVar("T")


async def start(
    session: Session,
    workflow: Workflow[T],
    inputs: Mapping[str, Any],
    *,
    documents: Sequence[str | PathLike[str]] = (),
    attached: Sequence[str] = (),
    scope: Filter | None = None,
    finished: Mapping[str, SubtaskRecord] | None = None,
    calls_models: bool = True,
    ask: AskPerson | None = None,
    priority: Priority = Priority.INTERACTIVE,
    on_event: OnEvent | None = None,
) -> WorkflowResult[T]:
    """Run a workflow.

    Args:
        documents: files or folders that retrieval steps search, and nothing else.
        attached: the same of what the collection has, by name.
        scope: what they search where no document is named; that of the settings unless given.
        finished: steps of another run, to be taken over where they read the very same.
        calls_models: False: only functions run; what a specialist said must be among `finished`.
        ask: asks a person; without it the run is left waiting.

    Raises:
        WorkflowError: an input is missing, unknown, or not of its type; nothing is stored then.
        ResourceError, StoreError: the run stopped; what was finished is kept.
    """
    async with session.turns.take() as turn:
        flow, values = await begun(
            session,
            workflow,
            inputs,
            turn,
            documents=documents,
            attached=attached,
            scope=scope,
            finished=finished,
            ask=ask,
            on_event=on_event,
        )
        flow.calls_models = calls_models
        flow.context.priority = priority
        return await _led(flow, workflow, values, resumed=False)


async def resume(
    session: Session,
    workflow: Workflow[T],
    run_id: str,
    *,
    force: bool = False,
    answers: Answers | None = None,
    limits: Limits | None = None,
    ask: AskPerson | None = None,
    priority: Priority = Priority.INTERACTIVE,
    on_event: OnEvent | None = None,
) -> WorkflowResult[T]:
    """Go on with a run that was interrupted, failed, or waits; finished steps are not repeated.

    Args:
        force: go on though the workflow has changed; steps that read the same and did not change stand.
        answers: to what the run waits for, by step; True or False for all of it.
        limits: take the place of those of the run.

    Raises:
        ChangedWorkflowError: the workflow is not the one that the run was started with; says what differs.
        RunNotFoundError, RunLeasedError: as they say.
    """
    found = session.store.runs.get(run_id)
    records = {each.id: each for each in found.subtasks}
    changed = changes(workflow, found, records)
    if changed and not force:
        raise changed_error(workflow, found, changed)
    check_staff(session, workflow)
    if found.status in ("done", "refused") and not changed:
        return stored_result(workflow, found)
    async with session.turns.take() as turn:
        flow, values = await taken_up(
            session, workflow, found, turn, changed=changed, limits=limits, ask=ask, on_event=on_event
        )
        flow.context.priority = priority
        flow.answers = _answers(found, answers)
        return await _led(flow, workflow, values, resumed=True)


async def fork(
    session: Session,
    workflow: Workflow[T],
    run_id: str,
    *,
    again: Collection[str] = (),
    inputs: Mapping[str, Any] | None = None,
    replay: bool = False,
    ask: AskPerson | None = None,
    on_event: OnEvent | None = None,
) -> WorkflowResult[T]:
    """A new run from an old one: what reads the very same is taken over, the rest is done again.

    Args:
        again: steps to do again, with all that read them; failed ones are done again in any case.
        inputs: those that are to be others.
        replay: only functions run, all of them anew; what specialists said stands, and no model is asked.

    Raises:
        WorkflowError: no such step or input, or the run is of another workflow.
    """
    found = session.store.runs.get(run_id)
    records = {each.id: each for each in found.subtasks}
    check_kind(workflow, found)
    checked = workflow.checked()
    for name in again:
        if name not in checked.steps:
            raise wrong(f"The workflow {workflow.name!r} has no step {name!r}", workflow.place)
    before = {name: value.read() for name, value in kept_inputs(workflow, records).items()}
    redone = _with_readers(checked.reads, again)
    kept = {
        each.id: each
        for each in found.subtasks
        if each.verdict != Verdict.FAILED
        and not each.id.startswith(INPUT)
        and each.id != IDENTITY
        and _root(each.id) not in redone
        and (not replay or each.model)
    }
    return await start(
        session,
        workflow,
        {**before, **(inputs or {})},
        documents=(),
        scope=scope_of_run(found),
        finished=kept,
        calls_models=not replay,
        ask=ask,
        on_event=on_event,
    )


async def _led(flow: Flow, workflow: Workflow[T], values: Mapping[str, Value], *, resumed: bool) -> WorkflowResult[T]:
    context, checked = flow.context, workflow.checked()
    reached: dict[str, Value] = {}

    async def work() -> Ended:
        await flow.kept()  # a run that was killed in its first step is there to be taken up
        plan = context.accepted_plan()
        context.emit(PlanReady(context.run, plan))
        flow.outlook = PlanOutlook(context.session.scheduler.outlook, context.session.ladders, context.priority)
        try:
            with flow.outlook.of(plan):
                reached.update(await run_steps(flow, checked, values))
        finally:
            flow.close()
        return ended_of(flow, workflow, reached)

    def so_far(_context: RunContext) -> Mapping[str, Any]:
        open_ = [name for name in checked.steps if name not in context.records]
        return {"verdict": str(Verdict.FAILED), "missing": [*flow.missing, *(f"{each} was not run" for each in open_)]}

    ran = await lead(context, work, so_far, resumed=resumed)
    if not reached:  # its budget was spent
        kept = context.session.store.runs.finished(context.run)
        reached = {name: kept_value(workflow, name, kept) for name in checked.steps}
    return WorkflowResult(workflow.name, ran, reached, output_of(checked, reached), tuple(flow.waiting))


def ended_of(flow: Flow, workflow: Workflow[Any], reached: Mapping[str, Value]) -> Ended:
    """How a run stands whose steps came to these values."""
    out = output_of(workflow.checked(), reached)
    citations = [quote for each in flow.context.records.values() for quote in citations_of(each.citations_json)]
    answer = out.as_text() if out.state is State.DONE else ""
    flow.context.composition = Composition(answer, tuple(dict.fromkeys(citations)))
    flow.keep_answers()
    if flow.waiting:
        return "waiting", {}
    if flow.missing or out.state is State.FAILED:
        return "failed", {"verdict": str(Verdict.FAILED), "missing": flow.missing}
    if out.state is State.SKIPPED and "refuse" in flow.answers.values():
        return "refused", {}
    proved = bool(flow.specialists) and set(flow.specialists) == {str(Verdict.VERIFIED)}
    return "done", {"verdict": str(Verdict.VERIFIED if proved else Verdict.UNVERIFIED)}


def stored_result(workflow: Workflow[T], found: RunRecord) -> WorkflowResult[T]:
    """A run that is kept, as its result."""
    records = {each.id: each for each in found.subtasks}
    values = {name: kept_value(workflow, name, records) for name in workflow.checked().steps}
    return WorkflowResult(workflow.name, result_of_run(found), values, output_of(workflow.checked(), values))


def kept_value(workflow: Workflow[Any], name: str, records: Mapping[str, SubtaskRecord]) -> Value:
    """What a step gave, from what is kept of the run."""
    step, kept = workflow.checked().steps[name], records.get(name)
    if kept is None:
        return SKIPPED
    if kept.verdict == Verdict.FAILED:
        return Value(State.FAILED)
    if step.item is None:
        return keeping.value_of(step, kept)
    count = int(json.loads(kept.data_json).get("items", 0))
    items = [records.get(f"{name}[{index}]") for index in range(count)]
    texts = tuple(None if each is None or each.verdict == Verdict.FAILED else each.text for each in items)
    return Value.of_items(step.output, texts)


def _answers(found: RunRecord, said: Answers | None) -> dict[str, Answer]:
    answers: dict[str, Answer] = dict(found.options.get(ANSWERS, {}))
    if said is None:
        return answers
    waiting = found.options.get(WAITING_FOR, [])
    given = dict.fromkeys(waiting, said) if isinstance(said, bool) else said
    unknown = [name for name in given if name not in waiting]
    if unknown:
        waits = f"It waits for: {', '.join(waiting)}." if waiting else "It waits for nothing."
        raise UsageError(f"Run {found.id} does not wait for an answer to {unknown[0]!r}.", next_step=waits)
    return answers | {name: "accept" if yes else "refuse" for name, yes in given.items()}


def _root(id_: str) -> str:
    """The step of the workflow itself that a kept id belongs to."""
    for mark in "[#/":
        id_ = id_.partition(mark)[0]
    return id_


def _with_readers(reads: Mapping[str, tuple[str, ...]], again: Collection[str]) -> frozenset[str]:
    redone = set(again)
    for name, sources in reads.items():  # in order: what a step reads comes before it
        if redone.intersection(sources):
            redone.add(name)
    return frozenset(redone)
