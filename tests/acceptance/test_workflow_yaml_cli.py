"""A workflow file at the command line: run, shown, written, resumed; and what a stranger gets wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nonet.cli import main
from nonet.graphs.workflow.files import file_schema

FLOW = """\
inputs: {text: str}
steps:
  short:
    specialist: summarization
    reads: [text]
    instruction: In one sentence.
  loud:
    function: yaml_cli_steps:loud
    arguments: {text: short}
output: loud
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "yaml_cli_steps", raising=False)
    (tmp_path / "flow.yaml").write_text(FLOW, encoding="utf-8")
    (tmp_path / "yaml_cli_steps.py").write_text(
        "def loud(text: str) -> str:\n    return text.upper()\n", encoding="utf-8"
    )


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_file_is_run_kept_and_forked(capsys: pytest.CaptureFixture[str]) -> None:
    text = "text=The pump was replaced in May by Anna Berg. It works well now."
    status, out, _ = said(capsys, "run", "--workflow", "flow.yaml", "--input", text, "--json")
    assert status == 0
    first = json.loads(out)
    assert "THE PUMP WAS REPLACED" in first["answer"]
    status, out, _ = said(capsys, "runs", "fork", first["run"], "--again", "loud", "--json")
    assert (status, json.loads(out)["answer"]) == (0, first["answer"])


def test_it_is_shown_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "workflow", "show", "flow.yaml")
    assert status == 0
    assert "loud" in out
    status, out, _ = said(capsys, "workflow", "show", "flow.yaml", "--yaml")
    assert status == 0
    Path("again.yaml").write_text(out, encoding="utf-8")
    assert said(capsys, "workflow", "show", "again.yaml", "--yaml")[1] == out
    assert said(capsys, "workflow", "show", "flow.yaml", "--yaml", "--json")[0] == 2
    assert json.loads(said(capsys, "schema", "workflow-file")[1]) == file_schema()


def test_a_queue_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("letter.txt").write_text("The gate is closed. It opens on Monday.", encoding="utf-8")
    assert said(capsys, "batch", "add", "inbox", "letter.txt", "--workflow", "flow.yaml")[0] == 0
    assert said(capsys, "batch", "run", "inbox", "--quiet")[0] == 0
    status, out, _ = said(capsys, "batch", "export", "inbox")
    assert status == 0
    assert "THE GATE IS CLOSED" in json.loads(out)["output"]


@pytest.mark.parametrize(
    ("text", "place"),
    [("steps:\n  a:\n    specialst: general\n", "flow.yaml:3:5"), ("steps: [", "flow.yaml:1:9"), ("", "flow.yaml:1")],
)
def test_a_mistake_is_told_with_its_place(capsys: pytest.CaptureFixture[str], text: str, place: str) -> None:
    Path("flow.yaml").write_text(text, encoding="utf-8")
    status, out, err = said(capsys, "run", "--workflow", "flow.yaml", "--input", "text=x")
    assert (status, out) == (2, "")
    assert place in err
    assert "Traceback" not in err
