"""The parts of the session that need no terminal: the tree, pastes, answers, what passes between the processes."""

from __future__ import annotations

import asyncio
import io
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.utils import get_cwidth

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.events import SubtaskFinished, SubtaskStarted
from nonet.graphs.result import RunResult, SubtaskResult
from nonet.repl import preferences
from nonet.repl.answers import answer_lines, diff_lines
from nonet.repl.completion import wants_completion
from nonet.repl.front import Front
from nonet.repl.looks import line_style, prompt_style
from nonet.repl.pastes import LONGEST_CHARACTERS, pasted
from nonet.repl.progress import Progress
from nonet.repl.registry import COMMANDS, find, suggestion
from nonet.repl.tree import Tree
from nonet.repl.wire import decode, encode, line, packed
from nonet.specialists import Citation, Verdict
from nonet.store import NewDocument, Store

CODE = "```python\ndef double(x):\n    return x * 2\n```"


def grown() -> Tree:
    tree = Tree()
    tree.take({"is": "run", "run": "abcd", "title": "run abcd"})
    rows = [
        {"id": "s1", "specialist": "code", "instruction": "Write it " * 30, "inputs": []},
        {"id": "s2", "specialist": "retrieval", "instruction": "在三月换了两块橡木桨" * 9, "inputs": []},
        {"id": "s3", "specialist": "summarization", "instruction": "Sum up", "inputs": ["s1", "s2"]},
    ]
    tree.take({"is": "plan", "rows": rows})
    tree.take({"is": "row", "id": "s1", "state": "verified", "seconds": 1.5})
    tree.take({"is": "row", "id": "s2", "state": "working", "model": "tiny"})
    tree.take({"is": "text", "subtask": "s2", "text": "מילים 三月 words " * 40, "pieces": 3})
    tree.take({"is": "usage", "said": "1 call"})
    return tree


def drawn(tree: Tree, width: int, height: int = 50) -> list[str]:
    return "".join(text for _, text, *_ in tree.fragments(width, height)).splitlines()


@pytest.mark.parametrize("width", [60, 200])
def test_a_subtask_stands_below_what_it_reads(width: int) -> None:
    lines = drawn(grown(), width)
    assert [line.split()[1] for line in lines if "─ s" in line] == ["s1", "s2", "s3"]
    assert lines[0] == "run abcd: 1 call"
    assert lines[1].startswith("├─ s1 code Write it")
    assert lines[1].rstrip().endswith("verified 1.5 s")
    assert lines[2].startswith("└─ s2 retrieval 在三月")
    assert "words" in lines[3]
    assert lines[4].startswith("   └─ s3 summarization Sum up")


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=220), st.integers(min_value=2, max_value=12))
def test_the_tree_never_leaves_its_place(width: int, height: int) -> None:
    lines = drawn(grown(), width, height)
    assert len(lines) <= height
    assert all(get_cwidth(line) <= width for line in lines)


def test_what_is_pasted(tmp_path: Path) -> None:
    file = tmp_path / "my file.md"
    file.write_text("x")
    folder = tmp_path / "pastes"
    assert pasted(str(file), folder) == f'@"{file}" '
    assert pasted(f"'{file}'\n", folder) == f'@"{file}" '
    assert pasted(str(file).replace(" ", "\\ "), folder) == f'@"{file}" '
    assert pasted(file.as_uri(), folder) == f'@"{file}" '
    assert pasted("two\r\nlines", folder) == "two\nlines"
    assert pasted("report", folder) == "report"
    long = "word " * LONGEST_CHARACTERS
    reference = pasted(long, folder)
    assert Path(reference.strip().removeprefix("@")).read_text() == long
    (tmp_path / "file").write_text("")
    assert pasted(long, tmp_path / "file").startswith(long[:1000])


@settings(deadline=None)
@given(st.text(), st.sampled_from(list(preferences.THEMES)))
def test_any_style_of_a_line_has_a_look(style: str, theme: str) -> None:
    assert isinstance(line_style(style, theme), str)
    prompt_style(theme)
    assert line_style("bold green", "mono") == ""
    assert line_style("dim link file:///a", "light").endswith("link file:///a")


def test_an_answer_has_links_colours_and_what_was_changed(tmp_path: Path) -> None:
    (tmp_path / "log.md").write_text("The pump is new.\n")
    with Store.open(tmp_path / "a.db") as store:
        store.documents.add(
            NewDocument("log.md", "The pump is new.\n", path=str(tmp_path / "log.md"), chunks=[(0, 17)])
        )
        citation = Citation("log.md", "The pump is new.", 0, 16)
        part = SubtaskResult("s1", "code", "do", (), Verdict.VERIFIED, 1, "tiny", text=CODE, citations=(citation,))
        plan = Plan(planner="rules", subtasks=(Subtask(id="s1", specialist="code", instruction="do"),))
        result = RunResult("r", "t", "done", Verdict.VERIFIED, CODE, plan, (part,), (citation,))
        pieces = [piece for line in packed(answer_lines(store, result)) for piece in line]
    assert "".join(text for text, _ in pieces[:12]).startswith("```python")
    assert any("blue" in style or "bold" in style for text, style in pieces if text.strip() in {"def", "return"})
    assert any((tmp_path / "log.md").as_uri() in style for text, style in pieces if text == "log.md")
    changed = [line.plain for line in diff_lines(CODE, CODE.replace("x * 2", "x + x"))]
    assert "-    return x * 2" in changed
    assert "+    return x + x" in changed
    assert diff_lines(CODE, CODE) == []
    assert diff_lines(CODE, "```rust\nfn double() {}\n```") == []


def test_commands_are_found_exactly_and_others_suggested() -> None:
    assert find("why") is not None
    assert find("wh") is None
    assert suggestion("wh") == "There is no command /wh. Did you mean /why?"
    assert "/export" in suggestion("exprot")
    assert "/help lists" in suggestion("zzzz")
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_what_is_completed_while_typing() -> None:
    assert wants_completion(Document("/re"))
    assert wants_completion(Document("compare @rep"))
    assert not wants_completion(Document("mail me@example.org now"))
    assert not wants_completion(Document("a plain word"))


def test_messages_are_lines_whatever_is_in_them() -> None:
    message = {"is": "text", "text": "a\nb\u2028c\ud800 \x1b[2J"}
    data = encode(message)
    assert data.count(b"\n") == 1
    assert decode(data) == message


def test_preferences_are_kept_and_a_damaged_file_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert preferences.load() == preferences.Preferences()
    assert preferences.save(theme="light").theme == "light"
    assert preferences.save(editing="vi") == preferences.Preferences("light", "vi")
    kept = preferences.folder() / "repl.json"
    kept.write_text('{"theme": "no such", "editing": ["vi"], "plain": true}')
    assert preferences.load() == preferences.Preferences(plain=True)
    kept.write_text("[1")
    assert preferences.load() == preferences.Preferences()


def test_items_of_a_list_are_told_in_the_row_of_their_step() -> None:
    told: list[Any] = []
    progress = Progress(told.append, plain=False)
    progress(SubtaskStarted("lengths[3]", "general", "small", 1))
    for part in ("lengths[3]", "lengths[4]/inner#2"):
        progress(SubtaskFinished(part, Verdict.VERIFIED, 1, 0.1))
    progress(SubtaskFinished("lengths", Verdict.VERIFIED, 2, 0.2))
    assert [each["id"] for each in told] == ["lengths"] * 4
    assert [each.get("note") for each in told] == [None, "1 done", "2 done", None]


async def test_output_above_a_prompt_of_several_lines_on_a_busy_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 20 ms between any two steps, the prompt is drawn again wherever it may be: also right after each output."""
    monkeypatch.setenv("NONET_DB", str(tmp_path / "here.db"))
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    written = io.StringIO()

    async def busy() -> None:
        while True:
            time.sleep(0.02)  # noqa: ASYNC251 - it is to block
            await asyncio.sleep(0)

    with create_pipe_input() as keys:
        output = Vt100_Output(written, lambda: Size(rows=30, columns=80), enable_cpr=False)
        with create_app_session(input=keys, output=output):
            front = Front({"flags": {}, "resume": None, "plain": False}, preferences.load())
            running = asyncio.create_task(front.run())
            keys.send_text("one line\\\ranother line")
            load = asyncio.create_task(busy())
            for number in range(20):
                front.show([line((f"shown {number}", ""))])
                while f"shown {number}" not in written.getvalue() and not running.done():  # noqa: ASYNC110
                    await asyncio.sleep(0)
            load.cancel()
            front.leave()
            assert await running == 0
    assert "shown 19" in written.getvalue()
