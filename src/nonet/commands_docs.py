"""`nonet docs`: the documents that retrieval searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.documents import collection_to_fill
from nonet.door import Door, Flags, check_named, open_door, open_store
from nonet.errors import CallError, DocumentError, ResourceError, StoreError
from nonet.progress import counter
from nonet.render import columns, print_lines, text
from nonet.settings import ALL_COLLECTIONS
from nonet.terminal import InterruptedByUserError, emit, out, run_async, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.documents import AddReport
    from nonet.store import Hit, Store

FAILED = 1
_FAILURE_CHARACTERS = 400


def add(paths: Sequence[Path], flags: Flags, *, embed: bool | None, json: bool, quiet: bool) -> int:
    """Add documents, or replace those that have changed; 1 if a file that was named could not be read.

    Args:
        embed: make their vectors; None: where there is a model for it, unless they are very many.
    """
    from nonet.graphs.documents import add_documents  # noqa: PLC0415

    door = open_door(flags)
    collection = collection_to_fill(door.loaded.settings)
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
        report = replace(report, vectors=made, without_vectors=pending)
    status = FAILED if report.failed else 0
    if json:
        emit(
            {
                **asdict(report),
                "duplicates": [{"path": path, "document": name} for path, name in report.duplicates],
                "failed": [failed._asdict() for failed in report.failed],
                "skipped": [{"path": path, "reason": reason} for path, reason in report.skipped],
                "notes": [{"path": path, "note": note} for path, note in report.notes],
            }
        )
        return status
    _tell(report)
    if pending and why_not and not quiet:
        say(f"{pending:,} chunks have no vectors, and are found by words alone: {why_not}")
    return status


def _embed_new(store: Store, door: Door, *, embed: bool | None, quiet: bool) -> tuple[int, str]:
    """Make the vectors that are missing; how many were made, and why some were not."""
    from nonet.graphs.finding import embed_missing, why_not_now  # noqa: PLC0415

    if why_not := why_not_now(store, embed=embed):
        return 0, why_not
    try:
        with counter("Embedding", quiet=quiet) as progress:
            return run_async(embed_missing(store, door.loaded.settings, on_progress=progress)).made, "nonet docs embed"
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
    """Make the vectors that are missing, of one collection or of all."""
    from nonet.graphs.finding import embed_missing  # noqa: PLC0415
    from nonet.graphs.scope import check_collection  # noqa: PLC0415

    door = open_door(flags)
    wanted = None if collection == ALL_COLLECTIONS else collection
    with open_store(door) as store:
        check_collection(store, wanted)
        try:
            with counter("Embedding", quiet=quiet) as progress:
                work = embed_missing(store, door.loaded.settings, collection=wanted, again=again, on_progress=progress)
                report = run_async(work)
        except InterruptedByUserError as error:
            error.kept = "The vectors made so far are kept."
            error.next_step = "`nonet docs embed` goes on from there."
            raise
    if json:
        emit(asdict(report))
    else:
        out(f"{report.made:,} vectors made by {report.model}; {report.vectors:,} of {report.chunks:,} chunks have one")
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
    from nonet.graphs.finding import find_in  # noqa: PLC0415

    door = open_door(flags)
    with open_store(door) as store:
        check_named(door, store)
        with counter("Reranking") as progress:
            found = run_async(
                find_in(
                    store,
                    door.loaded.settings,
                    query,
                    limit,
                    broad=broad,
                    words=words,
                    rerank=rerank,
                    on_judged=progress,
                )
            )
    hits, method = found.hits, found.method
    if json:
        emit({"method": method, "results": [_hit(hit) for hit in hits]})
        return 0
    for hit in hits:
        place = f" [{hit.start}-{hit.end}]{f' p. {hit.page}' if hit.page else ''}  {hit.score:.3f}"
        head = text((one_line(hit.document), "cyan"), (place, "dim"))
        print_lines([head, text(hit.text.strip()), text()])
    say(f"Found by {method}." if hits else "Nothing was found.")
    return 0


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
