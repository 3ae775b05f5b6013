"""Takes every right away from a process before it runs untrusted code: user, limits, Landlock, system calls.

Sources: landlock(7) and linux/landlock.h; seccomp(2); capabilities(7); getrlimit(2); fork in kernel/fork.c, where
RLIMIT_NPROC does not bind root.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct

from nonet.specialists.sandbox.inside_system import LIBC, check, die_with_parent, prctl, syscall

TYPE_CHECKING = False  # what `typing` calls so; to import it would double the time to start
if TYPE_CHECKING:
    from typing import Any

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
"""The rights that mean something on a plain file: execute, write, read, truncate, ioctl."""
_WORK_RIGHTS = _WRITE_FILE | _READ_FILE | _READ_DIR | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13 | 1 << 14
"""Also: remove folders and files, make folders, files and links, rename across folders, truncate."""
_SCOPED_SIGNALS_ABI = 6


def confine(job: dict[str, Any], parent: int | None) -> None:
    """Confine this process for good. Raises OSError, and then it must not run anything."""
    _offer_to_the_oom_killer()
    abi = _landlock_abi()
    if not abi and job["landlock_required"]:
        raise OSError("this kernel has no Landlock")
    # Named while their paths can be followed: not everyone may enter the folders above.
    rules = _file_rules(job, abi) if abi else None
    become(job["user"])
    # After that, because the kernel forgets it when the user changes.
    die_with_parent(parent)
    _drop_capabilities()
    _write_files(job["work"], job["files"])
    _set_limits(job["limits"])
    # Without a root of its own, what it holds must be seen from outside (`inside_held`); it can trace nobody.
    prctl("dumpable", _PR_SET_DUMPABLE, 0 if job["own_root"] else 1)
    prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    if rules is not None:
        syscall("landlock_restrict_self", _LANDLOCK_RESTRICT, rules, 0)
        os.close(rules)
    os.chdir(job["work"])
    os.environ.clear()
    os.environ.update(job["environment"])
    # Signals and modes of files are governed by no mount and, before ABI 6, by no Landlock.
    reach = "scoped" if abi >= _SCOPED_SIGNALS_ABI else "shared"
    _load_filter(*job["filters"]["own" if job["own_pids"] or job["user"] is not None else reach])


def _offer_to_the_oom_killer() -> None:
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass  # in a root without /proc


def become(user: int | None) -> None:
    """Give root up for good; None where there is none to give up."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _drop_capabilities() -> None:
    check(LIBC.capset(struct.pack("<Ii", 0x20080522, 0), bytes(24)), "capset")


def _write_files(work: str, files: dict[str, tuple[bytes, bool]]) -> None:
    for name, (content, executable) in files.items():
        path = f"{work}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755 if executable else 0o644)
        with open(descriptor, "wb") as file:
            file.write(content)


def _set_limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of CPU time the kernel says which limit it was; at the hard one it only kills.
        soft = max(1, bound - 1) if name == "RLIMIT_CPU" else bound
        resource.setrlimit(which, (soft, bound))


def _landlock_abi() -> int:
    """The version of Landlock here, 0 for none."""
    try:
        return syscall("landlock", _LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def _file_rules(job: dict[str, Any], abi: int) -> int:
    """The descriptor of a Landlock ruleset."""
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    # From ABI 4 on TCP, from ABI 6 on abstract sockets and signals; seccomp refuses the sockets too.
    attributes = struct.pack("<QQQ", known, 3, 3)[: 8 if abi < 4 else 16 if abi < 6 else 24]  # noqa: PLR2004
    rules = syscall("landlock_create_ruleset", _LANDLOCK_CREATE, attributes, len(attributes), 0)
    run = _EXECUTE if job["command"] else 0
    wanted = [(path, _READ_FILE | _READ_DIR | run) for path in job["rules"]]
    wanted += [(path, _READ_DIR) for path in job["listed"]]
    wanted += [(path, _READ_FILE | _WRITE_FILE) for path in job["devices"]]
    wanted += [(job["work"], (_WORK_RIGHTS | run) & known)]
    for path, rights in wanted:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS  # noqa: PLW2901
        syscall("landlock_add_rule", _LANDLOCK_ADD, rules, 1, struct.pack("<Qi", rights, descriptor), 0)
        os.close(descriptor)
    return rules


def _load_filter(code: bytes, pid_slots: tuple[int, ...]) -> None:
    program = bytearray(code)
    for slot in pid_slots:
        struct.pack_into("<I", program, slot, os.getpid())
    steps = ctypes.create_string_buffer(bytes(program), len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(steps)))
    prctl("seccomp", _PR_SET_SECCOMP, 2, ctypes.addressof(header))
