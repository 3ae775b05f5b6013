"""What `nonet docs` prints with --json."""

from __future__ import annotations

from nonet.schema_base import Output


class SkippedOut(Output):
    """A file that was not taken, and why."""

    path: str
    reason: str


class FailedOut(Output):
    """A file that was named and could not be read."""

    path: str
    reason: str
    next_step: str


class DuplicateOut(Output):
    """A file with the same bytes as a document that is kept under another name."""

    path: str
    document: str


class FileNoteOut(Output):
    """What to know of a file that was read: a suffix that misleads, parts that were left out."""

    path: str
    note: str


class DocsAddOut(Output):
    """`nonet docs add`: names of documents, and files that were not taken."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str]
    removed: list[str]
    """Their files are gone from a folder that is there, left out, copies of others now, or cannot be read any more."""
    duplicates: list[DuplicateOut]
    failed: list[FailedOut]
    """Named themselves; the exit status is 1."""
    skipped: list[SkippedOut]
    notes: list[FileNoteOut]
    vectors: int
    """Made now."""
    without_vectors: int
    """Chunks of the database that are found by words alone."""


class DocsEmbedOut(Output):
    """`nonet docs embed`."""

    model: str
    """And the beginning of its digest."""
    made: int
    vectors: int
    """In all."""
    chunks: int
    """In all."""


class DocumentOut(Output):
    """A document that is kept."""

    name: str
    collection: str
    digest: str
    """SHA-256 of its text, hexadecimal."""
    media_type: str
    path: str
    size_bytes: int
    characters: int
    chunks: int
    modified: float
    """Modification time of the file, seconds since the epoch."""
    dated: float
    """When it was written (an e-mail says so), else the modification time."""
    added_at_s: float
    """Seconds since the epoch."""


class DocsListOut(Output):
    """`nonet docs list`."""

    documents: list[DocumentOut]


class HitOut(Output):
    """A passage: characters start to end of the document's text."""

    document: str
    chunk: int
    score: float
    """Higher is better; comparable within one search only."""
    start: int
    end: int
    text: str
    heading: str
    """What it stands under: "Setup > Linux"."""
    page: int | None
    """From 1; null for documents without pages."""
    media_type: str
    path: str
    dated: float
    """When the document was written, seconds since the epoch."""
    collection: str


class DocsSearchOut(Output):
    """`nonet docs search`, best first."""

    method: str
    """By words or by words and vectors, and what was missing, in words."""
    results: list[HitOut]


class DocsRemoveOut(Output):
    """`nonet docs remove`."""

    removed: list[str]


DOCS_OUTPUTS: dict[str, type[Output]] = {
    "docs-add": DocsAddOut,
    "docs-embed": DocsEmbedOut,
    "docs-list": DocsListOut,
    "docs-search": DocsSearchOut,
    "docs-remove": DocsRemoveOut,
}
