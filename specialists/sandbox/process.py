"""Starts a confined process and says what came of it. The tiers differ in how they launch only."""

from __future__ import annotations

import asyncio
import marshal
import math
import os
import platform
import signal
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from nonet.errors import SandboxUnavailableError
from nonet.specialists.sandbox.conversation import Conversation, Watch, pipe_reader
from nonet.specialists.sandbox.layout import Layout
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.seccomp import Reach, build_filter
from nonet.specialists.sandbox.signs import limits_told

_MIB = 1 << 20
_UNLIMITED_SPACE = 1 << 46
_TOLD = {
    "files": "ended: it made too many files",
    "disk": "ended: files that it removed and still holds take too much",
    "memory": "ended: what waits in its sockets takes too much memory",
}
"""What the process inside saw."""
_PARTS = ("inside_system", "inside_root", "inside_confine", "inside_files", "inside_held", "inside_main")
_PACKAGE = "nonet.specialists.sandbox"

BOOT = f"""
import marshal, os, struct, sys
def read(size):
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, min(size - len(data), 1 << 20))
        if not piece:
            sys.exit(1)
        data += piece
    return bytes(data)
job = marshal.loads(read(struct.unpack("<Q", read(8))[0]))
for name in ("nonet", "nonet.specialists", {_PACKAGE!r}):
    sys.modules[name] = type(sys)(name)
for name, code in job.pop("modules"):
    module = sys.modules[name] = type(sys)(name)
    exec(code, module.__dict__)
sys.exit(module.main(job))
"""
"""Puts the modules in the job where their imports look for each other, and calls the last one's `main`."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How one tier starts what is inside."""

    layout: Layout
    work: str
    """The folder it may write to, as it sees it."""
    namespaces: bool = False
    """Whether what is inside makes its own namespaces and root."""
    own_root: bool = True
    """Whether it has a root and a pid namespace of its own, by itself or by bubblewrap."""
    landlock_required: bool = False
    user: int | None = None
    """A user id that nobody else has, to be taken on; None where we are not root."""
    prefix: tuple[str, ...] = ()
    """A command before the interpreter: bubblewrap."""
    watch: Watch | None = None


async def run_confined(launch: Launch, job: Job, limits: Limits, timeout_seconds: float) -> ExecutionResult:
    """Run `job` as `launch` says.

    Raises:
        SandboxUnavailableError: the process could not be started or confined; the program did not run.
    """
    started = time.monotonic()
    report_read, report_write = os.pipe()
    reporting = await pipe_reader(report_read)
    try:
        try:
            process = await _start(launch, report_write)
        finally:
            os.close(report_write)
        sent = marshal.dumps(_packed(launch, job, limits, timeout_seconds, report_write))
        conversation = Conversation(process, reporting, launch.watch, limits, own_network=launch.own_root)
        report = await conversation.hold(struct.pack("<Q", len(sent)) + sent, timeout_seconds)
    finally:
        reporting.close()
    if report.get("ready") != "ready" and not conversation.ended_from_outside:
        reason = report.get("ready") or conversation.stderr.text().strip()[-500:]
        raise SandboxUnavailableError(
            f"The sandbox could not confine a process: {reason or f'status {process.returncode}'}.",
            kept="The program was not run.",
            next_step="See `nonet doctor`.",
        )
    return replace(_result(conversation, report, time.monotonic() - started), allowed_seconds=timeout_seconds)


def _result(conversation: Conversation, report: Mapping[str, Any], seconds: float) -> ExecutionResult:
    stdout, stderr = conversation.stdout, conversation.stderr
    status = os.waitstatus_to_exitcode(report.get("status", signal.SIGKILL))
    timed_out = report.get("why") == "time" or conversation.overdue
    limit, told = conversation.limit, conversation.told
    if (why := report.get("why")) in _TOLD:
        limit, told = str(why), _TOLD[str(why)]
    hit = dict.fromkeys([*(["time"] if timed_out else []), *([limit] if limit else [])])
    hit |= dict.fromkeys(limits_told(status, stderr.text()))
    return ExecutionResult(
        exit_status=status,
        stdout=stdout.text(),
        stderr=stderr.text() + (f"\n[sandbox: {told}]\n" if told else ""),
        seconds=seconds,
        timed_out=timed_out,
        output_cut=stdout.cut or stderr.cut,
        limits_hit=tuple(hit),
        files=report.get("files", {}),
        files_left_out=tuple(report.get("left_out", ())),
    )


async def _start(launch: Launch, report_write: int) -> asyncio.subprocess.Process:
    command = [*launch.prefix, launch.layout.executable, "-I", "-S", "-B", "-X", "utf8", "-c", BOOT]
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # bubblewrap stays outside and shows what it was started with in /proc.
            env={},
            cwd="/",
            pass_fds=(report_write,),
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailableError(f"The sandbox could not start {command[0]}: {error.strerror}.") from error


@cache
def _modules() -> tuple[tuple[str, CodeType], ...]:
    """What runs inside, compiled here: the interpreter there is the same."""
    here = Path(__file__).parent
    return tuple(
        (f"{_PACKAGE}.{part}", compile((here / f"{part}.py").read_text(encoding="utf-8"), part, "exec"))
        for part in _PARTS
    )


@cache
def _filters(command: bool) -> dict[Reach, tuple[bytes, tuple[int, ...]]]:  # noqa: FBT001
    reaches: Sequence[Reach] = ("own", "scoped", "shared")
    made = {reach: build_filter(platform.machine(), reach if command else None) for reach in reaches}
    return {reach: (filter_.code, filter_.pid_slots) for reach, filter_ in made.items()}


def _packed(launch: Launch, job: Job, limits: Limits, timeout_seconds: float, report_fd: int) -> dict[str, object]:
    layout = launch.layout
    return {
        "modules": _modules(),
        # A lone surrogate is no program text; marshal keeps it, and compile() reports it inside.
        "program": job.program,
        "command": list(job.command),
        "files": {name: (content, content.startswith(b"#!")) for name, content in job.files.items()},
        "stdin": job.stdin,
        "seconds": timeout_seconds,
        "report_fd": report_fd,
        "parent": os.getpid(),
        "wrapped": bool(launch.prefix),
        "namespaces": launch.namespaces,
        "own_root": launch.own_root,
        "own_pids": launch.own_root,
        "user": launch.user,
        "landlock_required": launch.landlock_required,
        "readable": list(layout.readable),
        "hidden": list(layout.hidden),
        "links": [list(link) for link in layout.links],
        "devices": list(layout.devices),
        # Where mounts cover the hidden folders, Landlock need not cut them out.
        "rules": list(layout.readable if launch.own_root else layout.rules),
        "listed": [] if launch.own_root else list(layout.listed),
        "work": launch.work,
        "work_bytes": limits.work_bytes,
        "work_files": limits.work_files,
        "kept_files_bytes": limits.kept_files_bytes,
        "environment": _environment(launch.work, command=bool(job.command)),
        "limits": _rlimits(job, limits, timeout_seconds),
        "filters": _filters(bool(job.command)),
    }


def _environment(work: str, *, command: bool) -> dict[str, str]:
    environment = {"HOME": work, "TMPDIR": work}
    return environment | {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} if command else environment


def _rlimits(job: Job, limits: Limits, timeout_seconds: float) -> dict[str, int]:
    # A just-in-time compiler reserves far more addresses than it ever uses, so a command is held by its data.
    space, data = (_UNLIMITED_SPACE, limits.memory_bytes) if job.command else (limits.memory_bytes,) * 2
    return {
        "RLIMIT_AS": space,
        "RLIMIT_DATA": data,
        "RLIMIT_CPU": math.ceil(limits.cpu_seconds or timeout_seconds) + 1,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
