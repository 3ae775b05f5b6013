"""A folder whose documents go into a queue as they appear or change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from nonet.errors import DocumentError
from nonet.graphs.batch_add import add_jobs
from nonet.graphs.batch_inputs import InputOptions, read_inputs
from nonet.store import Added, Store

QUIET_SECONDS = 1.0
"""A file is whole when it has not changed for so long."""
_LOOK_MILLISECONDS = 250

Stamp = tuple[int, int]
"""Size and time of change."""


async def watch_folder(
    store: Store, queue: str, folder: Path, *, work: str, options: InputOptions
) -> AsyncGenerator[Added, None]:
    """What is in the folder now, then whatever comes, until it is closed. A file that is still written waits.

    Raises:
        DocumentError: the folder cannot be listed.
    """
    from watchfiles import awatch  # noqa: PLC0415  only who watches loads it

    # The watch begins before the first look, so that nothing comes between the two.
    changes = awatch(
        folder, rust_timeout=_LOOK_MILLISECONDS, yield_on_timeout=True, debounce=_LOOK_MILLISECONDS, step=50
    )
    pending: dict[Path, tuple[Stamp, float]] = {}
    first = True
    async for seen in changes:
        if first:
            first = False
            yield await asyncio.to_thread(_add, store, queue, [str(folder)], work, options)
        for _, name in seen:
            _note(pending, Path(name))
        ready = [path for path in list(pending) if _is_quiet(pending, path)]
        for path in ready:
            del pending[path]
        named = [str(path) for path in ready if not _is_hidden(folder, path)]
        if named:
            yield await asyncio.to_thread(_add, store, queue, named, work, options)


def _note(pending: dict[Path, tuple[Stamp, float]], path: Path) -> None:
    stamp = _stamp(path)
    if stamp is not None:
        pending[path] = (stamp, time.monotonic())


def _is_quiet(pending: dict[Path, tuple[Stamp, float]], path: Path) -> bool:
    stamp, since = pending[path]
    now = _stamp(path)
    if now is None:  # moved away, or removed
        del pending[path]
        return False
    if now != stamp:
        pending[path] = (now, time.monotonic())
        return False
    return time.monotonic() - since >= QUIET_SECONDS


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if path.is_file() else None


def _is_hidden(folder: Path, path: Path) -> bool:
    base = folder.absolute()
    parts = path.relative_to(base).parts if path.is_relative_to(base) else path.parts[-1:]
    return any(part.startswith(".") for part in parts)


def _add(store: Store, queue: str, inputs: list[str], work: str, options: InputOptions) -> Added:
    total = Added()
    for each in inputs:
        try:
            total += add_jobs(store, queue, read_inputs([each], options), work=work)
        except DocumentError as error:
            options.on_skip(each, error.message)
    return total
