"""What a sandboxed Python may read of this machine: the dynamic loader's libraries and the standard library."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_LIBRARY_FOLDERS = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32")
_EXTRA_FILES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute paths, as text, because they travel to a process that has no nonet."""

    executable: str
    """The interpreter itself, free of links and of any virtual environment."""
    readable: tuple[str, ...]
    """Files and folders to be read, none inside another."""
    hidden: tuple[str, ...]
    """Folders beneath `readable` that stay closed: installed packages."""
    links: tuple[tuple[str, str], ...]
    """(path, what it points to): `/lib` -> `usr/lib` where the distribution merged them."""
    devices: tuple[str, ...]
    rules: tuple[str, ...]
    """`readable` with `hidden` cut out of it, for Landlock, which can only add rights."""
    listed: tuple[str, ...]
    """Folders that had to be cut up for `rules`: their names may be listed, as import does. Landlock cannot keep the
    names of what lies beneath from being listed too; the contents stay closed."""


def python_layout() -> Layout:
    """The layout for the interpreter that runs this process."""
    links: list[tuple[str, str]] = []
    wanted: list[str] = []
    for folder in _LIBRARY_FOLDERS:
        if Path(folder).is_symlink():
            links.append((folder, str(Path(folder).readlink())))
            wanted.append(str(Path(folder).resolve()))
        else:
            wanted.append(folder)
    # A virtual environment has a platstdlib of its own, with nothing but packages in it.
    base = {"platbase": sys.base_exec_prefix}
    standard = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib", vars=base)]
    wanted += [*standard, *(str(Path(folder).resolve()) for folder in standard), *_EXTRA_FILES]
    readable = _outermost(wanted)
    # A shared libpython, and what a Python with libraries of its own (conda) links to.
    libraries = sorted(Path(str(sysconfig.get_config_var("LIBDIR") or "/nowhere")).glob("lib*.so*"))
    readable = _outermost([*readable, *map(str, libraries)])
    packages = [f"{folder}/{name}" for folder in standard for name in ("site-packages", "dist-packages")]
    hidden = tuple(
        path
        for path in dict.fromkeys([*packages, *(str(Path(p).resolve()) for p in packages), "/usr/lib/python3"])
        if Path(path).is_dir() and _inside(path, readable)
    )
    rules, listed = _cut_out(readable, hidden)
    return Layout(
        executable=str(Path(sys.executable).resolve()),
        readable=readable,
        hidden=hidden,
        links=tuple(links),
        devices=tuple(device for device in _DEVICES if Path(device).exists()),
        rules=rules,
        listed=listed,
    )


def _inside(path: str, folders: tuple[str, ...] | list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _outermost(paths: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted({path for path in paths if Path(path).exists()}):
        if not _inside(path, kept):
            kept.append(path)
    return tuple(kept)


def _cut_out(readable: tuple[str, ...], hidden: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rules: list[str] = []
    listed: list[str] = []
    waiting = list(readable)
    while waiting:
        path = waiting.pop()
        if path in hidden:
            continue
        if not any(folder.startswith(path + "/") for folder in hidden):
            rules.append(path)
            continue
        listed.append(path)
        with os.scandir(path) as entries:
            # A link needs no right of its own, and a rule on it would open whatever it points to.
            waiting += [entry.path for entry in entries if not entry.is_symlink()]
    return tuple(rules), tuple(listed)
