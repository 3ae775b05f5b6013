"""Brings back what a run made in its work folder: plain files, within bounds. No link is followed, nothing blocks."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # what `typing` calls so; to import it would double the time to start
if TYPE_CHECKING:
    from typing import Any

_MOST_FILES = 256


def collect(work: str, given: dict[str, bytes], most_bytes: int) -> dict[str, Any]:
    """{"files": those made or changed, by relative path, "left_out": names of what was too many or too large}."""
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room = most_bytes
    for name in _plain_files(work):
        content = _read(f"{work}/{name}", room)
        if content is None or len(files) >= _MOST_FILES:
            left_out.append(name)
        elif given.get(name) != content:
            files[name] = content
            room -= len(content)
    return {"files": files, "left_out": left_out[:_MOST_FILES]}


def _plain_files(work: str) -> list[str]:
    found: list[str] = []
    waiting = [""]
    while waiting and len(found) <= 4 * _MOST_FILES:
        folder = waiting.pop()
        for entry in _entries(f"{work}/{folder}"):
            name = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                found.append(name)
    return sorted(found)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _read(path: str, most_bytes: int) -> bytes | None:
    # Windows has neither flag, and no way for a guest to make what they guard against.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # A file of nothing but a hole takes as long to read as a full one.
        if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
            return None
        content = file.read(most_bytes + 1)
    return content if len(content) <= most_bytes else None
