"""`nonet workflow`: how its commands are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nonet.app_options import JsonOption, examples, flags_given, group

workflow_app = group("Workflows of yours: nonet run --workflow runs one.")

WorkflowArgument = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW", help="Its name, or where it is: flows.py:triage, flow.yaml, package.module:triage."
    ),
]


@workflow_app.command("list", epilog=examples("nonet workflow list", "nonet workflow list --json"))
def workflow_list(*, json: JsonOption = False) -> int:
    """List the workflows that nonet.toml and installed packs give a name."""
    from nonet import commands_workflow  # noqa: PLC0415

    return commands_workflow.show_all(flags_given(), json=json)


@workflow_app.command(
    "show",
    epilog=examples(
        "nonet workflow show flows.py:triage",
        "nonet workflow show flows.py:triage --yaml > triage.yaml",
        "nonet workflow show flows.py:triage --png triage.png",
    ),
)
def workflow_show(
    workflow: WorkflowArgument,
    *,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print it as a YAML file that can be run.")] = False,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Draw it into a new file.")] = None,
    json: JsonOption = False,
) -> int:
    """Check a workflow without running it, and show its inputs, its steps, and what reads what.

    Exit status 2, with the step and the line, for one that cannot be run.
    """
    from nonet import commands_workflow  # noqa: PLC0415

    if as_yaml and json:
        raise typer.BadParameter("--yaml and --json are two forms of it; take one")
    return commands_workflow.show(workflow, flags_given(), as_yaml=as_yaml, json=json, png=png)
