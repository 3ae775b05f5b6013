"""`nonet plan` as a user or a script meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nonet.cli import main
from nonet.schema import OUTPUTS

TASK = "Look up who replaced the paddles, and then write a function `name()` that returns it."


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    assert main(words) == status
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_plan_tells_why(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "plan", TASK)
    assert "Plan (rules): 2 subtasks" in out
    assert "s2  code       write a function" in out
    assert "margin" in out
    assert out.count("near: ") >= 2
    assert "planner rules used: nothing speaks against its plan" in out


def test_a_plan_in_doubt_shows_the_nearest_examples(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "plan", "Frobnicate the gizmo with the two readings")
    assert "which is not enough to be sure" in out
    assert "near: " in out
    assert "note: Not sure that" in out


def test_a_forced_way_and_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "plan", TASK, "--planner", "one-shot", "--json")
    plan: dict[str, Any] = json.loads(out)
    assert OUTPUTS["plan"].model_validate(plan)
    assert plan["tried"][0]["planner"] == "one-shot"
    assert plan["tried"][0]["calls"] == 1
    assert plan["model"]
    assert [each["used"] for each in plan["tried"]].count(True) == 1


def test_the_keys_of_a_plan_are_those_that_were_promised(capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(said(capsys, "plan", TASK, "--json")[0])
    assert {"planner", "subtasks", "notes", "doubts", "tried", "model"} <= plan.keys()
    assert {"id", "specialist", "instruction", "inputs", "documents", "routing"} <= plan["subtasks"][0].keys()
    assert {"method", "margin", "sure", "nearest"} == plan["subtasks"][0]["routing"].keys()


def test_an_unknown_way_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = said(capsys, "plan", TASK, "--planner", "magic", status=2)
    assert "'rules', 'stepwise' or 'one-shot'" in err
    assert "--planner" in err


def test_a_run_names_what_planning_cost(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "run", "Write a Python function `double(x)`.", "--planner", "one-shot", "--quiet")
    out, _ = said(capsys, "runs", "show")
    assert "Planning  1 call" in out


def test_rules_plan_where_no_model_can_chat(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NONET_RUNTIME", "embedded")
    monkeypatch.setenv("NONET_CACHE_DIR", str(tmp_path / "no models"))
    for way in ("auto", "rules"):
        out, _ = said(capsys, "plan", TASK, "--planner", way)
        assert "Plan (rules): 2 subtasks" in out
    _, err = said(capsys, "plan", TASK, "--planner", "one-shot", status=3)
    assert "No model that can chat is installed" in err
    said(capsys, "run", TASK, status=3)
    said(capsys, "plan", TASK, "--model", "gone:1b", status=3)
