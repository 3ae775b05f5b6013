"""A user's workflow as the work of a queue: the text of each document is its only input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.errors import UsageError
from nonet.graphs.workflow import launch
from nonet.graphs.workflow.alone import own_specialists
from nonet.graphs.workflow.files import SUFFIXES
from nonet.graphs.workflow.loading import known_workflows, load_workflow
from nonet.graphs.workflow.opening import file_of
from nonet.runtimes.lines import Priority

if TYPE_CHECKING:
    from nonet.graphs.events import OnEvent
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.workflow import Workflow

_FILES = (".py", *SUFFIXES)
_LOADED: dict[str, Workflow[Any]] = {}
"""By reference: a queue's documents share one."""


def is_workflow(name: str, declared: Mapping[str, str]) -> bool:
    """Whether it names a user's workflow, there or not: by a known name, or as a place."""
    return ":" in name or name.endswith(_FILES) or name in known_workflows(declared)


def reference_of(name: str, declared: Mapping[str, str]) -> str:
    """What is kept with the queue: the same place from whatever folder, and whatever nonet.toml says by then."""
    place = known_workflows(declared).get(name, name)
    path, colon, inner = place.rpartition(":") if not place.endswith(_FILES) else (place, "", "")
    if path.endswith(_FILES):
        return f"{Path(path).absolute()}{colon}{inner}"
    return place


def workflow_of(reference: str) -> Workflow[Any]:
    """Load it, once a process. Raises WorkflowError."""
    if reference not in _LOADED:
        _LOADED[reference] = load_workflow(reference, {})
    return _LOADED[reference]


def input_for_documents(workflow: Workflow[Any]) -> str:
    """The input that gets a document's text. Raises UsageError where it is not plain which."""
    inputs = [name for name, each in workflow.inputs.items() if each.required]
    if len(inputs) != 1:
        raise UsageError(
            f"The workflow {workflow.name!r} needs {', '.join(inputs) or 'no input'}; a document is one text.",
            next_step="Leave one input without a default.",
        )
    asked = [step.name for step in workflow.steps if step.definition.approve is not None]
    if asked:
        raise UsageError(f"The workflow {workflow.name!r} asks a person ({', '.join(asked)}), and a queue has none.")
    return inputs[0]


def place_of(workflow: Workflow[Any]) -> str:
    """A reference to a workflow that is there already. Raises UsageError where it stands in no file."""
    file = file_of(workflow)
    if not file:
        raise UsageError(f"The workflow {workflow.name!r} stands in no file, so that no worker could find it again.")
    return f"{file}:{workflow.name}" if file.endswith(".py") else file


def check_for_command_line(workflow: Workflow[Any]) -> None:
    """Raise UsageError where `nonet batch run` could not run it."""
    input_for_documents(workflow)
    if own := own_specialists(workflow):
        raise UsageError(
            f"The workflow {workflow.name!r} brings the specialist {next(iter(own))!r} as an object.",
            next_step="Name it in nonet.toml, under [specialists], and in the workflow by its name.",
        )


async def run_for_document(session: Session, reference: str, name: str, on_event: OnEvent) -> RunResult:
    """Run it on the text of a document of the collection; it is also the only one that its retrieval steps search."""
    workflow = workflow_of(reference)
    inputs = {input_for_documents(workflow): session.store.documents.get(name).text()}
    result = await launch.start(session, workflow, inputs, attached=(name,), priority=Priority.BATCH, on_event=on_event)
    return result.ran


async def go_on(session: Session, reference: str, run: str, on_event: OnEvent) -> RunResult:
    """Go on with a run that was cut off. Raises RunNotFoundError."""
    workflow = workflow_of(reference)
    result = await launch.resume(session, workflow, run, force=True, priority=Priority.BATCH, on_event=on_event)
    return result.ran
