"""What the doctor finds, and what it says to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from nonet.cli import main
from nonet.doctor_words import profile_checks
from nonet.runtimes.profile import ModelProfile
from nonet.schema_models import DoctorOut
from nonet.store import Store


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, DoctorOut]:
    status = main(["doctor", *words, "--json"])
    return status, DoctorOut.model_validate_json(capsys.readouterr().out)


def test_it_measures_each_model_and_remembers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, found = examined(capsys, "--runtime", "scripted")
    assert (status, found.ready, found.runtime) == (0, True, "scripted")
    measured = [check for check in found.checks if check.name.startswith("model ")]
    assert len(measured) == 3
    assert all("keeps to a JSON schema" in check.detail for check in measured)
    assert all(0 <= check.data["schema_obedience"] <= 1 for check in measured)
    with Store.open(tmp_path / "here.db") as store:
        assert len(store.models.profiles("scripted")) == 3


def test_the_reasons_of_several_tiers_read_as_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = examined(capsys, "--runtime", "scripted", "--quick")
    [check] = [check for check in found.checks if check.name == "sandbox"]
    assert ".;" not in check.detail


def test_what_a_measurement_did_not_come_to_goes_first_the_next_time(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def profile() -> dict[str, Any]:
        with Store.open(tmp_path / "here.db") as store:
            (kept,) = store.models.profiles("scripted")
        return dict(json.loads(kept.profile_json))

    words = ("--runtime", "scripted", "--model", "smollm2:135m")
    examined(capsys, *words)
    usual = profile()
    assert usual["not_measured"] == ["context", "judging", "planning"]
    _status, found = examined(capsys, *words, "--deep")
    deep = profile()
    assert deep["not_measured"] == []
    assert deep["planning"]["complete"]
    assert [deep[name] for name in ("schema_asked", "routing_asked")] == [4, 6]  # from the time before
    assert "not measured" not in next(check.detail for check in found.checks if check.name.startswith("model "))


def test_quick_and_deep_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick", "--deep"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_slow_model_is_told_in_words() -> None:
    profile = ModelProfile(
        runtime="embedded",
        model="m",
        digest="",
        generation_tokens_per_second=2.4,
        load_seconds=1.0,
        schema_valid=1.0,
        schema_obedience=0.625,
        routing_accuracy=0.5,
        routing_chance=0.333,
        judge_right=11,
        judge_asked=12,
        seconds=9.0,
        not_measured=["context", "planning"],
    )
    (check,) = profile_checks(asdict(profile), deep=True)
    assert check.status == "warning"
    assert check.detail == (
        "loads in 1.0 s, writes 2 tokens a second, reads too fast to measure; keeps to a JSON schema 100%, and fills "
        "it rightly 62%; chooses rightly 50% (a guess: 33%); judges 11 of 12 answers rightly; not measured within 9 s: "
        "context, planning"
    )
    (usual,) = profile_checks({**asdict(profile), "generation_tokens_per_second": 50.0}, deep=False)
    assert usual.status == "ok"
    assert usual.detail.endswith("not measured (`nonet doctor --deep`): context, planning")


def test_a_server_that_is_named_must_answer(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = examined(capsys, "--quick", "--runtime", "ollama")
    assert (status, found.ready) == (3, False)
    problem = next(check for check in found.checks if check.name == "ollama")
    assert problem.status == "problem"
    assert "ollama serve" in problem.next_step


def test_no_models_is_a_problem_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("xllamacpp")
    status, found = examined(capsys, "--quick", "--runtime", "embedded")
    assert status == 3
    assert [check.next_step for check in found.checks if check.name == "models"] == ["nonet models pull"]


def test_a_model_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = examined(capsys, "--quick", "--runtime", "scripted", "--model", "llama9:900b")
    assert status == 3
    assert any("llama9:900b" in check.detail for check in found.checks)


def test_a_specialist_whose_models_are_missing_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wants = "[specialists.slogan]\nprompt = 'Write one.'\nmodels = ['smollm2:135m', 'absent:9b']\n"
    (tmp_path / "nonet.toml").write_text(wants, encoding="utf-8")
    status, found = examined(capsys, "--quick", "--runtime", "scripted")
    [check] = [check for check in found.checks if check.name == "specialist slogan"]
    assert (status, check.status, check.next_step) == (0, "warning", "nonet models pull absent:9b")
    assert check.detail == "it would like absent:9b, and works with smollm2:135m"


def test_a_damaged_database_is_a_problem(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "here.db").write_bytes(b"not a database at all")
    status, found = examined(capsys, "--quick", "--runtime", "scripted")
    assert status == 3
    assert [check.name for check in found.checks if check.status == "problem"] == ["database"]


def test_it_makes_no_database_by_looking(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _status, found = examined(capsys, "--quick", "--runtime", "scripted")
    assert list(tmp_path.iterdir()) == []
    assert [json.loads(check.model_dump_json())["status"] for check in found.checks if check.name == "database"] == [
        "ok"
    ]


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--quick", "--runtime", "ollama"]) == 3
    said = capsys.readouterr().out
    assert "What to do" in said
    assert said.endswith("Not ready: see the problems above.\n")
