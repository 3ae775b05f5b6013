"""`nonet eval`, from the command line to what is kept, on the scripted runtime."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nonet import cli
from nonet.eval import evaluation
from nonet.eval.evaluation import Order, evaluate
from nonet.eval.suites import SUITES, check_arms
from nonet.schema import OUTPUTS
from nonet.settings import Settings
from nonet.store import Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NONET_DB", str(tmp_path / "eval.db"))
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": "pump", "request": "Find out: what is the serial number of the pump in bay 3?", "pattern": "look-up",
         "collection": {"log.txt": "The pump in bay 3 has the serial number HL-3318-M."},
         "checks": [{"kind": "answer", "answers": ["HL-3318-M"]}]},
        {"id": "report", "request": "Summarize report.txt in one sentence.", "pattern": "sum",
         "documents": {"report": "The pump failed on Monday. It was replaced on Tuesday."},
         "checks": [{"kind": "rouge", "refs": ["The pump failed on Monday."]}]},
        {"id": "double", "request": "Write a Python function double(x) that returns twice x. double(2) == 4",
         "checks": [{"kind": "unit_tests", "test_list": ["assert double(4) == 8"]}]},
    ]  # fmt: skip
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return tmp_path


def nonet_json(capsys: pytest.CaptureFixture[str], output: str, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.main(["eval", *arguments, "--json"]) == 0
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    OUTPUTS[output].model_validate(value)
    return value


@pytest.mark.usefixtures("here")
def test_all_arms_are_measured_kept_compared_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    order = ("end-to-end", "--data", "own.jsonl", "--arms", "all", "--model", "qwen2.5-coder:0.5b")
    found = nonet_json(capsys, "eval", *order)
    by_arm = {each["arm"]: each for each in found["evals"]}
    assert list(by_arm) == ["raw", "nonet", "best-of", "specialists", "escalation"]
    assert {each["items"] for each in found["evals"]} == {3}
    assert by_arm["escalation"]["models"] == "qwen2.5-coder:0.5b > qwen2.5-coder:1.5b"
    assert "summarization: smollm2:135m" in by_arm["specialists"]["models"]
    assert by_arm["raw"]["usage"]["calls"] == 3
    against_raw = [each["arm"] for each in found["comparisons"] if each["against_arm"] == "raw"]
    assert against_raw == ["nonet", "best-of", "specialists", "escalation"]

    again = nonet_json(capsys, "eval", *order)
    assert [each["known"] for each in again["evals"]] == [3] * 5, "nothing is asked twice"
    assert [each["eval"] for each in again["evals"]] == [each["eval"] for each in found["evals"]]

    listed = nonet_json(capsys, "eval-list", "list")["evals"]
    assert {each["eval"] for each in listed} == {each["eval"] for each in found["evals"]}
    ours, theirs = by_arm["nonet"]["eval"], by_arm["raw"]["eval"]
    shown = nonet_json(capsys, "eval", "show", ours)["evals"][0]
    assert {each["item"] for each in shown["answers"]} == {"pump", "report", "double"}
    (compared,) = nonet_json(capsys, "eval", "compare", ours, theirs)["comparisons"]
    assert compared["wins"] + compared["losses"] + compared["ties"] == 3
    assert compared["difference"]["mean"] == pytest.approx(compared["mean"] - compared["against_mean"])

    assert cli.main(["eval", "show", ours, theirs, "--format", "md"]) == 0
    report = capsys.readouterr().out
    assert "| item | group | nonet | raw |" in report
    assert "| pump | look-up |" in report
    assert cli.main(["eval", "show", ours, theirs, "--format", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg")
    assert cli.main(["eval", "show", ours]) == 0
    assert "end-to-end" in capsys.readouterr().out

    assert nonet_json(capsys, "eval-delete", "delete", ours)["deleted"] == [ours]
    assert cli.main(["eval", "show", ours]) == 2
    assert "There is no evaluation" in capsys.readouterr().err


async def test_an_interrupted_evaluation_asks_only_what_is_left(here: Path) -> None:
    settings = Settings(runtime="scripted", db=here / "eval.db", model="qwen2.5-coder:0.5b")
    order = Order([SUITES["end-to-end"]], check_arms(["nonet"]), 0, data=here / "own.jsonl")
    seen: list[str] = []

    def stop_at_the_second(done: int, _total: int, name: str) -> None:
        seen.append(name)
        if done == 1:
            raise asyncio.CancelledError

    with Store.open(settings.database_path()) as kept:
        with pytest.raises(asyncio.CancelledError):
            await evaluate(order, settings, kept, stop_at_the_second)
        assert kept.evals.list()[0].items == 1
        (measured,) = await evaluate(order, settings, kept, lambda *_: None)
        assert (measured.known, len(measured.items)) == (1, 3)
        assert len(kept.evals.list()) == 1
        (anew,) = await evaluate(
            Order(order.suites, order.arms, 0, data=order.data, again=True), settings, kept, lambda *_: None
        )
        assert (anew.known, len(kept.evals.list())) == (0, 2)


def test_best_of_takes_no_more_than_nonet_took(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"id": "f", "prompt": "Write a function f that doubles a number.", "test_list": ["assert f(2) == 4"]}
    (here / "code.jsonl").write_text(json.dumps(row), "utf-8")
    nonet_json(capsys, "eval", "code", "--data", "code.jsonl", "--arms", "best-of", "--model", "smollm2:135m")
    found = {each["arm"]: each for each in nonet_json(capsys, "eval-list", "list")["evals"]}
    (best,) = nonet_json(capsys, "eval", "show", found["best-of"]["eval"])["evals"][0]["answers"]
    (ours,) = nonet_json(capsys, "eval", "show", found["nonet"]["eval"])["evals"][0]["answers"]
    spent = best["usage"]["prompt_tokens"] + best["usage"]["completion_tokens"]
    budget = ours["usage"]["prompt_tokens"] + ours["usage"]["completion_tokens"]
    assert best["facts"]["budget_tokens"] == budget
    assert best["facts"]["samples"] == best["usage"]["calls"] > 1
    assert spent <= budget


def test_suites_without_answers_in_words(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clone = ("planning", "routing", "--n", "6", "--against", "none")
    found = nonet_json(capsys, "eval", *clone)
    assert [(each["suite"], each["arm"]) for each in found["evals"]] == [
        ("planning", "nonet"), ("planning", "none"), ("routing", "nonet"), ("routing", "none"),
    ]  # fmt: skip
    assert found["evals"][0]["metrics"]["exact"]["mean"] > 0.5
    docs = [{"doc_id": f"d{at}", "title": f"Title {at}", "text": f"The {word} is old."} for at, word in
            enumerate(["pump", "valve", "crane"])]  # fmt: skip
    (here / "find.docs.jsonl").write_text("\n".join(map(json.dumps, docs)), "utf-8")
    (here / "find.jsonl").write_text(json.dumps({"query": "Which valve is old?", "gold_doc_ids": ["d1"]}), "utf-8")
    (searched,) = nonet_json(capsys, "eval", "retrieval", "--data", "find.jsonl", "--arms", "none")["evals"]
    assert searched["metrics"]["ndcg@10"]["mean"] == 1.0
    (here / "de.jsonl").write_text(json.dumps({"source": "Die Pumpe.", "references": ["The pump."]}), "utf-8")
    both = nonet_json(
        capsys,
        "eval",
        "routing",
        "--n",
        "4",
        "--arms",
        "raw",
        "--model",
        "smollm2:135m",
        "--model",
        "qwen2.5-coder:0.5b",
    )
    assert [each["models"] for each in both["evals"]] == ["smollm2:135m", "qwen2.5-coder:0.5b"]
    assert [each["against_models"] for each in both["comparisons"]] == ["smollm2:135m"]
    (translated,) = nonet_json(capsys, "eval", "translation", "--data", "de.jsonl")["evals"]
    assert set(translated["metrics"]) == {"chrf", "bleu"}
    questions = {"question": "Who mended it?", "answer": "Ada", "documents": ["Ada mended it.", "Bo slept."]}
    (here / "q.jsonl").write_text(json.dumps(questions), "utf-8")
    (floor,) = nonet_json(capsys, "eval", "grounded", "--data", "q.jsonl", "--arms", "none")["evals"]
    assert floor["metrics"]["right"]["mean"] == 1.0
    assert floor["usage"]["calls"] == 0


def test_swapped_names_are_planned_and_judged_alike_or_it_shows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (probed,) = nonet_json(capsys, "eval", "bias", "--n", "3")["evals"]
    assert probed["metrics"]["alike"]["mean"] == 1.0, "the scripted runtime knows no names"
    assert set(probed["groups"]) == {"names", "genders", "nationalities"}
    unlike = {"request": "{what}", "swap": {"what": ["Write a function f(x).", "Summarize the report in one line."]}}
    (here / "unlike.jsonl").write_text(json.dumps(unlike), "utf-8")
    (probed,) = nonet_json(capsys, "eval", "bias", "--data", "unlike.jsonl")["evals"]
    assert probed["metrics"]["planned_alike"]["mean"] == 0.0


@pytest.mark.usefixtures("here")
def test_people_judge_without_names_and_come_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ("end-to-end", "--data", "own.jsonl", "--model", "qwen2.5-coder:0.5b")
    found = nonet_json(capsys, "eval", *order, "--against", "raw")
    ours, theirs = (next(each["eval"] for each in found["evals"] if each["arm"] == arm) for arm in ("nonet", "raw"))

    def judged(said: str, *arguments: str) -> tuple[dict[str, Any], str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        capsys.readouterr()
        assert cli.main(["eval", "judge", ours, theirs, *arguments, "--json"]) == 0
        captured = capsys.readouterr()
        value: dict[str, Any] = json.loads(captured.out)
        OUTPUTS["eval-judge"].model_validate(value)
        return value, captured.err

    first, asked = judged("what?\na\nq\n", "--as", "ada")
    assert first["judges"] == [first["judges"][0]] and first["judges"][0]["items"] == 1  # noqa: PT018
    assert "'what?' is none of" in asked
    assert not {"nonet", "raw", "qwen"} & set(asked.lower().split()), "no names are shown"
    second, asked = judged("t\n" * 10, "--as", "ada")
    judged("a\n" + "t\n" * 10, "--as", "bo")
    result, _ = judged("", "--results")
    counts = {each["judge"]: each["items"] for each in result["judges"]}
    assert counts["ada"] == counts["bo"] == second["judges"][0]["items"] >= 2
    (agreement,) = result["agreements"]
    assert agreement["items"] == counts["ada"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cod",), "Did you mean code?"),
        (("code", "--arms", "magic"), "There is no arm"),
        (("retrieval", "--arms", "raw"), "cannot be measured by: raw"),
        (("code", "--against", "zzz"), "no evaluations yet"),
        (("code", "--data", "nowhere.jsonl"), "There is no file"),
        (("code", "routing", "--data", "own.jsonl"), "goes with one suite"),
        (("translation",), "does not hold what the suite translation asks"),
        (("translation", "--data", "stranger.jsonl", "--arms", "raw"), "specialist 'bard', which is not there"),
        (("perplexity",), "Which text?"),
        (("perplexity", "--data", "own.jsonl"), "has no perplexity"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    stranger = {"source": "Hallo", "references": ["Hello"], "specialist": "bard"}
    (here / "stranger.jsonl").write_text(json.dumps(stranger), "utf-8")
    assert cli.main(["eval", *arguments]) in (2, 3)
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    with Store.open(here / "eval.db") as kept:
        assert sum(each.items for each in kept.evals.list()) == 0


def test_an_installed_package_says_where_the_data_is(here: Path) -> None:
    shutil.copytree(Path(evaluation.__file__).parents[1], here / "site" / "nonet", symlinks=False)
    program = "import sys; sys.path.insert(0, 'site'); from nonet.cli import main; sys.exit(main(['eval', 'code']))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "does not come with the installed package" in done.stderr
    assert "--data" in done.stderr
