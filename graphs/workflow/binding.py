"""Makes a workflow of its data: functions, types and workflows are found by their import paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nonet.graphs.workflow.definition import InputDefinition, StepDefinition, WorkflowDefinition
from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.signatures import Parameter, at_path
from nonet.graphs.workflow.step import Step
from nonet.graphs.workflow.typenames import type_of
from nonet.graphs.workflow.workflow import Workflow


def bound(definition: WorkflowDefinition, places: Mapping[str, Place], place: Place | None) -> Workflow[Any]:
    """As Workflow.from_definition. Raises WorkflowError."""
    return _bound(definition, places, place, "")


def _bound(
    definition: WorkflowDefinition, places: Mapping[str, Place], place: Place | None, prefix: str
) -> Workflow[Any]:
    steps = [_step(each, places, places.get(prefix + each.name, place), prefix) for each in definition.steps]
    inputs = {name: _input(name, each, place) for name, each in definition.inputs.items()}
    return Workflow(
        definition.name,
        steps,
        output=definition.output,
        inputs=inputs or None,
        description=definition.description,
        place=place,
    )


def _step(
    definition: StepDefinition, places: Mapping[str, Place], place: Place | None, prefix: str
) -> Step[..., Any, Any]:
    try:
        found = at_path(definition.function) if definition.function is not None else None
        returns = type_of(definition.output) if definition.specialist is not None else None
    except ValueError as error:
        raise wrong(f"Step {definition.name!r}: {error}", place) from error
    function = found.function if isinstance(found, Step) else found
    if function is not None and not callable(function):
        raise wrong(f"Step {definition.name!r}: {definition.function!r} is no function", place)
    inner = None
    if definition.workflow is not None:
        inner = _bound(definition.workflow, places, place, f"{prefix}{definition.name}.")
    return Step(definition, function=function, workflow=inner, returns=returns, place=place)


def _input(name: str, definition: InputDefinition, place: Place | None) -> Parameter:
    try:
        type_ = type_of(definition.type)
        default = None if definition.required else type_.checked(definition.default)
    except ValueError as error:
        raise wrong(f"The input {name!r}: {error}", place) from error
    return Parameter(name, type_, definition.required, default)
