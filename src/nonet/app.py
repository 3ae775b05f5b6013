"""Which commands there are, and how they are called. Each imports its work when it runs, so that `--help` is fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nonet import __version__
from nonet.app_ask import add_to as add_ask
from nonet.app_batch import batch_app
from nonet.app_docs import docs_app
from nonet.app_eval import eval_app
from nonet.app_options import (
    CARE,
    KNOWLEDGE,
    WORK,
    ApplyOption,
    CollectionOption,
    DbOption,
    FileOption,
    InputOption,
    JsonOption,
    KindOption,
    LightOption,
    MaxCallsOption,
    MaxJoulesOption,
    MaxSecondsOption,
    MaxTokensOption,
    ModelOption,
    PathOption,
    QuietOption,
    RuntimeOption,
    SinceOption,
    TestCommandOption,
    UntilOption,
    WorkflowOption,
    document_path,
    examples,
    flags_given,
    group,
    scope_given,
)
from nonet.app_runs import runs_app
from nonet.app_scheduler import add_to
from nonet.app_specialists import specialists_app
from nonet.app_workflow import workflow_app

app = group("Several small language models, one dependable system, on your own machine.")
models_app = group("Models: what is there, and fetching more.")

PlannerOption = Annotated[
    str | None,
    typer.Option("--planner", metavar="WAY", help="How the task is planned: auto, rules, stepwise or one-shot."),
]
DocsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--docs",
        "-d",
        metavar="PATH",
        parser=document_path,
        help="A file or folder this task reads; may be repeated.",
    ),
]
TaskArgument = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="What you want. `-`: a task a line from standard input.")
]


def _version(value: bool) -> None:  # noqa: FBT001  Typer calls it so
    if value:
        typer.echo(f"nonet {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=examples(
        "nonet",
        "nonet --continue",
        'nonet run "Summarize report.md in two sentences." --docs report.md',
        "echo 'Say hello.' | nonet",
        "nonet doctor",
    ),
)
def root(
    ctx: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001  its callback acts
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[  # noqa: ARG001  nonet.cli looks for it
        bool, typer.Option("--debug", help="Show the traceback of an unforeseen error.")
    ] = False,
    go_on: Annotated[bool, typer.Option("--continue", "-c", help="Go on with the session that was used last.")] = False,
    session: Annotated[
        str | None, typer.Option("--session", metavar="NAME", help="Go on with the session of that name or id.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A session in lines, with nothing redrawn (screen readers).")
    ] = False,
    collection: Annotated[
        str | None, typer.Option("--collection", metavar="NAME", help="Search the documents of one project alone.")
    ] = None,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    light: LightOption = False,
    db: DbOption = None,
) -> int:
    """Several small language models, one dependable system, on your own machine.

    Without a command: a session that takes tasks in plain words and /commands (docs/repl.md). Through a pipe, each line
    of standard input is one.
    """
    flags = flags_given(collection=collection, runtime=runtime, model=model, light=light, db=db)
    if ctx.invoked_subcommand is not None:
        if flags or go_on or session or plain:
            raise typer.BadParameter("options of a command stand behind it; these are for the session")
        return 0
    from nonet.repl.start import start  # noqa: PLC0415

    status = start(flags, resume=session or ("last" if go_on else None), plain=plain)
    if status is None:  # nothing came through the pipe
        typer.echo(ctx.get_help())
        return 0
    return status


@app.command(
    rich_help_panel=WORK,
    epilog=examples(
        'nonet run "Write a function that parses one line of readings.csv, then summarize report.md." --docs lab/',
        "cat task.txt | nonet run --json | jq -r .answer",
        "nonet run - --quiet < tasks.txt > results.jsonl",
        'nonet run "Compare @report.md with @last."',
        'nonet run "When does the lease end?" --collection house --type pdf',
        'nonet run "Shorten that." --session last',
        "nonet run --workflow flows.py:triage --input log=@app.log",
        "nonet run --graph",
    ),
)
def run(
    task: TaskArgument = None,
    docs: DocsOption = None,
    *,
    collection: CollectionOption = None,
    kind: KindOption = None,
    path: PathOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    workflow: WorkflowOption = None,
    given: InputOption = None,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    planner: PlannerOption = None,
    light: LightOption = False,
    db: DbOption = None,
    file: FileOption = None,
    test_command: TestCommandOption = None,
    apply: ApplyOption = False,
    json: JsonOption = False,
    graph: Annotated[bool, typer.Option("--graph", help="Print how work flows, as Mermaid, and stop.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Show the plan and ask before it runs.")] = False,
    session: Annotated[
        str | None, typer.Option("--session", metavar="NAME", help='Follow up in a session: its name, id, or "last".')
    ] = None,
    max_calls: MaxCallsOption = None,
    max_tokens: MaxTokensOption = None,
    max_seconds: MaxSecondsOption = None,
    max_joules: MaxJoulesOption = None,
    quiet: QuietOption = False,
) -> int:
    """Plan a task, hand its parts to specialists, check them, and answer.

    In a task that is typed, @FILE, @RUN and @RUN.s1 stand for a file, an earlier answer, or a part of one. The task may
    also come through a pipe. With --workflow nothing is planned: its steps run, TASK is a JSON object of inputs, or the
    text of its only one, and `-` takes one a line.

    Exit status: 0 done, 1 failed, 2 wrong usage, 3 a runtime or resource is missing, 130 interrupted (the run is kept;
    see `nonet runs resume`).
    """
    from nonet import commands_work  # noqa: PLC0415

    bounds = flags_given(max_calls=max_calls, max_tokens=max_tokens, max_seconds=max_seconds, max_joules=max_joules)
    scope = scope_given(collection, kind, path, since, until)
    flags = flags_given(runtime=runtime, model=model, planner=planner, light=light, db=db, **bounds, **scope)
    if workflow is not None:
        from nonet import commands_workflow  # noqa: PLC0415

        if others := flags_given(file=file, session=session, planner=planner):
            raise typer.BadParameter(f"--{next(iter(others))} does not go with --workflow")
        if graph:
            return commands_workflow.graph(workflow, flags, json=json)
        return commands_workflow.run(
            workflow, task, given or [], docs or [], flags, json=json, approve=approve, quiet=quiet
        )
    if given:
        raise typer.BadParameter("--input goes with --workflow; a file that the task reads is given with --docs")
    if graph:
        return commands_work.graph(json=json)
    editing = commands_work.Editing(file or [], test_command, apply)
    return commands_work.run(task, docs or [], flags, editing, json=json, approve=approve, quiet=quiet, talk=session)


@app.command(
    rich_help_panel=WORK,
    epilog=examples(
        'nonet plan "Find the pump\'s serial number, then write a function that checks it."',
        'nonet plan "Sum up report.md." --docs report.md --planner one-shot --json',
    ),
)
def plan(
    task: TaskArgument = None,
    docs: DocsOption = None,
    *,
    collection: CollectionOption = None,
    kind: KindOption = None,
    path: PathOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    planner: PlannerOption = None,
    light: LightOption = False,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Show the plan of a task, and why it is so, without running it."""
    from nonet import commands_work  # noqa: PLC0415

    scope = scope_given(collection, kind, path, since, until)
    flags = flags_given(runtime=runtime, model=model, planner=planner, light=light, db=db, **scope)
    return commands_work.plan(task, docs or [], flags, json=json, quiet=quiet)


add_ask(app)


@app.command(rich_help_panel=WORK, epilog=examples("nonet demo", "nonet demo --light", "nonet demo --runtime ollama"))
def demo(
    *,
    runtime: RuntimeOption = None,
    light: LightOption = False,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Fetch the models and run a task over example documents.

    It needs three specialists: code, retrieval and summarization. Uses the embedded runtime unless another is named,
    and keeps everything in .demo/nonet.db.
    """
    from nonet import demo as work  # noqa: PLC0415

    return work.demo(flags_given(runtime=runtime, light=light, db=db), json=json, quiet=quiet)


@models_app.command("list", epilog=examples("nonet models list", "nonet models list --runtime embedded"))
def models_list(*, runtime: RuntimeOption = None, json: JsonOption = False) -> int:
    """List the models that are there, and those that could be fetched."""
    from nonet import commands_models  # noqa: PLC0415

    return commands_models.show_all(flags_given(runtime=runtime), json=json)


@models_app.command(
    "pull", epilog=examples("nonet models pull", "nonet models pull qwen2.5-coder:0.5b --runtime embedded")
)
def models_pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which. [default: those the specialists need]")
    ] = None,
    *,
    runtime: RuntimeOption = None,
    light: LightOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Fetch models; a cut download goes on where it stopped, and the hash decides whether it is the right file."""
    from nonet import commands_models  # noqa: PLC0415

    return commands_models.pull(names or [], flags_given(runtime=runtime, light=light), json=json, quiet=quiet)


app.add_typer(batch_app, name="batch", rich_help_panel=WORK)
app.add_typer(workflow_app, name="workflow", rich_help_panel=WORK)
app.add_typer(docs_app, name="docs", rich_help_panel=KNOWLEDGE)
app.add_typer(models_app, name="models", rich_help_panel=KNOWLEDGE)
app.add_typer(specialists_app, name="specialists", rich_help_panel=KNOWLEDGE)
app.add_typer(eval_app, name="eval", rich_help_panel=CARE)
app.add_typer(runs_app, name="runs", rich_help_panel=CARE)
add_to(app, runs_app)


@app.command(
    rich_help_panel=CARE, epilog=examples("nonet doctor", "nonet doctor --deep", "nonet doctor --quick --json")
)
def doctor(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Do not measure the models.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Measure all of each model that planning uses, at most 100 s a model.")
    ] = False,
    runtime: RuntimeOption = None,
    model: ModelOption = None,
    light: LightOption = False,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Say what works here, what does not, and what to do about it. Exit status 3 if a task could not run.

    Each model is measured for at most 30 seconds: how fast it is, whether it keeps to a schema, whether it chooses
    rightly. With --deep also how long a prompt it reads, how it judges, and whether it may plan. What was found is kept
    for planning and scheduling.
    """
    from nonet import doctor as work  # noqa: PLC0415

    if quick and deep:
        raise typer.BadParameter("--quick and --deep exclude each other")
    flags = flags_given(runtime=runtime, model=model, light=light, db=db)
    return work.doctor(flags, measure=not quick, deep=deep, json=json, quiet=quiet)


@app.command(
    rich_help_panel=CARE,
    epilog=examples("nonet calibrate tasks.jsonl", "nonet calibrate tasks.jsonl --accuracy 0.8 --json"),
)
def calibrate(
    tasks: Annotated[Path, typer.Argument(metavar="TASKS", help="A JSON Lines file of tasks with known answers.")],
    *,
    accuracy: Annotated[
        float, typer.Option("--accuracy", min=0.0, max=1.0, metavar="SHARE", help="The accuracy to keep.")
    ] = 0.9,
    runtime: RuntimeOption = None,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Set, by specialist, how sure a result must be for no larger model to be asked.

    Tries every task on every model of the ladder, and keeps the bar that has the accuracy at the least cost; both are
    reported with their 95 % intervals. A line is as {"task": "What is 6 x 7?", "answer": "42"}. Exit status 1 where no
    bar has the accuracy.
    """
    from nonet import commands_calibrate  # noqa: PLC0415

    return commands_calibrate.calibrate(tasks, accuracy, flags_given(runtime=runtime, db=db), json=json, quiet=quiet)


@app.command(rich_help_panel=CARE, epilog=examples("nonet config", "nonet config --json"))
def config(*, json: JsonOption = False) -> int:
    """Show every setting, its value, and where the value comes from."""
    from nonet import commands_care  # noqa: PLC0415

    return commands_care.config(json=json)


@app.command(
    rich_help_panel=CARE, epilog=examples("nonet schema run", "nonet schema workflow-file > workflow.schema.json")
)
def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Which output: run, plan, ask, ...; or workflow-file. [default: all outputs]"
        ),
    ] = None,
    *,
    json: JsonOption = False,  # noqa: ARG001  it is JSON anyway
) -> int:
    """Print the JSON schema of what the commands print with --json, or of a workflow's YAML file."""
    from nonet import commands_care  # noqa: PLC0415

    return commands_care.schema(name)
