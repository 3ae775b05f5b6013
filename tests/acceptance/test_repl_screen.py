"""The session's screens: two widths, a resize, Ctrl-C at each stage, a paste of 1 MB, hostile text, keys and themes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama
from fakes.screen import Screen

TWO_PARTS = "Summarize report.md in one sentence.\\\r\\\rWrite a Python function double(x).\\\rassert double(2) == 4"
PICTURES = Path(__file__).parents[1] / "data"
CODE = "```python\ndef double(x):\n    return x * 2\n```"
REPORT = "The mill wheel turned all winter. The miller replaced two oak paddles on 3 March.\n" * 3


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.md").write_text(REPORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    """Its answers are what hostile documents would like to be said."""
    hostile = "The miller \x1b[2J\x1b]0;owned\x07[bold red]replaced[/] two \u202eoak paddles on 3 March."
    async with FakeOllama([("double", CODE), ("mill", hostile)]) as fake:
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        monkeypatch.setenv("NONET_RUNTIME", "ollama")
        yield fake


def normal(text: str) -> str:
    """A screen without what differs from run to run."""
    text = re.sub(r"\brun \w{8}\b", "run RUN", text)
    text = re.sub(r"session \w{8}", "session SESSION", text)
    text = re.sub(r"\d+\.\d s\b", "T s", text)
    return re.sub(r"[\d,]+ tokens", "N tokens", text)


@pytest.mark.parametrize("columns", [60, pytest.param(200, marks=pytest.mark.slow)])
async def test_the_tree_at_two_widths(server: FakeOllama, columns: int) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def session() -> str:
        with Screen(columns=columns, rows=30) as screen:
            screen.enter("/docs add report.md")
            screen.until("report.md")
            screen.enter(TWO_PARTS)
            screen.until(r"verified[\s\S]*working|working[\s\S]*verified")
            return screen.until("s1 summarization .*verified")

    shown = normal(await asyncio.to_thread(session)).splitlines()
    tree = next(number for number, line in enumerate(shown) if line.startswith("run RUN"))
    assert all(len(line) <= columns for line in shown)
    first, second = shown[tree + 1 : tree + 3]
    if columns == 60:
        assert re.fullmatch(r"├─ s1 summarization Summarize rep\S*… (un)?verified T s", first) or "…" in first
        assert re.match(r"└─ s2 code Write a Python function .*… working T s", second)
    else:
        assert re.match(r"├─ s1 summarization Summarize report\.md in one sentence\. (un)?verified T s \S+ ", first)
        assert re.match(
            r"└─ s2 code Write a Python function double\(x\)\. assert double\(2\) == 4 working T s qwen2", second
        )
    assert shown[-1].startswith(" ollama | ")


@pytest.mark.parametrize("columns", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_the_screen_is_as_it_was(columns: int) -> None:
    """Renew the pictures with what the failure shows, after looking at it."""
    with Screen(columns=columns, rows=40) as screen:
        screen.until("session")
        screen.enter("Write a Python function is_open(x).\\\rassert is_open(True) == True")
        screen.until("Verdict: verified")
        screen.enter("/help fork")
        screen.until("From a shell")
        screen.enter("/nosuch")
        screen.until("There is no command /nosuch")
        shown = normal(screen.until("nosuch[\\s\\S]*\n>\n+ scripted"))
    assert shown + "\n" == (PICTURES / f"repl-{columns}.txt").read_text(encoding="utf-8"), shown


@pytest.mark.slow
async def test_a_resize_redraws_at_the_new_width(server: FakeOllama) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def session() -> None:
        with Screen(columns=120, rows=30) as screen:
            screen.enter("Write a Python function double(x).\\\rassert double(2) == 4")
            screen.until("double.x.. assert double.2. == 4 working .* qwen2")
            screen.resize(60, 20)
            shown = screen.until(lambda text: "… working" in text and " ollama" in text.splitlines()[-1])
            assert max(len(line) for line in shown.splitlines()) <= 60
            screen.resize(160, 40)
            screen.until("double.x.. assert double.2. == 4 working .* qwen2")
            screen.type("still typing")
            screen.until("> still typing")

    await asyncio.to_thread(session)


@pytest.mark.slow
async def test_what_a_model_says_is_shown_and_not_obeyed(server: FakeOllama) -> None:
    del server

    def session() -> None:
        with Screen() as screen:
            screen.enter("Summarize @report.md in one sentence.")
            shown = " ".join(screen.until("Verdict: ").split())
            assert "[2J" in shown
            assert "[bold red]replaced[/] two" in shown
            assert "\u202e" not in screen.raw.decode()
            assert b"owned\x07" not in screen.raw
            assert b"\x1b[2J" not in screen.raw.replace(b"\x1b[2J\x1b[0;0H", b"")

    await asyncio.to_thread(session)


def test_a_paste_of_a_megabyte_becomes_a_file_and_runs_nothing(tmp_path: Path) -> None:
    text = "".join(f"line {number}: /quit; rm -rf everything\n" for number in range(30_000))
    assert len(text) > 1_000_000
    with Screen(columns=250, env={"XDG_STATE_HOME": str(tmp_path / "state")}) as screen:
        screen.until("session")
        screen.type("Summarize ")
        screen.paste(text)
        shown = screen.until("pastes/paste")
        assert "rm -rf" not in shown
        screen.type("\x15")
        screen.paste("two\nlines")
        shown = screen.until("lines")
        assert "Verdict" not in shown, "nothing is run by a paste"
        screen.type("\x15")
        screen.paste(f"'{tmp_path}/report.md'")
        screen.until("@/")
        [kept] = (tmp_path / "state" / "nonet" / "pastes").iterdir()
        assert kept.read_text() == text
        assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_keys_completion_search_and_themes(tmp_path: Path) -> None:
    (tmp_path / "a file.txt").write_text("x")
    with Screen(env={"XDG_STATE_HOME": str(tmp_path / "state")}) as screen:
        screen.until("session")
        screen.type("/ret")
        screen.until("Do again what is not verified")
        screen.type("\x15@a")
        screen.until("a file.txt +file")
        screen.type("\t")
        screen.until(r'> @"a file.txt')
        screen.type("\x15")
        screen.enter("/help why")
        screen.until("nonet runs show RUN")
        screen.type("\x12wh")
        screen.until("I-search backward: wh")
        screen.type("\r")
        screen.until("> /help why\n+.* scripted")
        screen.type("\x03")
        screen.enter("/set editing vi")
        screen.until("editing = vi")
        screen.until(r"\| vi \|")
        screen.type("abc\x1b")
        screen.type("0iZ")
        screen.until("> Zabc")
        screen.type("\x1bdd")
        screen.type("i")
        screen.enter("/theme contrast")
        screen.until("theme = contrast")
    assert '"editing": "vi"' in (tmp_path / "state" / "nonet" / "repl.json").read_text()


@pytest.mark.slow
def test_wide_and_right_to_left_text_and_no_colour(tmp_path: Path) -> None:
    (tmp_path / "三月.md").write_text("磨坊主在三月换了两块橡木桨。水轮整个冬天都在转动。屋顶需要新的石板。\n")
    with Screen(columns=60, env={"NO_COLOR": "1"}) as screen:
        screen.until("session")
        screen.type("שלום 三月 ")
        screen.until("שלום 三 ?月")
        screen.type("\x15")
        screen.enter("Summarize @三月.md in one sentence.")
        shown = screen.until("Verdict: ")
        assert "磨" in shown
        assert not re.findall(rb"\x1b\[[0-9;]*3[0-7]m", screen.raw), "no colours"


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["while loading", "while planning", "at work", "at rest"])
async def test_ctrl_c_at_each_stage(server: FakeOllama, stage: str) -> None:
    server.fault("stall", contains="double", seconds=60.0)

    def session() -> None:
        with Screen() as screen:
            screen.until("starting" if stage == "while loading" else "session")
            if stage in {"while planning", "at work"}:
                screen.enter("Write a function double(x).")
            if stage == "at work":
                screen.until("working")
            screen.type("\x03")
            screen.until("Stopped|again, or Ctrl-D, leaves")
            screen.enter("/stats")
            screen.until("escalations")
            screen.type("\x04")
            assert screen.ended() == 0
            assert b"Traceback" not in screen.raw

    await asyncio.to_thread(session)


@pytest.mark.slow
def test_an_engine_that_dies_is_started_again() -> None:
    with Screen() as screen:
        screen.enter("Summarize @report.md in one sentence.")
        screen.until("Verdict: ")
        children = Path(f"/proc/{screen.process.pid}/task/{screen.process.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
        screen.until("has ended by itself .status -9")
        screen.until("Session .*: 1 run")
        screen.enter("/why")
        screen.until("coverage")
