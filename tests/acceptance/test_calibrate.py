"""`nonet calibrate`, from the file of tasks to a ladder that keeps to the bar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.specialists import StaffMember

from nonet import cli
from nonet.errors import UsageError
from nonet.graphs.ask import ask_specialist
from nonet.graphs.calibrate import answers_right, judge, read_tasks, try_tasks
from nonet.graphs.session import Session
from nonet.runtimes import Message
from nonet.schema_models import CalibrateOut
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict

SMALL, LARGE = "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"


async def work(assignment: Assignment, desk: Desk) -> Outcome:
    """The small model is right about even numbers, and its check passes for those; the large one always."""
    await desk.chat([Message("user", assignment.instruction)])
    number = int(assignment.instruction.split()[-1])
    right = desk.model == LARGE or number % 2 == 0
    checks = (Evidence("sum", passed=True, detail="it is right"),) if right else ()
    return Outcome(f"It is {number if right else number + 1}.", Verdict.UNVERIFIED, checks)


def tasks_file(folder: Path, count: int = 24) -> Path:
    path = folder / "tasks.jsonl"
    lines = [json.dumps({"task": f"Say {at}", "specialist": "a", "answer": str(at)}) for at in range(count)]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return path


async def opened(folder: Path, models: list[str]) -> Session:
    settings = Settings(runtime="scripted", db=folder / "nonet.db", models={"a": models})
    return await Session.open(settings, specialists={"a": StaffMember("a", work)})


async def test_the_bar_is_measured_kept_and_climbed_by(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with await opened(tmp_path, [SMALL, LARGE]) as session:
        tried = await try_tasks(session, read_tasks(tasks_file(tmp_path)), lambda done, of, _: seen.append((done, of)))
        (report,) = judge(session, tried, 1.0)
    assert seen[-1] == (48, 48)
    assert report.calibration is not None
    assert report.ladder == (SMALL, LARGE)
    assert report.calibration.first_only.accuracy.mean == 0.5
    assert report.calibration.expected.accuracy.mean == 1.0
    assert report.calibration.expected.climbed == 0.5
    async with await opened(tmp_path, [SMALL, LARGE]) as session:
        assert session.bars == {"a": report.calibration.bar}
        assert (await ask_specialist(session, "a", "Say 4")).model == SMALL
        assert (await ask_specialist(session, "a", "Say 5")).model == LARGE
    async with await opened(tmp_path, [LARGE, SMALL]) as session:
        assert session.bars == {}  # another ladder: the bar says nothing of it


async def test_stored_outcomes_are_judged_without_a_call(tmp_path: Path) -> None:
    async with await opened(tmp_path, [SMALL, LARGE]) as session:
        tried = await try_tasks(session, read_tasks(tasks_file(tmp_path)), lambda *_: None)
        again = tmp_path / "again.jsonl"
        again.write_text("\n".join(json.dumps(each.to_json()) for each in tried), encoding="utf-8")
        runs = len(session.store.runs.list(1000))
        (report,) = judge(session, await try_tasks(session, read_tasks(again), lambda *_: None), 0.9)
        assert len(session.store.runs.list(1000)) == runs
    assert report.calibration is not None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: "),
        ('{"task": ""}', "line 2: task"),
        ('{"task": "What?"}', "right answer is not given"),
        ('{"task": "x", "rungs": [{"confidence": 3, "right": true, "cost": 1}]}', "less than or equal to 1"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"task": "x", "answer": "y"}\n' + line, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_tasks(path)


def test_wrong_files_and_too_few_tasks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_tasks(tmp_path / "missing.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no task"):
        read_tasks(tmp_path / "empty.jsonl")
    few = tmp_path / "few.jsonl"
    few.write_text('{"task": "What is 6 x 7?", "answer": "42"}\n', encoding="utf-8")
    status = cli.main(["calibrate", str(few), "--runtime", "scripted", "--db", str(tmp_path / "nonet.db")])
    assert status == 2
    assert "at least 10" in capsys.readouterr().err


def test_the_command_prints_what_it_set_and_its_exit_status_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tasks.jsonl"
    rungs = [{"confidence": 0.7, "right": True, "cost": 1}, {"confidence": 0.7, "right": True, "cost": 2}]
    path.write_text("\n".join([json.dumps({"task": "x", "specialist": "code", "rungs": rungs})] * 12), encoding="utf-8")
    flags = ["--runtime", "scripted", "--db", str(tmp_path / "nonet.db")]
    assert cli.main(["calibrate", str(path), "--accuracy", "0.9", "--json", *flags]) == 0
    printed = CalibrateOut.model_validate_json(capsys.readouterr().out)
    assert printed.specialists[0].bar == 0.0
    wrong = path.read_text(encoding="utf-8").replace("true", "false")
    path.write_text(wrong, encoding="utf-8")
    assert cli.main(["calibrate", str(path), *flags]) == 1
    assert "Nothing was set" in capsys.readouterr().out


def test_a_known_answer_is_found_in_prose() -> None:
    assert answers_right("So the total is $1,200.", "1200")
    assert not answers_right("So 1200 and then 5.", "1200")
    assert answers_right("She was born in New York, in 1920.", "new york")
    assert not answers_right("", "x")
    assert not answers_right("york new", "new york")
