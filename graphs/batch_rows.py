"""Rows as documents: JSON lines and CSV, read in pieces, one job a row."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from nonet.errors import DocumentError
from nonet.store import NewJob

_READ_BYTES = 1 << 20
_TEXT_KEYS = ("text", "content", "body", "document")
_NAME_KEYS = ("id", "name", "document", "title")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class RowFields:
    """Which fields of a row are its text and its name. Empty: the first of the usual ones that is there."""

    text: str = ""
    name: str = ""


def json_rows(file: BinaryIO, source: str, fields: RowFields, max_bytes: int) -> Iterator[NewJob]:
    """A job a line. A line that is no JSON object is a text of its own on standard input, else a dead job.

    A row without a text field is taken whole, as JSON. Its name is its id, else the source and the line's number.
    """
    for number, line in enumerate(_lines(file, max_bytes), start=1):
        place = f"{source}:{number}"
        if isinstance(line, int):
            yield _refused(place, line, f"the line has {line:,} bytes, at most {max_bytes:,} are read of a document")
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield _refused(place, len(line), f"the line is not UTF-8 text (byte {error.start})", line)
            continue
        if not text or text.isspace():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            if source == "stdin" and not text.lstrip().startswith("{"):
                yield _job(place, None, text.strip(), len(line))
            else:
                yield _refused(place, len(line), f"the line is not JSON ({error}): {text[:_SHOWN]}", line)
            continue
        if isinstance(row, dict):
            yield _row_job(row, text, place, fields, len(line))
        else:
            yield _job(place, None, row if isinstance(row, str) else text.strip(), len(line))


def csv_rows(file: BinaryIO, source: str, delimiter: str, fields: RowFields, max_bytes: int) -> Iterator[NewJob]:
    """A job a row; the first row names the columns.

    Raises:
        DocumentError: it is not UTF-8, has no header, or a field is too large.
    """
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    before = csv.field_size_limit(max_bytes)
    try:
        header = next(reader, None)
        if header is None:
            raise DocumentError(f"{source} is empty.", next_step="The first row names the columns.")
        for row in reader:
            if row:
                named = dict(zip(header, row, strict=False))
                text = json.dumps(named, ensure_ascii=False)
                yield _row_job(named, text, f"{source}:{reader.line_num}", fields, len(text))
    except (csv.Error, UnicodeDecodeError) as error:
        raise DocumentError(
            f"{source}, line {reader.line_num}: {error}.",
            kept="The rows before it are in the queue.",
            next_step="Correct it and add all again: what the queue has already is not added twice.",
        ) from error
    finally:
        csv.field_size_limit(before)
        lines.detach()  # the file is the caller's


def _lines(file: BinaryIO, max_bytes: int) -> Iterator[bytes | int]:
    """Lines without their ends; for one that is longer than `max_bytes` its length, for it is not kept."""
    rest, skipped = b"", 0
    while piece := file.read(_READ_BYTES):
        *lines, last = piece.split(b"\n")
        for line in lines:
            whole, rest = rest + line, b""
            length, skipped = skipped + len(whole), 0
            yield whole.removesuffix(b"\r") if length == len(whole) and length <= max_bytes else length
        rest += last
        if skipped or len(rest) > max_bytes:
            skipped, rest = skipped + len(rest), b""
    if rest or skipped:
        yield rest if not skipped and len(rest) <= max_bytes else skipped + len(rest)


def _row_job(row: Mapping[str, Any], whole: str, place: str, fields: RowFields, size: int) -> NewJob:
    text = _field(row, fields.text, _TEXT_KEYS)
    if text is None and fields.text:
        return _refused(place, size, f"the row has no text in the field {fields.text!r}", whole.encode())
    name = _field(row, fields.name, _NAME_KEYS)
    return _job(place, name, whole if text is None else text, size)


def _field(row: Mapping[str, Any], wanted: str, usual: tuple[str, ...]) -> str | None:
    for key in (wanted,) if wanted else usual:
        value = row.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def _job(place: str, name: str | None, text: str, size: int) -> NewJob:
    """The same text under another id is another document; without ids, the same text is the same one."""
    content = f"{name or ''}\0{text}".encode("utf-8", "surrogatepass")
    if not text.strip():
        return _refused(name or place, size, "the row has no text", content)
    return NewJob(name or place, hashlib.sha256(content).digest(), size, text=text)


def _refused(place: str, size: int, reason: str, content: bytes = b"") -> NewJob:
    return NewJob(place, hashlib.sha256(content or place.encode()).digest(), size, text="", refused=reason)
