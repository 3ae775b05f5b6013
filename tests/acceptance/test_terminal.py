"""A run on a real terminal, and what Ctrl-C leaves behind. The models are those of the fake Ollama server."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama

FAST, SLOW = "Summarize report.md in one sentence.", "Write a Python function double(x).\nassert double(2) == 4"
TASK = f"{FAST}\n\n{SLOW}"
REPORT = "The mill wheel turned all \u202ewinter. The miller replaced two oak paddles on 3 March.\n" * 3
CODE = "```python\ndef double(x):\n    return x * 2\n```"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    """In a folder with report.md and a database."""
    (tmp_path / "report.md").write_text(REPORT)
    monkeypatch.chdir(tmp_path)
    for name, value in {"NONET_RUNTIME": "ollama", "NONET_DB": "here.db", "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    async with FakeOllama(
        [("double", CODE), ("mill", "The miller replaced two oak paddles \x1b[2Jon 3 March.")]
    ) as fake:
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        yield fake


async def start(*words: str, **streams: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "nonet", *words, **streams)


async def run_json(*words: str) -> tuple[int, dict[str, Any]]:
    done = await start(*words, "--json", stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(done.communicate(), 60)
    assert b"Traceback" not in err
    assert done.returncode is not None
    return done.returncode, json.loads(out)


async def until(stream: asyncio.StreamReader, sign: bytes) -> bytes:
    """Read until the sign has been seen."""
    seen = b""
    while sign not in seen:
        piece = await asyncio.wait_for(stream.read(4096), 60)
        assert piece, seen.decode(errors="replace")
        seen += piece
    return seen


async def stop_midway(server: FakeOllama, number: int) -> tuple[int, bytes]:
    """Start a run whose code never comes, and send the signal when the summary is finished."""
    server.fault("stall", contains="double", seconds=60.0)
    run = await start("run", TASK, "--docs", "report.md", stdout=-1, stderr=-1)
    assert run.stdout is not None
    assert run.stderr is not None
    seen = await until(run.stderr, b"s1 is ")
    await asyncio.sleep(0.3)  # what is told is on disk a group commit later
    run.send_signal(number)
    rest = await asyncio.wait_for(run.stderr.read(), 20)
    assert await run.stdout.read() == b""
    return await asyncio.wait_for(run.wait(), 20), seen + rest


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
async def test_an_interrupted_run_is_finished_by_resume(server: FakeOllama, number: int) -> None:
    status, said = await stop_midway(server, number)
    assert status == 130
    assert b"Traceback" not in said
    assert b"Interrupted." in said
    command = re.search(rb"Finish it with: nonet (runs resume \w+)", said)
    assert command is not None
    server.behave()
    done = await start(*command[1].decode().split(), "--json", stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(done.communicate(), 60)
    assert (done.returncode, json.loads(out)["status"]) == (0, "done")
    assert b"s1 is unverified after" in err or b"s1 is verified after" in err
    assert b"kept from before" in err
    assert b"s1 summarization starts" not in err
    _status, shown = await run_json("runs", "show")
    assert shown["history"]["leases"] == 2
    assert [each["subtask"] for each in shown["history"]["attempts"]].count("s1") == 1


async def test_an_interrupted_run_says_so_in_json(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)
    run = await start("run", SLOW, "--json", stdout=-1, stderr=-1)
    assert run.stderr is not None
    await until(run.stderr, b"s1 code starts")
    run.send_signal(signal.SIGINT)
    out, _err = await asyncio.wait_for(run.communicate(), 20)
    error = json.loads(out)["error"]
    assert (run.returncode, error["kind"]) == (130, "interrupted")
    assert "nonet runs resume" in error["next_step"]


@pytest.mark.slow
async def test_a_killed_run_is_finished_by_resume(server: FakeOllama) -> None:
    status, _said = await stop_midway(server, signal.SIGKILL)
    assert status == -signal.SIGKILL
    server.behave()
    status, result = await run_json("runs", "resume")
    assert (status, result["status"]) == (0, "done")
    _status, shown = await run_json("runs", "show")
    assert [each["subtask"] for each in shown["history"]["attempts"]].count("s1") == 1


@pytest.mark.slow
async def test_a_server_that_dies_leaves_a_run_to_resume(server: FakeOllama) -> None:
    server.fault("hang_up_mid_stream", times=99, contains="double")
    status, result = await run_json("run", TASK, "--docs", "report.md")
    assert status in {1, 3}
    server.behave()
    run = result.get("run") or re.findall(r"resume (\w+)", result["error"]["kept"])[0]
    status, result = await run_json("runs", "resume", run)
    assert (status, result["status"]) == (0, "done")


class Terminal:
    """A pseudo-terminal with a process on it, and all that the process wrote."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        os.set_blocking(self.ours, False)
        self.theirs = theirs
        self.seen = b""

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        process = await start(*words, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, start_new_session=True)
        os.close(self.theirs)
        return process

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    async def until(self, sign: bytes | None) -> bytes:
        """What was written up to the sign; None: until the process has let go of the terminal."""
        start = len(self.seen)
        for _ in range(6000):
            try:
                self.seen += os.read(self.ours, 65536)
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except OSError:  # the other side is closed
                break
            if sign is not None and sign in self.seen[start:]:
                return self.seen[start:]
        assert sign is None, self.seen.decode(errors="replace")
        return self.seen[start:]


OWN_MOVES = re.compile(rb"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|\d*A)|\r")
"""Colours, the cursor, and redrawing: what rich writes of its own."""


@pytest.mark.usefixtures("server")
async def test_the_live_view_on_a_terminal() -> None:
    terminal = Terminal()
    process = await terminal.start("run", TASK, "--docs", "report.md")
    await terminal.until(None)
    assert await process.wait() == 0
    shown = OWN_MOVES.sub(b"", terminal.seen).decode()
    assert not [char for char in shown if (ord(char) < 32 and char not in "\n\t") or char == "\u202e"]
    for part in ("run ", "s1  summarization", "s2  code", "working", "Checks", "Verdict: ", "nonet runs show"):
        assert part in shown
    assert b"\x1b[?25l" in terminal.seen, "the table redraws itself"
    assert terminal.seen.rindex(b"\x1b[?25h") > terminal.seen.rindex(b"\x1b[?25l"), "and gives the cursor back"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
async def test_a_plain_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "dumb")
    terminal = Terminal()
    process = await terminal.start("run", FAST, "--docs", "report.md")
    await terminal.until(None)
    assert await process.wait() == 0
    assert b"\x1b" not in terminal.seen
    assert b"s1 summarization starts on" in terminal.seen


@pytest.mark.usefixtures("server")
async def test_a_plan_is_changed_and_accepted() -> None:
    terminal = Terminal()
    process = await terminal.start("run", TASK, "--docs", "report.md", "--approve")
    await terminal.until(b"plan> ")
    terminal.type("drop s7\n")
    assert b"There is no subtask 's7'" in await terminal.until(b"plan> ")
    terminal.type("drop s2\naccept\n")
    await terminal.until(None)
    assert await process.wait() == 0
    _status, shown = await run_json("runs", "show")
    assert [each["id"] for each in shown["subtasks"]] == ["s1"]
    assert [each["status"] for each in shown["history"]["plans"]] == ["proposed", "accepted"]


@pytest.mark.usefixtures("server")
async def test_ctrl_c_at_the_prompt_leaves_the_run_waiting() -> None:
    terminal = Terminal()
    process = await terminal.start("run", FAST, "--docs", "report.md", "--approve")
    await terminal.until(b"plan> ")
    process.send_signal(signal.SIGINT)
    await terminal.until(None)
    assert await process.wait() == 130
    status, result = await run_json("runs", "resume", "--accept")
    assert (status, result["status"]) == (0, "done")


async def test_the_second_ctrl_c_ends_it_at_once(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)
    terminal = Terminal()
    process = await terminal.start("run", SLOW)
    await terminal.until(b"working")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.wait(), 10)
    await terminal.until(None)
    assert process.returncode == 130
    assert terminal.seen.rindex(b"\x1b[?25h") > terminal.seen.rindex(b"\x1b[?25l")
    assert b"Traceback" not in terminal.seen
