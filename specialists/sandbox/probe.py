"""Finds a sandbox that works on this machine: each tier is tried by a program that attacks it.

Tiers, best first: `bubblewrap`, `namespaces` (a root of its own by system calls), `landlock` (no namespaces). All
of them: seccomp allow-list, rlimits, an empty environment, no new privileges, a work folder that is removed.

What stays open in all of them: the clock, the CPU's own side channels, the kernel's bugs in the calls that seccomp
allows, the Python installation's files. In `landlock` also whether a path
exists, its size, owner and times, and where a link points.
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

_PROBE_SECONDS = 5.0

_PROBE = """
import os, resource, socket, sys
canary, secret, parent = {canary!r}, {secret!r}, {parent!r}
def read(path):
    with open(path, "rb") as file:
        file.read(1)
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
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_CPU, (99, 99)),
}}
for name, attack in attacks.items():
    try:
        attack()
    except (OSError, ValueError):
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

    The first call probes, for some 100 ms, blocking; the answer is kept for the process.
    """
    return _first_working()


def probe_tiers() -> list[TierReport]:
    """Every tier, best first, each tried now."""
    return [_probe(tier, make)[1] for tier, make in _tiers()]


def working_tiers() -> dict[str, Sandbox]:
    """Every tier that works here, by name, best first."""
    tried = [_probe(tier, make) for tier, make in _tiers()]
    return {report.tier: sandbox for sandbox, report in tried if sandbox is not None}


@cache
def _first_working() -> Sandbox | None:
    for tier, make in _tiers():
        sandbox, report = _probe(tier, make)
        if report.works:
            return sandbox
    return None


def _tiers() -> tuple[tuple[str, Callable[[Layout], Sandbox]], ...]:
    return (("bubblewrap", _bubblewrap), ("namespaces", NamespaceSandbox), ("landlock", LandlockSandbox))


def _bubblewrap(layout: Layout) -> Sandbox:
    command = find_bubblewrap()
    if command is None:
        raise SandboxUnavailableError("bubblewrap is not installed (no `bwrap` on the path).")
    return BubblewrapSandbox(layout, command)


def _probe(tier: str, make: Callable[[Layout], Sandbox]) -> tuple[Sandbox | None, TierReport]:
    if sys.platform != "linux":
        return None, TierReport(tier, works=False, reason=f"it needs Linux; this is {platform.system()}")
    if not supported(platform.machine()):
        return None, TierReport(tier, works=False, reason=f"no system call filter for {platform.machine()}")
    try:
        sandbox = make(python_layout())
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
