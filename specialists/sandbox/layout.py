"""What a sandboxed Python may read of this machine: the dynamic loader's libraries and the standard library."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

from nonet.specialists.sandbox.protocol import Job

_LIBRARY_FOLDERS = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32")
_EXTRA_FILES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
_SYSTEM = ("/usr", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf")
_SYSTEM_LINKS = ("/bin", "/sbin", *_LIBRARY_FOLDERS[:3])
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute paths, as text, because they travel to a process that has no nonet."""

    executable: str
    """The interpreter itself, free of links and of any virtual environment; it is in `readable`."""
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

    def for_job(self, job: Job) -> Layout:
        """The layout that a job needs: this one, or for a command the system's programs, this Python and its own."""
        return _system_layout(self, job.readable) if job.command else self


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
    executable = str(Path(sys.executable).resolve())
    readable = _outermost([*readable, *map(str, libraries), executable])
    packages = [f"{folder}/{name}" for folder in standard for name in ("site-packages", "dist-packages")]
    hidden = tuple(
        path
        for path in dict.fromkeys([*packages, *(str(Path(p).resolve()) for p in packages), "/usr/lib/python3"])
        if Path(path).is_dir() and _inside(path, readable)
    )
    rules, listed = _cut_out(readable, hidden)
    return Layout(
        executable=executable,
        readable=readable,
        hidden=hidden,
        links=tuple(links),
        devices=tuple(device for device in _DEVICES if Path(device).exists()),
        rules=rules,
        listed=listed,
    )


def _system_layout(python: Layout, more: tuple[str, ...]) -> Layout:
    folders = [path for path in _SYSTEM_LINKS if not Path(path).is_symlink()]
    own = [sys.base_prefix] if sys.base_prefix != "/usr" else []
    readable = _outermost([*_SYSTEM, *folders, *own, *python.readable, *more])
    links = tuple((path, str(Path(path).readlink())) for path in _SYSTEM_LINKS if Path(path).is_symlink())
    return replace(python, readable=readable, rules=readable, hidden=(), listed=(), links=links)


def work_folder(layout: Layout) -> str:
    """Where the folder in memory stands: where programs look for one, unless that would cover what they read."""
    return "/sandbox" if any(_inside(path, ["/tmp"]) for path in layout.readable) else "/tmp"  # noqa: S108


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
