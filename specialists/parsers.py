"""Documents of other formats into text: PDF page by page, the rest as Markdown. Runs in a child process.

Imported only there (`parser_child`): a parser that crashes, hangs or eats memory takes the child down and nothing else.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from nonet.specialists.ingest_kinds import Kind
from nonet.specialists.parsed import DAMAGED, Parsed, ParseError
from nonet.specialists.parsers_email import parse_email, parse_mailbox
from nonet.specialists.parsers_html import parse_html

MAX_CHARACTERS = 20_000_000
"""Of one document's text: some 3,000,000 words."""
MAX_UNPACKED_BYTES = 300_000_000
"""Of a zip archive; what its directory claims. What it does not claim runs into the child's memory limit."""
_MOST_RATIO = 200
"""Unpacked to packed. XML of real documents packs by 5 to 30, runs of one letter by 1,000."""
_MOST_RATIO_FROM_BYTES = 50_000_000
_MOST_OUTPUT_CHARACTERS = 2_000
"""Of one output of a notebook's cell."""
_XML_HEAD = 4096
"""Bytes of a part in which a DTD begins."""
_ENTITIES = (
    "it defines entities of its own (a DTD), which documents may not: they stand in the text as &name;, unexpanded"
)
_GET_EXTRA = "Install what reads it: pip install 'nonet[documents]'"

OfficeKind = Literal["docx", "pptx", "xlsx", "doc", "ppt", "xls"]

_OFFICE_PARTS: Mapping[str, OfficeKind] = {"word/": "docx", "ppt/": "pptx", "xl/": "xlsx"}
_OLD_STREAMS: Mapping[str, OfficeKind] = {
    "WordDocument": "doc",
    "PowerPoint Document": "ppt",
    "Workbook": "xls",
    "Book": "xls",
}
_OFFICE_MEDIA = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "xls": "application/vnd.ms-excel",
}


def parse(kind: Kind, data: bytes, *, attached: bool = True) -> Parsed:
    """Convert a document. Raises ParseError for whatever is wrong with it or missing here.

    `attached=False` names what is attached to an e-mail, and reads none of it.
    """
    try:
        parsed = _PARSERS[kind](data) if attached else parse_email(data, None)
    except ImportError as error:
        raise ParseError(f"is {kind}, and {error.name} is not installed", f"{_GET_EXTRA}.") from error
    if len(parsed.text) > MAX_CHARACTERS:
        raise ParseError(
            f"holds {len(parsed.text):,} characters; at most {MAX_CHARACTERS:,} are read",
            "Split the document and add the parts.",
        )
    return parsed


def _pdf(data: bytes) -> Parsed:
    import pypdfium2  # noqa: PLC0415 - an extra

    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).casefold():
            raise _encrypted() from error
        raise ParseError(DAMAGED.format(kind="PDF"), "Open it in a viewer and save it anew.") from error
    pieces: list[str] = []
    pages: list[tuple[int, int]] = []
    length = 0
    for number in range(count):
        text = _page_text(document, number)
        if text:
            pages.append((length, number + 1))
            pieces.append(text)
            length += len(text)
        if length > MAX_CHARACTERS:
            break
    if not pages:
        raise ParseError(
            f"has {count} page{'s' if count != 1 else ''} and no text: they are images, and nonet has no OCR",
            "Run it through an OCR program that adds a text layer, such as ocrmypdf.",
        )
    empty = count - len(pages)
    notes = [f"{empty} of {count} pages hold no text (images are not read)"] if empty else []
    about = document.get_metadata_dict()
    return Parsed("".join(pieces), pages=pages, title=about.get("Title", ""), notes=notes)


def _page_text(document: Any, number: int) -> str:  # noqa: ANN401 - pypdfium2 has no types
    """A page's text, ending in an empty line; "" where it has none or cannot be read."""
    try:
        text = str(document[number].get_textpage().get_text_bounded())
    except Exception:  # noqa: BLE001 - a damaged page, of which the others know nothing
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "")
    # PDFium marks a hyphen at a line's end, and puts the halves together itself.
    text = re.sub("[\x02\ufffe]", "", text).replace("\x00", "")
    return f"{text.strip()}\n\n" if text.strip() else ""


def _encrypted() -> ParseError:
    return ParseError("is encrypted", "Save a copy without its password and add that.")


def _office(data: bytes) -> Parsed:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ParseError(DAMAGED.format(kind="Office document"), "Open it and save it anew.") from error
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > max(_MOST_RATIO_FROM_BYTES, _MOST_RATIO * len(data)):
        raise ParseError(
            f"would unpack from {len(data):,} to {unpacked:,} bytes, as zip bombs do",
            "If it is a real document, save it anew in parts.",
        )
    kinds = {kind for entry in entries for part, kind in _OFFICE_PARTS.items() if entry.filename.startswith(part)}
    if len(kinds) != 1:
        raise ParseError("is a zip archive, not a document", "Unpack it and add what is in it.")
    parsed = _converted(data, kinds.pop())
    if not parsed.text.strip() and any("/media/" in entry.filename for entry in entries):
        raise ParseError(
            "holds images and no text, and nonet has no OCR",
            "Save it as PDF and run an OCR program on that, such as ocrmypdf.",
        )
    return replace(parsed, notes=[_ENTITIES, *parsed.notes]) if _has_own_entities(data, entries) else parsed


def _has_own_entities(data: bytes, entries: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether a part brings a DTD, which Office documents may not (ECMA-376): what it defines is never expanded."""
    parts = [each for each in entries if each.filename.startswith(tuple(_OFFICE_PARTS))]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(b"<!DOCTYPE" in _head(archive, part) for part in parts if part.filename.endswith(".xml"))


def _head(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """How a part begins, without the zeros of UTF-16; nothing where only the converter could read it."""
    try:
        with archive.open(part) as file:
            return file.read(_XML_HEAD).replace(b"\0", b"")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError):
        return b""


def _old_office(data: bytes) -> Parsed:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _encrypted()
    for stream, kind in _OLD_STREAMS.items():
        if stream.encode("utf-16-le") in data:
            return _converted(data, kind)
    raise ParseError("is a compound file without a document in it", "Save it as DOCX, PPTX, XLSX or PDF.")


def _converted(data: bytes, kind: OfficeKind) -> Parsed:
    import office_oxide  # noqa: PLC0415 - an extra

    try:
        with office_oxide.Document.from_bytes(data, kind) as document:
            text = str(document.to_markdown())
    except office_oxide.OfficeOxideError as error:
        if "encrypt" in str(error).casefold() or "password" in str(error).casefold():
            raise _encrypted() from error
        raise ParseError(f"{DAMAGED.format(kind=kind.upper())} ({error})", "Open it and save it anew.") from error
    return Parsed(text, _OFFICE_MEDIA[kind], markdown=True)


def _notebook(data: bytes) -> Parsed:
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python"))
        parts = [_cell(cell, language) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ParseError(DAMAGED.format(kind="notebook"), "Open it in Jupyter and save it anew.") from error
    outputs = [output for cell in cells for output in cell.get("outputs", []) or []]
    cut = sum(len(_output_text(output)) > _MOST_OUTPUT_CHARACTERS for output in outputs)
    notes = [f"of {cut} outputs, only the first {_MOST_OUTPUT_CHARACTERS:,} characters are read"] if cut else []
    return Parsed("\n\n".join(part for part in parts if part.strip()), markdown=True, notes=notes)


def _cell(cell: Mapping[str, Any], language: str) -> str:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
        return source
    outputs = [_output(output) for output in cell.get("outputs", [])]
    shown = "".join(f"\n\n```text\n{output.rstrip()}\n```" for output in outputs if output.strip())
    return f"```{language}\n{source.rstrip()}\n```{shown}" if source.strip() else shown


def _output(output: Mapping[str, Any]) -> str:
    return _output_text(output)[:_MOST_OUTPUT_CHARACTERS]


def _output_text(output: Mapping[str, Any]) -> str:
    return _joined(output.get("text", "")) or _joined(output.get("data", {}).get("text/plain", ""))


def _joined(text: object) -> str:
    return "".join(str(line) for line in text) if isinstance(text, list) else str(text)


_PARSERS: Mapping[Kind, Callable[[bytes], Parsed]] = {
    Kind.PDF: _pdf,
    Kind.OFFICE: _office,
    Kind.OLD_OFFICE: _old_office,
    Kind.HTML: parse_html,
    Kind.EMAIL: lambda data: parse_email(data, parse),
    Kind.MAILBOX: parse_mailbox,
    Kind.NOTEBOOK: _notebook,
}
