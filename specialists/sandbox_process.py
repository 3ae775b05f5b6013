"""Starts a confined process, feeds it, drains it, and ends it at its limits. The tiers differ in the command only."""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import math
import os
import platform
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nonet.errors import SandboxUnavailableError
from nonet.specialists.protocol import ExecutionResult
from nonet.specialists.sandbox_layout import Layout
from nonet.specialists.seccomp import Filter, build_filter

_MIB = 1 << 20
_WATCH_SECONDS = 0.05
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Time is given with each run."""

    memory_bytes: int = 512 * _MIB
    """Address space, libraries included."""
    file_bytes: int = 16 * _MIB
    """Any one file."""
    work_bytes: int = 64 * _MIB
    """All files of its work folder together."""
    work_files: int = 4096
    open_files: int = 64
    kept_output_bytes: int = 64 << 10
    """Of each of stdout and stderr: the first and the last half of this are kept."""
    total_output_bytes: int = 16 * _MIB
    """A program that prints more than this is ended."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How one tier starts `sandbox_child`."""

    layout: Layout
    work: str
    """The folder it may write to, as it sees it."""
    namespaces: bool
    """Whether the child makes its own namespaces and root."""
    landlock_required: bool
    whole_rules: bool
    """Whether the hidden folders are covered by mounts, so that Landlock need not cut them out."""
    prefix: tuple[str, ...] = ()
    """A command before the interpreter: bubblewrap."""
    direct: bool = True
    """Whether the confined process is our child, not a grandchild."""
    watch: Callable[[], str] | None = None
    """Called now and then; a text ends the program and is told as the reason."""


async def run_confined(launch: Launch, program: str, limits: Limits, timeout_seconds: float) -> ExecutionResult:
    """Run `program` as `launch` says.

    Raises:
        SandboxUnavailableError: the process could not be started or confined; the program did not run.
    """
    started = time.monotonic()
    ready_read, ready_write = os.pipe()
    try:
        try:
            process = await _start(launch, ready_write)
        finally:
            os.close(ready_write)
        job = marshal.dumps(_job(launch, program, limits, timeout_seconds, ready_write))
        ending = await _Conversation(process, launch, limits).hold(job, timeout_seconds)
        said = os.read(ready_read, 4096).decode(errors="replace")
    finally:
        os.close(ready_read)
    if said != "ready" and not ending.timed_out:
        reason = said or ending.stderr.text().strip()[-500:] or f"it ended with status {process.returncode}"
        raise SandboxUnavailableError(
            f"The sandbox could not confine a process: {reason}.",
            kept="The program was not run.",
            next_step="See `nonet doctor`.",
        )
    return ExecutionResult(
        exit_status=_exit_status(process.returncode or 0, launch),
        stdout=ending.stdout.text(),
        stderr=ending.stderr.text() + (f"\n[sandbox: {ending.reason}]\n" if ending.reason else ""),
        seconds=time.monotonic() - started,
        timed_out=ending.timed_out,
        output_cut=ending.stdout.cut or ending.stderr.cut,
    )


async def _start(launch: Launch, ready_write: int) -> asyncio.subprocess.Process:
    command = [*launch.prefix, launch.layout.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _child_source()]
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=(ready_write,),
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailableError(f"The sandbox could not start {command[0]}: {error.strerror}.") from error


@cache
def _child_source() -> str:
    return Path(__file__).with_name("sandbox_child.py").read_text(encoding="utf-8")


@cache
def _filter() -> Filter:
    return build_filter(platform.machine())


def _job(launch: Launch, program: str, limits: Limits, timeout_seconds: float, ready_fd: int) -> dict[str, object]:
    layout = launch.layout
    cpu_seconds = math.ceil(timeout_seconds) + 1
    return {
        # A lone surrogate is no program text; marshal keeps it, and compile() reports it inside.
        "program": program,
        "ready_fd": ready_fd,
        "parent": os.getpid() if launch.direct else 0,
        "namespaces": launch.namespaces,
        "landlock_required": launch.landlock_required,
        "readable": list(layout.readable),
        "hidden": list(layout.hidden),
        "links": [list(link) for link in layout.links],
        "devices": list(layout.devices),
        "rules": list(layout.readable if launch.whole_rules else layout.rules),
        "listed": [] if launch.whole_rules else list(layout.listed),
        "work": launch.work,
        "work_bytes": limits.work_bytes,
        "work_files": limits.work_files,
        "limits": {
            "RLIMIT_AS": limits.memory_bytes,
            "RLIMIT_CPU": cpu_seconds,
            "RLIMIT_FSIZE": limits.file_bytes,
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
        },
        "filter": _filter().code,
        "pid_slots": _filter().pid_slots,
    }


def _exit_status(returncode: int, launch: Launch) -> int:
    if launch.direct or returncode <= 128:  # noqa: PLR2004 - the shells' convention: 128 + signal
        return returncode
    return 128 - returncode


class _Kept:
    """The first and the last bytes of a stream, however long it is."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.seen = 0

    def add(self, piece: bytes) -> None:
        self.seen += len(piece)
        room = self._half - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        del self._tail[: -self._half]

    @property
    def cut(self) -> bool:
        return self.seen > len(self._head) + len(self._tail)

    def text(self) -> str:
        dropped = self.seen - len(self._head) - len(self._tail)
        middle = f"\n[{dropped} bytes left out]\n".encode() if dropped else b""
        return (bytes(self._head) + middle + bytes(self._tail)).decode(errors="replace")


class _Conversation:
    """One process from its first byte to its end."""

    def __init__(self, process: asyncio.subprocess.Process, launch: Launch, limits: Limits) -> None:
        self._process = process
        self._watch = launch.watch
        self._limits = limits
        self.stdout = _Kept(limits.kept_output_bytes)
        self.stderr = _Kept(limits.kept_output_bytes)
        self.timed_out = False
        self.reason = ""

    async def hold(self, job: bytes, timeout_seconds: float) -> _Conversation:
        """Feed and drain until it ends by itself, by time or by its limits. Cancelling ends it too."""
        talking = asyncio.ensure_future(self._talk(job))
        watching = asyncio.ensure_future(self._keep_watch())
        try:
            await asyncio.wait_for(asyncio.shield(talking), timeout_seconds)
        except TimeoutError:
            self.timed_out = True
        finally:
            watching.cancel()
            self._kill()
            # The pipes end with the process, because nothing else can hold them.
            await talking
        return self

    async def _talk(self, job: bytes) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        drains = asyncio.gather(self._drain(process.stdout, self.stdout), self._drain(process.stderr, self.stderr))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(job)
            await process.stdin.drain()
        process.stdin.close()
        await drains
        await process.wait()

    async def _drain(self, stream: asyncio.StreamReader, kept: _Kept) -> None:
        while piece := await stream.read(_READ_BYTES):
            kept.add(piece)
            if self.stdout.seen + self.stderr.seen > self._limits.total_output_bytes:
                self._end(f"ended: it printed more than {self._limits.total_output_bytes >> 20} MiB")

    async def _keep_watch(self) -> None:
        while self._watch is not None:
            await asyncio.sleep(_WATCH_SECONDS)
            if reason := self._watch():
                self._end(reason)

    def _end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._kill()

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
