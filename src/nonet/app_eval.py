"""`nonet eval`: how it is called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nonet.app_options import (
    DbOption,
    GroupedHelp,
    JsonOption,
    QuietOption,
    RuntimeOption,
    examples,
    flags_given,
    group,
)


class EvalForm(StrEnum):
    """How evaluations are shown."""

    TABLE = "table"
    MARKDOWN = "md"
    SVG = "svg"


class _SuitesFirst(GroupedHelp):
    """`nonet eval code` is `nonet eval run code`."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  Typer has no public names here
        """Put `run` in front of anything but a command or a wish for help."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


eval_app = group(
    "How well it works here: suites of items with known answers, compared item by item. "
    "`nonet eval SUITE...` is short for `nonet eval run SUITE...`."
)
eval_app.info.cls = _SuitesFirst
eval_app.info.no_args_is_help = False

FormOption = Annotated[EvalForm, typer.Option("--format", metavar="FORMAT", help="table, md or svg.")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="Of samples and resamples.")]
EvalArgument = Annotated[str, typer.Argument(metavar="RUN", help="An evaluation's id, a beginning of it, or last.")]


@eval_app.command(
    "run",
    epilog=examples(
        "nonet eval code --model qwen2.5-coder:0.5b --n 20",
        "nonet eval grounded --against raw",
        "nonet eval routing --arms raw --model smollm2:135m --model qwen2.5-coder:0.5b",
        "nonet eval end-to-end --arms all --model qwen2.5-coder:0.5b --format md > report.md",
        "nonet eval code --data my-functions.jsonl --against k3j2xa",
        "nonet eval perplexity --data book.txt --model smollm2:135m --runtime embedded",
    ),
)
def eval_run(
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]...",
            help="planning, routing, code, retrieval, grounded, summarization, end-to-end, translation, bias or "
            "perplexity. [default: the first seven]",
        ),
    ] = None,
    *,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arms",
            metavar="ARM,...",
            help="Ways of answering: raw, nonet, best-of, specialists, escalation, none, or all. [default: nonet]",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="raw|none|RUN",
            help="Compare with the model alone, with no model at all, or with an earlier evaluation.",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--n", "-n", min=0, metavar="N", help="Items a suite; 0: all.")] = 50,
    seed: SeedOption = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="PATH", help="A folder of sets, or a JSON Lines file of your own (docs/eval.md)."
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask anew what was answered before.")] = False,
    form: FormOption = EvalForm.TABLE,
    runtime: RuntimeOption = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="One chat model for everything; again, to compare several."),
    ] = None,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Measure suites of items by one or several ways of answering; `run` may be left away.

    Every answer is kept: after Ctrl-C the same command goes on, and a larger --n asks only what is new. Means have
    95 % intervals (items resampled); comparisons are by item, with the exact sign test.
    """
    from nonet import commands_eval  # noqa: PLC0415

    wanted = commands_eval.Wanted(suites or [], models or [], arms or [], against, count, seed, data, again, form)
    return commands_eval.run(wanted, flags_given(runtime=runtime, db=db), json=json, quiet=quiet)


@eval_app.command("list", epilog=examples("nonet eval list", "nonet eval list --json"))
def eval_list(
    *,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, metavar="N", help="At most so many.")] = 20,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """List evaluations, the newest first."""
    from nonet import commands_eval  # noqa: PLC0415

    return commands_eval.list_all(limit, flags_given(db=db), json=json)


@eval_app.command(
    "show",
    epilog=examples(
        "nonet eval show last", "nonet eval show k3j2xa mm4dpe --format svg > arms.svg", "nonet eval show last --json"
    ),
)
def eval_show(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Ids, beginnings of them, or last. [default: last]")
    ] = None,
    *,
    form: FormOption = EvalForm.TABLE,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Show evaluations side by side; as JSON with every answer and its grades."""
    from nonet import commands_eval  # noqa: PLC0415

    return commands_eval.show_some(runs or [], form, flags_given(db=db), json=json)


@eval_app.command("compare", epilog=examples("nonet eval compare k3j2xa mm4dpe", "nonet eval compare k3j2 mm4d --json"))
def eval_compare(
    first: EvalArgument,
    second: EvalArgument,
    *,
    form: FormOption = EvalForm.TABLE,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Compare two evaluations of one suite: wins, losses and ties of the first, item by item."""
    from nonet import commands_eval  # noqa: PLC0415

    return commands_eval.compare_two(first, second, form, flags_given(db=db), json=json)


@eval_app.command("delete", epilog=examples("nonet eval delete k3j2xa"))
def eval_delete(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids, or beginnings of them.")],
    *,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Remove evaluations, their answers, and what judges said of them."""
    from nonet import commands_eval  # noqa: PLC0415

    return commands_eval.delete(runs, flags_given(db=db), json=json)


@eval_app.command(
    "judge",
    epilog=examples("nonet eval judge k3j2xa mm4dpe --as ada", "nonet eval judge k3j2xa mm4dpe --results --json"),
)
def eval_judge(
    first: EvalArgument,
    second: EvalArgument,
    *,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who judges. [default: the name of the user]")
    ] = None,
    seed: SeedOption = 0,
    results: Annotated[bool, typer.Option("--results", help="Ask nothing; show what was said so far.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Judge the answers of two evaluations side by side, without being told whose they are.

    Every choice is kept at once, and the same command goes on. Shows how often each was better, and of every two
    judges how far they agree (Cohen's kappa).
    """
    from nonet import commands_judge  # noqa: PLC0415

    return commands_judge.judge(first, second, name, seed, flags_given(db=db), results=results, json=json)
