"""`nonet ask code --file`: a diff is shown, and the file changes only when that is asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nonet.changes import Given, apply, new_texts, read_given, settle
from nonet.cli import main
from nonet.errors import UsageError
from nonet.specialists.code_judge import fenced
from nonet.specialists.workspace import unified_diff

WRONG = '"""Sums."""\n\n\ndef double(x):\n    return x\n'


@pytest.fixture
def calc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "nonet.db")
    path = tmp_path / "calc.py"
    path.write_text(WRONG)
    return path


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["ask", "code", "Write `double(x)`. double(2) == 4", "--runtime", "scripted", "--json", *words])
    return status, json.loads(capsys.readouterr().out)


def test_a_diff_is_shown_and_nothing_changes(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = asked(capsys, "--file", str(calc))
    assert found["output"].startswith("```diff\n--- a/calc.py")
    assert found["applied"] == []
    assert calc.read_text() == WRONG


def proposed() -> str:
    return fenced(unified_diff("calc.py", WRONG, WRONG.replace("return x", "return 2 * x")).rstrip("\n"), "diff")


def test_it_is_applied_when_asked_for(calc: Path) -> None:
    calc.chmod(0o640)
    assert settle(given(calc), [proposed()], failed=False, wanted=True, may_ask=False) == ["calc.py"]
    assert calc.read_text() == WRONG.replace("return x", "return 2 * x")
    assert calc.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in calc.parent.iterdir()] == ["calc.py"]


@pytest.mark.parametrize(("failed", "wanted"), [(True, True), (False, False)])
def test_it_is_not_applied_where_it_failed_or_nobody_asked(calc: Path, failed: bool, wanted: bool) -> None:  # noqa: FBT001
    assert settle(given(calc), [proposed()], failed=failed, wanted=wanted, may_ask=False) == []
    assert calc.read_text() == WRONG


def test_a_failed_change_is_never_applied(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ask", "code", "Write `double(x)`. double(2) == 5", "--runtime", "scripted", "--file", "calc.py", "--apply"])
    assert "Nothing was applied" in capsys.readouterr().err
    assert calc.read_text() == WRONG


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--file", "missing.py"), "There is no file"),
        (("--apply",), "--apply needs --file"),
        (("--test-command", "true"), "--test-command needs --file"),
        (("--file", "calc.py", "--test-command", "no-such-program"), "is not on the path"),
        (("--file", "calc.py", "--test-command", "'"), "cannot be read"),
        (("--file", "binary"), "no text in UTF-8"),
        (("--file", "zeros"), "is no text: it has bytes of zero"),
        (("--file", "link.py"), "is a link"),
        (("--file", "."), "is a folder, a pipe or a device"),
        (("--file", "/dev/zero"), "is a folder, a pipe or a device"),
    ],
)
def test_slips_are_told(calc: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    (calc.parent / "binary").write_bytes(b"\xff\xfe\x00")
    (calc.parent / "zeros").write_bytes(b"a\x00b")
    (calc.parent / "link.py").symlink_to(calc)
    assert main(["ask", "code", "Change it.", "--runtime", "scripted", *words]) == 2
    assert said in capsys.readouterr().err


def given(calc: Path) -> Given:
    found = read_given([calc], None)
    assert found is not None
    return found


def test_a_name_that_is_too_long_is_told(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del calc
    assert main(["ask", "code", "Fix it.", "--file", "a" * 5000, "--runtime", "scripted"]) == 2
    assert "There is no file aaaa" in capsys.readouterr().err
    task = f"Summarize {'ü' * 200}.md in one sentence."  # of 400 bytes
    assert main(["run", task, "--runtime", "scripted"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_cannot_be_read_is_told(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calc.chmod(0)
    assert main(["ask", "code", "Fix it.", "--file", str(calc), "--runtime", "scripted"]) == 2
    assert "calc.py cannot be read: Permission denied." in capsys.readouterr().err


def test_a_read_only_file_is_left_alone(calc: Path) -> None:
    calc.chmod(0o444)
    with pytest.raises(UsageError, match="is read-only") as caught:
        settle(given(calc), [proposed()], failed=False, wanted=True, may_ask=False)
    assert caught.value.kept == "No file was changed."
    assert calc.read_text() == WRONG


@pytest.mark.parametrize("path", ["../calc.py", "/etc/passwd", "other.py"])
def test_a_diff_of_another_file_is_refused(calc: Path, path: str) -> None:
    with pytest.raises(UsageError, match="was not given"):
        new_texts(given(calc), [unified_diff(path, WRONG, "x = 1\n")])


def test_a_diff_that_does_not_fit_is_refused(calc: Path) -> None:
    with pytest.raises(UsageError, match="does not fit"):
        new_texts(given(calc), [unified_diff("calc.py", "a\nb\nc\nd\n", "a\nb\nx\nd\n")])


def test_a_file_that_changed_meanwhile_is_left_alone(calc: Path) -> None:
    read = given(calc)
    calc.write_text("changed by somebody else\n")
    with pytest.raises(UsageError, match="has changed"):
        apply(read, {"calc.py": "x = 1\n"})
    assert calc.read_text() == "changed by somebody else\n"


def test_line_ends_stay_what_they_were(calc: Path) -> None:
    calc.write_bytes(b"a = 1\r\nb = 2\r\n")
    read = given(calc)
    assert apply(read, new_texts(read, [unified_diff("calc.py", "a = 1\nb = 2\n", "a = 1\nb = 3\n")])) == ["calc.py"]
    assert calc.read_bytes() == b"a = 1\r\nb = 3\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a = 1\n\x0c\nb = 2\n", b"a = 1\n\x0c\nb = 3\n"),
        ('a = "x\u2028y"\nb = 2\n'.encode(), 'a = "x\u2028y"\nb = 3\n'.encode()),
        (b"a\x0bb\x1ec\rd\nb = 2\n", b"a\x0bb\x1ec\rd\nb = 3\n"),
        (b"a = 1\nb = 2", b"a = 9\nb = 2"),
        (b"a = 1\nb = 2", b"a = 1\nb = 3\n"),
        (b"a = 1\nb = 2\n", b"a = 1\nb = 3"),
        (b"a = 1\r\nb = 2\nc = 3\r\n", b"a = 1\r\nb = 2\nc = 4\r\n"),
        (b"\xef\xbb\xbfa = 1\n", b"\xef\xbb\xbfa = 2\n"),
        (b"\xef\xbb\xbfa = 1\r\nb = 2\r\n", b"\xef\xbb\xbfa = 1\r\nb = 3\r\n"),
        (b"", b"a = 1\n"),
        (b"a = 1\n", b""),
        (b"a\n```\nb\n", b"c\n```\nb\n"),
    ],
)
def test_nothing_but_the_change_is_changed(calc: Path, before: bytes, after: bytes) -> None:
    calc.write_bytes(before)
    old, new = (text.decode("utf-8-sig").replace("\r\n", "\n") for text in (before, after))
    answer = fenced(unified_diff("calc.py", old, new).rstrip("\n"), "diff")
    assert settle(given(calc), [answer], failed=False, wanted=True, may_ask=False) == ["calc.py"]
    assert calc.read_bytes() == after


def test_the_project_is_copied_without_what_no_test_needs(calc: Path) -> None:
    (calc.parent / ".git").mkdir()
    (calc.parent / ".git" / "config").write_text("secret")
    (calc.parent / "tests").mkdir()
    (calc.parent / "tests" / "test_calc.py").write_text("x")
    (calc.parent / "out").symlink_to("/etc")
    read = read_given([calc], "python -m pytest")
    assert read is not None
    assert sorted(read.workspace.project) == ["calc.py", "tests/test_calc.py"]


def test_a_resumed_run_knows_its_files(
    calc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kept as they were when the run began; what is on disk by then is not written over unasked."""
    task = "Write a Python function `double(x)` that returns twice x. double(2) == 4"
    monkeypatch.setattr("sys.stdin", None)  # nobody to ask: the plan waits
    main(["run", task, "--runtime", "scripted", "--json", "--approve", "--file", "calc.py"])
    assert json.loads(capsys.readouterr().out)["status"] == "waiting"
    calc.write_text("changed by somebody else\n")
    main(["runs", "resume", "--accept", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert "--- a/calc.py" in found["answer"]
    assert "changed by somebody else" not in found["answer"]
    assert calc.read_text() == "changed by somebody else\n"


def test_a_run_that_waited_can_be_applied(
    calc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = "Write a Python function `double(x)`. double(2) == 2"  # as the scripted answer has it
    monkeypatch.setattr("sys.stdin", None)
    main(["run", task, "--runtime", "scripted", "--approve", "--file", "calc.py"])
    assert calc.read_text() == WRONG
    main(["runs", "resume", "--accept", "--apply"])
    assert "Changed: calc.py" in capsys.readouterr().err
    assert calc.read_text() != WRONG


def test_a_fork_takes_the_files_along(
    calc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its own fork and resume find them again."""
    task = "Write a Python function `double(x)`. double(2) == 2"  # as the scripted answer has it
    monkeypatch.setattr("sys.stdin", None)
    main(["run", task, "--runtime", "scripted", "--quiet", "--file", "calc.py"])
    for _ in range(2):
        capsys.readouterr()
        main(["runs", "fork", "last", "--again", "s1", "--json"])
        assert "--- a/calc.py" in json.loads(capsys.readouterr().out)["answer"]
    assert calc.read_text() == WRONG
    main(["runs", "fork", "last", "--again", "s1", "--apply"])
    assert calc.read_text() != WRONG


def test_only_a_run_with_files_can_be_applied(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "Say hello.", "--runtime", "scripted", "--quiet"])
    assert main(["runs", "fork", "last", "--again", "s1", "--apply"]) == 2
    assert "changes no files, so --apply has nothing to do" in capsys.readouterr().err
    assert calc.read_text() == WRONG


def test_a_resumed_run_whose_folder_is_gone_says_so(
    calc: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    main(["run", "Write `double(x)`. double(2) == 4", "--runtime", "scripted", "--approve", "--file", "calc.py"])
    capsys.readouterr()
    gone = calc.parent.with_name("gone")
    calc.parent.rename(gone)
    monkeypatch.chdir(gone)
    assert main(["runs", "resume", "--accept"]) == 2
    said = capsys.readouterr().err
    assert "which holds the run's files, is gone" in said
    assert "The run is kept." in said


def test_the_code_of_a_plan_changes_files_too(calc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = "Write a Python function `double(x)` that returns twice x. double(2) == 4"
    main(["run", task, "--runtime", "scripted", "--json", "--file", "calc.py"])
    found = json.loads(capsys.readouterr().out)
    assert "--- a/calc.py" in found["answer"]
    assert calc.read_text() == WRONG
