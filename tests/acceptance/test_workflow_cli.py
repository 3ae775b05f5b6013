"""Workflows as a user meets them on the command line, in queues, and in sessions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import nonet as nonet_
from nonet.cli import main

FLOWS = """
from pathlib import Path

import nonet

@nonet.step(specialist="summarization", reads=["text"])
def short() -> str:
    return "In one sentence."

@nonet.step
def words(short: str, least: int = 0) -> list[str]:
    with Path("words.log").open("a") as log:
        log.write("again\\n")
    return [word for word in short.split() if len(word) > least]

@nonet.step(each="word in words")
def lengths(word: str) -> int:
    return len(word)

@nonet.step{approve}
def total(lengths: list[int]) -> int:
    return sum(lengths){more}

flow = nonet.Workflow("lengths", [short, words, lengths, total], output=total)
"""
TEXT = "The pump was replaced in May. It works."


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


def write(approve: str = "", more: str = "", name: str = "flows.py") -> None:
    Path(name).write_text(FLOWS.format(approve=approve, more=more), encoding="utf-8")


@pytest.fixture
def nonet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in a folder of its own, with flows.py in it. Each call sees that file as a new process would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.setattr(sys, "path", [*sys.path])
    write()

    def run(*words: str, stdin: str = "") -> Said:
        for name in [each for each in sys.modules if each.startswith("nonet_file_")]:
            del sys.modules[name]
        given = tmp_path / "stdin"
        given.write_text(stdin)
        with given.open(encoding="utf-8") as file:
            monkeypatch.setattr(sys, "stdin", file)
            status = main(words)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err, captured.err
        return Said(status, captured.out, captured.err)

    return run


def test_inputs_come_by_name_from_files_as_json_and_through_pipes(nonet: Cli) -> None:
    Path("notes.md").write_text(TEXT)
    by_file = nonet("run", "--workflow", "flows.py", "--input", "text=@notes.md", "--json")
    assert (by_file.status, by_file.json["output"], by_file.json["workflow"]) == (0, 24, "lengths")
    assert nonet("run", "-w", "flows.py:flow", json.dumps({"text": TEXT, "least": 3}), "--json").json["output"] == 16
    assert nonet("run", "-w", "flows.py:lengths", "--json", stdin=TEXT).json["output"] == 24
    lines = nonet("run", "-", "-w", "flows.py", "-q", stdin=f'{TEXT}\n{{"txt": 1}}\n').out.splitlines()
    assert [json.loads(each).get("output") for each in lines] == [24, None]
    assert "has no input 'txt'" in json.loads(lines[1])["error"]["message"]
    (Path("nonet.toml")).write_text('[workflows]\nlengths = "./flows.py:flow"\n')
    assert nonet("workflow", "list", "--json").json["workflows"][0]["name"] == "lengths"
    said = nonet("run", "-w", "lengths", TEXT)
    assert "lengths[3] python starts" in said.err
    assert said.out.startswith("24\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "-w", "flow.py"], "There is no file flow.py"),
        (["run", "-w", "flows.py:flaw"], "has no workflow 'flaw'.\nIt has: flow"),
        (["run", "-w", "flows"], "There is no workflow 'flows'"),
        (["run", "-w", "no.module:flow"], "there is no module 'no'"),
        (["run", "-w", "flows.py"], "needs the input 'text' (str). It is read by step 'short'"),
        (["run", "-w", "flows.py", "-i", "text"], "has no `=`"),
        (["run", "-w", "flows.py", "-i", "text=@gone.md"], "gone.md"),
        (
            ["run", "-w", "flows.py", "x", "-i", "least=many"],
            "The input 'least' of the workflow 'lengths' does not fit",
        ),
        (["run", "-w", "flows.py", '{"text": '], "no JSON object"),
        (["run", "-w", "broken.py"], "broken.py:2: importing it raised ZeroDivisionError"),
        (["run", "-w", "leaves.py"], "leaves.py:1: importing it raised SystemExit: 3"),
        (["run", "-w", "wrong.py"], "wrong.py:2)."),
        (["run", "-i", "a=b", "Say hello."], "--input goes with --workflow"),
        (["run", "-w", "flows.py", "x", "--session", "last"], "--session does not go with --workflow"),
    ],
)
def test_what_cannot_be_run_is_told(nonet: Cli, words: list[str], said: str) -> None:
    Path("broken.py").write_text("import nonet\nx = 1 / 0\n")
    Path("leaves.py").write_text("raise SystemExit(3)\n")
    Path("wrong.py").write_text(
        "import nonet\ndef a(b: int) -> int:\n    return b\n"
        'flow = nonet.Workflow("f", [nonet.step(a)], inputs={"c": int})\n'
    )
    told = nonet(*words)
    assert told.status == 2
    assert said in told.err


def test_a_waiting_run_is_answered_and_a_changed_workflow_refused(nonet: Cli) -> None:
    write(approve='(approve="Add them up?")')
    waiting = nonet("run", "-w", "flows.py", TEXT)
    assert waiting.status == 0
    assert "total waits: Add them up?" in waiting.err
    assert "Waits  for somebody to approve total" in nonet("runs", "show").out
    write(approve='(approve="Add them up?")', more=" + 1")
    refused = nonet("runs", "resume", "--accept")
    assert refused.status == 2
    assert "step total: its code changed" in refused.err
    assert "--force" in refused.err
    went_on = nonet("runs", "resume", "--accept", "--force", "--json")
    assert (went_on.status, went_on.json["output"], went_on.json["usage"]["calls"]) == (0, 25, 1)
    assert Path("words.log").read_text() == "again\n"
    shown = nonet("runs", "show", "--json").json
    assert [each["id"] for each in shown["subtasks"]] == ["short", "words", "lengths", "total"]
    assert "Workflow  lengths" in nonet("runs", "show").out
    assert shown["history"]["workflow"]["name"] == "lengths"


def test_forks_and_replays(nonet: Cli) -> None:
    first = nonet("run", "-w", "flows.py", TEXT, "--json").json["run"]
    forked = nonet("runs", "fork", first, "--input", "least=3", "--json").json
    assert (forked["output"], forked["usage"]["calls"]) == (16, 0)
    assert nonet("runs", "fork", first, "--again", "short", "--json").json["usage"]["calls"] == 1
    assert nonet("runs", "fork", first, "--replay", "--json").json["usage"]["calls"] == 0
    assert "no step 'x'" in nonet("runs", "fork", first, "--again", "x").err
    assert "--bigger is for runs of tasks" in nonet("runs", "fork", first, "--bigger").err
    assert (
        "is for runs of workflows" in nonet("runs", "fork", nonet("run", "Hi.", "--json").json["run"], "--replay").err
    )
    read = nonet("run", f"Summarize @{first}.lengths in one sentence.", "--json").json
    assert read["status"] == "done", read
    Path("flows.py").unlink()
    gone = nonet("runs", "resume", first)
    assert (gone.status, "cannot be found: its file" in gone.err) == (2, True)


def test_a_queue_runs_it_for_each_document(nonet: Cli) -> None:
    rows = "".join(json.dumps({"id": f"d{n}", "text": f"{TEXT} Number {n}."}) + "\n" for n in range(3))
    added = nonet("batch", "add", "inbox", "-", "--workflow", "flows.py:flow", stdin=rows)
    assert added.status == 0, added.err
    assert nonet("batch", "run", "inbox", "-q").status == 0
    results = [json.loads(line) for line in nonet("batch", "export", "inbox").out.splitlines()]
    assert [(each["document"], each["status"], each["output"]) for each in results] == [
        (f"d{n}", "done", "24") for n in range(3)
    ]
    write(approve='(approve="Add them up?")', name="asks.py")
    assert "asks a person (total)" in nonet("batch", "add", "more", "-", "--workflow", "asks.py", stdin=rows).err
    with nonet_.Queue("code", db="here.db", runtime="scripted") as queue:
        queue.add_texts({"a": TEXT}, workflow="flows.py:flow")
        queue.run()
        assert [job.output for job in queue.results()] == ["24"]


def test_a_session_runs_it_asks_and_goes_on(nonet: Cli) -> None:
    write(approve='(approve="Add them up?")')
    said = nonet(
        stdin=f'/workflow\n/workflow flows.py\n/workflow run flows.py "text={TEXT}"\n/plan approve\n'
        "/fork last least=3\n/plan refuse\n/workflow run nope\n"
    )
    for sign in (
        "None has a name here",
        "<- lengths",
        "total waits: Add them up?",
        "/plan approve goes on, /plan refuse skips the step.",
        "24\n",
        "There is no workflow 'nope'",
    ):
        assert sign in said.out, f"{sign}\n{said.out}\n{said.err}"
