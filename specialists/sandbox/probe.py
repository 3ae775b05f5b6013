"""Finds a sandbox that works on this machine: each tier is tried by a program that attacks it.

Tiers, best first: `bubblewrap`, `namespaces` (a root of its own by system calls), `landlock` (no namespaces), `wasi`
(a WebAssembly guest). All but the last: seccomp allow-list, rlimits, an empty environment, no new privileges. What
stays open in each is told in docs/code.md.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nonet.errors import SandboxUnavailableError
from nonet.specialists.sandbox.bubblewrap import BubblewrapSandbox, find_bubblewrap
from nonet.specialists.sandbox.landlock import LandlockSandbox
from nonet.specialists.sandbox.layout import Layout, python_layout
from nonet.specialists.sandbox.namespaces import NamespaceSandbox
from nonet.specialists.sandbox.protocol import ExecutionResult, Sandbox
from nonet.specialists.sandbox.seccomp import supported
from nonet.specialists.sandbox.wasi import WasiSandbox, wasi_installed

_PROBE_SECONDS = 5.0

_PROBE = """
import os, socket, sys
canary, secret, parent = {canary!r}, {secret!r}, {parent!r}
def read(path):
    with open(path, "rb") as file:
        file.read(1)
def raise_a_limit():
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (99, 99))
def fork():
    if os.fork() == 0:
        os._exit(0)
attacks = {{
    "read a file of the user": lambda: read(canary),
    "read /etc/passwd": lambda: read("/etc/passwd"),
    "read another process": lambda: read("/proc/1/environ"),
    "write beside a file of the user": lambda: open(canary + ".new", "w").close(),
    "open a network socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close(),
    "start a process": fork,
    "signal its parent": lambda: os.kill(parent, 0),
    "raise a limit": raise_a_limit,
}}
for name, attack in attacks.items():
    try:
        attack()
    except Exception:
        continue
    sys.exit("it could " + name)
if secret in repr(os.environ):
    sys.exit("it could see the environment")
with open("work", "w") as file:
    file.write(secret)
with open("work") as file:
    print(file.read()[::-1], sum(range(10**5)))
"""


@dataclass(frozen=True, slots=True)
class TierReport:
    """What `nonet doctor` tells of one tier."""

    tier: str
    works: bool
    reason: str
    """Why it works or does not, in words."""


def find_sandbox() -> Sandbox | None:
    """The best sandbox that works here, or None (`probe_tiers` says why).

    The first call probes, for some 100 ms, blocking; the answer is kept for the process. Where only WebAssembly is
    left, its guest is compiled the first time, which takes minutes.
    """
    return _first_working()


def probe_tiers() -> list[TierReport]:
    """Every tier, best first, each tried now."""
    return [report for _, report in _try_all()]


def working_tiers() -> dict[str, Sandbox]:
    """Every tier that works here, by name, best first."""
    return {report.tier: sandbox for sandbox, report in _try_all() if sandbox is not None}


def _try_all() -> list[tuple[Sandbox | None, TierReport]]:
    tried: list[tuple[Sandbox | None, TierReport]] = []
    for tier, make in _tiers():
        needed = all(sandbox is None for sandbox, _ in tried)
        if tier == "wasi" and not needed and wasi_installed() and not WasiSandbox().compiled:
            reason = "installed, and not yet compiled: that takes minutes, and a better tier works"
            tried.append((None, TierReport(tier, works=False, reason=reason)))
        else:
            tried.append(_probe(tier, make))
    return tried


@cache
def _first_working() -> Sandbox | None:
    for tier, make in _tiers():
        sandbox, report = _probe(tier, make)
        if report.works:
            return sandbox
    return None


def _tiers() -> tuple[tuple[str, Callable[[], Sandbox]], ...]:
    return (("bubblewrap", _bubblewrap), ("namespaces", _namespaces), ("landlock", _landlock), ("wasi", _wasi))


def _bubblewrap() -> Sandbox:
    command = find_bubblewrap()
    if command is None:
        raise SandboxUnavailableError("bubblewrap is not installed (no `bwrap` on the path).")
    return BubblewrapSandbox(_linux_layout(), command)


def _namespaces() -> Sandbox:
    return NamespaceSandbox(_linux_layout())


def _landlock() -> Sandbox:
    return LandlockSandbox(_linux_layout())


def _linux_layout() -> Layout:
    if sys.platform != "linux":
        raise SandboxUnavailableError(f"It needs Linux; this is {platform.system()}.")
    if not supported(platform.machine()):
        raise SandboxUnavailableError(f"There is no system call filter for {platform.machine()}.")
    return python_layout()


def _wasi() -> Sandbox:
    if not wasi_installed():
        raise SandboxUnavailableError("The WebAssembly guest is not installed.", next_step="pip install 'nonet[wasi]'")
    return WasiSandbox()


def _probe(tier: str, make: Callable[[], Sandbox]) -> tuple[Sandbox | None, TierReport]:
    try:
        sandbox = make()
        breach = _run_probe(sandbox)
    except (SandboxUnavailableError, OSError) as error:
        return None, TierReport(tier, works=False, reason=str(error))
    if breach:
        return None, TierReport(tier, works=False, reason=breach)
    return sandbox, TierReport(tier, works=True, reason="the probe could compute, and could not get out")


def _run_probe(sandbox: Sandbox) -> str:
    """What went wrong, empty if nothing did."""
    secret = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="nonet-probe-") as folder:
        canary = Path(folder, "canary")
        canary.write_text(secret, encoding="ascii")
        program = _PROBE.format(canary=str(canary), secret=secret, parent=os.getpid())
        result = _in_own_loop(sandbox, program)
    expected = f"{secret[::-1]} {sum(range(10**5))}"
    if result.exit_status == 0 and result.stdout.strip() == expected:
        return ""
    if result.timed_out:
        return f"the probe did not end within {_PROBE_SECONDS:g} s"
    return result.stderr.strip()[-300:] or f"the probe ended with status {result.exit_status}"


def _in_own_loop(sandbox: Sandbox, program: str) -> ExecutionResult:
    """Run it whether or not this thread is inside an event loop."""
    results: list[ExecutionResult | BaseException] = []

    def work() -> None:
        try:
            results.append(asyncio.run(sandbox.run(program, timeout_seconds=_PROBE_SECONDS)))
        except (SandboxUnavailableError, OSError) as error:
            results.append(error)

    thread = threading.Thread(target=work, name="nonet-sandbox-probe")
    thread.start()
    thread.join()
    result = results[0]
    if isinstance(result, BaseException):
        raise result
    return result
