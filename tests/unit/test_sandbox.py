"""What the sandbox does in each of Linux's tiers that work here; the attacks on it are in tests/acceptance."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from fakes.folders import let_others_through

from nonet.errors import SandboxUnavailableError
from nonet.specialists import ExecutionResult, Limits, Sandbox
from nonet.specialists.sandbox.bubblewrap import BubblewrapSandbox, find_bubblewrap
from nonet.specialists.sandbox.landlock import LandlockSandbox
from nonet.specialists.sandbox.layout import python_layout
from nonet.specialists.sandbox.namespaces import NamespaceSandbox
from nonet.specialists.sandbox.probe import TierReport, find_sandbox, probe_tiers

TIERS = {report.tier: report for report in probe_tiers()}
MIB = 1 << 20


def make(tier: str, limits: Limits | None = None) -> Sandbox:
    layout, limits = python_layout(), limits or Limits()
    if tier == "bubblewrap":
        return BubblewrapSandbox(layout, find_bubblewrap() or "bwrap", limits)
    return NamespaceSandbox(layout, limits) if tier == "namespaces" else LandlockSandbox(layout, limits)


@pytest.fixture(params=[tier for tier in TIERS if tier != "wasi"])
def tier(request: pytest.FixtureRequest) -> str:
    report = TIERS[request.param]
    if not report.works:
        pytest.skip(f"{report.tier}: {report.reason}")
    return report.tier


@pytest.fixture
def sandbox(tier: str) -> Sandbox:
    return make(tier)


async def refused(sandbox: Sandbox, *attacks: str, setup: str = "") -> None:
    """Each attack, an expression, must raise; what got through is shown."""
    program = f"""{setup}
for attack in {attacks!r}:
    try:
        got = eval(attack)
    except Exception:
        continue
    print("BREACH", attack, "->", repr(got)[:200])
print("done")
"""
    result = await sandbox.run(program)
    assert result.stdout == "done\n", result.stdout + result.stderr
    assert result.exit_status == 0


async def run(sandbox: Sandbox, program: str, timeout_seconds: float = 10.0) -> ExecutionResult:
    return await sandbox.run(program, timeout_seconds=timeout_seconds)


def test_reports_are_in_order_and_say_why() -> None:
    reports = probe_tiers()
    assert [report.tier for report in reports] == ["bubblewrap", "namespaces", "landlock", "wasi"]
    assert all(isinstance(report, TierReport) and report.reason for report in reports)


def test_the_best_tier_is_found_once() -> None:
    best = next((report.tier for report in TIERS.values() if report.works), None)
    found = find_sandbox()
    assert (found.tier if found else None) == best
    assert find_sandbox() is found


def test_probing_is_fast() -> None:
    start = time.monotonic()
    probe_tiers()
    # 0.3 s on an idle machine; three tiers, each a process.
    assert time.monotonic() - start < 3


async def test_finding_works_inside_a_running_loop() -> None:
    assert find_sandbox() is find_sandbox()


async def test_output_status_and_time_are_told(sandbox: Sandbox, tier: str) -> None:
    result = await run(sandbox, "import sys\nprint('out: ü')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    assert (result.exit_status, result.stdout, result.stderr) == (3, "out: ü\n", "err\n")
    assert sandbox.tier == tier
    assert not result.timed_out
    assert not result.output_cut
    assert 0 < result.seconds < 10


async def test_a_crash_is_told_as_python_tells_it(sandbox: Sandbox) -> None:
    result = await run(sandbox, "def f(x):\n    return 1 / x\n\nf(0)\n")
    assert result.exit_status == 1
    assert result.stderr.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "program.py", line 4, in <module>',
        "    f(0)",
    ]
    assert result.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


async def test_a_syntax_error_is_told(sandbox: Sandbox) -> None:
    result = await run(sandbox, "def f(:\n    pass\n")
    assert result.exit_status == 1
    assert "SyntaxError" in result.stderr


async def test_the_standard_library_works(sandbox: Sandbox) -> None:
    program = """
import asyncio, bisect, collections, csv, dataclasses, datetime, decimal, functools, hashlib, heapq, itertools, json
import math, random, re, sqlite3, statistics, string, tempfile, threading, typing, unittest, zlib
from concurrent.futures import ThreadPoolExecutor

async def twice(n):
    await asyncio.sleep(0.001)
    return 2 * n

print(asyncio.run(twice(2)))
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(math.factorial, range(4))))
with tempfile.TemporaryDirectory() as folder:
    with open(folder + "/a", "w") as file:
        file.write("kept")
    print(open(folder + "/a").read())
print(sqlite3.connect("x.db").execute("select 6 * 7").fetchone(), hashlib.sha256(b"").hexdigest()[:4])
"""
    result = await run(sandbox, program)
    assert result.stdout == "4\n[1, 1, 2, 6]\nkept\n(42,) e3b0\n", result.stderr


async def test_host_files_cannot_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    await refused(
        sandbox,
        f"open({str(secret)!r}).read()",
        f"os.listdir({str(tmp_path)!r})",
        f"os.open({str(secret)!r}, os.O_RDWR)",
        "open('/etc/passwd').read()",
        "open('/etc/hostname').read()",
        "os.listdir('/etc')",
        f"os.listdir({str(Path.home())!r})",
        f"open({__file__!r}).read()",
        "os.listdir('/')",
        "os.listdir('/tmp/..')",
        "open('/dev/mem')",
        "os.open('/dev/tty', os.O_RDWR)",
        setup="import os",
    )


async def test_nothing_is_known_of_other_processes(sandbox: Sandbox) -> None:
    await refused(
        sandbox,
        "open('/proc/1/environ').read()",
        "open('/proc/self/environ').read()",
        "open('/proc/self/mem', 'r+b')",
        "open('/proc/self/maps').read()",
        f"open('/proc/{os.getpid()}/environ').read()",
        "open(f'/proc/{os.getppid()}/cmdline').read()",
        "os.listdir('/proc')",
        "os.readlink('/proc/1/exe')",
        setup="import os",
    )


async def test_the_environment_is_empty(sandbox: Sandbox) -> None:
    os.environ["NONET_TEST_SECRET"] = "hunter2"
    try:
        result = await run(sandbox, "import os; print(sorted(os.environ), 'hunter2' in repr(os.environ))")
    finally:
        del os.environ["NONET_TEST_SECRET"]
    names = set(result.stdout.partition("]")[0].strip("[").replace("'", "").split(", "))
    assert names <= {"HOME", "TMPDIR", "PWD", "LC_CTYPE"}
    assert result.stdout.endswith("False\n")


async def test_nothing_outside_can_be_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("before")
    target.chmod(0o640)
    before = target.stat()
    await refused(
        sandbox,
        f"open({str(target)!r}, 'w')",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"os.truncate({str(target)!r}, 0)",
        f"os.open({str(target)!r}, os.O_RDONLY | os.O_TRUNC)",
        f"os.unlink({str(target)!r})",
        f"os.rename({str(target)!r}, 'stolen')",
        f"os.rename('mine', {str(target)!r})",
        f"os.link({str(target)!r}, 'stolen')",
        f"os.chmod({str(target)!r}, 0o777)",
        f"os.chown({str(target)!r}, 1, 1)",
        f"os.utime({str(target)!r}, (0, 0))",
        f"os.setxattr({str(target)!r}, 'user.x', b'1')",
        f"os.mkdir({str(tmp_path / 'folder')!r})",
        "open(os.__file__, 'a')",
        "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
        "open('/new', 'w')",
        "open('/dev/shm/new', 'w')",
        "os.mkfifo('fifo')",
        "os.mknod('device', 0o600 | stat.S_IFCHR, os.makedev(1, 1))",
        setup="import os, stat; open('mine', 'w').close()",
    )
    assert target.stat() == before  # before reading it: that moves its access time
    assert target.read_text() == "before"
    assert names_in(tmp_path) == ["target"]


async def test_installed_packages_stay_closed(sandbox: Sandbox) -> None:
    files = [str(module) for folder in python_layout().hidden for module in some_module(folder)]
    await refused(sandbox, *(f"open({file!r}).read()" for file in files), "__import__('pip')", "__import__('nonet')")


async def test_no_other_process_can_be_touched(sandbox: Sandbox) -> None:
    us = os.getpid()
    await refused(
        sandbox,
        f"os.kill({us}, 9)",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.kill(0, 9)",
        "os.killpg(os.getpgrp(), 9)",
        f"os.kill({us}, 0)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
        f"fcntl.fcntl(0, fcntl.F_SETOWN, {us})",
        f"os.sched_setaffinity({us}, {{0}})",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        f"resource.prlimit({us}, resource.RLIMIT_CPU, (1, 1))",
        setup="import fcntl, os, resource, signal",
    )


async def test_an_endless_loop_is_ended(sandbox: Sandbox) -> None:
    result = await run(sandbox, "print('before', flush=True)\nwhile True:\n    pass", 0.5)
    assert result.timed_out
    assert result.exit_status == -9
    assert result.stdout == "before\n"
    assert result.seconds < 5


async def test_its_own_signals_work(sandbox: Sandbox) -> None:
    result = await run(sandbox, "import signal\nsignal.raise_signal(signal.SIGKILL)")
    assert result.exit_status == -9
    assert not result.timed_out


async def test_endless_output_is_cut_and_ended(sandbox: Sandbox) -> None:
    result = await run(sandbox, "import os\nwhile True:\n    os.write(1, b'x' * 65536)")
    assert result.output_cut
    assert not result.timed_out
    assert len(result.stdout) < 100_000
    assert "printed more than" in result.stderr


async def test_long_output_keeps_both_ends(sandbox: Sandbox) -> None:
    result = await run(sandbox, "print('first')\nprint('x' * 500_000)\nprint('last')")
    assert result.exit_status == 0
    assert result.output_cut
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert "bytes left out" in result.stdout
    assert len(result.stdout) < 100_000


async def test_output_that_is_not_text_is_no_error(sandbox: Sandbox) -> None:
    result = await run(sandbox, "import os\nos.write(1, bytes(range(256)))")
    assert result.exit_status == 0
    assert "\ufffd" in result.stdout


async def test_the_work_folder_goes_whatever_is_in_it(
    tier: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
import os
os.mkdir("closed", 0)
os.mkdir("half", 0o700)
open("half/file", "w").close()
os.symlink("/", "half/root")
here = os.open(".", os.O_RDONLY)
for depth in range(1200):
    os.mkdir("deep", dir_fd=here)
    below = os.open("deep", os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = below
"""
    monkeypatch.setattr(tempfile, "tempdir", str(let_others_through(tmp_path, tmp_path_factory)))
    result = await run(make(tier), program)
    assert result.exit_status == 0 or "too deep" in result.stderr
    assert names_in(tmp_path) == []


async def test_it_cannot_remove_its_own_work_folder(sandbox: Sandbox) -> None:
    await refused(sandbox, "os.rmdir(os.getcwd())", "os.rename(os.getcwd(), os.getcwd() + '2')", setup="import os")


async def test_runs_see_nothing_of_each_other(sandbox: Sandbox) -> None:
    first = await run(sandbox, "open('note', 'w').write('hello')\nimport os\nprint(os.listdir('.'))")
    second = await run(sandbox, "import os\nprint(os.listdir('.'))")
    assert (first.stdout, second.stdout) == ("['note']\n", "[]\n")


async def test_standard_input_is_empty(sandbox: Sandbox) -> None:
    result = await run(sandbox, "import sys\nprint(repr(sys.stdin.read()))\ninput()")
    assert result.stdout == "''\n"
    assert "EOFError" in result.stderr


async def test_no_descriptor_leaks_in(sandbox: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        program = """
import os
found = []
for number in range(3, 64):
    try:
        os.fstat(number)
    except OSError:
        continue
    found.append(number)
print(found)
"""
        result = await run(sandbox, program)
    assert result.stdout == "[]\n"


async def test_cancelling_ends_the_process(sandbox: Sandbox) -> None:
    before = set(children())
    task = asyncio.ensure_future(run(sandbox, "while True:\n    pass", 60))
    await asyncio.sleep(0.3)
    assert set(children()) - before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(children()) <= before


_FOREVER = """
import asyncio
from test_sandbox import make
asyncio.run(make({tier!r}).run("while True: pass", timeout_seconds=60))
"""


def test_it_ends_when_we_are_killed(tier: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    command = [sys.executable, "-c", _FOREVER.format(tier=tier)]
    # Killed so, nobody is left to remove a work folder.
    folder = let_others_through(tmp_path, tmp_path_factory)
    fakes = Path(__file__).parents[1]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(fakes)}
    with subprocess.Popen(command, cwd=Path(__file__).parent, env=environment) as ours:
        waited_until = time.monotonic() + 10
        while not (inner := children(ours.pid)) and time.monotonic() < waited_until:
            time.sleep(0.05)
        time.sleep(0.3)
        ours.kill()
    assert inner
    waited_until = time.monotonic() + 5
    while any(is_running(number) for number in inner) and time.monotonic() < waited_until:
        time.sleep(0.05)
    assert not any(is_running(number) for number in inner)


async def test_strange_programs_are_no_error(sandbox: Sandbox) -> None:
    for program in ("\0", "print('\ud800')", "(" * 5000, "x = 1" * 100_000, ""):
        result = await run(sandbox, program)
        assert (result.exit_status == 0) == (not program)


async def test_many_at_once(sandbox: Sandbox) -> None:
    results = await asyncio.gather(*(run(sandbox, f"print({n})", 30) for n in range(6)))
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(6)]


async def test_what_cannot_be_started_is_an_error() -> None:
    if not any(report.works for report in TIERS.values()):
        pytest.skip("no tier here")
    sandbox = BubblewrapSandbox(python_layout(), "/nonexistent/bwrap")
    with pytest.raises(SandboxUnavailableError, match="nonexistent"):
        await sandbox.run("print(1)")


async def test_what_cannot_be_confined_is_an_error_and_does_not_run(tmp_path: Path) -> None:
    if not TIERS["namespaces"].works:
        pytest.skip(TIERS["namespaces"].reason)
    broken = make("namespaces", Limits(work_bytes=-1))
    with pytest.raises(SandboxUnavailableError, match="could not confine"):
        await broken.run(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert not (tmp_path / "ran").exists()


def some_module(folder: str) -> list[Path]:
    return list(itertools.islice(Path(folder).rglob("*.py"), 1))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def children(pid: int | None = None) -> list[str]:
    pid = pid or os.getpid()
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_running(pid: str) -> bool:
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
