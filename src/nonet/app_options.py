"""What the commands' declarations share: options, help under headings, examples."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nonet.moments import moment

HEADINGS = WORK, KNOWLEDGE, CARE = "Work", "What it knows", "Look and care"


class GroupedHelp(TyperGroup):
    """Lists commands under headings; Typer does so only through rich, which would double the time of --help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002  Typer has no public names here
        """Write a section a heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        limit = formatter.width - 6 - max(len(name) for name in self.commands)
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None)
            row = (name, command.get_short_help_str(limit))
            sections.setdefault(heading if isinstance(heading, str) else "Commands", []).append(row)
        for heading in sorted(sections, key=lambda heading: HEADINGS.index(heading) if heading in HEADINGS else -1):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


def examples(*lines: str) -> str:
    """An epilog that keeps its line breaks."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def group(help_text: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=help_text,
        cls=GroupedHelp,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


RuntimeOption = Annotated[
    str | None,
    typer.Option("--runtime", metavar="NAME", help="What serves the models: auto, ollama, embedded or scripted."),
]
ModelOption = Annotated[str | None, typer.Option("--model", metavar="NAME", help="One chat model for everything.")]
LightOption = Annotated[bool, typer.Option("--light", help="Only the smallest model.")]
MaxCallsOption = Annotated[
    int | None, typer.Option("--max-calls", metavar="N", help="Stop before more calls to models than this.")
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", metavar="N", help="Stop when prompts and answers took this many.")
]
MaxSecondsOption = Annotated[
    float | None, typer.Option("--max-seconds", metavar="S", help="Stop after this much work.")
]
MaxJoulesOption = Annotated[
    float | None, typer.Option("--max-joules", metavar="J", help="Stop after this much energy, where it is known.")
]
WorkflowOption = Annotated[
    str | None,
    typer.Option("--workflow", "-w", metavar="NAME", help="A workflow: its name, flows.py:NAME, package.module:NAME."),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME=VALUE", help="With a workflow: an input; NAME=@FILE reads a file."),
]
CollectionOption = Annotated[
    str | None,
    typer.Option(
        "--collection", "-c", metavar="NAME", help="Documents of one project; '*': of all, whatever the settings say."
    ),
]
KindOption = Annotated[
    str | None,
    typer.Option("--type", "-t", metavar="KIND", help="A suffix or a part of the media type: pdf, markdown, text/."),
]
PathOption = Annotated[
    str | None, typer.Option("--path", "-p", metavar="PATTERN", help="A pattern for the path or name: '*/reports/*'.")
]


def _date(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


SinceOption = Annotated[
    datetime | None, typer.Option("--since", metavar="DATE", parser=_date, help="Written then or later.")
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", metavar="DATE", parser=_date, help="Written before then.")
]
DbOption = Annotated[
    Path | None, typer.Option("--db", metavar="FILE", help="The database. [default: in your data folder]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]


def document_path(text: str) -> Path:
    """An empty path would mean the whole current folder, which nobody says with `--docs "$UNSET"`."""
    if not text:
        raise typer.BadParameter("the path is empty")
    return Path(text)


FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="PATH",
        parser=document_path,
        help="A file that code may change; shows a diff. May be repeated.",
    ),
]
TestCommandOption = Annotated[
    str | None,
    typer.Option("--test-command", metavar="COMMAND", help="With --file: tests, run in the sandbox on a copy."),
]
ApplyOption = Annotated[bool, typer.Option("--apply", help="With --file: change the files, unless a check failed.")]

WordsOption = Annotated[
    int | None, typer.Option("--words", metavar="N", help="Of a summary: at most so many words, in whole sentences.")
]
SentencesOption = Annotated[
    int | None, typer.Option("--sentences", metavar="N", help="Of a summary: at most so many; of a table: a row.")
]
BulletsOption = Annotated[
    int | None, typer.Option("--bullets", metavar="N", help="Of a summary: as bullet points, at most so many.")
]
ParagraphsOption = Annotated[
    int | None, typer.Option("--paragraphs", metavar="N", help="Of a summary: at most so many.")
]
FormOption = Annotated[
    str | None,
    typer.Option(
        "--form", metavar="FORM", help="Of a summary: prose, bullets, abstract, table, comparison or timeline."
    ),
]
StyleOption = Annotated[
    str | None, typer.Option("--style", metavar="STYLE", help="Of a summary: plain, formal or technical.")
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="NAME", help='Of a summary: "German", for example.')
]
FocusOption = Annotated[
    str | None, typer.Option("--focus", metavar="TEXT", help="Of a summary: the subject or question it speaks of.")
]


def scope_given(
    collection: str | None, kind: str | None, path: str | None, since: datetime | None, until: datetime | None
) -> dict[str, Any]:
    """What a search is kept to, as settings."""
    return flags_given(
        collection=collection,
        only_type=kind,
        only_path=path,
        only_since=since.isoformat() if since else None,
        only_until=until.isoformat() if until else None,
    )


def flags_given(**values: Any) -> dict[str, Any]:  # noqa: ANN401  settings validate them
    """What was given on the command line; a switch that is off is "not given"."""
    return {key: value for key, value in values.items() if value is not None and value is not False}
