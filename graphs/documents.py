"""Documents into the store: read what is new, leave what is unchanged, remove what is no longer as it was read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nonet.errors import DocumentError
from nonet.graphs.file_state import holds, untouched
from nonet.specialists.ingest import (
    RULES,
    FoundFile,
    IngestedDocument,
    OpenedFile,
    convert,
    find_documents,
    open_file,
)
from nonet.specialists.ingest_kinds import READS
from nonet.specialists.ingest_walk import absolute
from nonet.specialists.parser_process import ParserProcess
from nonet.store import DocumentRecord, Filter, NewDocument, Store, is_job_document

OnProgress = Callable[[int, int, str], None]
"""Called with documents done, documents in all, and the name of the one at work."""

_MOST_PENDING = 32
_MOST_PENDING_CHARACTERS = 1_000_000
"""Documents that are read and not committed yet: one commit for all of them."""
_MOST_NAMED = 5
"""Documents that an error names; what it tells stays short enough for a line."""


class FailedFile(NamedTuple):
    """A file that could not be read."""

    path: str
    reason: str
    next_step: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of every file that was named or found."""

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Documents whose text is no longer that of their file: it is gone, left out of a folder that was named, a copy of
    another now, or cannot be read any more."""
    duplicates: tuple[tuple[str, str], ...] = ()
    """(path, name) pairs: the same bytes as a document that is kept under that name."""
    failed: tuple[FailedFile, ...] = ()
    """Files that were named themselves and could not be read."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(path, reason) pairs: files in folders that were left out; nothing is skipped in silence."""
    notes: tuple[tuple[str, str], ...] = ()
    """(path, note) pairs: files that were read, but not as their name says or not whole."""
    vectors: int = 0
    """Made now; and chunks of the database that are found by words alone."""
    without_vectors: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The documents that are in the store now because of this call or an earlier one."""
        originals = (name for _, name in self.duplicates)
        return tuple(dict.fromkeys((*self.added, *self.replaced, *self.unchanged, *originals)))


def add_documents(
    store: Store,
    paths: Sequence[Path],
    on_progress: OnProgress | None = None,
    *,
    collection: str = "",
    may_remove: bool = True,
) -> AddReport:
    """Read, chunk and store the files, and every document in the folders. Interrupted, it keeps what it has read.

    What has not changed since it was read is not read again; of files with the same bytes one is kept. Of what is
    named no text stays that its file no longer has: documents whose files are gone, are ignored now, became copies of
    others or cannot be read any more are removed. A file or folder that was named and is missing, as on a drive that
    is not plugged in, says nothing of its documents: they stay, and it is reported as failed.

    Args:
        store: where to.
        paths: files and folders.
        on_progress: told of every file.
        collection: what the documents belong to; its name stands in front of theirs.
        may_remove: remove what is no longer as it was read; else documents are added and replaced, and none goes.

    Raises:
        DocumentError: nothing was found at all, or nothing that was named could be read and nothing of it is kept.
        StoreError: the database cannot be written.
    """
    prefix = f"{collection}/" if collection else ""
    kept = store.documents.list(Filter(collection=collection))
    known = {record.name: record for record in kept if not is_job_document(record.name)}
    places = {name.removeprefix(prefix): record.path for name, record in known.items()}
    adding = _Adding(store, collection, known, {absolute(path) for path in paths}, may_remove)
    files, skipped = find_documents(paths, places, adding.is_kept)
    adding.skipped += [(str(path), reason) for path, reason in skipped]
    adding.remove_left_out(paths, {absolute(found.path) for found in files})
    with ParserProcess() as parser, adding.kept():
        for number, found in enumerate(files):
            if on_progress is not None:
                on_progress(number, len(files), found.name)
            adding.take(FoundFile(found.path, prefix + found.name), parser)
    if on_progress is not None:
        on_progress(len(files), len(files), "")
    report = adding.report()
    if not (report.names or report.removed or adding.spared):
        raise nothing_read(paths, report)
    return report


def nothing_read(paths: Sequence[Path], report: AddReport) -> DocumentError:
    """What to raise where no document came of what was named."""
    if report.failed:
        others = len(report.failed) - 1
        more = f" {others} more could not be read either." if others else ""
        return DocumentError(report.failed[0].reason + more, next_step=report.failed[0].next_step)
    reasons = "; ".join(f"{path}: {reason}" for path, reason in report.skipped[:3])
    return DocumentError(
        f"No document was found in {', '.join(str(path) for path in paths)}{f' ({reasons})' if reasons else ''}.",
        next_step=f"Name a file, or a folder that holds some; nonet reads {READS}.",
    )


@dataclass(slots=True)
class _Adding:
    """One call of `add_documents` under way."""

    store: Store
    collection: str
    known: dict[str, DocumentRecord]
    named: set[str]
    """Paths that were named themselves."""
    may_remove: bool
    outcome: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "replaced": [], "unchanged": []})
    removed: list[str] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    failed: list[FailedFile] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    pending: list[NewDocument] = field(default_factory=list)
    by_digest: dict[str, str] = field(default_factory=dict)
    """Names of the documents, by the digest of their files."""

    spared: set[str] = field(default_factory=set)
    """Documents that stay because the path that was named for them is missing."""

    read: dict[str, str] = field(default_factory=dict)
    """Digests of the files that were read in this call, by the names of their documents."""

    def __post_init__(self) -> None:
        self.by_digest = {record.file_digest: record.name for record in self.known.values() if record.file_digest}

    def remove_left_out(self, roots: Sequence[Path], found: set[str]) -> None:
        """Remove the documents below what was named whose files are gone from there, or are not taken any more."""
        folders = tuple(_below(absolute(root)) for root in roots)
        for record in list(self.known.values()):
            if record.path.startswith(folders) and record.path not in found:
                self._remove(record)

    def is_kept(self, path: str) -> bool:
        """Whether the document read from there stays what it is, its file there or not."""
        return os.path.lexists(path) or self._must_stay(path)

    def _must_stay(self, path: str) -> bool:
        """Whether nothing may be removed, or what was named itself, at or above the path, is missing as a whole.

        Looked up each time, as a drive may be pulled out while it is read.
        """
        if not self.may_remove:
            return True
        above = (root for root in self.named if path == root or path.startswith(_below(root)))
        return any(not os.path.exists(root) for root in above)  # noqa: PTH110 - it never raises

    def _remove(self, record: DocumentRecord) -> None:
        if self._must_stay(record.path):
            return
        self.store.documents.remove(record.name)
        self.removed.append(record.name)
        del self.known[record.name]
        if self.by_digest.get(record.file_digest) == record.name:
            del self.by_digest[record.file_digest]

    def take(self, found: FoundFile, parser: ParserProcess) -> None:
        """Read one file, unless it is known to be unchanged."""
        record = self.known.get(found.name)
        mine = record if record is not None and record.path == absolute(found.path) else None
        file = None
        try:
            if mine and untouched(mine, found.path):
                self.outcome["unchanged"].append(found.name)
                return
            file = open_file(found.path)
            if original := self._original(file, found):
                self.duplicates.append((str(found.path), original))
                if mine:
                    self._remove(mine)
                return
            document = convert(file, name=found.name, parser=parser)
        except DocumentError as error:
            self._left_out(found.path, error)
            if mine:
                self._not_read(mine, file)
            return
        self.by_digest[file.digest] = found.name
        self.read[found.name] = file.digest
        self.notes += [(str(found.path), note) for note in document.notes]
        self.pending.append(new_document(document, self.collection))
        characters = sum(len(each.text) for each in self.pending)
        if len(self.pending) >= _MOST_PENDING or characters >= _MOST_PENDING_CHARACTERS:
            self.keep()

    def _original(self, file: OpenedFile, found: FoundFile) -> str:
        """The document that has these bytes under another name; "" where there is none, or its file has others now."""
        name = self.by_digest.get(file.digest, "")
        if not name or name == found.name:
            return ""
        if name in self.read:
            return name if self.read[name] == file.digest else ""
        return name if holds(self.known[name], file.digest) else ""

    def _not_read(self, record: DocumentRecord, file: OpenedFile | None) -> None:
        """What was read of the very bytes that the file has stays; what it said before is no longer what it says."""
        if file is not None and file.digest == record.file_digest:
            self.outcome["unchanged"].append(record.name)
            self.notes.append((record.path, "kept as it was read before, of the same bytes"))
        else:
            self._remove(record)

    def _left_out(self, path: Path, error: DocumentError) -> None:
        if absolute(path) in self.named:
            self.failed.append(FailedFile(str(path), error.message, self._how_to_remove(path) or error.next_step))
        else:
            gone = "" if os.path.lexists(path) else " any more: it vanished before it was read"
            reason = error.message.removeprefix(f"{path} ").rstrip(".") + gone
            self.skipped.append((str(path), reason))

    def _how_to_remove(self, path: Path) -> str:
        """What is kept of a path that was named and is missing, and how to remove it; "" where nothing is."""
        place = absolute(path)
        if os.path.exists(place):  # noqa: PTH110 - it never raises
            return ""
        names = [each.name for each in self.known.values() if each.path == place or each.path.startswith(_below(place))]
        self.spared.update(names)
        if not names:
            return ""
        kept = "Its document is kept" if len(names) == 1 else f"Its {len(names):,} documents are kept"
        listed = " ".join(shlex.quote(name) for name in names[:_MOST_NAMED])
        more = f", and so on: `nonet docs list` shows what was read from {place}" if len(names) > _MOST_NAMED else ""
        return f"{kept}. Check the path, or remove what is kept: nonet docs remove {listed}{more}"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever ends the work, what was read is kept."""
        try:
            yield
        finally:
            self.keep()

    def keep(self) -> None:
        """Commit what is pending."""
        pending, self.pending = self.pending, []
        try:
            records = self.store.documents.add_many(pending) if pending else []
        except DocumentError:
            records = [record for document in pending if (record := self._keep_one(document)) is not None]
        for record in records:
            self.outcome[record.change].append(record.name)

    def _keep_one(self, document: NewDocument) -> DocumentRecord | None:
        try:
            return self.store.documents.add(document)
        except DocumentError as error:
            self._left_out(Path(document.path), error)
            return None

    def report(self) -> AddReport:
        """What became of everything."""
        return AddReport(
            tuple(self.outcome["added"]),
            tuple(self.outcome["replaced"]),
            tuple(self.outcome["unchanged"]),
            tuple(self.removed),
            tuple(self.duplicates),
            tuple(self.failed),
            tuple(self.skipped),
            tuple(self.notes),
        )


def _below(folder: str) -> str:
    """What the paths of all that is in the folder begin with."""
    return os.path.join(folder, "")  # noqa: PTH118 - Path drops the slash


def new_document(document: IngestedDocument, collection: str) -> NewDocument:
    """What the store keeps of a file that was read."""
    return NewDocument(
        name=document.name,
        text=document.text,
        media_type=document.media_type,
        path=str(document.path),
        chunks=document.chunks,
        size_bytes=document.size_bytes,
        modified=document.modified,
        title=document.title,
        headings=document.headings,
        pages=document.pages,
        markdown=document.markdown,
        collection=collection,
        dated=document.dated,
        file_digest=document.file_digest,
        rules=RULES,
    )
