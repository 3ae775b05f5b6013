"""The first process inside: it starts the confined one, waits for its end or its limits, and lets nothing outlive it.

`process.BOOT` loads this and its neighbours into an interpreter that has no nonet, an empty environment and, on its
standard input, the job; while that stays open, the run may go on. What happened goes to `report_fd`, marshalled.
Untrusted code only ever runs in children of this process; in a pid namespace this is process 1, which they cannot
signal, and elsewhere it is another user's or outside of their Landlock domain.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` makes enumerations of it all, for longer than the rest takes
import marshal
import os
import select
import sys
import time

from nonet.specialists.sandbox.inside_confine import become, confine
from nonet.specialists.sandbox.inside_files import collect
from nonet.specialists.sandbox.inside_held import over_held
from nonet.specialists.sandbox.inside_root import enter_namespaces
from nonet.specialists.sandbox.inside_system import SIGKILL, die_with_parent, prctl

TYPE_CHECKING = False  # what `typing` calls so; to import it would double the time to start
if TYPE_CHECKING:
    from typing import Any, NoReturn

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_MS = 50
_SIGPIPE, _SIGXFSZ, _SIG_DFL = 13, 25, 0
_ASKED_TO_END, _TIME, _FILES = "asked", "time", "files"
_READY = "ready"
_SAY_FD = 3
NOT_FOUND = 127


def main(job: dict[str, Any]) -> int:
    """Run the job, report, end everything; the exit status says nothing."""
    os.umask(0o022)
    try:
        if not job["wrapped"]:
            die_with_parent(job["parent"])
        if job["namespaces"]:
            enter_namespaces(job)
        prctl("subreaper", _PR_SET_CHILD_SUBREAPER, 1)
        child, said = _start(job)
    except OSError as error:
        _tell(job, {"ready": str(error)})
        return 1
    if said != _READY:
        os.waitpid(child, 0)
        _tell(job, {"ready": said or "it ended before it was confined"})
        return 1
    started = time.monotonic()
    status, why = _wait(child, job)
    os.chdir("/")
    status = _end_all(child, status, job)
    report = {"ready": _READY, "status": status, "why": why, "seconds": time.monotonic() - started}
    _tell(job, report | (_made(job) if why != _ASKED_TO_END else {}))
    return 0


def _tell(job: dict[str, Any], report: dict[str, Any]) -> None:
    try:
        with open(job["report_fd"], "wb") as file:
            file.write(marshal.dumps(report))
    except BrokenPipeError:
        pass  # nobody is there to be told


def _made(job: dict[str, Any]) -> dict[str, Any]:
    given = {name: content for name, (content, _) in job["files"].items()}
    return collect(job["work"], given, job["kept_files_bytes"])


def _start(job: dict[str, Any]) -> tuple[int, str]:
    """The confined process, and "ready" or why it could not be confined. In that process this never returns."""
    said_fd, say_fd = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _be_the_program(job, say_fd, parent)
    os.close(say_fd)
    with open(said_fd, "rb") as file:
        said = file.read().decode(errors="replace")
    return child, said


def _be_the_program(job: dict[str, Any], say_fd: int, parent: int) -> NoReturn:
    """Confine this process and run what is untrusted."""
    try:
        os.setsid()
        os.dup2(_input(job["stdin"]), 0)
        os.dup2(say_fd, _SAY_FD, inheritable=False)
        os.closerange(_SAY_FD + 1, 1 << 20)
        confine(job, parent)
        os.write(_SAY_FD, _READY.encode())
    except OSError as error:
        os.write(_SAY_FD, str(error).encode())
        os._exit(1)
    os.close(_SAY_FD)
    if job["command"]:
        _execute(job["command"])
    # By way of the interpreter's own end, which joins threads, calls exit functions and flushes.
    sys.exit(_run_python(job["program"]))


def _execute(command: list[str]) -> NoReturn:
    for ignored in (_SIGPIPE, _SIGXFSZ):
        # Python ignores these, and what it starts would too.
        _signal.signal(ignored, _SIG_DFL)
    # As os.execvpe would, which imports for that what may be out of reach by now.
    paths = (
        [command[0]] if "/" in command[0] else [f"{folder}/{command[0]}" for folder in os.environ["PATH"].split(":")]
    )
    problem: OSError | None = None
    for path in paths:
        try:
            os.execve(path, command, os.environ)  # noqa: S606
        except OSError as error:
            problem = error if problem is None or not isinstance(error, FileNotFoundError) else problem
    # As shells tell it.
    told = problem.strerror if problem is not None else "no such command"
    os.write(2, f"{command[0]}: could not be started: {told}\n".encode(errors="replace"))
    os._exit(NOT_FOUND if isinstance(problem, FileNotFoundError) else NOT_FOUND - 1)


def _input(content: bytes) -> int:
    if not content:
        return os.open("/dev/null", os.O_RDONLY)
    descriptor = os.memfd_create("stdin")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _run_python(program: str) -> int:
    """The program as a script would run; its exit status. SystemExit passes, as it should."""
    for name in [name for name in sys.modules if name.startswith("nonet")]:
        del sys.modules[name]
    main_module = type(sys)("__main__")
    main_module.__dict__.update(__file__="program.py", __builtins__=__builtins__)
    sys.modules["__main__"] = main_module
    sys.argv[:] = ["program.py"]
    try:
        exec(compile(program, "program.py", "exec", dont_inherit=True), main_module.__dict__)  # noqa: S102
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


def _wait(child: int, job: dict[str, Any]) -> tuple[int | None, str]:
    """The wait status, or None and why it must be ended."""
    ends_at = time.monotonic() + job["seconds"]
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    process = os.pidfd_open(child)
    poll.register(process, select.POLLIN)
    while True:
        left_ms = max(0, int(1000 * (ends_at - time.monotonic())))
        events = poll.poll(min(left_ms, _LOOK_MS))
        _reap_others(child)
        if any(descriptor == process for descriptor, _ in events):
            return os.waitpid(child, 0)[1], ""
        if any(descriptor == 0 for descriptor, _ in events):
            return None, _ASKED_TO_END
        if not left_ms:
            return None, _TIME
        if why := (_FILES if _too_many_files(job) else "") if job["own_root"] else over_held(job):
            return None, why


def _too_many_files(job: dict[str, Any]) -> bool:
    # bubblewrap bounds the size of its folder, not the number of files.
    use = os.statvfs(job["work"])
    return use.f_files - use.f_ffree > int(job["work_files"])


def _reap_others(child: int) -> None:
    """Orphans that came to us; the confined process itself stays to be waited for by number."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid == child:
            return
        os.waitpid(found.si_pid, 0)


def _end_all(child: int, status: int | None, job: dict[str, Any]) -> int:
    """Kill whatever is left, daemons included, and wait until it is gone; the confined process's wait status."""
    if job["own_pids"]:
        become(job["user"])
    while True:
        _kill_everything(job)
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status if status is not None else 0
        if pid == child:
            status = ended


def _kill_everything(job: dict[str, Any]) -> None:
    if job["own_pids"]:
        # From process 1, all others of its namespace.
        _kill(-1)
    elif job["user"] is not None:
        _kill_all_of(job["user"])
    for pid in _children():
        _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended, or waits for `_kill_all_of`


def _kill_all_of(user: int) -> None:
    """A user that no one else has: the kernel kills them in one go, before any of them can fork again."""
    helper = os.fork()
    if helper == 0:
        try:
            become(user)
            os.kill(-1, SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(helper, 0)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
