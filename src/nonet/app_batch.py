"""`nonet batch`: how its commands are called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nonet.app_options import (
    BulletsOption,
    DbOption,
    FocusOption,
    FormOption,
    JsonOption,
    LanguageOption,
    ParagraphsOption,
    QuietOption,
    RuntimeOption,
    SentencesOption,
    StyleOption,
    WordsOption,
    document_path,
    examples,
    flags_given,
    group,
)

batch_app = group("Queues of documents: every one ends done or dead, with one result, whatever happens in between.")

QueueArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="Its name.")]
QueuesArgument = Annotated[list[str] | None, typer.Argument(metavar="[QUEUE]...", help="Which. [default: all]")]
JobsArgument = Annotated[
    list[int] | None, typer.Argument(metavar="[JOB]...", help="Numbers of jobs. [default: all that can be]")
]
TaskOption = Annotated[
    str | None,
    typer.Option("--task", metavar="TEXT", help="What to do with each document; {document} stands for its name."),
]
WorkflowOption = Annotated[
    str | None,
    typer.Option("--workflow", metavar="NAME", help="supervisor, which plans the task; a specialist; flows.py:NAME."),
]


class ExportFormat(StrEnum):
    """What results can be exported as."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "md"


@batch_app.command(
    "add",
    epilog=examples(
        'nonet batch add inbox reports/ --task "Summarize {document} in two sentences."',
        "nonet batch add tickets tickets.jsonl --workflow summarization --text-field body",
        "nonet batch add minutes minutes/ --workflow summarization --bullets 3 --language German",
        "nonet batch add inbox 'notes/**/*.md' --priority 5",
        "find . -name '*.log' | xargs nonet batch add logs",
        "producer | nonet batch add inbox -",
    ),
)
def batch_add(
    queue: QueueArgument,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Files, folders, globs, JSONL or CSV rows; `-`: rows from a pipe."),
    ],
    *,
    task: TaskOption = None,
    workflow: WorkflowOption = None,
    words: WordsOption = None,
    sentences: SentencesOption = None,
    bullets: BulletsOption = None,
    paragraphs: ParagraphsOption = None,
    form: FormOption = None,
    style: StyleOption = None,
    language: LanguageOption = None,
    focus: FocusOption = None,
    text_field: Annotated[str, typer.Option("--text-field", metavar="NAME", help="The field of a row's text.")] = "",
    name_field: Annotated[str, typer.Option("--name-field", metavar="NAME", help="The field of its name.")] = "",
    priority: Annotated[int, typer.Option("--priority", metavar="N", help="Higher goes first.")] = 0,
    delay: Annotated[float, typer.Option("--delay", metavar="S", min=0, help="Not before so many seconds.")] = 0.0,
    again: Annotated[bool, typer.Option("--again", help="Add what the queue has already once more.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep runs and inputs when documents are done.")] = False,
    attempts: Annotated[
        int | None, typer.Option("--attempts", metavar="N", min=1, help="Tries before a document is dead. [default: 3]")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", metavar="N", min=0, help="At once at most, over all processes; 0: no limit."),
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--max-bytes", metavar="N", min=1, help="A larger document is not read.")
    ] = None,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Put documents into a queue. What it has already, of the same content and work, is not added twice.

    How summaries are to be goes with --workflow summarization.
    """
    from nonet import commands_batch  # noqa: PLC0415

    wanted = flags_given(words=words, sentences=sentences, bullets=bullets, paragraphs=paragraphs, form=form)
    wanted |= flags_given(style=style, language=language, focus=focus)
    options = commands_batch.AddOptions(
        task, workflow, text_field, name_field, priority, delay, again, keep, attempts, concurrency, max_bytes, wanted
    )
    return commands_batch.add(queue, inputs, options, flags_given(db=db), json=json, quiet=quiet)


@batch_app.command(
    "run",
    epilog=examples(
        "nonet batch run inbox",
        "nonet batch run --runtime ollama --json > progress.jsonl",
        'nonet batch run inbox --watch incoming/ --task "Summarize {document}."',
    ),
)
def batch_run(
    queues: QueuesArgument = None,
    *,
    watch: Annotated[
        Path | None,
        typer.Option("--watch", metavar="FOLDER", parser=document_path, help="Add what appears there, and do not end."),
    ] = None,
    task: TaskOption = None,
    workflow: WorkflowOption = None,
    parallel: Annotated[
        int | None, typer.Option("--parallel", metavar="N", min=1, help="Documents in hand at once.")
    ] = None,
    runtime: RuntimeOption = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help="One chat model for everything.")] = None,
    light: Annotated[bool, typer.Option("--light", help="Only the smallest model.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Work until the queues are empty; several processes may do so at the same time.

    Ctrl-C finishes the documents in hand, a second one stops now; nothing is lost either way. Exit status: 0 all
    done, 1 a document is dead, 3 something needed is missing, 130 interrupted.
    """
    from nonet import commands_batch_run  # noqa: PLC0415

    flags = flags_given(runtime=runtime, model=model, light=light, db=db)
    watched = commands_batch_run.Watched(watch, task, workflow)
    return commands_batch_run.run(queues or [], flags, watched, places=parallel, json=json, quiet=quiet)


@batch_app.command("status", epilog=examples("nonet batch status inbox", "nonet batch status inbox --live"))
def batch_status(
    queue: QueueArgument,
    *,
    live: Annotated[bool, typer.Option("--live", help="Go on showing it until the queue is empty.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Show how far a queue is: counts, pace, the slowest and the failing documents."""
    from nonet import commands_batch_run  # noqa: PLC0415

    return commands_batch_run.status(queue, flags_given(db=db), live=live, json=json)


@batch_app.command("list", epilog=examples("nonet batch list", "nonet batch list inbox --status dead"))
def batch_list(
    queue: Annotated[str | None, typer.Argument(metavar="[QUEUE]", help="List its jobs. [default: the queues]")] = None,
    *,
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="NAME", help="delayed, queued, leased, done, dead or cancelled."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000, help="At most so many jobs.")] = 50,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """List the queues, or the jobs of one."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.show_all(queue, status, limit, flags_given(db=db), json=json)


@batch_app.command("show", epilog=examples("nonet batch show 17", "nonet batch show 17 --json"))
def batch_show(
    job: Annotated[int, typer.Argument(metavar="JOB", help="Its number, as `nonet batch list QUEUE` shows it.")],
    *,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Show one job: its result, its checks, and every error it ever had."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.show_one(job, flags_given(db=db), json=json)


@batch_app.command("retry", epilog=examples("nonet batch retry inbox", "nonet batch retry inbox 17 23"))
def batch_retry(
    queue: QueueArgument, jobs: JobsArgument = None, *, db: DbOption = None, json: JsonOption = False
) -> int:
    """Give dead documents all their tries anew; their errors stay on record."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.retry(queue, jobs, flags_given(db=db), json=json)


@batch_app.command("pause", epilog=examples("nonet batch pause inbox"))
def batch_pause(queue: QueueArgument, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Begin no document of the queue until it is resumed; those in hand are finished."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.pause(queue, flags_given(db=db), paused=True, json=json)


@batch_app.command("resume", epilog=examples("nonet batch resume inbox"))
def batch_resume(queue: QueueArgument, *, db: DbOption = None, json: JsonOption = False) -> int:
    """Go on with a queue that was paused."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.pause(queue, flags_given(db=db), paused=False, json=json)


@batch_app.command("cancel", epilog=examples("nonet batch cancel inbox", "nonet batch cancel inbox 17"))
def batch_cancel(
    queue: QueueArgument, jobs: JobsArgument = None, *, db: DbOption = None, json: JsonOption = False
) -> int:
    """Take unfinished documents out of the queue; `retry QUEUE JOB...` has them back."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.cancel(queue, jobs, flags_given(db=db), json=json)


@batch_app.command(
    "export",
    epilog=examples(
        "nonet batch export inbox > results.jsonl",
        "nonet batch export inbox --format csv --output results.csv",
        "nonet batch export inbox --format md --output results/",
    ),
)
def batch_export(
    queue: QueueArgument,
    *,
    form: Annotated[
        ExportFormat, typer.Option("--format", "-f", help="md: a file a document; parquet needs pip install pyarrow.")
    ] = ExportFormat.JSONL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", parser=document_path, help="A file, or a folder for md. [default: stdout]"
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Documents that are not finished as well.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Write the results, each finished document once, in the order they were added."""
    from nonet import commands_batch  # noqa: PLC0415

    return commands_batch.export(queue, form.value, output, flags_given(db=db), everything=everything, json=json)


@batch_app.command(
    "purge", epilog=examples("nonet batch purge inbox --older-than 30", "nonet batch purge inbox --all --vacuum")
)
def batch_purge(
    queue: QueueArgument,
    *,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Documents that ended longer ago.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The queue with all its documents and results.")] = False,
    vacuum: Annotated[bool, typer.Option("--vacuum", help="Write the database anew, as small as it can be.")] = False,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Remove finished documents with their results, or the whole queue. The files they came from stay."""
    from nonet import commands_batch  # noqa: PLC0415

    if everything == (older_than is not None):
        raise typer.BadParameter("say which: --older-than DAYS or --all")
    return commands_batch.purge(queue, older_than, flags_given(db=db), vacuum=vacuum, json=json)
