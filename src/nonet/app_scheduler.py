"""`nonet hosts`, `nonet stats` and `nonet runs trace`: how they are called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nonet.app_options import CARE, KNOWLEDGE, DbOption, JsonOption, examples, flags_given, group

hosts_app = group("The Ollama servers that share the work: how they are, and more or fewer of them.")
hosts_app.info.no_args_is_help = False  # `nonet hosts` alone shows them


class StatsBy(StrEnum):
    """What `nonet stats` adds up by."""

    MODEL = "model"
    HOST = "host"
    RUN = "run"
    SUBTASK = "subtask"
    JOB = "job"


class TraceForm(StrEnum):
    """What `nonet runs trace` makes."""

    PERFETTO = "perfetto"
    SVG = "svg"


HostArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="As OLLAMA_HOST is written: host:port.")]


WatchOption = Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")]


@hosts_app.callback(invoke_without_command=True, epilog=examples("nonet hosts", "nonet hosts --watch"))
def hosts(context: typer.Context, *, watch: WatchOption = False, db: DbOption = None, json: JsonOption = False) -> int:
    """The Ollama servers that share the work: how they are, and more or fewer of them."""
    if context.invoked_subcommand is not None:
        return 0
    return hosts_list(watch=watch, db=db, json=json)


@hosts_app.command("list", epilog=examples("nonet hosts list", "nonet hosts list --watch", "nonet hosts list --json"))
def hosts_list(
    *,
    watch: WatchOption = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Show every host: whether it answers, what is in its memory and for how long, how fast it was.

    Exit status 3 if none answers.
    """
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.hosts(flags_given(db=db), watch=watch, json=json)


@hosts_app.command("add", epilog=examples("nonet hosts add 192.168.1.20:11434"))
def hosts_add(address: HostArgument, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Let a host share the work, or take back one that was drained. What is at work already follows within seconds."""
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.change_host("add", address, flags_given(db=db), json=json)


@hosts_app.command("drain", epilog=examples("nonet hosts drain 192.168.1.20:11434"))
def hosts_drain(address: HostArgument, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Give a host no new calls; what it has, it finishes."""
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.change_host("drain", address, flags_given(db=db), json=json)


@hosts_app.command("remove", epilog=examples("nonet hosts remove 192.168.1.20:11434"))
def hosts_remove(address: HostArgument, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Forget a host that was added or drained by hand."""
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.change_host("remove", address, flags_given(db=db), json=json)


def stats(
    *,
    by: Annotated[StatsBy, typer.Option("--by", help="What the sums are of.")] = StatsBy.MODEL,
    hours: Annotated[
        float | None,
        typer.Option("--hours", min=0, metavar="HOURS", help="Only of the last hours. [default: all]"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many rows.")] = 20,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Tell what calls cost: waiting, loading, reading, writing, tokens, swaps made and avoided, energy if known."""
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.stats(by.value, hours, limit, flags_given(db=db), json=json)


def runs_trace(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Its id, or the beginning of it. [default: the newest]")
    ] = None,
    *,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A trace that the setting trace_file wrote, finished or not."),
    ] = None,
    form: Annotated[TraceForm, typer.Option("--format", help="What to make.")] = TraceForm.PERFETTO,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to. [default: standard output]")
    ] = None,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Draw who ran when: as a Chrome trace, which ui.perfetto.dev opens, or as an SVG picture."""
    from nonet import commands_scheduler  # noqa: PLC0415

    return commands_scheduler.trace(run, source, form.value, output, flags_given(db=db), json=json)


def add_to(app: typer.Typer, runs_app: typer.Typer) -> None:
    """Put the commands where they belong."""
    app.add_typer(hosts_app, name="hosts", rich_help_panel=KNOWLEDGE)
    shown = examples("nonet stats", "nonet stats --by run --hours 24", "nonet stats --json")
    app.command(rich_help_panel=CARE, epilog=shown)(stats)
    runs_app.command(
        "trace",
        epilog=examples(
            "nonet runs trace -o trace.json",
            "nonet runs trace 3f2a --format svg -o run.svg",
            "nonet runs trace --from batch-trace.json --format svg -o batch.svg",
        ),
    )(runs_trace)
