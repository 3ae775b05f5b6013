"""Bytes of a file, whole and of one moment: nothing that blocks, nothing too large, nothing that changed meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from nonet.errors import DocumentError


def read_bytes(path: Path, max_bytes: int) -> tuple[bytes, os.stat_result]:
    """The file's bytes, and its status at that moment. One that changes while it is read is read once more.

    Raises:
        DocumentError: missing, a folder, a pipe or device, too large, unreadable, or it does not stop changing.
    """
    for _ in range(2):
        data, before, after = _read_once(path, max_bytes)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
            return data, after
    raise DocumentError(
        f"{path} changed while it was read.", next_step="Add it again when whatever writes to it has finished."
    )


def _read_once(path: Path, max_bytes: int) -> tuple[bytes, os.stat_result, os.stat_result]:
    try:
        _check_kind(path, path.stat())
        # O_NONBLOCK: should the path turn into a pipe between the two checks, opening it still returns at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            before = os.fstat(descriptor)
            _check_kind(path, before)
            if before.st_size > max_bytes:
                raise _too_large(path, before.st_size, max_bytes)
            data = file.read(max_bytes + 1)
            after = os.fstat(descriptor)
    except (OSError, ValueError) as error:
        raise os_error(path, error) from error
    if len(data) > max_bytes:
        raise _too_large(path, len(data), max_bytes)
    return data, before, after


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DocumentError(f"{path} is a folder.", next_step="Name a file in it, or add the whole folder.")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(f"{path} is a pipe, socket or device.", next_step="Name a regular file.")


def _too_large(path: Path, size: int, max_bytes: int) -> DocumentError:
    return DocumentError(
        f"{path} has {size:,} bytes; at most {max_bytes:,} are read.", next_step="Split the file and add the parts."
    )


def os_error(path: Path, error: OSError | ValueError) -> DocumentError:
    """What an operating system's error means for who named the path."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DocumentError(f"{path} does not exist.", next_step="Check the path.")
    if isinstance(error, PermissionError):
        return DocumentError(f"{path} may not be read.", next_step="Check the file's permissions.")
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return DocumentError(f"{path} is a link that leads back to itself.", next_step="Name the file itself.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DocumentError(f"{path} cannot be read: {reason}.", next_step="Check the path and the disk.")
