"""Starts a run of a workflow, or goes on with one: the run's row, its lease, its inputs, and how it ended."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nonet.agents.composer import Composition
from nonet.agents.plan import Plan, Subtask
from nonet.errors import UsageError
from nonet.graphs.drive import Ended, lead
from nonet.graphs.events import PlanReady
from nonet.graphs.outlook import PlanOutlook
from nonet.graphs.records import WORKFLOW, citations_of, result_of_run, workflow_of_run
from nonet.graphs.run import attach, bounds_of, budget_of, new_context, renewed_limits
from nonet.graphs.session import owner
from nonet.graphs.workflow import keeping
from nonet.graphs.workflow.definition import differences
from nonet.graphs.workflow.engine import run_steps
from nonet.graphs.workflow.flow import ANSWERS, SKIPPED, WAITING_FOR, Answer, Flow, State, Value
from nonet.graphs.workflow.outputs import output_of
from nonet.graphs.workflow.place import WorkflowError, wrong
from nonet.graphs.workflow.result import WorkflowResult
from nonet.runtimes.lines import Priority
from nonet.specialists import Verdict
from nonet.store import SubtaskRecord

if TYPE_CHECKING:
    from nonet.graphs.budget import Limits
    from nonet.graphs.context import RunContext
    from nonet.graphs.events import OnEvent
    from nonet.graphs.session import Session
    from nonet.graphs.turns import Turn
    from nonet.graphs.workflow.flow import AskPerson
    from nonet.graphs.workflow.workflow import Answers, Workflow
    from nonet.store import RunRecord

T = TypeVar("T")

IDENTITY = "workflow:identity"
"""The id under which a run keeps what its workflow was."""
PLANNER = "workflow"
"""Who made the plan of such a run."""
_INPUT = "input:"
_SHOWN_CHARACTERS = 60


class ChangedWorkflowError(WorkflowError):
    """The workflow is not the one that the run was started with."""


async def start(
    session: Session,
    workflow: Workflow[T],
    inputs: Mapping[str, Any],
    *,
    documents: Sequence[str | PathLike[str]] = (),
    attached: Sequence[str] = (),
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
            finished=finished,
            ask=ask,
            on_event=on_event,
        )
        flow.calls_models = calls_models
        flow.context.priority = priority
        return await _led(flow, workflow, values, resumed=False)


async def begun(
    session: Session,
    workflow: Workflow[Any],
    inputs: Mapping[str, Any],
    turn: Turn,
    *,
    documents: Sequence[str | PathLike[str]] = (),
    attached: Sequence[str] = (),
    finished: Mapping[str, SubtaskRecord] | None = None,
    ask: AskPerson | None = None,
    on_event: OnEvent | None = None,
) -> tuple[Flow, dict[str, Value]]:
    """A new run, leased, that has its inputs and no step yet. Raises as `start`."""
    values = given_values(workflow, inputs)
    check_staff(session, workflow)
    session.store.check_writable()
    names = (*attached, *await attach(session, [Path(each) for each in documents], on_event))
    runs = session.store.runs
    task = headline(workflow, values)
    options = {
        WORKFLOW: {"name": workflow.name, "file": file_of(workflow), "module": workflow.module},
        **bounds_of(session),
    }
    lease = runs.create(task, runtime=session.runtime.name, documents=names, options=options, owner=owner())
    turn.end()  # nothing is planned, so that nobody waits for it
    context = new_context(session, lease, turn, task, names, on_event=on_event)
    for record in _opening(workflow, values):
        runs.finish_subtask(lease, record)
    context.plan = plan_of_workflow(workflow)
    runs.save_plan(lease, context.plan.model_dump_json(), PLANNER)
    for record in (finished or {}).values():
        runs.finish_subtask(lease, record)
    context.finished = finished or {}
    return Flow(context, ask, options), values


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


async def taken_up(
    session: Session,
    workflow: Workflow[Any],
    found: RunRecord,
    turn: Turn,
    *,
    changed: Sequence[str] = (),
    limits: Limits | None = None,
    ask: AskPerson | None = None,
    on_event: OnEvent | None = None,
) -> tuple[Flow, dict[str, Value]]:
    """A run that exists, leased, with its inputs and all that was finished of it.

    Raises:
        RunLeasedError: a living process works on it.
    """
    runs = session.store.runs
    lease = await runs.lease(found.id, owner())
    turn.end()
    context = new_context(session, lease, turn, found.task, found.documents, on_event=on_event)
    context.budget = budget_of(session, renewed_limits(session, lease, found, limits), found)
    context.finished = {each.id: each for each in found.subtasks}
    context.notes = [each.text for each in found.notes]
    context.plan = plan_of_workflow(workflow)
    if changed:
        context.notice("workflow", f"goes on with a changed workflow: {'; '.join(changed)}")
        for record in _opening(workflow, {}):
            runs.finish_subtask(lease, record)
        runs.save_plan(lease, context.plan.model_dump_json(), PLANNER)
    return Flow(context, ask, {**found.options}), _kept_inputs(workflow, context.finished)


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
    _check_kind(workflow, found)
    checked = workflow.checked()
    for name in again:
        if name not in checked.steps:
            raise wrong(f"The workflow {workflow.name!r} has no step {name!r}", workflow.place)
    before = {name: value.read() for name, value in _kept_inputs(workflow, records).items()}
    redone = _with_readers(checked.reads, again)
    kept = {
        each.id: each
        for each in found.subtasks
        if each.verdict != Verdict.FAILED
        and not each.id.startswith(_INPUT)
        and each.id != IDENTITY
        and _root(each.id) not in redone
        and (not replay or each.model)
    }
    return await start(
        session,
        workflow,
        {**before, **(inputs or {})},
        documents=(),
        finished=kept,
        calls_models=not replay,
        ask=ask,
        on_event=on_event,
    )


async def _led(flow: Flow, workflow: Workflow[T], values: Mapping[str, Value], *, resumed: bool) -> WorkflowResult[T]:
    context, checked = flow.context, workflow.checked()
    reached: dict[str, Value] = {}

    async def work() -> Ended:
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
    if not reached:
        reached = {name: kept_value(workflow, name, context.records) for name in checked.steps}
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


def given_values(workflow: Workflow[Any], inputs: Mapping[str, Any]) -> dict[str, Value]:
    """The inputs, each of its type. Raises WorkflowError for what is missing, unknown or of another type."""
    wanted = workflow.checked().inputs
    unknown = [name for name in inputs if name not in wanted]
    if unknown:
        takes = ", ".join(wanted) or "none"
        raise WorkflowError(
            f"The workflow {workflow.name!r} has no input {unknown[0]!r}.", next_step=f"It takes: {takes}."
        )
    values = {}
    for name, parameter in wanted.items():
        if name not in inputs and parameter.required:
            readers = [each for each in workflow.steps if name in each.needs]
            by = f" It is read by step {readers[0].name!r} ({readers[0].place})." if readers else ""
            raise WorkflowError(
                f"The workflow {workflow.name!r} needs the input {name!r} ({parameter.type.name}).{by}",
                next_step=f"Give it: {{{name!r}: ...}}, or --input {name}=...",
            )
        given = inputs.get(name, parameter.default)
        try:
            values[name] = Value.of(parameter.type, parameter.type.to_text(parameter.type.checked(given)))
        except ValueError as error:
            raise WorkflowError(
                f"The input {name!r} of the workflow {workflow.name!r} does not fit: {error}."
            ) from error
    return values


def check_staff(session: Session, workflow: Workflow[Any]) -> None:
    """Raise WorkflowError unless the session has every specialist that the workflow wants."""
    for step in workflow.steps:
        wanted = step.definition.specialist
        if wanted is not None and wanted not in session.ladders:
            raise step.wrong(
                f"Step {step.name!r} wants the specialist {wanted!r}, which this session does not have",
                next_step=f"It has: {', '.join(session.specialists)}. Open it with `specialists=` to give it more.",
            )
        if step.workflow is not None:
            check_staff(session, step.workflow)


def plan_of_workflow(workflow: Workflow[Any]) -> Plan:
    """The steps as the subtasks of a plan: what doors show of a run."""
    checked = workflow.checked()
    return Plan(
        planner=PLANNER,
        subtasks=tuple(
            Subtask(
                id=name,
                specialist=keeping.doer(step),
                instruction=keeping.described(step),
                inputs=checked.reads[name],
            )
            for name, step in checked.steps.items()
        ),
    )


def headline(workflow: Workflow[Any], values: Mapping[str, Value]) -> str:
    """What stands where other runs have their task."""
    said = []
    for name, value in values.items():
        text = " ".join(value.as_text().split())
        said.append(f"{name}={text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + '...'}")
    return f"{workflow.name}({', '.join(said)})"


def file_of(workflow: Workflow[Any]) -> str:
    """Where it was written, to find it again; empty for what was typed into a shell."""
    file = workflow.place.file if workflow.place is not None else ""
    return os.path.abspath(file) if file and not file.startswith("<") else ""  # noqa: PTH100  follows no links


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


def changes(workflow: Workflow[Any], found: RunRecord, records: Mapping[str, SubtaskRecord]) -> list[str]:
    """What differs between the workflow and the one that the run was started with. Raises as `_check_kind`."""
    _check_kind(workflow, found)
    kept = records.get(IDENTITY)
    return differences(json.loads(kept.text), json.loads(_identity_text(workflow))) if kept is not None else []


def _check_kind(workflow: Workflow[Any], found: RunRecord) -> None:
    option = workflow_of_run(found)
    if option is None:
        raise UsageError(f"Run {found.id} is no run of a workflow.", next_step=f"See `nonet runs show {found.id}`.")
    if option.get("name") != workflow.name:
        raise UsageError(f"Run {found.id} is of the workflow {option.get('name')!r}, not of {workflow.name!r}.")


def changed_error(workflow: Workflow[Any], found: RunRecord, changed: Sequence[str]) -> ChangedWorkflowError:
    """That says what differs."""
    return ChangedWorkflowError(
        f"The workflow {workflow.name!r} is not what it was when run {found.id} was started: {'; '.join(changed)}.",
        kept="The run is as it was.",
        next_step="Go on all the same with force=True (--force): what did not change stands, the rest is done again.",
    )


def _identity_text(workflow: Workflow[Any]) -> str:
    return json.dumps(workflow.identity(), sort_keys=True)


def _opening(workflow: Workflow[Any], values: Mapping[str, Value]) -> list[SubtaskRecord]:
    """What is kept of a run before its first step: what the workflow is, and what it was given."""
    texts = {IDENTITY: _identity_text(workflow)} | {f"{_INPUT}{name}": each.as_text() for name, each in values.items()}
    return [
        SubtaskRecord(
            id=id_,
            specialist=keeping.INPUT,
            instruction=id_.removeprefix(_INPUT),
            verdict=str(Verdict.UNVERIFIED),
            text=text,
        )
        for id_, text in texts.items()
    ]


def _kept_inputs(workflow: Workflow[Any], records: Mapping[str, SubtaskRecord]) -> dict[str, Value]:
    """What the run was given; what the workflow wants by now and it was not gets its default."""
    inputs = workflow.checked().inputs
    kept = {
        name: parameter.type.of_text(records[_INPUT + name].text)
        for name, parameter in inputs.items()
        if _INPUT + name in records
    }
    return given_values(workflow, kept)


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
