"""A work folder on the machine's own disk: measured while a program runs, and removed whatever it made of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nonet.specialists.sandbox.protocol import Limits

_DEEPEST = 40
"""Levels of folders; what lies deeper than a path can name could not be measured."""


@contextlib.contextmanager
def temporary_folder(user: int | None) -> Iterator[Path]:
    """A folder that belongs to `user`, or to us; gone in the end."""
    work = Path(tempfile.mkdtemp(prefix="nonet-sandbox-")).resolve()
    try:
        if user is not None:
            os.chown(work, user, user)
        yield work
    finally:
        _remove(work)


def over_limit(work: Path, limits: Limits) -> tuple[str, str]:
    """Which limit its folder is over, and in words; two empty texts if none. Looks at `work_files` entries at most."""
    size = count = 0
    folders = [(str(work), 0)]
    while folders:
        folder, depth = folders.pop()
        if depth > _DEEPEST:
            return "files", f"ended: its folders are too deep, over {_DEEPEST} levels"
        # It changes under our hands; what is gone no longer counts.
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                if count > limits.work_files:
                    return "files", f"ended: it made more than {limits.work_files} files"
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, depth + 1))
                else:
                    size += _on_disk(entry.stat(follow_symlinks=False))
    if size > limits.work_bytes:
        return "disk", f"ended: its files take more than {limits.work_bytes >> 20} MiB"
    return "", ""


def _on_disk(found: os.stat_result) -> int:
    # A file with holes takes less than its size; Windows does not say how much.
    return found.st_blocks * 512 if hasattr(found, "st_blocks") else found.st_size


def _remove(work: Path) -> None:
    """Remove a folder whose content was made to resist it: too deep for recursion or for a path, without rights."""
    unique = 0
    waiting = [work]
    while waiting:
        folder = waiting.pop()
        folder.chmod(0o700)
        for entry in list(os.scandir(folder)):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            # Up to the top, so that no path ever grows longer than two steps.
            unique += 1
            moved = work / f".{unique}.remove"
            Path(entry.path).chmod(0o700)
            Path(entry.path).rename(moved)
            waiting.append(moved)
        if folder != work:
            folder.rmdir()
    shutil.rmtree(work)
