"""`nonet docs`: the documents that retrieval searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from nonet.door import Flags, open_door, open_store
from nonet.errors import DocumentError
from nonet.progress import counter
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, out, say
from nonet.text import one_line


def add(paths: Sequence[Path], flags: Flags, *, json: bool, quiet: bool) -> int:
    """Add documents, or replace those that have changed."""
    from nonet.graphs.documents import add_documents  # noqa: PLC0415

    with open_store(open_door(flags), create=True) as store, counter("Reading", quiet=quiet) as progress:
        report = add_documents(store, paths, progress)
    if json:
        skipped = [{"path": path, "reason": reason} for path, reason in report.skipped]
        emit({**asdict(report), "skipped": skipped})
        return 0
    for what in ("added", "replaced", "unchanged"):
        for name in getattr(report, what):
            out(f"{what:<9}  {one_line(name)}")
    for path, reason in report.skipped:
        say(f"skipped    {one_line(f'{path}: {reason}')}")
    return 0


def show_all(flags: Flags, *, json: bool) -> int:
    """List the documents."""
    with open_store(open_door(flags)) as store:
        found = store.documents.list()
    if json:
        keys = ("name", "digest", "media_type", "path", "size_bytes", "characters", "chunks", "modified", "added_at_s")
        emit({"documents": [{key: getattr(each, key) for key in keys} for each in found]})
    elif found:
        rows = [[each.name, f"{each.characters:,} characters", f"{each.chunks} chunks", each.path] for each in found]
        print_lines(columns(rows, ("cyan", "", "", "dim"), indent=""))
    else:
        say("There are no documents. Add some with: nonet docs add PATH")
    return 0


def search(query: str, limit: int, flags: Flags, *, json: bool) -> int:
    """Search by words; no model is asked."""
    with open_store(open_door(flags)) as store:
        hits = store.documents.search(query, limit)
    if json:
        emit({"results": [asdict(hit) for hit in hits]})
    for hit in [] if json else hits:
        head = text((one_line(hit.document), "cyan"), (f" [{hit.start}-{hit.end}]  {hit.score:.3f}", "dim"))
        print_lines([head, text(hit.text.strip()), text()])
    if not json and not hits:
        say("Nothing was found.")
    return 0


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
