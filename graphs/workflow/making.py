"""Makes a step of its parts; what the decorator and the builder both call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from pydantic import ValidationError

from nonet.graphs.workflow.definition import StepDefinition
from nonet.graphs.workflow.place import Place, wrong
from nonet.graphs.workflow.signatures import path_of
from nonet.graphs.workflow.step import Step, StepOptions
from nonet.graphs.workflow.typenames import text_of, type_of
from nonet.graphs.workflow.values import ValueType, problems

if TYPE_CHECKING:
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.specialists import Specialist


class DecoratorOptions(StepOptions, total=False):
    """What may be said of a step that a function becomes."""

    name: str
    """What other steps read it by. Unset: the name of the function."""


def step_of(
    function: Callable[..., Any] | None,
    *,
    specialist: str | Specialist | None = None,
    workflow: Workflow[Any] | None = None,
    instruction: str | None = None,
    returns: Any = None,  # noqa: ANN401  a type
    each: str | None = None,
    place: Place | None,
    **options: Unpack[DecoratorOptions],
) -> Step[..., Any, Any]:
    """A step of its parts; what both styles call. Raises WorkflowError."""
    function = function.function if isinstance(function, Step) else function
    given: dict[str, Any] = dict(options)
    name = given.pop("name", None) or getattr(function, "__name__", "") or getattr(workflow, "name", "")
    named = specialist if isinstance(specialist, str) or specialist is None else specialist.name
    if returns is None and not isinstance(specialist, str):
        returns = getattr(specialist, "output", None)  # one of the user's own may have an output type
    output = None if returns is None else _type(returns)
    given["reads"] = tuple(_name(each) for each in given.get("reads", ()))
    given["arguments"] = {key: _name(value) for key, value in dict(given.get("arguments", {})).items()}
    try:
        definition = StepDefinition(
            name=str(name),
            specialist=named,
            function=path_of(function) if function is not None else None,
            workflow=workflow.definition if workflow is not None else None,
            instruction=instruction,
            each=each,
            **given,
        )
    except ValueError as error:
        said = problems(error, "step") if isinstance(error, ValidationError) else str(error)
        raise wrong(f"Step {name!r}: {said}", place) from error
    made: Step[..., Any, Any] = Step(
        definition,
        function=function,
        specialist=None if isinstance(specialist, str) else specialist,
        workflow=workflow,
        returns=output,
        place=place,
    )
    try:
        said_type = text_of(made.one)
    except TypeError:
        said_type = "any"  # a function's output that JSON schema cannot say, and pydantic keeps
    made.definition = definition.model_copy(update={"output": said_type})
    return made


def _type(returns: Any) -> ValueType:  # noqa: ANN401
    return type_of(dict(returns)) if isinstance(returns, Mapping) else ValueType(returns)


def _name(step: str | Step[..., Any, Any]) -> str:
    return step if isinstance(step, str) else step.name
