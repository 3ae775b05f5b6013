"""What the commands print of workflows with --json."""

from __future__ import annotations

from typing import Any

from nonet.schema_base import Output


class WorkflowKnownOut(Output):
    """A workflow that has a name here."""

    name: str
    place: str
    """"./flows.py:triage", "package.module:triage", or a file."""


class WorkflowListOut(Output):
    """`nonet workflow list`."""

    workflows: list[WorkflowKnownOut]


class WorkflowInputOut(Output):
    """What a workflow is given."""

    name: str
    type: str
    required: bool


class WorkflowStepOut(Output):
    """One step."""

    name: str
    specialist: str | None
    """null: a function, or another workflow."""
    reads: list[str]
    """Steps and inputs."""
    output: str
    """Its type."""
    place: str
    """File and line."""


class WorkflowShowOut(Output):
    """`nonet workflow show`."""

    name: str
    description: str
    place: str
    inputs: list[WorkflowInputOut]
    steps: list[WorkflowStepOut]
    """In an order in which each reads earlier ones only."""
    output: str | None
    """The step that gives it. null: every step that no other reads."""
    definition: dict[str, Any]
    """The whole as data; what a workflow file holds."""


class WaitingStepOut(Output):
    """A step that a person has to approve."""

    step: str
    question: str


WORKFLOW_OUTPUTS: dict[str, type[Output]] = {"workflow-list": WorkflowListOut, "workflow-show": WorkflowShowOut}
