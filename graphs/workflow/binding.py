"""Makes a workflow of its data: functions, types and workflows are found by their import paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nonet.graphs.workflow.definition import InputDefinition, StepDefinition, WorkflowDefinition
from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.signatures import Parameter, at_path
from nonet.graphs.workflow.step import Step
from nonet.graphs.workflow.typenames import type_of

if TYPE_CHECKING:
    from nonet.graphs.workflow.workflow import Workflow


def bound(
    kind: type[Workflow[Any]],
    definition: WorkflowDefinition,
    places: Mapping[str, Place],
    place: Place | None,
    prefix: str = "",
) -> Workflow[Any]:
    """As Workflow.from_definition.

    Args:
        kind: what is made of the definition, and of those within it.
        definition: the data.
        places: by the name of a step, where it was written.
        place: where the whole was written.
        prefix: of the names in `places`, for a workflow that is a step.

    Raises:
        WorkflowError: it cannot be made.
    """
    steps = [_step(kind, each, places, places.get(prefix + each.name, place), prefix) for each in definition.steps]
    inputs = {name: _input(name, each, place) for name, each in definition.inputs.items()}
    return kind(
        definition.name,
        steps,
        output=definition.output,
        inputs=inputs or None,
        description=definition.description,
        place=place,
    )


def _step(
    kind: type[Workflow[Any]],
    definition: StepDefinition,
    places: Mapping[str, Place],
    place: Place | None,
    prefix: str,
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
        inner = bound(kind, definition.workflow, places, place, f"{prefix}{definition.name}.")
    return Step(definition, function=function, workflow=inner, returns=returns, place=place)


def _input(name: str, definition: InputDefinition, place: Place | None) -> Parameter:
    try:
        type_ = type_of(definition.type)
        default = None if definition.required else type_.checked(definition.default)
    except ValueError as error:
        raise wrong(f"The input {name!r}: {error}", place) from error
    return Parameter(name, type_, definition.required, default)
