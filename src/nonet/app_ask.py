"""`nonet ask`: how it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nonet.app_options import (
    WORK,
    ApplyOption,
    BulletsOption,
    CollectionOption,
    DbOption,
    FileOption,
    FocusOption,
    FormOption,
    JsonOption,
    KindOption,
    LanguageOption,
    LightOption,
    MaxCallsOption,
    MaxJoulesOption,
    MaxSecondsOption,
    MaxTokensOption,
    ModelOption,
    ParagraphsOption,
    PathOption,
    QuietOption,
    RuntimeOption,
    SentencesOption,
    SinceOption,
    StyleOption,
    TestCommandOption,
    UntilOption,
    WordsOption,
    examples,
    flags_given,
    scope_given,
)


def ask(
    specialist: Annotated[
        str, typer.Argument(metavar="SPECIALIST", help="code, retrieval, summarization, general, or one of yours.")
    ],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What it should do. `-`: one a line from standard input.")
    ] = None,
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", "-i", metavar="FILE", help="A file it reads; may be repeated.")
    ] = None,
    *,
    collection: CollectionOption = None,
    kind: KindOption = None,
    path: PathOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    file: FileOption = None,
    test_command: TestCommandOption = None,
    apply: ApplyOption = False,
    words: WordsOption = None,
    sentences: SentencesOption = None,
    bullets: BulletsOption = None,
    paragraphs: ParagraphsOption = None,
    form: FormOption = None,
    style: StyleOption = None,
    language: LanguageOption = None,
    focus: FocusOption = None,
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
    """Ask one specialist, without a plan.

    How a summary is to be can be said in TEXT, and by options, which count for more than TEXT.
    """
    from nonet import commands_work  # noqa: PLC0415

    bounds = flags_given(max_calls=max_calls, max_tokens=max_tokens, max_seconds=max_seconds, max_joules=max_joules)
    scope = scope_given(collection, kind, path, since, until)
    flags = flags_given(runtime=runtime, model=model, light=light, db=db, **bounds, **scope)
    editing = commands_work.Editing(file or [], test_command, apply)
    wanted = flags_given(words=words, sentences=sentences, bullets=bullets, paragraphs=paragraphs, form=form)
    wanted |= flags_given(style=style, language=language, focus=focus)
    return commands_work.ask(specialist, text, inputs or [], flags, editing, wanted=wanted, json=json, quiet=quiet)


def add_to(app: typer.Typer) -> None:
    """Register it."""
    app.command(
        rich_help_panel=WORK,
        epilog=examples(
            'nonet ask code "Write a function is_leap(year)."',
            'nonet ask code "Let add take floats." --file src/calc.py --test-command "python -m pytest -q" --apply',
            'nonet ask summarization "In two sentences." --input report.md',
            'nonet ask summarization "Sum it up." -i report.md --form table --sentences 2 --language German',
            'nonet ask retrieval "When was the pump replaced?" --input logs/',
            'nonet ask retrieval "When was the pump replaced?" --collection mill --since 2024-01-01',
        ),
    )(ask)
