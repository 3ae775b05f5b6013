"""Whether files are as they were when their documents were read."""

from __future__ import annotations

import os
from pathlib import Path

from nonet.errors import DocumentError
from nonet.specialists.ingest import RULES, open_file
from nonet.store import DocumentRecord

_SETTLED_SECONDS = 2.0
"""A file that was read sooner than this after it changed may have changed again within one tick of its clock."""


def untouched(record: DocumentRecord, path: Path) -> bool:
    """Whether the file is as it was when it was read, by its size and time, and was read by today's rules."""
    try:
        status = path.stat()
        if not os.access(path, os.R_OK):
            return False
    except (OSError, ValueError):
        return False
    same = (status.st_size, status.st_mtime) == (record.size_bytes, record.modified)
    settled = record.added_at_s - status.st_mtime > _SETTLED_SECONDS
    return same and settled and record.rules == RULES


def holds(record: DocumentRecord, digest: str) -> bool:
    """Whether the document's file has these bytes now; one without a file is as it was put in."""
    if not record.path or untouched(record, Path(record.path)):
        return True
    try:
        return open_file(Path(record.path)).digest == digest
    except DocumentError:
        return False
