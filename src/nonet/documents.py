"""Documents from Python: what `nonet docs add`, `search` and `embed` do, for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.errors import CallError, ResourceError, StoreError, UsageError
from nonet.settings import ALL_COLLECTIONS, Settings, load

if TYPE_CHECKING:
    from nonet.graphs.documents import AddReport, OnProgress
    from nonet.graphs.finding import EmbedReport
    from nonet.graphs.searching import Found

PathName = str | PathLike[str]


def add_documents(
    paths: PathName | Sequence[PathName],
    *,
    collection: str | None = None,
    embed: bool | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,  # noqa: ANN401  any setting by its name; Settings validates it
) -> AddReport:
    """Add files, and every document in folders, to what is searched; as `nonet docs add`.

    What has not changed is not read again; a document goes when its file no longer has its text. What is named and
    missing is in `failed`, and its documents stay.

    Args:
        paths: a file or folder, or several.
        collection: what the documents belong to; its name stands in front of theirs. That of the settings unless given.
        embed: make vectors for all chunks that lack one; None: where a model for it is there, unless very many are
            missing. What could not be made is counted in `without_vectors`.
        on_progress: called with files done, files in all, and the name of the one at work.
        settings: as in nonet.toml: `db="notes.db"`.

    Raises:
        DocumentError: nothing was found, or nothing that was named could be read and nothing of it is kept.
            What was read is kept.
        NonetError: with `embed=True`, why no vectors could be made; the documents are kept.
        RuntimeError: called from a running event loop; use `asyncio.to_thread` there.

    Examples:
        >>> import nonet
        >>> _ = (tmp / "log.txt").write_text("The pump in bay 3 was replaced.")
        >>> report = nonet.add_documents(tmp / "log.txt", embed=False, db=tmp / "docs.db")
        >>> report.added
        ('log.txt',)
    """
    from nonet.graphs.documents import add_documents as add  # noqa: PLC0415  `import nonet` stays cheap
    from nonet.graphs.finding import embed_missing, why_not_now  # noqa: PLC0415
    from nonet.store import Store  # noqa: PLC0415

    chosen = _settings(settings, collection=collection)
    named = [Path(paths)] if isinstance(paths, str | PathLike) else [Path(path) for path in paths]
    with Store.open(chosen.database_path()) as store:
        report = add(store, named, on_progress, collection=collection_to_fill(chosen))
        made = 0
        if not why_not_now(store, embed=embed):
            try:
                made = asyncio.run(embed_missing(store, chosen)).made
            except (CallError, ResourceError, StoreError):
                if embed:
                    raise
        return replace(report, vectors=made, without_vectors=store.vectors.pending_count())


def search(
    query: str,
    *,
    limit: int = 10,
    collection: str | None = None,
    kind: str | None = None,
    path: str | None = None,
    since: str | None = None,
    until: str | None = None,
    broad: bool = False,
    words: bool = False,
    rerank: str | None = None,
    **settings: Any,  # noqa: ANN401  any setting by its name; Settings validates it
) -> Found:
    """The best passages for a query, by words and, where there are any, by vectors; as `nonet docs search`.

    Args:
        query: any text.
        limit: at most so many passages.
        collection: of one project; "*": of all. That of the settings unless given, and so are the next four.
        kind: a suffix or a part of the media type: "pdf", "markdown", "text/".
        path: a pattern for the path or name: "*/reports/*".
        since: written then or later: "2024-05-31".
        until: written before then.
        broad: many passages on one subject, rather than the one that holds a fact.
        words: by words alone.
        rerank: a chat model that judges the first ten; "": none.
        settings: as in nonet.toml: `db="notes.db"`.

    Returns:
        `hits`, best first, each with `document`, `start` and `end` (characters of its text), `text` and `score`; and
        `method`, which says how they were found and what was missing.

    Raises:
        DocumentError: the collection given does not exist.
        ResourceError: the model that `rerank` names cannot be had.
        RuntimeError: called from a running event loop; use `asyncio.to_thread` there.

    Examples:
        >>> import nonet
        >>> _ = (tmp / "log.txt").write_text("The pump in bay 3 was replaced.")
        >>> _ = nonet.add_documents(tmp / "log.txt", collection="mill", embed=False, db=tmp / "docs.db")
        >>> [hit.document for hit in nonet.search("pump", collection="mill", db=tmp / "docs.db").hits]
        ['mill/log.txt']
    """
    from nonet.graphs.finding import find_in  # noqa: PLC0415
    from nonet.graphs.scope import check_collection, scope_of  # noqa: PLC0415
    from nonet.store import Store  # noqa: PLC0415

    narrowed = {"only_type": kind, "only_path": path, "only_since": since, "only_until": until}
    chosen = _settings(settings, collection=collection, **narrowed)
    with Store.open(chosen.database_path()) as store:
        if collection is not None:
            check_collection(store, scope_of(chosen).collection)
        return asyncio.run(find_in(store, chosen, query, limit, broad=broad, words=words, rerank=rerank))


def embed_documents(
    *,
    collection: str | None = None,
    again: bool = False,
    on_progress: OnProgress | None = None,
    **settings: Any,  # noqa: ANN401  any setting by its name; Settings validates it
) -> EmbedReport:
    """Make the vectors that are missing, so that what is said in other words is found; as `nonet docs embed`.

    Interrupted, it keeps what it has made and goes on from there.

    Args:
        collection: of one project; of all unless given.
        again: drop the vectors first. After a change of the embedding model, only those of all documents can be.
        on_progress: called with chunks done, chunks in all, and the name of the document at work.
        settings: as in nonet.toml: `db="notes.db"`.

    Raises:
        DocumentError: the collection does not exist.
        StoreError: the database has vectors of another model.
        ModelNotFoundError: there is no model that makes vectors.
        RuntimeError: called from a running event loop; use `asyncio.to_thread` there.
    """
    from nonet.graphs.finding import embed_missing  # noqa: PLC0415
    from nonet.graphs.scope import check_collection  # noqa: PLC0415
    from nonet.store import Store  # noqa: PLC0415

    chosen = _settings(settings)
    wanted = None if collection == ALL_COLLECTIONS else collection
    with Store.open(chosen.database_path()) as store:
        check_collection(store, wanted)
        return asyncio.run(embed_missing(store, chosen, collection=wanted, again=again, on_progress=on_progress))


def _settings(given: dict[str, Any], **more: object) -> Settings:
    return load({**given, **{key: value for key, value in more.items() if value is not None}}).settings


def collection_to_fill(settings: Settings) -> str:
    """Where documents are added. Raises UsageError where all collections are meant."""
    if settings.collection == ALL_COLLECTIONS:
        raise UsageError(f"{ALL_COLLECTIONS} means all collections.", next_step="Name the one to add to.")
    return settings.collection or ""
