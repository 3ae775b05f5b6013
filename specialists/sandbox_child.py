"""What runs inside, before the untrusted program: takes every right away from its own process, then runs the program.

The parent starts this file's text by `python -I -S -c`, with an empty environment, and sends a marshalled dict on
standard input (see `sandbox_process.Launch`). Nothing of nonet can be imported here, and each import costs every run.
Once confined it writes "ready" to the pipe `ready_fd` and closes it; any other text there is why it could not be.

Sources: landlock(7) and linux/landlock.h; user_namespaces(7); pivot_root(2); seccomp(2); capabilities(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import marshal
import os
import resource
import struct
import sys
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 442, 444, 445, 446

_NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x40000000 | 0x08000000 | 0x04000000
"""CLONE_NEWUSER, NEWNS, NEWNET, NEWIPC, NEWUTS. No NEWPID: the program can neither fork nor signal others anyway."""
_MS_PRIVATE_ALL, _MS_BIND_ALL, _MNT_DETACH = 0x40000 | 0x4000, 0x1000 | 0x4000, 2
_MS_NOSUID, _MS_NODEV = 2, 4
_ATTR_READ_ONLY, _ATTR_NOSUID, _AT_RECURSIVE, _AT_FDCWD = 1, 2, 0x8000, -100
_NEW_ROOT = "/proc"
"""Where the new root is put together: a folder that every Linux has and that holds no file a program needs."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SIGKILL = 9

_READ_FILE, _WRITE_FILE, _READ_DIR = 4, 2, 8
_FILE_RIGHTS = 1 | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
"""The rights that mean something on a plain file: execute, write, read, truncate, ioctl."""
_WORK_RIGHTS = _WRITE_FILE | _READ_FILE | _READ_DIR | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13 | 1 << 14
"""Also: remove folders and files, make folders, files and links, rename across folders, truncate."""


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def _syscall(what: str, number: int, *arguments: int | bytes | None) -> int:
    # Whole registers: ctypes would pass a bare int as 32 bits and leave the upper half undefined.
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in arguments]
    return _check(_LIBC.syscall(ctypes.c_long(number), *words), what)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = _LIBC.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    _check(result, f"mount {target}")


def _make_read_only(target: str, *, recursive: bool) -> None:
    attributes = struct.pack("<QQQQ", _ATTR_READ_ONLY | _ATTR_NOSUID, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    _syscall(f"mount_setattr {target}", _MOUNT_SETATTR, _AT_FDCWD, target.encode(), flags, attributes, len(attributes))


def _enter_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    _check(_LIBC.unshare(_NEW_NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"65534 {user} 1"), ("gid_map", f"65534 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def _build_root(job: dict[str, Any]) -> None:
    """A root that holds the readable paths, read-only, and a work folder of limited size; nothing else exists."""
    _mount("none", "/", None, _MS_PRIVATE_ALL)
    _mount("tmpfs", _NEW_ROOT, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    for path in (*job["readable"], *job["devices"]):
        target = _NEW_ROOT + path
        if os.path.isdir(path):  # noqa: PTH112
            os.makedirs(target, exist_ok=True)  # noqa: PTH103
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
        _mount(path, target, None, _MS_BIND_ALL)
        _make_read_only(target, recursive=True)
    for path in job["hidden"]:
        _mount("tmpfs", _NEW_ROOT + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=4k,mode=555")
    for path, points_to in job["links"]:
        os.symlink(points_to, _NEW_ROOT + path)  # noqa: PTH211
    work = _NEW_ROOT + job["work"]
    os.makedirs(work, exist_ok=True)  # noqa: PTH103
    limits = f"size={job['work_bytes']},nr_inodes={job['work_files']},mode=700"
    _mount("tmpfs", work, "tmpfs", _MS_NOSUID | _MS_NODEV, limits)
    _make_read_only(_NEW_ROOT, recursive=False)
    os.chdir(_NEW_ROOT)
    _syscall("pivot_root", _PIVOT_ROOT[os.uname().machine], b".", b".")
    _check(_LIBC.umount2(b".", _MNT_DETACH), "umount of the old root")
    os.chdir("/")


def _set_limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def _landlock_abi() -> int:
    """The version of Landlock here, 0 for none."""
    try:
        return _syscall("landlock", _LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def _restrict_files(job: dict[str, Any], abi: int) -> None:
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    # From ABI 4 on TCP, from ABI 6 on abstract sockets and signals; seccomp refuses all of these too.
    attributes = struct.pack("<QQQ", known, 3, 3)[: 8 if abi < 4 else 16 if abi < 6 else 24]  # noqa: PLR2004
    rules = _syscall("landlock_create_ruleset", _LANDLOCK_CREATE, attributes, len(attributes), 0)
    wanted = [(path, _READ_FILE | _READ_DIR) for path in job["rules"]]
    wanted += [(path, _READ_DIR) for path in job["listed"]]
    wanted += [(path, _READ_FILE | _WRITE_FILE) for path in job["devices"]]
    wanted += [(job["work"], _WORK_RIGHTS & known)]
    for path, rights in wanted:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= _FILE_RIGHTS  # noqa: PLW2901
        _syscall("landlock_add_rule", _LANDLOCK_ADD, rules, 1, struct.pack("<Qi", rights, descriptor), 0)
        os.close(descriptor)
    _syscall("landlock_restrict_self", _LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def _prctl(what: str, option: int, value: int | bytes, *more: int) -> None:
    argument = ctypes.c_ulong(value) if isinstance(value, int) else ctypes.c_char_p(value)
    rest = [ctypes.c_ulong(word) for word in (*more, 0, 0, 0)[:3]]
    _check(_LIBC.prctl(option, argument, *rest), what)


def _load_filter(code: bytes, pid_slots: tuple[int, ...]) -> None:
    program = bytearray(code)
    for slot in pid_slots:
        struct.pack_into("<I", program, slot, os.getpid())
    steps = ctypes.create_string_buffer(bytes(program), len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(steps)))
    _prctl("seccomp", _PR_SET_SECCOMP, 2, ctypes.addressof(header))


def _drop_capabilities() -> None:
    _check(_LIBC.capset(struct.pack("<Ii", 0x20080522, 0), bytes(24)), "capset")


def _confine(job: dict[str, Any]) -> None:
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1000")
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if job["namespaces"]:
        _enter_namespaces()
        _build_root(job)
    _set_limits(job["limits"])
    _drop_capabilities()
    _prctl("dumpable", _PR_SET_DUMPABLE, 0)
    _prctl("parent death signal", _PR_SET_PDEATHSIG, _SIGKILL)
    if job["parent"] and os.getppid() != job["parent"]:
        raise OSError("the parent has gone")
    _prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    abi = _landlock_abi()
    if abi:
        _restrict_files(job, abi)
    elif job["landlock_required"]:
        raise OSError("this kernel has no Landlock")
    os.chdir(job["work"])
    os.environ.update(HOME=job["work"], TMPDIR=job["work"])
    _load_filter(job["filter"], job["pid_slots"])


def _run(program: str) -> int:
    """The program as a script would run; its exit status. SystemExit passes, as it should."""
    main = type(sys)("__main__")
    main.__dict__.update(__file__="program.py", __builtins__=__builtins__)
    sys.modules["__main__"] = main
    sys.argv[:] = ["program.py"]
    try:
        exec(compile(program, "program.py", "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it raised is told, as the interpreter would
        import linecache  # noqa: PLC0415
        import traceback  # noqa: PLC0415

        linecache.cache["program.py"] = (len(program), None, program.splitlines(keepends=True), "program.py")
        # The first frame is this function.
        frames = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, frames)
        return 1
    return 0


def main() -> int:
    """Confine this process, tell the parent, run the program; the exit status."""
    job: dict[str, Any] = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own parent sent it
    ready = job["ready_fd"]
    try:
        _confine(job)
    except OSError as error:
        os.write(ready, str(error).encode())
        return 1
    os.write(ready, b"ready")
    os.close(ready)
    return _run(job["program"])


if __name__ == "__main__":
    sys.exit(main())
