"""Which system calls untrusted code may make, by what it is: a Python program, or a command that may start others.

An allow-list: what stands here is what CPython needs to compute, to use files that it can reach, threads, timers and
an asyncio loop; and, for commands, to start processes. Never in it: sockets, namespaces, ptrace, mounts, keys, bpf,
io_uring, changes of owners and limits.

Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Numbers = tuple[int | None, int | None]
"""On x86_64 and on aarch64."""
OWN_PID = -1
"""Stands for the process id of the confined process, which only it knows; see `seccomp.Filter.pid_slots`."""


@dataclass(frozen=True, slots=True)
class Is:
    """True where one 32-bit half of an argument, masked, has the value."""

    argument: int
    value: int
    mask: int = 0xFFFFFFFF
    high: bool = False


Alternatives = tuple[tuple[Is, ...], ...]
"""One of these must hold: all conditions of one alternative."""
Checked = Mapping[str, tuple[int | None, int | None, Alternatives]]

ALLOWED: Mapping[str, Numbers] = {
    # Files. Which ones is decided by Landlock or by the mounts, not here.
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "close_range": (436, 436), "lseek": (8, 62),
    "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69),
    "pwritev": (296, 70), "preadv2": (327, 286), "pwritev2": (328, 287), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "statfs": (137, 43), "fstatfs": (138, 44), "getdents64": (217, 61), "getcwd": (79, 17),
    "chdir": (80, 49), "fchdir": (81, 50), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "readlink": (89, None),
    "readlinkat": (267, 78), "umask": (95, 166), "creat": (85, None), "ftruncate": (77, 46), "fallocate": (285, 47),
    "fsync": (74, 82), "fdatasync": (75, 83), "flock": (73, 32), "fadvise64": (221, 223), "sendfile": (40, 71),
    "copy_file_range": (326, 285), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None),
    "pipe2": (293, 59),
    # Memory.
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216), "brk": (12, 214),
    "madvise": (28, 233), "msync": (26, 227),
    # Threads, signals to itself, waiting.
    "futex": (202, 98), "set_robust_list": (273, 99), "get_robust_list": (274, 100), "set_tid_address": (218, 96),
    "rseq": (334, 293), "membarrier": (324, 283), "gettid": (186, 178), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "pause": (34, None), "restart_syscall": (219, 128), "exit": (60, 93),
    "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95),
    # Polling, as selectors and asyncio use it.
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72), "epoll_create": (213, None),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441), "eventfd": (284, None), "eventfd2": (290, 19), "recvfrom": (45, 207),
    "shutdown": (48, 210), "getsockopt": (55, 209), "getsockname": (51, 204), "getpeername": (52, 205),
    # Time.
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "alarm": (37, None), "getitimer": (36, 102),
    "setitimer": (38, 103), "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    # What it may know of itself.
    "getpid": (39, 172), "getppid": (110, 173), "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158),
    "getresuid": (118, 148), "getresgid": (120, 150), "getrlimit": (97, 163), "getrusage": (98, 165),
    "getpriority": (140, 141), "uname": (63, 160), "sysinfo": (99, 179), "getrandom": (318, 278),
}  # fmt: skip


def _one_of(argument: int, *values: int) -> tuple[tuple[Is, ...], ...]:
    return tuple((Is(argument, value),) for value in values)


def _null(argument: int) -> tuple[Is, ...]:
    return (Is(argument, 0), Is(argument, 0, high=True))


_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANYTHING = 0x7E020080
_O_TRUNC = 0o1000
# Before Landlock ABI 3, O_RDONLY | O_TRUNC empties a file that is merely readable.
_TRUNCATES_ONLY_WHEN_WRITING = ((0, _O_TRUNC), (1, 3), (2, 3))

CHECKED: Checked = {
    "clone": (56, 220, ((Is(0, _CLONE_THREAD, _CLONE_THREAD), Is(0, 0, _CLONE_NEW_ANYTHING)),)),
    "kill": (62, 129, ((Is(0, OWN_PID),),)),
    "tgkill": (234, 131, ((Is(0, OWN_PID),),)),
    "open": (2, None, tuple((Is(1, value, mask),) for value, mask in _TRUNCATES_ONLY_WHEN_WRITING)),
    "openat": (257, 56, tuple((Is(2, value, mask),) for value, mask in _TRUNCATES_ONLY_WHEN_WRITING)),
    # A stream pair of AF_UNIX reaches nobody; a datagram pair could send to a named socket of the host.
    "socketpair": (53, 199, ((Is(0, 1), Is(1, 1, 0xF)),)),
    "sendto": (44, 206, (_null(4),)),
    # Reads its own limits, never sets any.
    "prlimit64": (302, 261, ((*_null(0), *_null(2)),)),
    # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (glibc names its arenas).
    "prctl": (157, 167, _one_of(0, 15, 16, 0x53564D41)),
    # DUPFD, GETFD, SETFD, GETFL, SETFL, the locks, DUPFD_CLOEXEC, GETPIPE_SZ. F_SETOWN would signal other processes.
    "fcntl": (72, 25, _one_of(1, 0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
    "ioctl": (16, 29, _one_of(1, 0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
}

COMMANDS: Mapping[str, Numbers] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "arch_prctl": (158, None), "setsid": (112, 157),
    "setpgid": (109, 154), "truncate": (76, 45), "capget": (125, 90), "mincore": (27, 232), "signalfd4": (289, 74),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "getdents": (78, None),
    "getxattr": (191, 8), "lgetxattr": (192, 9), "fgetxattr": (193, 10), "listxattr": (194, 11),
    "llistxattr": (195, 12),
}  # fmt: skip
"""Besides ALLOWED: start programs. Which ones, Landlock or the mounts decide."""

SIGNALS: Mapping[str, Numbers] = {"kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130)}
"""For commands in a pid namespace, a Landlock scope, or with a user of their own: they reach no other's processes."""

_SET_ID = 0o6000
MODES: Checked = {
    "chmod": (90, None, ((Is(1, 0, _SET_ID),),)),
    "fchmod": (91, 52, ((Is(1, 0, _SET_ID),),)),
    "fchmodat": (268, 53, ((Is(2, 0, _SET_ID),),)),
    "utime": (132, None, ((),)),
    "utimes": (235, None, ((),)),
    "futimesat": (261, None, ((),)),
    "utimensat": (280, 88, ((),)),
}
"""For commands in a root or with a user of their own: Landlock does not govern modes and times."""

CHECKED_COMMANDS: Checked = {
    # Processes as well as threads; still no namespaces.
    "clone": (56, 220, ((Is(0, 0, _CLONE_NEW_ANYTHING),),)),
    # Its own process group.
    "kill": (62, 129, ((Is(0, 0),),)),
}
"""In place of what CHECKED says of these."""
