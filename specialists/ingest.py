"""Files into documents: read, checked, converted to text, and cut into chunks.

Reading never blocks (pipes and devices are refused before they are opened) and never guesses in silence: the encoding
that was used, a name that does not say what the file is, and what was left out are part of what comes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nonet.errors import DocumentError
from nonet.specialists.budget import Span
from nonet.specialists.chunking import CHUNK_CHARS, CHUNK_OVERLAP_CHARS, chunks_of, has_functions, headings_of, pages_of
from nonet.specialists.ingest_decode import NotTextError, decode
from nonet.specialists.ingest_kinds import PLAIN, READS, UNREAD, Kind, by_suffix, is_image, kind_of, media_type_of
from nonet.specialists.ingest_read import read_bytes
from nonet.specialists.ingest_walk import FoundDocuments, FoundFile, absolute, find_documents
from nonet.specialists.parser_process import ParserFailedError, ParserProcess

__all__ = [
    "CHUNK_CHARS",
    "CHUNK_OVERLAP_CHARS",
    "MAX_BYTES",
    "RULES",
    "FoundDocuments",
    "FoundFile",
    "IngestedDocument",
    "OpenedFile",
    "convert",
    "find_documents",
    "open_file",
    "read_document",
]

MAX_BYTES = 50_000_000
RULES = "5"
"""Changes with how files are read and cut: a document that was read by other rules is read again."""


@dataclass(frozen=True, slots=True)
class IngestedDocument:
    """A document, ready for the store. Every offset counts characters of `text`."""

    name: str
    text: str
    """With line ends as "\\n" and without a byte order mark."""
    media_type: str
    path: Path
    chunks: tuple[Span, ...]
    """(start, end) pairs that overlap a little and cover the whole text."""
    size_bytes: int
    """Of the file."""
    encoding: str = "utf-8"
    """As Python names it; anything but UTF was guessed."""
    file_digest: str = ""
    """SHA-256 of the file, hexadecimal."""
    modified: float = 0.0
    """The file's modification time, seconds since the epoch."""
    dated: float = 0.0
    """When the document says it was written (e-mail); else the file's modification time."""
    title: str = ""
    """As the document states it; empty where it does not."""
    markdown: bool = False
    """The text is Markdown, whatever it was read from."""
    pages: tuple[int | None, ...] = ()
    """The page of each chunk, from 1; None for documents without pages."""
    headings: tuple[str, ...] = ()
    """What each chunk stands under; empty where the text's own headings say it."""
    notes: tuple[str, ...] = ()
    """What the reader should know: a wrong suffix, parts that were left out."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file's bytes, before anything is made of them."""

    path: Path
    data: bytes
    modified: float
    """Seconds since the epoch."""
    digest: str
    """SHA-256, hexadecimal."""


def open_file(path: Path, *, max_bytes: int = MAX_BYTES) -> OpenedFile:
    """Read a file's bytes.

    Raises:
        DocumentError: missing, unreadable, a folder, a pipe or device, empty, too large, changing, or of a kind that
            is not read.
    """
    if kind_name := UNREAD.get(path.suffix.lower()):
        raise DocumentError(
            f"{path} is {kind_name}, which nonet does not read.",
            next_step=f"Save it as DOCX or PDF; nonet reads {READS}.",
        )
    data, status = read_bytes(path, max_bytes)
    if not data.strip():
        raise _empty(path)
    return OpenedFile(path, data, status.st_mtime, hashlib.sha256(data).hexdigest())


def read_document(
    path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES, parser: ParserProcess | None = None
) -> IngestedDocument:
    """Read one file of the kinds in `READS`.

    Args:
        path: the file.
        name: what to call the document; the file's name unless given.
        max_bytes: refuse a larger file.
        parser: to read several documents with one process; for this one alone unless given.

    Raises:
        DocumentError: as `open_file` and `convert`.
    """
    return convert(open_file(path, max_bytes=max_bytes), name=name, parser=parser)


def convert(file: OpenedFile, *, name: str | None = None, parser: ParserProcess | None = None) -> IngestedDocument:
    """Make a document of a file's bytes.

    Raises:
        DocumentError: encrypted, damaged, without text, or of a kind whose parser is not installed.
    """
    path, suffix = file.path, file.path.suffix.lower()
    if is_image(file.data):
        raise DocumentError(
            f"{path} is an image, and nonet has no OCR.",
            next_step="Run it through an OCR program, such as ocrmypdf or tesseract.",
        )
    kind = kind_of(file.data, suffix)
    if kind in PLAIN:
        plain, encoding = _plain(path, file.data)
        fields: Mapping[str, Any] = {"text": plain, "markdown": kind is Kind.MARKDOWN}
    else:
        fields, encoding = _parsed(path, kind, file.data, parser), "utf-8"
    text = str(fields["text"]).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise _empty(path)
    markdown = bool(fields["markdown"])
    pages = [(start, page) for start, page in fields.get("pages", ())]
    functions, cut_notes = _functions(text, kind, suffix, parser)
    chunks = chunks_of(text, kind, pages, functions=functions, markdown=markdown)
    return IngestedDocument(
        name=name or path.name,
        text=text,
        media_type=str(fields.get("media_type") or media_type_of(kind, suffix)),
        path=Path(absolute(path)),
        chunks=tuple(chunks),
        size_bytes=len(file.data),
        encoding=encoding,
        file_digest=file.digest,
        modified=file.modified,
        dated=float(fields.get("dated") or file.modified),
        title=str(fields.get("title", "")),
        markdown=markdown,
        pages=pages_of(chunks, pages) if pages else (),
        headings=headings_of(text, kind, chunks),
        notes=(
            *_name_note(kind, suffix),
            *_encoding_note(encoding),
            *(str(note) for note in fields.get("notes", ())),
            *cut_notes,
        ),
    )


def _functions(
    text: str, kind: Kind, suffix: str, parser: ParserProcess | None
) -> tuple[Sequence[Span], tuple[str, ...]]:
    """Where code is cut along its functions, and what to say where it is not."""
    if not has_functions(text, kind, suffix):
        return (), ()
    try:
        with nullcontext(parser) if parser is not None else ParserProcess() as process:
            return process.cut(text, suffix, CHUNK_CHARS), ()
    except ParserFailedError as error:
        return (), (f"cut by lines, not along its functions: it {error.reason}",)


def _empty(path: Path) -> DocumentError:
    return DocumentError(f"{path} is empty.", next_step="Name a file that holds some text.")


def _plain(path: Path, data: bytes) -> tuple[str, str]:
    try:
        return decode(data)
    except NotTextError:
        named = by_suffix(path.suffix)
        if named not in PLAIN:
            raise DocumentError(
                f"{path} is damaged, or is no {named} file.", next_step="Open it in its program and save it anew."
            ) from None
        raise DocumentError(
            f"{path} is not text, or its encoding cannot be told.", next_step=f"Save it as UTF-8; nonet reads {READS}."
        ) from None


def _parsed(path: Path, kind: Kind, data: bytes, parser: ParserProcess | None) -> Mapping[str, Any]:
    try:
        if parser is not None:
            return parser.parse(kind, data)
        with ParserProcess() as own:
            return own.parse(kind, data)
    except ParserFailedError as error:
        raise DocumentError(f"{path} {error.reason}.", next_step=error.next_step) from error


def _encoding_note(encoding: str) -> tuple[str, ...]:
    if encoding.startswith("utf") and not encoding.endswith("mixed"):
        return ()
    return (f"read as {encoding}" + ("" if encoding.startswith("utf") else ", which is a guess"),)


def _name_note(kind: Kind, suffix: str) -> tuple[str, ...]:
    named = by_suffix(suffix)
    same = named is kind or {named, kind} <= {Kind.OFFICE, Kind.OLD_OFFICE}
    return () if same or (named is Kind.TEXT and kind is Kind.HTML) else (f"named as {named}, read as {kind}",)
