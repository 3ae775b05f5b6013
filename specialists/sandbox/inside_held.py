"""What a program holds and its folder does not show: files that it opened or mapped and then removed, and sockets.

Where the work folder is on a disk, only this tells what such files take; what waits in sockets is memory of the
kernel, which no limit of a process counts. Sources: proc_pid_fd(5), proc_pid_maps(5), proc_tid_children(5); unix(7).
"""

from __future__ import annotations

import os
import stat

from nonet.specialists.sandbox.inside_confine import become

TYPE_CHECKING = False  # what `typing` calls so; to import it would double the time to start
if TYPE_CHECKING:
    from typing import Any

SOCKET_BYTES = 212_992
"""What a socket keeps at most of what nobody has read: net.core.wmem_default, which a program cannot raise here."""
_GONE = b" (deleted)\n"


def over_held(job: dict[str, Any]) -> str:
    """The limit that all that came of this process is over by what it holds; "" for none."""
    if job["user"] is None:
        return _over(os.getpid(), job)
    # Only the user itself may look, where root has no right to trace.
    parent = os.getpid()
    said_fd, say_fd = os.pipe()
    helper = os.fork()
    if helper == 0:
        try:
            become(job["user"])
            os.write(say_fd, _over(parent, job).encode())
        finally:
            os._exit(0)
    os.close(say_fd)
    with open(said_fd, "rb") as file:
        said = file.read().decode()
    os.waitpid(helper, 0)
    return said


def _over(parent: int, job: dict[str, Any]) -> str:
    size, mapped, sockets = held(_descendants(parent), job["work"])
    if size + mapped * job["limits"]["RLIMIT_FSIZE"] > job["work_bytes"]:
        return "disk"
    return "memory" if sockets * SOCKET_BYTES > job["limits"]["RLIMIT_DATA"] else ""


def held(pids: list[int], work: str) -> tuple[int, int, int]:
    """(bytes of open files that have no name any more, how many more are only mapped, sockets)."""
    files: dict[int, int] = {}
    mapped: set[int] = set()
    sockets: set[int] = set()
    try:
        device = os.stat(work).st_dev
    except OSError:
        return 0, 0, 0
    for pid in pids:
        for found in _open_files(pid):
            if stat.S_ISSOCK(found.st_mode):
                sockets.add(found.st_ino)
            elif stat.S_ISREG(found.st_mode) and not found.st_nlink and found.st_dev == device:
                files[found.st_ino] = found.st_blocks * 512
        mapped |= _mapped(pid, f" {work}/".encode())
    return sum(files.values()), len(mapped - files.keys()), len(sockets)


def _descendants(parent: int) -> list[int]:
    found: list[int] = []
    waiting = [parent]
    while waiting:
        pid = waiting.pop()
        for thread in _names(f"/proc/{pid}/task"):
            for child in _lines(f"/proc/{pid}/task/{thread}/children"):
                waiting += [int(word) for word in child.split()]
        found.append(pid)
    return found[1:]


def _open_files(pid: int) -> list[os.stat_result]:
    found = []
    for name in _names(f"/proc/{pid}/fd"):
        try:
            found.append(os.stat(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue  # it was closed just now
    return found


def _mapped(pid: int, work: bytes) -> set[int]:
    """The inodes of its mapped files in the folder that have no name any more."""
    return {int(line.split()[4]) for line in _lines(f"/proc/{pid}/maps") if line.endswith(_GONE) and work in line}


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []  # it has just ended


def _lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            return file.readlines()
    except OSError:
        return []
