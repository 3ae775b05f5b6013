"""Makes namespaces and a root of its own, for the tier that has no bubblewrap to do it.

Sources: user_namespaces(7); pid_namespaces(7); pivot_root(2); mount_setattr(2).
"""

from __future__ import annotations

import ctypes
import os
import struct

from nonet.specialists.sandbox.inside_system import LIBC, check, die_with_parent, syscall

TYPE_CHECKING = False  # what `typing` calls so; to import it would double the time to start
if TYPE_CHECKING:
    from typing import Any

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_NEW_USER = 0x10000000
_NEW_OTHERS = 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000
"""CLONE_NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS."""
_MS_PRIVATE_ALL, _MS_BIND_ALL, _MNT_DETACH = 0x40000 | 0x4000, 0x1000 | 0x4000, 2
_MS_NOSUID, _MS_NODEV = 2, 4
_ATTR_READ_ONLY, _ATTR_NOSUID, _AT_RECURSIVE, _AT_FDCWD = 1, 2, 0x8000, -100
_NEW_ROOT = "/proc"
"""Where the new root is put together: a folder that every Linux has and that holds no file a program needs."""


def enter_namespaces(job: dict[str, Any]) -> None:
    """Go on as process 1 of a pid namespace of our own, in a root of our own; the process that was stays to wait.

    Root needs no user namespace: the program gets a user of its own instead (see `inside_confine`).
    """
    if os.geteuid() == 0:
        check(LIBC.unshare(_NEW_OTHERS), "unshare")
    else:
        user, group = os.getuid(), os.getgid()
        check(LIBC.unshare(_NEW_USER | _NEW_OTHERS), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"65534 {user} 1"), ("gid_map", f"65534 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    inner = os.fork()
    if inner:
        _, status = os.waitpid(inner, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    # Its parent lives outside of the namespace, which is why it may kill process 1, and has no number in it.
    die_with_parent(None)
    _build_root(job)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = LIBC.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    check(result, f"mount {target}")


def _make_read_only(target: str, *, recursive: bool) -> None:
    attributes = struct.pack("<QQQQ", _ATTR_READ_ONLY | _ATTR_NOSUID, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    syscall(f"mount_setattr {target}", _MOUNT_SETATTR, _AT_FDCWD, target.encode(), flags, attributes, len(attributes))


def _build_root(job: dict[str, Any]) -> None:
    """A root that holds the readable paths, read-only, and a work folder of limited size; nothing else exists."""
    _mount("none", "/", None, _MS_PRIVATE_ALL)
    _mount("tmpfs", _NEW_ROOT, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    for path in (*job["readable"], *job["devices"]):
        _bind(path)
    for path in job["hidden"]:
        _mount("tmpfs", _NEW_ROOT + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=4k,mode=555")
    for path, points_to in job["links"]:
        os.symlink(points_to, _NEW_ROOT + path)
    work = _NEW_ROOT + job["work"]
    os.makedirs(work, exist_ok=True)
    limits = f"size={job['work_bytes']},nr_inodes={job['work_files']},mode=777"
    _mount("tmpfs", work, "tmpfs", _MS_NOSUID | _MS_NODEV, limits)
    _make_read_only(_NEW_ROOT, recursive=False)
    os.chdir(_NEW_ROOT)
    syscall("pivot_root", _PIVOT_ROOT[os.uname().machine], b".", b".")
    check(LIBC.umount2(b".", _MNT_DETACH), "umount of the old root")
    os.chdir("/")


def _bind(path: str) -> None:
    target = _NEW_ROOT + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _mount(path, target, None, _MS_BIND_ALL)
    _make_read_only(target, recursive=True)
