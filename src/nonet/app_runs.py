"""`nonet runs`: how its commands are called."""

from __future__ import annotations

from typing import Annotated

import typer

from nonet.app_options import (
    DbOption,
    InputOption,
    JsonOption,
    LightOption,
    MaxCallsOption,
    MaxJoulesOption,
    MaxSecondsOption,
    MaxTokensOption,
    ModelOption,
    QuietOption,
    RuntimeOption,
    WorkflowOption,
    examples,
    flags_given,
    group,
)

runs_app = group("Runs that were made: look at them, finish them, hand them on, clean them up.")


@runs_app.command("list", epilog=examples("nonet runs list --limit 5"))
def runs_list(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many.")] = 20,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """List runs, the newest first."""
    from nonet import commands_runs  # noqa: PLC0415

    return commands_runs.show_all(limit, flags_given(db=db), json=json)


RunArgument = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="Its id, or the beginning of it. [default: the newest]")
]


@runs_app.command("show", epilog=examples("nonet runs show", "nonet runs show 3f2a --json"))
def runs_show(run: RunArgument = None, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Tell the whole story of a run: plan, attempts, evidence, answer, cost."""
    from nonet import commands_runs  # noqa: PLC0415

    return commands_runs.show_one(run, flags_given(db=db), json=json)


@runs_app.command(
    "resume",
    epilog=examples(
        "nonet runs resume",
        "nonet runs resume 3f2a --accept",
        "nonet runs resume 3f2a --edit 'drop s2' --edit 'reroute s1 general'",
        "nonet runs resume 3f2a --max-calls 40",
    ),
)
def runs_resume(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Its id, or the beginning of it. [default: the newest unfinished one]"),
    ] = None,
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Accept the plan that waits for approval.")] = False,
    edit: Annotated[
        list[str] | None,
        typer.Option(
            "--edit", metavar="CHANGE", help="Change it and accept: 'drop s2', 'reword s1 TEXT', 'add code TEXT'."
        ),
    ] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on with a workflow that was changed since; what did not change stands.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Of a run with --file: change the files, unless a check failed.")
    ] = False,
    workflow: WorkflowOption = None,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    light: LightOption = False,
    db: DbOption = None,
    max_calls: MaxCallsOption = None,
    max_tokens: MaxTokensOption = None,
    max_seconds: MaxSecondsOption = None,
    max_joules: MaxJoulesOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Finish a run that was interrupted, failed, or waits for approval; what is finished is not repeated.

    A run keeps its budget over all its processes; a limit given here takes the place of the one it had, and without
    RUN it is for the newest run that is not done, a failed one included. A run of a workflow finds it
    where it was; --workflow names another place.
    """
    from nonet import commands_runs  # noqa: PLC0415

    bounds = flags_given(max_calls=max_calls, max_tokens=max_tokens, max_seconds=max_seconds, max_joules=max_joules)
    flags = flags_given(runtime=runtime, model=model, light=light, db=db, **bounds)
    if refuse and (accept or edit):
        raise typer.BadParameter(f"{'--accept' if accept else '--edit'} and --refuse exclude each other")
    decision = "accept" if accept else "refuse" if refuse else None
    how = commands_runs.Resuming(decision, edit or [], workflow, force=force, apply=apply)
    return commands_runs.resume(run, flags, bounds, how, json=json, quiet=quiet)


@runs_app.command(
    "fork",
    epilog=examples(
        "nonet runs fork last --again s2",
        "nonet runs fork 3f2a --bigger",
        "nonet runs fork 3f2a --input log=@today.log",
    ),
)
def runs_fork(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its id, the beginning of it, or last.")],
    *,
    again: Annotated[
        list[str] | None, typer.Option("--again", metavar="PART", help="Do this part again, and what reads it.")
    ] = None,
    bigger: Annotated[bool, typer.Option("--bigger", help="Do what is not verified again, by larger models.")] = False,
    given: InputOption = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Of a workflow: run its functions anew, and ask no model.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Of a run with --file: change the files, unless a check failed.")
    ] = False,
    workflow: WorkflowOption = None,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    light: LightOption = False,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Make a new run from an old one: what stands is taken over, failed parts and those named are done again."""
    from nonet import commands_runs  # noqa: PLC0415

    if again and bigger:
        raise typer.BadParameter("--again and --bigger exclude each other")
    if replay and (again or given):
        raise typer.BadParameter("--replay does everything as it was: it takes neither --again nor --input")
    flags = flags_given(runtime=runtime, model=model, light=light, db=db)
    how = commands_runs.Forking(again or [], given or [], workflow, bigger=bigger, replay=replay, apply=apply)
    return commands_runs.fork(run, how, flags, json=json, quiet=quiet)


@runs_app.command("export", epilog=examples("nonet runs export > answer.md", "nonet runs export 3f2a --format html"))
def runs_export(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Their ids, or beginnings. [default: the newest]")
    ] = None,
    *,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="md, html or json.")] = "md",
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Print runs as a document to hand on: task, answer, sources, checks."""
    from nonet import commands_runs  # noqa: PLC0415

    return commands_runs.export(runs or [], form, flags_given(db=db), json=json)


@runs_app.command("prune", epilog=examples("nonet runs prune --older-than 30", "nonet runs prune --vacuum"))
def runs_prune(
    *,
    older_than_days: Annotated[
        float,
        typer.Option("--older-than", "--older-than-days", min=0, metavar="DAYS", help="Finished runs older than this."),
    ] = 30.0,
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Write the database anew, as small as it can be.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Remove old finished runs and the texts that nothing else uses."""
    from nonet import commands_runs  # noqa: PLC0415

    return commands_runs.prune(older_than_days, flags_given(db=db), vacuum=vacuum, json=json)
