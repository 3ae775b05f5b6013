"""`nonet docs`: the documents that retrieval searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.door import Door, Flags, check_named, open_door, open_store
from nonet.errors import CallError, DocumentError, ResourceError, StoreError, UsageError
from nonet.progress import counter
from nonet.render import columns, print_lines, text
from nonet.settings import ALL_COLLECTIONS
from nonet.terminal import InterruptedByUserError, emit, out, run_async, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.documents import AddReport
    from nonet.graphs.searching import Found
    from nonet.store import Filter, Hit, Store

FAILED = 1
_FAILURE_CHARACTERS = 400


def add(paths: Sequence[Path], flags: Flags, *, embed: bool | None, json: bool, quiet: bool) -> int:
    """Add documents, or replace those that have changed; 1 if a file that was named could not be read.

    Args:
        embed: make their vectors; None: where there is a model for it, unless they are very many.
    """
    from nonet.graphs.documents import add_documents  # noqa: PLC0415

    door = open_door(flags)
    collection = door.loaded.settings.collection or ""
    if collection == ALL_COLLECTIONS:
        raise UsageError(f"{ALL_COLLECTIONS} means all collections.", next_step="Name the one to add to.")
    with open_store(door, create=True) as store:
        try:
            with counter("Reading", quiet=quiet) as progress:
                report = add_documents(store, paths, progress, collection=collection)
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                "Interrupted.", kept="What was read is kept.", next_step="The same command goes on from there."
            ) from None
        made, why_not = _embed_new(store, door, embed=embed, quiet=quiet)
        pending = store.vectors.pending_count()
    status = FAILED if report.failed else 0
    if json:
        emit(
            {
                **asdict(report),
                "duplicates": [{"path": path, "document": name} for path, name in report.duplicates],
                "failed": [failed._asdict() for failed in report.failed],
                "skipped": [{"path": path, "reason": reason} for path, reason in report.skipped],
                "notes": [{"path": path, "note": note} for path, note in report.notes],
                "vectors": made,
                "without_vectors": pending,
            }
        )
        return status
    _tell(report)
    if pending and why_not and not quiet:
        say(f"{pending:,} chunks have no vectors, and are found by words alone: {why_not}")
    return status


def _embed_new(store: Store, door: Door, *, embed: bool | None, quiet: bool) -> tuple[int, str]:
    """Make the vectors that are missing; how many were made, and why some were not."""
    from nonet.graphs.embedding import SOON_MADE, embed_pending, open_embedder  # noqa: PLC0415
    from nonet.store import Filter  # noqa: PLC0415

    pending = store.vectors.pending_count()
    if not pending or embed is False:
        return 0, "make them with: nonet docs embed"
    if embed is None and pending > SOON_MADE:
        return 0, "to make so many takes a while: nonet docs embed"

    async def work() -> int:
        async with open_embedder(door.loaded.settings) as embedder:
            with counter("Embedding", quiet=quiet) as progress:
                return await embed_pending(store, embedder, Filter(), progress)

    try:
        return run_async(work()), "nonet docs embed"
    except InterruptedByUserError as error:
        error.kept = "The documents are kept, and the vectors made so far."
        error.next_step = "`nonet docs embed` goes on from there."
        raise
    except (CallError, ResourceError, StoreError) as error:
        if embed:
            raise
        return 0, f"{error.message} {error.next_step}".strip()


def _tell(report: AddReport) -> None:
    for what in ("added", "replaced", "unchanged", "removed"):
        for name in getattr(report, what):
            out(f"{what:<9}  {one_line(name)}")
    for path, name in report.duplicates:
        out(f"duplicate  {one_line(path)}  (the same bytes as {one_line(name)})")
    for path, note in report.notes:
        say(f"note       {one_line(f'{path}: {note}')}")
    for path, reason in report.skipped:
        say(f"skipped    {one_line(f'{path}: {reason}')}")
    for failed in report.failed:
        say(f"failed     {one_line(f'{failed.reason} {failed.next_step}', _FAILURE_CHARACTERS)}")


def embed(collection: str | None, flags: Flags, *, again: bool, json: bool, quiet: bool) -> int:
    """Make the vectors that are missing."""
    from nonet.graphs.embedding import embed_pending, open_embedder  # noqa: PLC0415
    from nonet.graphs.scope import check_collection  # noqa: PLC0415
    from nonet.store import Filter  # noqa: PLC0415

    door = open_door(flags)

    async def work(store: Store) -> tuple[int, str]:
        async with open_embedder(door.loaded.settings) as embedder:
            if again:
                store.vectors.clear()
            store.vectors.expect(embedder.space)
            with counter("Embedding", quiet=quiet) as progress:
                return await embed_pending(store, embedder, Filter(collection=collection), progress), embedder.space

    with open_store(door) as store:
        check_collection(store, collection)
        try:
            made, model = run_async(work(store))
        except InterruptedByUserError as error:
            error.kept = "The vectors made so far are kept."
            error.next_step = "`nonet docs embed` goes on from there."
            raise
        state = store.vectors.state()
    if json:
        emit({"model": model, "made": made, "vectors": state.done, "chunks": state.chunks})
    else:
        out(f"{made:,} vectors made by {model}; {state.done:,} of {state.chunks:,} chunks have one")
    return 0


def show_all(flags: Flags, *, json: bool) -> int:
    """List the documents."""
    from nonet.graphs.scope import scope_of  # noqa: PLC0415
    from nonet.store import Filter  # noqa: PLC0415

    door = open_door(flags)
    collection = scope_of(door.loaded.settings).collection
    with open_store(door) as store:
        check_named(door, store)
        found = store.documents.list(Filter(collection=collection))
    if json:
        keys = (
            "name", "collection", "digest", "media_type", "path", "size_bytes", "characters", "chunks", "modified",
            "dated", "added_at_s",
        )  # fmt: skip
        emit({"documents": [{key: getattr(each, key) for key in keys} for each in found]})
    elif found:
        rows = [[each.name, f"{each.characters:,} characters", f"{each.chunks} chunks", each.path] for each in found]
        print_lines(columns(rows, ("cyan", "", "", "dim"), indent=""))
    else:
        say("There are no documents. Add some with: nonet docs add PATH")
    return 0


def search(query: str, limit: int, flags: Flags, *, words: bool, broad: bool, rerank: str | None, json: bool) -> int:
    """Search by words, and by vectors where there are any.

    Args:
        rerank: a chat model that judges what was found; "": none; None: that of the settings, if it can be had.

    Raises:
        ResourceError: the model that `rerank` names cannot be had.
    """
    from nonet.graphs.scope import scope_of  # noqa: PLC0415

    door = open_door(flags)
    where = scope_of(door.loaded.settings)
    with open_store(door) as store:
        check_named(door, store)
        without = words or not store.vectors.state().model
        found = _find_any(store, query, limit, where, door, broad=broad, words=without, rerank=rerank)
    hits, method = found.hits, found.method
    if without and not words and hits:
        method += "; no vectors were made: nonet docs embed"
    if json:
        emit({"method": method, "results": [_hit(hit) for hit in hits]})
        return 0
    for hit in hits:
        place = f" [{hit.start}-{hit.end}]{f' p. {hit.page}' if hit.page else ''}  {hit.score:.3f}"
        head = text((one_line(hit.document), "cyan"), (place, "dim"))
        print_lines([head, text(hit.text.strip()), text()])
    say(f"Found by {method}." if hits else "Nothing was found.")
    return 0


def _find_any(
    store: Store, query: str, limit: int, where: Filter, door: Door, *, broad: bool, words: bool, rerank: str | None
) -> Found:
    """Reranked where a model for it is named; where that of the settings cannot be had, without it, and it says so."""
    judge, why_not = door.loaded.settings.rerank_model if rerank is None else rerank, ""
    if judge:
        try:
            return run_async(_find_reranked(store, query, limit, where, door, judge=judge, broad=broad, words=words))
        except ResourceError as error:
            if rerank:
                raise
            why_not = f"; not reranked: {error.message.rstrip('.')}"
    if words:
        return _find_by_words(store, query, limit, where, why_not)
    found = run_async(_find(store, query, limit, where, door, broad=broad))
    return replace(found, method=f"{found.method}{why_not}")


def _find_by_words(store: Store, query: str, limit: int, where: Filter, why: str = "") -> Found:
    from nonet.graphs.searching import Found  # noqa: PLC0415

    return Found(store.documents.search(query, limit, where=where), f"words (BM25){why}")


async def _find(store: Store, query: str, limit: int, where: Filter, door: Door, *, broad: bool) -> Found:
    """By vectors too; where the model that made them cannot be had, by words, and it says so."""
    from nonet.graphs.embedding import open_embedder  # noqa: PLC0415
    from nonet.graphs.searching import find  # noqa: PLC0415

    try:
        async with open_embedder(door.loaded.settings) as embedder:
            return await find(store, query, limit, where, embedder, broad=broad)
    except ResourceError as error:
        return _find_by_words(store, query, limit, where, f"; no vectors: {error.message.rstrip('.')}")


async def _find_reranked(
    store: Store, query: str, limit: int, where: Filter, door: Door, *, judge: str, broad: bool, words: bool
) -> Found:
    """As _find, in the order that a chat model gives what was found. Raises ResourceError where it cannot be had."""
    from nonet.graphs.embedding import open_models  # noqa: PLC0415
    from nonet.graphs.searching import find_reranked  # noqa: PLC0415

    async with open_models(door.loaded.settings, store) as models:
        reranker, why_not = models.reranker(judge), ""
        try:
            embedder = None if words else models.embedder()
        except ResourceError as error:
            embedder, why_not = None, f"; no vectors: {error.message.rstrip('.')}"
        with counter("Reranking") as progress:
            found = await find_reranked(
                store, query, limit, where, embedder, reranker=reranker, broad=broad, on_judged=progress
            )
        return replace(found, method=f"{found.method}{why_not}")


def _hit(hit: Hit) -> dict[str, object]:
    return {key: value for key, value in asdict(hit).items() if key != "seq"}


def remove(names: Sequence[str], flags: Flags, *, json: bool) -> int:
    """Remove documents.

    Raises:
        DocumentError: one of them is not there; those before it are removed.
    """
    removed: list[str] = []
    with open_store(open_door(flags)) as store:
        try:
            for name in names:
                found = store.documents.resolve(name)
                store.documents.remove(found)
                removed.append(found)
        except DocumentError as error:
            if removed:
                error.kept = f"Removed before: {', '.join(removed)}."
            raise
    if json:
        emit({"removed": removed})
    else:
        for name in removed:
            out(f"removed  {one_line(name)}")
    return 0
