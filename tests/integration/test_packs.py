"""The packs under examples/: found when they are installed, at work from the command line, and installable by pip."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.packs import installed, write_pack

from nonet.cli import main
from nonet.specialists.staff import find_staff

PACKS = Path(__file__).parents[2] / "examples" / "packs"
SPECIALISTS = {"clinical", "classification", "extraction", "faq", "translation"}
LETTER = "Date: 12 September 2024\nInvoice number: HG-20417\nThe pump of bay 3 leaks, please send a new one."


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All four, as pip would leave them, and a folder to work in."""
    for project in sorted(PACKS.glob("*/pyproject.toml")):
        for entry in installed(project.parent, tmp_path / "site"):
            monkeypatch.syspath_prepend(entry)
    work = tmp_path / "work"
    work.mkdir()
    (work / "letter.txt").write_text(LETTER, encoding="utf-8")
    monkeypatch.chdir(work)
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    monkeypatch.setenv("NONET_DB", "here.db")
    return work


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_installed_packs_bring_their_specialists(packs: Path) -> None:
    assert packs.is_dir()
    staff = find_staff({})
    assert {name for name, origin in staff.origins.items() if origin.startswith("pack nonet-")} == SPECIALISTS
    assert staff.problems == ()
    assert all(len(staff.specialists[name].examples) >= 10 for name in SPECIALISTS)


def test_they_work_at_the_command_line(packs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(said(capsys, "specialists", "list", "--json")[1])
    assert {each["name"] for each in listed["specialists"]} >= SPECIALISTS
    task = "Extract the invoice number and the date from letter.txt."
    status, out, _ = said(capsys, "plan", task, "--docs", "letter.txt", "--json")
    plan = json.loads(out)
    assert (status, plan["subtasks"][0]["specialist"]) == (0, "extraction")
    answer = json.loads(said(capsys, "ask", "extraction", task, "--input", "letter.txt", "--json")[1])
    assert set(answer["data"]["output"]) == {"invoice_number", "date"}
    assert (
        said(capsys, "batch", "add", "q", "letter.txt", "--workflow", "classification", "--task", "Is it a or b?")[0]
        == 0
    )
    assert said(capsys, "batch", "run", "q", "--quiet")[0] == 0
    assert json.loads(said(capsys, "batch", "export", "q")[1])["status"] in {"done", "dead"}
    assert packs.is_dir()


def test_a_broken_pack_is_a_warning_here_and_in_the_doctor(
    packs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {"leaky": "pack_leaky:leaky"}
    broken = write_pack(packs.parent / "broken", "nonet-leaky", points, {"pack_leaky": "import no_such_module"})
    monkeypatch.syspath_prepend(broken)
    status, _, err = said(capsys, "run", "Say hello.")
    assert status == 0
    assert "Warning: The specialist leaky (pack nonet-leaky 1.0) is left out: " in err
    assert "no_such_module" in err
    status, out, _ = said(capsys, "doctor", "--quick", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert (status, checks["specialist leaky"]["status"], checks["specialists"]["status"]) == (0, "warning", "ok")
    assert "left out" in said(capsys, "ask", "leaky", "x")[2]
    assert "left out" in said(capsys, "batch", "add", "q", "letter.txt", "--workflow", "leaky")[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clinical", "extraction", "faq", "translation"])
def test_pip_installs_it(tmp_path: Path, name: str) -> None:
    project = shutil.copytree(PACKS / name, tmp_path / name)
    target = tmp_path / "target"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(project)]
    subprocess.run(install, check=True, timeout=300)
    code = (
        "from nonet.specialists.staff import find_staff\n"
        "found = find_staff({})\n"
        "print(found.problems, *found.origins.values(), sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(target), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    problems, *origins = done.stdout.strip().split("|")
    assert (problems, origins[-1]) == ("()", f"pack nonet-{name} 0.1.0")
