"""Opens a run of a workflow: its row, its lease, its inputs and its plan; a new one, or one that is to go on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.records import WORKFLOW
from nonet.graphs.run import attach, bounds_of, budget_of, new_context, renewed_limits
from nonet.graphs.scope import scope_of_run
from nonet.graphs.session import owner
from nonet.graphs.workflow import keeping
from nonet.graphs.workflow.changed import IDENTITY, identity_text
from nonet.graphs.workflow.flow import Flow, Value
from nonet.graphs.workflow.inputs import check_staff, given_values
from nonet.specialists import Verdict
from nonet.store import SubtaskRecord

if TYPE_CHECKING:
    from nonet.graphs.budget import Limits
    from nonet.graphs.events import OnEvent
    from nonet.graphs.session import Session
    from nonet.graphs.turns import Turn
    from nonet.graphs.workflow.flow import AskPerson
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.store import Filter, RunRecord

PLANNER = "workflow"
"""Who made the plan of such a run."""
INPUT = "input:"
"""How the ids begin under which its inputs are kept."""
_SHOWN_CHARACTERS = 60


async def begun(
    session: Session,
    workflow: Workflow[Any],
    inputs: Mapping[str, Any],
    turn: Turn,
    *,
    documents: Sequence[str | PathLike[str]] = (),
    attached: Sequence[str] = (),
    scope: Filter | None = None,
    finished: Mapping[str, SubtaskRecord] | None = None,
    ask: AskPerson | None = None,
    on_event: OnEvent | None = None,
) -> tuple[Flow, dict[str, Value]]:
    """A new run, leased, that has its inputs and no step yet. Raises as launch.start."""
    values = given_values(workflow, inputs)
    check_staff(session, workflow)
    session.store.check_writable()
    names = (*attached, *await attach(session, [Path(each) for each in documents], on_event))
    runs = session.store.runs
    task = headline(workflow, values)
    options = {
        WORKFLOW: {"name": workflow.name, "file": file_of(workflow), "module": workflow.module},
        **bounds_of(session, scope),
    }
    lease = runs.create(task, runtime=session.runtime.name, documents=names, options=options, owner=owner())
    turn.end()  # nothing is planned, so that nobody waits for it
    context = new_context(session, lease, turn, task, names, scope=scope, on_event=on_event)
    for record in opening_records(workflow, values):
        runs.finish_subtask(lease, record)
    context.plan = plan_of_workflow(workflow)
    runs.save_plan(lease, context.plan.model_dump_json(), PLANNER)
    for record in (finished or {}).values():
        runs.finish_subtask(lease, record)
    context.finished = finished or {}
    return Flow(context, ask, options), values


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
    scope = scope_of_run(found)
    context = new_context(session, lease, turn, found.task, found.documents, scope=scope, on_event=on_event)
    context.budget = budget_of(session, renewed_limits(session, lease, found, limits), found)
    context.finished = {each.id: each for each in found.subtasks}
    context.notes = [each.text for each in found.notes]
    context.plan = plan_of_workflow(workflow)
    if changed:
        context.notice("workflow", f"goes on with a changed workflow: {'; '.join(changed)}")
        for record in opening_records(workflow, {}):
            runs.finish_subtask(lease, record)
        runs.save_plan(lease, context.plan.model_dump_json(), PLANNER)
    return Flow(context, ask, {**found.options}), kept_inputs(workflow, context.finished)


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


def opening_records(workflow: Workflow[Any], values: Mapping[str, Value]) -> list[SubtaskRecord]:
    """What is kept of a run before its first step: what the workflow is, and what it was given."""
    texts = {IDENTITY: identity_text(workflow)} | {f"{INPUT}{name}": each.as_text() for name, each in values.items()}
    return [
        SubtaskRecord(
            id=id_,
            specialist=keeping.INPUT,
            instruction=id_.removeprefix(INPUT),
            verdict=str(Verdict.UNVERIFIED),
            text=text,
        )
        for id_, text in texts.items()
    ]


def kept_inputs(workflow: Workflow[Any], records: Mapping[str, SubtaskRecord]) -> dict[str, Value]:
    """What the run was given; what the workflow wants by now and it was not gets its default."""
    inputs = workflow.checked().inputs
    kept = {
        name: parameter.type.of_text(records[INPUT + name].text)
        for name, parameter in inputs.items()
        if INPUT + name in records
    }
    return given_values(workflow, kept)
