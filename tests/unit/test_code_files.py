"""The code specialist on files of the user's: whole files, merged parts, tests on a copy, a diff as the answer."""

from __future__ import annotations

import shutil

import pytest
from fakes.desk import FakeDesk
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes import ModelInfo
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Verdict, Workspace
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.code_files import changed_files, merge_python
from nonet.specialists.code_loop import Tries
from nonet.specialists.sandbox.probe import find_sandbox
from nonet.specialists.workspace import unified_diff

SANDBOX = find_sandbox()
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
needs_commands = pytest.mark.skipif(
    SANDBOX is None or not SANDBOX.runs_commands or PYTHON is None, reason="no tier here runs commands"
)

CALC = '"""Sums."""\n\nimport math\n\n\ndef add(a, b):\n    return a\n\n\ndef area(r):\n    return math.pi * r * r\n'
RIGHT = CALC.replace("return a\n", "return a + b\n")
CHECK = "import sys\nfrom calc import add\nsys.exit(0 if add(2, 3) == 5 else 'wrong sum')\n"
WORKSPACE = Workspace({"calc.py": CALC})


def workspace_with(check: str = CHECK) -> Workspace:
    project = {"calc.py": CALC.encode(), "check.py": check.encode()}
    return Workspace({"calc.py": CALC}, (PYTHON or "python3", "check.py"), project)


async def work(answer: str, workspace: Workspace, instruction: str = "Let add(a, b) return the sum.") -> Outcome:
    runtime = ScriptedRuntime(lambda _: answer, models=(ModelInfo("m", 4096),))
    desk = FakeDesk(runtime, "m", sandbox=SANDBOX)
    assignment = Assignment(instruction, workspace=workspace)
    outcome = await CodeSpecialist(tries=Tries(repairs=0, samples=0)).work(assignment, desk)
    assert "FILE: calc.py" in desk.prompts[0]
    return outcome


def details(outcome: Outcome) -> str:
    return "\n".join(item.detail for item in outcome.evidence)


def named(text: str, name: str = "calc.py") -> str:
    return f"FILE: {name}\n```python\n{text}```\n"


@needs_commands
async def test_a_change_that_makes_the_tests_pass_is_verified() -> None:
    outcome = await work(named(RIGHT), workspace_with())
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)
    assert "before the change it failed" in details(outcome)
    assert outcome.text.startswith("```diff\n--- a/calc.py\n+++ b/calc.py\n")
    assert "-    return a\n+    return a + b\n" in outcome.text


@needs_commands
async def test_a_change_that_breaks_the_tests_fails() -> None:
    outcome = await work(named(CALC.replace("return a\n", "return b\n")), workspace_with())
    assert outcome.verdict is Verdict.FAILED
    assert "wrong sum" in details(outcome)


ENDS = {
    "leaves where it is loaded": "import sys\n\nsys.exit(0)\n",
    "leaves under another name": "from sys import exit as leave\n\nleave()\n",
    "raises the exit": "raise SystemExit\n",
    "leaves at once later": "import atexit\nimport os\n\natexit.register(os._exit, 0)\n",
}


@needs_commands
@pytest.mark.parametrize("how", ENDS)
async def test_a_change_that_ends_its_tests_is_not_verified(how: str) -> None:
    outcome = await work(named(ENDS[how] + CALC), workspace_with())
    assert outcome.verdict is Verdict.FAILED, details(outcome)
    assert "it ends the program" in details(outcome) or "it uses os._exit" in details(outcome)


@needs_commands
async def test_a_script_may_end_itself() -> None:
    main = "\n\nif __name__ == '__main__':\n    import sys\n\n    sys.exit(add(1, -1))\n"
    assert (await work(named(RIGHT + main), workspace_with())).verdict is Verdict.VERIFIED


@needs_commands
async def test_tests_that_passed_before_prove_nothing_new() -> None:
    outcome = await work(named(RIGHT), workspace_with("from calc import area\nassert area(1) > 3\n"))
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "does not prove what is new" in details(outcome)


@needs_commands
async def test_the_tests_of_the_request_count_too() -> None:
    outcome = await work(named(RIGHT), WORKSPACE, "Let add return the sum: add(2, 3) == 5.")
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)


async def test_without_tests_nothing_is_proved() -> None:
    outcome = await work(named(RIGHT), WORKSPACE)
    assert outcome.verdict is Verdict.UNVERIFIED


async def test_an_answer_that_changes_nothing_fails() -> None:
    for answer in (named(CALC), "It is fine as it is.", named(RIGHT, "other.py")):
        assert (await work(answer, WORKSPACE)).verdict is Verdict.FAILED


async def test_a_file_that_does_not_parse_fails_without_being_run() -> None:
    outcome = await work(named(CALC + "def (:\n"), workspace_with())
    assert outcome.verdict is Verdict.FAILED
    assert "calc.py: SyntaxError" in details(outcome)


def test_a_part_of_a_file_is_merged_into_it() -> None:
    merged = merge_python(CALC, "import os\n\n@cache\ndef add(a, b):\n    return a + b\n\ndef new():\n    return os\n")
    assert merged is not None
    assert "def area(r):" in merged
    assert merged.index("import os") < merged.index("@cache") < merged.index("def area") < merged.index("def new")
    assert "return a\n" not in merged


def test_a_whole_file_is_taken_as_it_is() -> None:
    assert merge_python(CALC, RIGHT) is None
    assert changed_files(f"```python\n{RIGHT}```", {"calc.py": CALC}) == ({"calc.py": RIGHT}, [])


@pytest.mark.parametrize("name", ["../calc.py", "/etc/passwd", "sub/calc.py", "calc.pyc"])
def test_only_files_that_were_given_change(name: str) -> None:
    changed, notes = changed_files(named(RIGHT, name) + "\n" + named("x = 1\n", "b.py"), {"calc.py": CALC, "b.py": ""})
    assert set(changed) == {"b.py"}
    assert name in notes[0].detail


def test_files_are_told_apart_by_their_paths() -> None:
    files = {"a/x.txt": "1\n", "b/x.txt": "2\n"}
    changed, _ = changed_files("FILE: b/x.txt\n```\n3\n```\nFILE: x.txt\n```\n4\n```\n", files)
    assert changed == {"b/x.txt": "3\n"}


@given(st.text(alphabet="ab\n", max_size=30), st.text(alphabet="ab\n", max_size=30))
def test_a_diff_is_empty_only_where_nothing_changed(before: str, after: str) -> None:
    assert bool(unified_diff("f", before, after)) == (before != after)
