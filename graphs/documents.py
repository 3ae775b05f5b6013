"""Documents into the store, and the store as the searcher that retrieval asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nonet.errors import DocumentError
from nonet.specialists import Passage
from nonet.specialists.ingest import IngestedDocument, find_documents, read_document
from nonet.store import NewDocument, Store

OnProgress = Callable[[int, int, str], None]
"""Called with documents done, documents in all, and the name of the one at work."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of every file that was named or found."""

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    """(path, reason) pairs; nothing is skipped in silence."""

    @property
    def names(self) -> tuple[str, ...]:
        """The documents that are in the store now because of this call or an earlier one."""
        return (*self.added, *self.replaced, *self.unchanged)


def add_documents(store: Store, paths: Sequence[Path], on_progress: OnProgress | None = None) -> AddReport:
    """Read, chunk and store the files, and every document in the folders.

    Raises:
        DocumentError: a file that was named itself is missing, empty, binary, too large or unreadable, or nothing
            was found at all. A file found inside a folder is reported as skipped instead.
        StoreError: the database cannot be written.
    """
    files, skipped = find_documents(paths)
    named = {path.resolve() for path in paths}
    outcome: dict[str, list[str]] = {"added": [], "replaced": [], "unchanged": []}
    left_out = [(str(path), reason) for path, reason in skipped]
    for number, found in enumerate(files):
        if on_progress is not None:
            on_progress(number, len(files), found.name)
        try:
            document = read_document(found.path, name=found.name)
        except DocumentError as error:
            if found.path.resolve() in named:
                raise
            left_out.append((str(found.path), error.message))
            continue
        outcome[store.documents.add(_new(document)).change].append(document.name)
    if on_progress is not None:
        on_progress(len(files), len(files), "")
    if not any(outcome.values()):
        reasons = "; ".join(f"{path}: {reason}" for path, reason in left_out[:3])
        raise DocumentError(
            "No document was found in "
            + ", ".join(str(path) for path in paths)
            + (f" ({reasons})." if reasons else "."),
            next_step="Name a text, Markdown or source file, or a folder that holds some.",
        )
    return AddReport(tuple(outcome["added"]), tuple(outcome["replaced"]), tuple(outcome["unchanged"]), tuple(left_out))


def _new(document: IngestedDocument) -> NewDocument:
    return NewDocument(
        name=document.name,
        text=document.text,
        media_type=document.media_type,
        path=str(document.path),
        chunks=document.chunks,
        size_bytes=document.size_bytes,
    )


@dataclass(frozen=True, slots=True)
class StoreSearcher:
    """Implements nonet.specialists.Searcher over the documents of one run, or over all of them."""

    store: Store
    documents: tuple[str, ...] | None = None
    """None: the whole collection."""

    async def search(self, query: str, limit: int) -> Sequence[Passage]:
        return [
            Passage(hit.document, hit.chunk, hit.score, hit.start, hit.end, hit.text)
            for hit in self.store.documents.search(query, limit, self.documents)
        ]
