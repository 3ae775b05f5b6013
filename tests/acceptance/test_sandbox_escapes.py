"""The sandbox under attack: each probe in every tier that works here; a tier that does not work is told as not run."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from fakes.folders import let_others_through

from acceptance.sandbox_probes import HARMLESS_OUTSIDE, PROBES, PROGRAM_ONLY, program
from nonet.specialists import ExecutionResult, Job, Limits, Sandbox
from nonet.specialists.sandbox.probe import TierReport, probe_tiers, working_tiers
from nonet.text import clean

CLEAN_UP_SECONDS = 2.0
"""After the time that a run may take."""
TIERS = {report.tier: report for report in probe_tiers()}
SANDBOXES = working_tiers()
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
SECRET = secrets.token_hex(16)
KINDS = ("program", "command")
LOADING_SECONDS = {"wasi": 6.0}
"""What a tier takes before the program begins, where that is much."""
ELSEWHERE = {
    "wasi": {
        "find an open descriptor": "a guest's own folders are descriptors from the start",
        "signals that are ignored": "a guest has no signals",
    }
}
"""What is no attack in a tier, and why."""


def sandbox_of(tier: str, *, commands: bool = False) -> Sandbox:
    report: TierReport = TIERS[tier]
    if not report.works:
        pytest.skip(f"tier {tier} not run: {report.reason}")
    sandbox = SANDBOXES[tier]
    if commands and not sandbox.runs_commands:
        pytest.skip(f"tier {tier} runs no commands, so there is nothing to attack with one")
    return sandbox


@pytest.fixture(params=list(TIERS))
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a tier without mounts makes its work folders, so that one left behind is seen."""
    folder = let_others_through(tmp_path_factory.mktemp("temporary"), tmp_path_factory)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, object]]:
    """A secret file, and sockets that listen."""
    folder = tmp_path_factory.mktemp("host")
    with host_of(folder) as names:
        yield names


class host_of:  # noqa: N801
    """Sockets that listen while it is open, and a folder with a secret in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]

    def __enter__(self) -> Mapping[str, object]:
        secret = self.folder / "secret"
        secret.write_text(SECRET)
        tcp, local, abstract = self.sockets
        tcp.bind(("127.0.0.1", 0))
        local.bind(str(self.folder / "s"))
        abstract.bind(f"\0nonet-escape-{os.getpid()}-{secrets.token_hex(4)}")
        for server in self.sockets:
            server.listen()
        return {
            "secret_path": str(secret),
            "folder": str(self.folder),
            "parent": os.getpid(),
            "tcp": tcp.getsockname(),
            "local": local.getsockname(),
            "abstract": abstract.getsockname(),
        }

    def __exit__(self, *_: object) -> None:
        for server in self.sockets:
            server.close()


def lines(text: str) -> dict[str, str]:
    return {name: word for word, _, name in (line.partition(" ") for line in text.splitlines())}


@cache
def tried(tier: str, kind: str) -> tuple[dict[str, str], str]:
    """What became of each probe, all in one run, and what the run printed."""
    sandbox = sandbox_of(tier, commands=kind == "command")
    with tempfile.TemporaryDirectory(prefix="nonet-escape-") as folder, host_of(Path(folder)) as names:
        os.environ["NONET_TEST_SECRET"] = SECRET
        try:
            source = program(PROBES | (PROGRAM_ONLY if kind == "program" else {}), dict(names))
            job = Job(program=source) if kind == "program" else Job(command=(PYTHON or "python3", "-c", source))
            result = asyncio.run(sandbox.run(job, timeout_seconds=20))
        finally:
            del os.environ["NONET_TEST_SECRET"]
        assert Path(folder, "secret").read_text() == SECRET
        assert sorted(path.name for path in Path(folder).iterdir()) == ["s", "secret"]
    assert SECRET not in result.stdout + result.stderr
    return lines(result.stdout), result.stdout + result.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PROBES)
def test_it_does_not_get_through(name: str, kind: str, tier: str) -> None:
    if name in ELSEWHERE.get(tier, {}):
        pytest.skip(ELSEWHERE[tier][name])
    if kind == "command" and PYTHON is None:
        pytest.skip("no python3 of the system to attack with")
    found, printed = tried(tier, kind)
    assert found.get(name) == "stopped", printed[-2000:]


@pytest.mark.parametrize("name", PROGRAM_ONLY)
def test_a_python_program_cannot(name: str, tier: str) -> None:
    found, printed = tried(tier, "program")
    assert found.get(name) == "stopped", printed[-2000:]


def test_the_probes_get_through_where_nothing_stops_them(host: Mapping[str, object]) -> None:
    probes = {name: source for name, source in (PROBES | PROGRAM_ONLY).items() if name in HARMLESS_OUTSIDE}
    assert len(probes) == len(HARMLESS_OUTSIDE)
    if "signal others" in probes and os.geteuid() != 0:
        del probes["signal others"]
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, "-c", program(probes, dict(host))],
            cwd=work,
            env={**os.environ, "NONET_TEST_SECRET": SECRET},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert lines(done.stdout) == dict.fromkeys(probes, "ESCAPED"), done.stdout + done.stderr


# Abuse: each is a run of its own, and must be over in time with nothing left of it.

MARK = f"nonet-escape-mark-{os.getpid()}"


def run(sandbox: Sandbox, job: Job, seconds: float) -> ExecutionResult:
    """Run it; whatever it did, it ends in time, and nothing of it is left."""
    started = time.monotonic()
    result = asyncio.run(sandbox.run(job, timeout_seconds=seconds))
    loading = LOADING_SECONDS.get(sandbox.tier, 0.0)
    assert time.monotonic() - started < loading + seconds + CLEAN_UP_SECONDS
    assert survivors() == []
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    return result


def survivors() -> list[str]:
    """Processes with the mark among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if MARK.encode() in words:
            found.append(path.parent.name)
    return found


def bash(script: str) -> Job:
    return Job(command=("bash", "-c", script, MARK))


PROGRAMS: dict[str, tuple[str, float, str]] = {
    "a fork bomb": ("import os\nwhile True:\n    os.fork()", 2, ""),
    "a thread bomb": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()",
        0.5,
        "",
    ),
    "a memory bomb": ("kept = []\nwhile True:\n    kept.append(bytearray(50 << 20))", 5, "memory"),
    "a spin": ("while True:\n    pass", 0.4, "time"),
    "a sleep": ("import time\ntime.sleep(600)", 0.4, "time"),
    "a flood of output": ("import os\nwhile True:\n    os.write(1, b'x' * 65536)", 5, "output"),
    "a flood of errors": ("import os\nwhile True:\n    os.write(2, b'x' * 65536)", 5, "output"),
    "a huge file": ("open('big', 'wb').write(bytes(30 << 20))", 5, "file"),
    "a file with holes": ("f = open('big', 'wb', 0)\nf.seek(10 ** 12)\nf.write(b'x')", 5, "file"),
    "a deep tree": (
        "import os\nfor n in range(500):\n    os.mkdir('d')\n    os.chdir('d')",
        5,
        "",
    ),
    "a regular expression without end": ("import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')", 0.4, "time"),
    "an integer without end": ("n = 7\nwhile True:\n    n = n ** 3", 0.4, "time"),
    "signals that are ignored": (
        "import signal, time\nfor n in {*range(1, 65)} - {9, 19, 32, 33}:\n    signal.signal(n, 1)\ntime.sleep(60)",
        0.4,
        "time",
    ),
    "an exit that is refused": ("import atexit, time\natexit.register(time.sleep, 600)", 0.4, "time"),
    "recursion": ("import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()", 1, ""),
}

FULL = """
n = 0
while True:
    with open(str(n), "wb") as file:
        file.write(bytes(8 << 20))
    n += 1
"""
MANY = """
n = 0
while True:
    open(str(n), "w").close()
    n += 1
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_ended(name: str, tier: str) -> None:
    source, seconds, limit = PROGRAMS[name]
    if name in ELSEWHERE.get(tier, {}):
        pytest.skip(ELSEWHERE[tier][name])
    result = run(sandbox_of(tier), Job(program=source), seconds)
    assert result.exit_status != 0 or name == "a deep tree"
    assert not limit or limit in result.limits_hit, (result.limits_hit, result.stderr[-500:])


def test_a_program_cannot_fill_the_disk(tier: str) -> None:
    result = run(sandbox_of(tier), Job(program=FULL), 5)
    assert result.exit_status != 0
    assert "disk" in result.limits_hit


REMOVED = {
    "open": """
import os
kept = []
while True:
    kept.append(os.open("f", os.O_CREAT | os.O_RDWR))
    os.unlink("f")
    os.write(kept[-1], bytes(8 << 20))
""",
    "mapped": """
import mmap, os
kept = []
while True:
    with open("f", "wb+") as file:
        file.write(bytes(8 << 20))
        kept.append(mmap.mmap(file.fileno(), 4096))
    os.unlink("f")
""",
}


@pytest.mark.parametrize("how", REMOVED)
def test_files_that_are_removed_and_still_held_count(how: str, tier: str) -> None:
    if (how, tier) == ("mapped", "wasi"):
        pytest.skip("a guest maps no files")
    result = run(sandbox_of(tier), Job(program=REMOVED[how]), 5)
    assert result.exit_status != 0
    assert "disk" in result.limits_hit, (result.limits_hit, result.stderr[-500:])


def test_files_of_nothing_but_holes_do_not_delay_the_end(tier: str) -> None:
    source = "for n in range(600):\n    with open(str(n), 'wb') as file:\n        file.truncate(16 << 20)"
    result = run(sandbox_of(tier), Job(program=source), 2)
    assert result.exit_status == 0, result.stderr[-500:]
    assert "time" not in result.limits_hit
    assert len(result.files_left_out) == 256


def test_what_waits_in_sockets_is_memory(tier: str) -> None:
    source = f"""
import os, socket, sys, time
{MARK!r}
for _ in range(20):
    if os.fork() == 0:
        kept = []
        for _ in range(100):
            kept += socket.socketpair()
            kept[-1].setblocking(False)
            try:
                while True:
                    kept[-1].send(bytes(65536))
            except BlockingIOError:
                pass
        time.sleep(60)
time.sleep(60)
"""
    result = run(sandbox_of(tier, commands=True), Job(command=(PYTHON or "python3", "-c", source, MARK)), 5)
    assert "memory" in result.limits_hit, (result.limits_hit, result.stderr[-500:])


def test_a_program_cannot_make_files_without_end(tier: str) -> None:
    result = run(sandbox_of(tier), Job(program=MANY, limits=Limits(work_files=500)), 5)
    assert result.exit_status != 0
    assert {"disk", "files"} & set(result.limits_hit)


def test_cpu_time_is_limited(tier: str) -> None:
    result = run(sandbox_of(tier), Job(program="while True:\n    pass", limits=Limits(cpu_seconds=0.5)), 60)
    assert "cpu" in result.limits_hit
    assert "time" not in result.limits_hit


COMMANDS: dict[str, tuple[str, float, str]] = {
    "a fork bomb": (":(){ :|:& };: ; sleep 60", 1, "processes"),
    "a memory bomb of many": (
        "for i in {1..12}; do (x=$(head -c 60m /dev/zero | tr '\\0' x); sleep 60) & done; wait",
        20,
        "memory",
    ),
    "a memory bomb of one": ("head -c 4096m /dev/zero | tail", 6, "memory"),
    "a spin of many": ("for i in 1 2 3 4; do while :; do :; done & done; wait", 0.4, "time"),
    "a full disk": ("i=0; while :; do head -c 8m /dev/zero > f$i || exit 9; i=$((i+1)); done", 5, "disk"),
    "a huge file": ("head -c 30m /dev/zero > big", 5, "file"),
    "a flood of output": ("yes", 5, "output"),
    "a stopped process": ("kill -STOP $$", 0.4, "time"),
    "a stopped child": ("sleep 600 & kill -STOP $!; wait", 0.4, "time"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_ended(name: str, tier: str) -> None:
    script, seconds, limit = COMMANDS[name]
    result = run(sandbox_of(tier, commands=True), bash(script), seconds)
    assert result.exit_status != 0
    assert limit in result.limits_hit, (result.limits_hit, result.stderr[-500:])


def test_cpu_time_of_many_processes_is_limited_together(tier: str) -> None:
    job = Job(
        command=("bash", "-c", "for i in 1 2 3; do while :; do :; done & done; wait", MARK),
        limits=Limits(cpu_seconds=0.5),
    )
    result = run(sandbox_of(tier, commands=True), job, 60)
    assert "cpu" in result.limits_hit
    assert "time" not in result.limits_hit


DAEMONS = {
    "in the background": "sleep 600 &",
    "without a terminal": "nohup setsid sleep 600 > /dev/null 2>&1 < /dev/null &",
    "double-forked": "(setsid bash -c '(sleep 600 &) & exit' &) ",
    "that holds the output": "setsid sleep 600 & disown",
    "that ignores signals": "(trap '' TERM HUP INT QUIT; while :; do sleep 600; done) &",
    "that starts itself again": "again() { (sleep 0.02; again) & }; again; again; again",
}


@pytest.mark.parametrize("kind", DAEMONS)
def test_no_daemon_survives(kind: str, tier: str) -> None:
    result = run(sandbox_of(tier, commands=True), bash(f"{DAEMONS[kind]}\necho started"), 5)
    assert "started" in result.stdout
    assert "time" not in result.limits_hit
    time.sleep(0.1)  # one that starts itself again would be seen by now
    assert survivors() == []


KILLERS = {
    "its parent": "kill -9 $PPID",
    "everything": "kill -9 -1",
    "its group": "kill -9 0",
    "the test": f"kill -9 {os.getpid()}",
    "the first process": "kill -9 1",
}


@pytest.mark.parametrize("kind", KILLERS)
def test_signals_reach_no_one_else(kind: str, tier: str) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        result = run(sandbox_of(tier, commands=True), bash(f"{KILLERS[kind]}; sleep 0.05; echo alive"), 5)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert result.exit_status in (0, -signal.SIGKILL, 128 + signal.SIGKILL)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="it is about 32-bit calls of x86_64")
def test_calls_of_another_machine_end_the_program(tier: str) -> None:
    # mov eax, 20 (getpid, were it i386); int 0x80; ret
    source = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print("ESCAPED", function(), flush=True)
"""
    result = run(sandbox_of(tier), Job(program=source), 5)
    assert "ESCAPED" not in result.stdout
    assert result.exit_status != 0


SYSTEM_PROGRAMS = {
    "unshare": "unshare -r id",
    "mount": "mount -t tmpfs none .",
    "su": "su -c id",
    "ptrace": "strace -p 1",
    "reboot": "reboot -f",
    "nsenter": "nsenter -t 1 -m id",
    "chroot": "chroot . id",
    "a socket of bash": "exec 3<>/dev/tcp/127.0.0.1/22 && echo ESCAPED",
    "perl": "perl -e 'use Socket; socket(S, AF_INET, SOCK_STREAM, 0) or exit 1'",
    "a mode of its own": "cp /bin/true s && chmod u+s s && echo ESCAPED",
}


@pytest.mark.parametrize("name", SYSTEM_PROGRAMS)
def test_programs_of_the_system_gain_nothing(name: str, tier: str) -> None:
    result = run(sandbox_of(tier, commands=True), bash(f"({SYSTEM_PROGRAMS[name]}) && echo got through"), 5)
    assert "ESCAPED" not in result.stdout
    assert "got through" not in result.stdout


def test_what_it_prints_cannot_drive_a_terminal(tier: str) -> None:
    source = r"print('\x1b]0;title\x07\x1b[2J\x1b]52;c;cm0gLXJm\x07\x9b31m\u202e text')"
    result = run(sandbox_of(tier), Job(program=source), 5)
    shown = clean(result.stdout)
    assert "text" in shown
    assert not any(sign in shown for sign in ("\x1b", "\x07", "\x9b", "\u202e"))


def test_only_plain_files_come_back(tier: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    source = f"""
import os
for target, link in (({str(secret)!r}, "link"), ("/etc", "folder")):
    try:
        os.symlink(target, link)
    except PermissionError:  # a guest may not even make one that leads out
        pass
os.makedirs("a/b")
open("a/b/plain.txt", "w").write("made")
open("given.txt", "r").read()
open("large", "wb").write(bytes(8 << 20))
"""
    result = run(sandbox_of(tier), Job(program=source, files={"given.txt": b"x"}), 5)
    assert result.exit_status == 0, result.stderr
    assert dict(result.files) == {"a/b/plain.txt": b"made"}
    assert result.files_left_out == ("large",)
