"""Whether a workflow is the one that a run was started with; what differs, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nonet.errors import ChangedWorkflowError, UsageError
from nonet.graphs.records import workflow_of_run
from nonet.graphs.workflow.definition import differences

if TYPE_CHECKING:
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.store import RunRecord, SubtaskRecord

IDENTITY = "workflow:identity"
"""The id under which a run keeps what its workflow was."""


def changes(workflow: Workflow[Any], found: RunRecord, records: Mapping[str, SubtaskRecord]) -> list[str]:
    """What differs between the workflow and the one that the run was started with. Raises as `_check_kind`."""
    check_kind(workflow, found)
    kept = records.get(IDENTITY)
    return differences(json.loads(kept.text), json.loads(identity_text(workflow))) if kept is not None else []


def check_kind(workflow: Workflow[Any], found: RunRecord) -> None:
    """Raise UsageError for a run of something else."""
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


def identity_text(workflow: Workflow[Any]) -> str:
    """What is kept of it."""
    return json.dumps(workflow.identity(), sort_keys=True)
