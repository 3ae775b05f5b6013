"""Which files to read: folders searched all the way down, with what is ignored, and why anything is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nonet.specialists.ingest_ignores import Ignore, ignored_by, ignores_above, ignores_in
from nonet.specialists.ingest_kinds import IMAGES, NO_TEXT, UNREAD
from nonet.specialists.ingest_read import os_error

_CACHES = frozenset({"node_modules", "__pycache__"})


class FoundFile(NamedTuple):
    """A file to read, and the name its document gets."""

    path: Path
    name: str


class FoundDocuments(NamedTuple):
    """What `find_documents` found, and what it left out."""

    files: tuple[FoundFile, ...]
    skipped: tuple[tuple[Path, str], ...]
    """(path, reason) pairs."""


def find_documents(
    paths: Sequence[Path],
    known: Mapping[str, str] | None = None,
    is_kept: Callable[[str], bool] = os.path.lexists,
) -> FoundDocuments:
    """The files to read, in the order given and sorted within each folder.

    Folders are searched all the way down. What is hidden, ignored as git would (and by `.nonetignore` in the same way),
    binary by its suffix, of a kind that is not read, no regular file, or a link out of the folder is skipped with its
    reason; a link to a folder is never followed, so that loops cannot arise. A file named itself is always in,
    whatever it is, and even if it does not exist: reading it says what is wrong with it.

    Names are unique: a file's own name, or its path within the folder given; where two collide, the folder's name
    goes in front, then its whole path.

    Args:
        paths: files and folders.
        known: names of documents that are kept already, with the path each was read from. A file keeps the name it
            has there, and takes none that is kept for another path.
        is_kept: whether the document of such a path keeps its name; where its file still exists, unless given.

    Raises:
        DocumentError: a folder that was named cannot be listed.
    """
    files: list[FoundFile] = []
    skipped: list[tuple[Path, str]] = []
    seen: dict[str, str] = {}
    names = _Names(known or {}, is_kept)
    for root in paths:
        for path, reason in _walk_root(root):
            if reason:
                skipped.append((path, reason))
                continue
            real = _real(path)
            if real in seen:
                skipped.append((path, f"the same file as {seen[real]}"))
                continue
            seen[real] = names.of(root, path)
            files.append(FoundFile(path, seen[real]))
    return FoundDocuments(tuple(files), tuple(skipped))


class _Names:
    """Gives every file a name of its own."""

    def __init__(self, known: Mapping[str, str], is_kept: Callable[[str], bool]) -> None:
        self._known = known
        self._is_kept = is_kept
        self._by_path = {path: name for name, path in known.items() if path}
        self._taken: set[str] = set()

    def of(self, root: Path, path: Path) -> str:
        place = absolute(path)
        before = self._by_path.get(place)
        candidates = ([before] if before else []) + _candidates(root, path)
        name = next((name for name in candidates if self._free(name, place)), candidates[-1])
        self._taken.add(name)
        return name

    def _free(self, name: str, place: str) -> bool:
        if name in self._taken:
            return False
        other = self._known.get(name, "")
        return not other or other == place or not self._is_kept(other)


def _candidates(root: Path, path: Path) -> list[str]:
    real = Path(_real(path))
    if path == root:
        return [path.name or str(path), f"{real.parent.name}/{path.name}", real.as_posix()]
    relative = path.relative_to(root).as_posix()
    return [relative, f"{Path(_real(root)).name}/{relative}", real.as_posix()]


def absolute(path: Path) -> str:
    """The path from the root of the file system, links in it as they are: what a document's path is kept as."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() follows links


def _real(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, ValueError, RuntimeError):  # a loop of links, or no path at all: reading it says so
        return str(path)


def _walk_root(root: Path) -> Iterator[tuple[Path, str]]:
    try:
        is_folder = root.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not is_folder:
        yield root, ""
        return
    try:
        yield from _walk(root, root.resolve())
    except OSError as error:
        raise os_error(Path(error.filename or root), error) from error


def _walk(root: Path, top: Path) -> Iterator[tuple[Path, str]]:
    """Raises OSError where the root cannot be listed; what below it cannot be is told as left out."""
    open_folders = [(iter(sorted(root.iterdir())), (*ignores_above(root), *ignores_in(root)))]
    while open_folders:  # and no recursion: folders lie within each other deeper than Python may call
        entries, ignores = open_folders[-1]
        path = next(entries, None)
        if path is None:
            open_folders.pop()
            continue
        try:
            reason, inside = _looked_at(path, top, ignores)
            if inside:
                open_folders.append((iter(sorted(path.iterdir())), (*ignores, *ignores_in(path))))
        except OSError as error:
            reason, inside = os_error(path, error).message.removeprefix(f"{path} ").rstrip("."), False
        if not inside:
            yield path, reason


def _looked_at(path: Path, top: Path, ignores: Sequence[Ignore]) -> tuple[str, bool]:
    """Why a file or folder is left out, "" where it is not; and whether it is a folder to look into."""
    is_folder = path.is_dir()
    if path.name.startswith("."):
        return "hidden", False
    if path.is_symlink() and is_folder:
        return "a link to a folder", False
    if is_folder and path.name in _CACHES:
        return "a cache", False
    if ignoring := ignored_by(path, ignores, is_folder=is_folder):
        return f"ignored by {ignoring}", False
    if not is_folder:
        return _reason_to_skip(path, top), False
    may_be_listed = os.access(path, os.R_OK | os.X_OK)
    return ("", True) if may_be_listed else ("may not be listed", False)


def _reason_to_skip(path: Path, top: Path) -> str:
    suffix = path.suffix.lower()
    if path.is_symlink() and not path.exists():
        return "a broken link"
    if path.is_symlink() and not path.resolve().is_relative_to(top):
        return "a link that leads out of the folder"
    if not path.is_file():
        return "a pipe, socket or device"
    if suffix in UNREAD:
        return f"{UNREAD[suffix]} is not read"
    if suffix in IMAGES:
        return "an image, and there is no OCR"
    return "not a text file" if suffix in NO_TEXT else ""
