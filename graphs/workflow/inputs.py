"""What a workflow is given, and whether a session has what it needs: looked at before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nonet.errors import WorkflowError
from nonet.graphs.workflow.flow import Value

if TYPE_CHECKING:
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.workflow import Workflow


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
            raise _missing(workflow, name, parameter.type.name)
        given = inputs.get(name, parameter.default)
        try:
            values[name] = Value.of(parameter.type, parameter.type.to_text(parameter.type.checked(given)))
        except ValueError as error:
            raise WorkflowError(
                f"The input {name!r} of the workflow {workflow.name!r} does not fit: {error}."
            ) from error
    return values


def _missing(workflow: Workflow[Any], name: str, wanted: str) -> WorkflowError:
    """An input that nobody gave; perhaps a step was meant, whose name was mistyped."""
    readers = [each for each in workflow.steps if name in each.needs]
    by = f" It is read by step {readers[0].name!r} ({readers[0].place})." if readers else ""
    near = difflib.get_close_matches(name, [each.name for each in workflow.steps], n=1, cutoff=0.8)
    meant = f"If the step {near[0]!r} was meant, correct the name. " if near else ""
    return WorkflowError(
        f"The workflow {workflow.name!r} needs the input {name!r} ({wanted}).{by}",
        next_step=f"{meant}Give it: {{{name!r}: ...}}, or --input {name}=...",
    )


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
