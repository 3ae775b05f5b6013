"""The session on a real terminal: what a person sees and does, on the scripted runtime and the fake Ollama server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama
from fakes.screen import Screen

from nonet.repl.registry import COMMANDS
from nonet.store import Store

CODE = "Write a Python function is_open(x).\\\rassert is_open(True) == True"
SLOW = "Write a Python function double(x).\\\rassert double(2) == 4"
REPORT = "The mill wheel turned all winter. The miller replaced two oak paddles on 3 March.\n" * 3


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.md").write_text(REPORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    async with FakeOllama([("double", "```python\ndef double(x):\n    return x * 2\n```")]) as fake:
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        yield fake


def piped(*words: str, said: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nonet", *words], input=said, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_session_from_its_first_prompt_to_its_end() -> None:
    with Screen() as screen:
        screen.enter(CODE)  # typed before anything is loaded
        shown = screen.until("Verdict: verified")
        assert "def is_open(x):" in shown
        screen.enter("/hlep")
        screen.until(r"There is no command /hlep. Did you mean /help\?")
        screen.enter("/runs")
        screen.until(r"\* +\w{8}  .*done +verified")
        screen.until("scripted | qwen2.5-coder:0.5b")
        screen.type("\x04")
        assert screen.ended() == 0
        assert "Come back to this session with: nonet --continue" in screen.text
    with Screen("--continue") as screen:
        screen.until("1 run")
        screen.type("\x1b[A")  # what was said in the earlier session
        screen.until("/runs")
        screen.type("\x03")
        screen.until(lambda text: "> /runs" not in text.splitlines()[-2])
        screen.enter("/quit")
        assert screen.ended() == 0


def test_the_engine_ends_with_its_terminal_also_while_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{silent.getsockname()[1]}")
        options = json.dumps({"flags": {}, "resume": None, "plain": False})
        engine = subprocess.Popen(
            [sys.executable, "-m", "nonet.repl.engine", options], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        with engine, silent.accept()[0]:  # it has asked, and waits for an answer
            assert engine.stdin is not None
            engine.stdin.close()
            assert engine.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_server_that_is_not_there_is_told_and_another_runtime_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONET_RUNTIME", "ollama")  # at an address where nothing listens
    with Screen("--db", "other.db") as screen:
        screen.until("Error: ")
        screen.enter("/runs")
        screen.until("There are no runs yet")
        screen.enter("/set runtime scripted")
        screen.until("runtime = scripted")
        screen.enter(CODE)
        screen.until("Verdict: verified")
        screen.type("\x04")
        assert screen.ended() == 0
        assert "nonet --continue --db other.db" in screen.text


@pytest.mark.slow
def test_lines_come_through_a_pipe() -> None:
    done = piped(said="Summarize report.md in one sentence.\n\n/runs\n")
    assert "Traceback" not in done.stderr
    assert "Verdict: " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "summarization starts on" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("* ")
    assert piped(said="/nosuch\n").returncode == 2
    nothing = piped(said="")
    assert nothing.returncode == 0
    assert "Usage: nonet" in nothing.stdout


def test_a_session_in_a_collection_that_is_not_there_is_not_begun() -> None:
    ended = piped("--runtime", "scripted", "--collection", "nope", said="What is the notice period?\n")
    assert ended.returncode == 2
    assert "There is no collection nope." in ended.stdout
    assert "Verdict" not in ended.stdout


@pytest.mark.slow
def test_a_dumb_terminal_and_a_screen_reader_get_lines() -> None:
    for words, terminal in (((), "dumb"), (("--plain",), "xterm")):
        with Screen(*words, env={"TERM": terminal}) as screen:
            screen.until("nonet>")
            screen.type("/runs\n")
            screen.until("There are no runs yet")
            screen.type("\x04")
            assert screen.ended() == 0
            assert b"\x1b" not in screen.raw


async def test_ctrl_c_stops_the_task_and_resume_finishes_it(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def session() -> None:
        with Screen() as screen:
            screen.enter(SLOW)
            screen.until("working")
            screen.type("\x03")
            screen.until(r"Stopped. Run \w{8} is kept")
            assert server.counts.disconnects == 1, "the server was told to stop"
            server.behave()
            screen.enter("/resume")
            screen.until("Verdict: verified")
            screen.type("\x04")
            assert screen.ended() == 0

    await asyncio.to_thread(session)


@pytest.mark.slow
async def test_a_second_ctrl_c_leaves_and_continue_finds_the_run(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def leave() -> None:
        with Screen() as screen:
            screen.enter(SLOW)
            screen.until("working")
            screen.type("\x03\x03")
            assert screen.ended() == 0

    def come_back() -> None:
        with Screen("--continue") as screen:
            screen.until("It was cut off: /resume finishes it")
            screen.enter("/resume")
            screen.until("Verdict: verified")

    await asyncio.to_thread(leave)
    server.behave()
    await asyncio.to_thread(come_back)


@pytest.mark.slow
async def test_a_killed_terminal_loses_nothing(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def killed() -> None:
        with Screen() as screen:
            screen.enter("Summarize report.md in one sentence.")
            screen.until("Verdict: ")
            screen.enter(SLOW)
            screen.until("working")
            os.kill(screen.process.pid, signal.SIGKILL)
            screen.process.wait()

    await asyncio.to_thread(killed)
    server.behave()
    with Store.open("here.db") as store:
        session = store.sessions.find()
        assert session.runs == 2

    def come_back() -> None:
        with Screen("--continue") as screen:
            screen.until("2 runs")
            screen.enter("/resume")
            screen.until("Verdict: verified")

    await asyncio.to_thread(come_back)


SESSION = """\
Summarize @report.md in four sentences.
/why
shorten that
/undo
/memory
/plan Write a Python function double(x), then summarize report.md in two sentences.
/plan drop s2
/plan reword s1 Write a Python function triple(x).
/plan approve
add type hints to it
/fork s1
/retry bigger
/budget calls 7
/budget off
/set model nope:1b
/set model qwen2.5-coder:0.5b
/set frobnicate 3
/set approve on
Summarize report.md.
/run
/save mill
/save answer.md
/save answer.md
/export html
/stats
/sessions
/batch add inbox report.md Summarize it in one sentence.
/batch run inbox
/workflow
/workflow run nope
/batch
/specialists
/models
/docs
/docs search paddles
/theme
/help fork
/resume
"""


def test_every_command(tmp_path: Path) -> None:
    done = piped(said=SESSION)
    assert "Traceback" not in done.stderr
    assert "nonet met something it does not know" not in done.stdout
    for sign in (
        "Why  Summarize report.md",
        "is no longer part of this session",
        "Plan (user): 1 subtask\n  s1  code  Write a Python function triple(x).",
        "def triple(",
        "qwen2.5-coder:1.5b  1 attempt",
        "Each run may use at most 7 calls.",
        "A run may use as much as it needs.",
        "Error: The scripted runtime does not have the model 'nope:1b'",
        "model = qwen2.5-coder:0.5b",
        "There is no setting 'frobnicate'",
        "/plan approve runs it",
        "This session is called mill",
        "Error: answer.md exists already.",
        "runs         6 ",
        "  mill  ",
        "scripted runtime (the settings name it)",
        "report.md  ",
        "The theme is auto",
        "From a shell: nonet runs fork RUN --again s2",
        "There is no run that was stopped",
        "1 added to inbox",
        "None has a name here; nonet.toml gives one",
        "Error: There is no workflow 'nope'.",
        "inbox  0 waiting  0 at work  1 done  0 dead",
    ):
        assert sign in done.stdout, f"{sign}\n{done.stdout}\n{done.stderr}"
    assert "note (follow-up): about @" in done.stderr
    assert (tmp_path / "answer.md").read_text().strip()
    assert "<!doctype html>" in next(tmp_path.glob("nonet-*.html")).read_text()
    back = piped("--session", "mill", said="/stats\n")
    assert "Session mill" in back.stdout
    assert "runs         6 " in back.stdout


def test_the_commands_are_all_there_and_each_is_documented() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "repl.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert callable(command.load())
        assert command.examples
        assert f"`/{command.name}" in guide, command.name
