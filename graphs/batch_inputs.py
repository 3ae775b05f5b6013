"""What is put into a queue: files, folders, globs, rows of JSONL and CSV, and standard input, as a stream of jobs.

Nothing is read whole: a file is hashed as it streams by, rows come one by one, and what is larger than the limit is a
job that says so and is dead from the start.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from nonet.errors import DocumentError
from nonet.graphs.batch_rows import RowFields, csv_rows, json_rows
from nonet.specialists.ingest import find_documents
from nonet.store import MAX_DOCUMENT_BYTES, NewJob

STDIN = "-"
_JSON_ROWS = frozenset({".jsonl", ".ndjson"})
_CSV_ROWS = {".csv": ",", ".tsv": "\t"}

OnSkip = Callable[[str, str], None]
"""Called with a path and why it was left out."""


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read."""

    max_bytes: int = MAX_DOCUMENT_BYTES
    fields: RowFields = field(default_factory=RowFields)
    on_skip: OnSkip = lambda _path, _reason: None
    stdin: BinaryIO | None = None


def read_inputs(inputs: Sequence[str], options: InputOptions) -> Iterator[NewJob]:
    """A job a document or row, in the order given.

    Args:
        inputs: a text or Markdown file is a document; each row of a JSONL, CSV or TSV file is one; of a folder all
            documents in it are taken, of a glob all that it matches; "-" reads JSON lines, or a text a line, from
            standard input.

    Raises:
        DocumentError: an input is not there or cannot be read. What came before it stands.
    """
    for given in inputs:
        if given == STDIN:
            if options.stdin is None:
                raise DocumentError("There is no standard input.", next_step="Name files, folders or globs.")
            yield from json_rows(options.stdin, "stdin", options.fields, options.max_bytes)
            continue
        for path in _matches(given):
            yield from _from_path(path, options)


def _matches(given: str) -> Sequence[Path]:
    if os.path.lexists(given) or not glob.has_magic(given):
        return [Path(given)]
    found = [Path(name) for name in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207  patterns may be absolute
    if not found:
        raise DocumentError(f"Nothing matches {given}.", next_step="Check the pattern.")
    return found


def _from_path(path: Path, options: InputOptions) -> Iterator[NewJob]:
    if path.is_dir():
        found = find_documents([path])
        for skipped, reason in found.skipped:
            options.on_skip(str(skipped), reason)
        for each in found.files:
            try:
                yield file_job(each.path, options.max_bytes)
            except DocumentError as error:
                options.on_skip(str(each.path), error.message)
        return
    suffix = path.suffix.lower()
    if suffix not in _JSON_ROWS and suffix not in _CSV_ROWS:
        yield file_job(path, options.max_bytes)
        return
    _check_regular(path)
    try:
        with path.open("rb") as file:
            if suffix in _JSON_ROWS:
                yield from json_rows(file, path.name, options.fields, options.max_bytes)
            else:
                yield from csv_rows(file, path.name, _CSV_ROWS[suffix], options.fields, options.max_bytes)
    except OSError as error:
        raise _unreadable(path, error) from error


def file_job(path: Path, max_bytes: int) -> NewJob:
    """The job of one file, hashed but not kept in memory. Raises DocumentError where it cannot be read."""
    size = _check_regular(path)
    name, whole = path.as_posix(), str(path.absolute())
    if size > max_bytes:
        told = hashlib.sha256(json.dumps([whole, size]).encode("utf-8", "surrogatepass")).digest()
        return NewJob(name, told, size, whole, refused=too_large(size, max_bytes))
    try:
        with path.open("rb") as file:
            return NewJob(name, hashlib.file_digest(file, "sha256").digest(), size, whole)
    except OSError as error:
        raise _unreadable(path, error) from error


def too_large(size_bytes: int, max_bytes: int) -> str:
    """Why a document is refused."""
    return f"it has {size_bytes:,} bytes, and this queue reads at most {max_bytes:,} of a document; it was not read"


def _check_regular(path: Path) -> int:
    """The size of a regular file."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(f"{path} is a pipe, socket or device.", next_step="Name a regular file, or pipe it to `-`.")
    return status.st_size


def _unreadable(path: Path, error: OSError | ValueError) -> DocumentError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DocumentError(
        f"{path} cannot be read: {reason}.",
        kept="The documents before it are in the queue.",
        next_step="Correct it and add all again: what the queue has already is not added twice.",
    )
