"""`nonet docs`: how its commands are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nonet.app_options import (
    CollectionOption,
    DbOption,
    JsonOption,
    KindOption,
    PathOption,
    QuietOption,
    RuntimeOption,
    SinceOption,
    UntilOption,
    document_path,
    examples,
    flags_given,
    group,
    scope_given,
)
from nonet.errors import UsageError

docs_app = group("The documents that retrieval searches.")


@docs_app.command("add", epilog=examples("nonet docs add notes/ report.pdf", "nonet docs add web/ --collection web"))
def docs_add(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", parser=document_path, help="Files, or folders with all that is in them."),
    ],
    *,
    collection: CollectionOption = None,
    embed: Annotated[
        bool | None,
        typer.Option(
            "--embed/--no-embed",
            help="Make their vectors now, or leave that to `nonet docs embed`.",
            show_default="now, unless very many are missing",
        ),
    ] = None,
    runtime: RuntimeOption = None,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Add documents, replace those that have changed, remove those whose files no longer have their text.

    Reads text, Markdown, HTML, PDF, Word, PowerPoint, Excel, CSV, e-mail, notebooks and source code. Honours
    .gitignore and .nonetignore. Where a model for it is installed, it makes their vectors, so that they are found by
    what they say in other words too. Interrupted, it keeps what it has done and goes on from there. Exit status 1 if a
    file that was named could not be read.
    """
    from nonet import commands_docs  # noqa: PLC0415

    flags = flags_given(collection=collection, runtime=runtime, db=db)
    return commands_docs.add(paths, flags, embed=embed, json=json, quiet=quiet)


@docs_app.command("embed", epilog=examples("nonet docs embed", "nonet docs embed --again"))
def docs_embed(
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Drop them first (of all documents after a change of the model).")
    ] = False,
    collection: CollectionOption = None,
    runtime: RuntimeOption = None,
    db: DbOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Make the vectors that are missing, so that search finds what is said in other words.

    Interrupted, it keeps what it has made and goes on from there.
    """
    from nonet import commands_docs  # noqa: PLC0415

    return commands_docs.embed(collection, flags_given(runtime=runtime, db=db), again=again, json=json, quiet=quiet)


@docs_app.command("list", epilog=examples("nonet docs list", "nonet docs list --collection web"))
def docs_list(*, collection: CollectionOption = None, db: DbOption = None, json: JsonOption = False) -> int:
    """List the documents."""
    from nonet import commands_docs  # noqa: PLC0415

    return commands_docs.show_all(flags_given(collection=collection, db=db), json=json)


@docs_app.command(
    "search",
    epilog=examples(
        'nonet docs search "pump serial number" --limit 3',
        'nonet docs search "notice period" --type pdf --since 2024-01-01',
        'nonet docs search "who may end the lease" --rerank qwen2.5-coder:1.5b',
    ),
)
def docs_search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for; any text will do.")],
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many passages.")] = 10,
    collection: CollectionOption = None,
    kind: KindOption = None,
    path: PathOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    broad: Annotated[
        bool, typer.Option("--broad", help="Many passages on one subject, rather than the one that holds a fact.")
    ] = False,
    words: Annotated[bool, typer.Option("--words", help="By words alone, even where there are vectors.")] = False,
    rerank: Annotated[
        str | None,
        typer.Option(
            "--rerank",
            metavar="MODEL",
            help="A chat model that judges the first ten, one call each. Measured to do harm with qwen2.5-coder:0.5b.",
        ),
    ] = None,
    no_rerank: Annotated[
        bool, typer.Option("--no-rerank", help="Ask no chat model, though the setting rerank_model names one.")
    ] = False,
    runtime: RuntimeOption = None,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Search the documents by words and, where `nonet docs embed` made them, by vectors.

    No chat model is asked, unless --rerank or the setting rerank_model names one.
    """
    from nonet import commands_docs  # noqa: PLC0415

    if no_rerank and rerank:
        raise UsageError("--rerank and --no-rerank say the opposite.", next_step="Give one of them.")
    flags = flags_given(runtime=runtime, db=db, **scope_given(collection, kind, path, since, until))
    judge = "" if no_rerank else rerank
    return commands_docs.search(query, limit, flags, words=words, broad=broad, rerank=judge, json=json)


@docs_app.command("remove", epilog=examples("nonet docs remove report.md"))
def docs_remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as `nonet docs list` shows them.")],
    *,
    db: DbOption = None,
    json: JsonOption = False,
) -> int:
    """Remove documents from the database; the files stay."""
    from nonet import commands_docs  # noqa: PLC0415

    return commands_docs.remove(names, flags_given(db=db), json=json)
