"""The code specialist from request to verdict, with scripted models and the real sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.desk import FakeDesk

from nonet.errors import ContextOverflowError
from nonet.runtimes import ModelInfo
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Specialist, Verdict
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.sandbox.probe import find_sandbox

MODEL = "coder"
REQUEST = "Write `double`. It must satisfy double(2) == 4 and double(-1) should return -2."
GOOD = "def double(x):\n    return 2 * x"

needs_sandbox = pytest.mark.skipif(find_sandbox() is None, reason="no sandbox tier works here")


def desk(answer: str, *, window_tokens: int = 2048, sandbox: bool = True) -> FakeDesk:
    runtime = ScriptedRuntime(lambda _: answer, models=(ModelInfo(MODEL, window_tokens),))
    return FakeDesk(runtime, MODEL, window_tokens, sandbox=find_sandbox() if sandbox else None)


async def work(answer: str, instruction: str = REQUEST, **options: Any) -> Outcome:
    return await CodeSpecialist().work(Assignment(instruction), desk(f"```python\n{answer}\n```", **options))


def found(outcome: Outcome, kind: str, passed: bool | None) -> list[str]:  # noqa: FBT001
    return [item.detail for item in outcome.evidence if item.kind == kind and item.passed is passed]


def test_it_is_a_specialist() -> None:
    specialist: Specialist = CodeSpecialist()
    assert specialist.name == "code"
    assert specialist.description
    assert len(set(specialist.examples)) >= 12


@needs_sandbox
async def test_verified_when_the_tests_of_the_request_pass() -> None:
    outcome = await work(GOOD)
    assert outcome.verdict is Verdict.VERIFIED
    assert outcome.text == f"```python\n{GOOD}\n```"
    assert found(outcome, "tests", True) == ["double(2) == 4", "double(-1) == -2"]
    assert outcome.data["language"] == "python"
    assert outcome.data["code"] == GOOD
    assert [test["passed"] for test in outcome.data["tests"]] == [True, True]


@needs_sandbox
async def test_failed_with_what_was_got_and_expected() -> None:
    outcome = await work("def double(x):\n    return x ** 2")
    assert outcome.verdict is Verdict.FAILED
    assert outcome.evidence[0].detail == "double(-1) == -2: got 1, expected -2"
    assert found(outcome, "tests", True) == ["double(2) == 4"]


@needs_sandbox
async def test_failed_with_the_line_of_a_crash() -> None:
    outcome = await work("def double(x):\n    y = x / 0\n    return y")
    assert "ZeroDivisionError: division by zero (line 2: y = x / 0)" in outcome.evidence[0].detail


@needs_sandbox
async def test_unverified_without_tests() -> None:
    outcome = await work(GOOD, "Write a function called `double`.")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert found(outcome, "tests", None) == ["no test was given"]
    assert found(outcome, "sandbox", True)


@needs_sandbox
async def test_failed_when_it_crashes_without_tests() -> None:
    outcome = await work("print(undefined)", "Write a script that prints a name.")
    assert outcome.verdict is Verdict.FAILED
    assert "NameError: name 'undefined' is not defined (line 1" in found(outcome, "sandbox", False)[0]


@needs_sandbox
async def test_a_program_that_asks_for_input_is_not_failed() -> None:
    outcome = await work("name = input('Name: ')\nprint(name)", "Write a script that greets the user.")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "asks for input" in found(outcome, "sandbox", None)[0]


async def test_unverified_without_a_sandbox() -> None:
    outcome = await work(GOOD, sandbox=False)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert found(outcome, "sandbox", None) == ["not run: no sandbox"]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("I would rather not.", "the answer has no code"),
        ("```python\ndef double(x:\n    return x\n```", "SyntaxError: invalid syntax (line 1: def double(x:)"),
        ("```python\nx = 1\n```", "it does not define `double`"),
        ("```python\nimport numpy\ndef double(x):\n    return x\n```", "not run: it needs numpy"),
    ],
)
async def test_failed_without_being_run(answer: str, detail: str) -> None:
    outcome = await CodeSpecialist().work(Assignment(REQUEST), desk(answer))
    assert outcome.verdict is Verdict.FAILED
    assert any(detail[:12] in item.detail for item in outcome.evidence if item.passed is False)


async def test_a_package_that_was_asked_for_is_not_failed() -> None:
    outcome = await work("import numpy\ndef double(x):\n    return x", REQUEST + " Use numpy.")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "it needs numpy" in found(outcome, "sandbox", None)[0]


@needs_sandbox
@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "print('2 of 2 tests passed')\nimport os\nos._exit(0)",
        (
            'import os\nfor n in range(64):\n    try:\n        os.write(n, b\'{"test": 0, "passed": True}\\n\')\n'
            "    except OSError:\n        pass\nos._exit(0)"
        ),
        "def double(x):\n    import os\n    os._exit(0)",
        "def double(x):\n    raise SystemExit(0)",
        "import builtins\nbuiltins.AssertionError = KeyError\ndef double(x):\n    return 0",
        "import atexit, os\natexit.register(os._exit, 0)\ndef double(x):\n    return 0",
        (
            "class A(int):\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n"
            "def double(x):\n    return A(0)"
        ),
        "class A:\n    def __eq__(self, other):\n        return True\ndef double(x):\n    return [A()]",
        "from unittest.mock import ANY\ndef double(x):\n    return ANY",
        "import sys\ndef double(x):\n    names = sys._getframe(2).f_globals\n    names['expected_'] = 0\n    return 0",
        (
            "import sys\ndef double(x):\n    frame = sys._getframe(1)\n    while frame:\n"
            "        frame.f_locals.get('self', None) and setattr(frame.f_locals['self'], '_replayable', True)\n"
            "        frame = frame.f_back\n    return 0"
        ),
        (
            "import sys, types\nmain = sys.modules['__main__']\n"
            "main._run_one = lambda test, names: {'passed': True, 'error': ''}\ndef double(x):\n    return 0"
        ),
        (
            "import sys, types\nmain = sys.modules['__main__']\n"
            "main._run_one = lambda test, names: names['double'](1) or {'passed': True, 'error': ''}\n"
            "def double(x):\n    return 0"
        ),
    ],
)
async def test_passes_cannot_be_faked(code: str) -> None:
    outcome = await work(code if "def double" in code else f"{code}\n{GOOD}".replace("2 * x", "0"))
    assert outcome.verdict is not Verdict.VERIFIED, outcome.evidence


@needs_sandbox
async def test_endless_code_is_failed() -> None:
    answer = "```python\ndef double(x):\n    while x < 0:\n        pass\n    return 2 * x\n```"
    outcome = await CodeSpecialist(test_seconds=1).work(Assignment(REQUEST), desk(answer))
    assert outcome.verdict is Verdict.FAILED
    assert found(outcome, "tests", True) == ["double(2) == 4"]
    assert found(outcome, "tests", False) == ["double(-1) == -2: not run: it did not end within 1 s"]


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "instruction"),
    [
        ("def up(values):\n    values.sort()", "assert (lambda v: (up(v), v)[1])([2, 1]) == [1, 2]"),
        (("class Box:\n    def __init__(self):\n        self.n = 0\n    def put(self):\n        self.n += 1\n"
         "        return self.n"), ">>> box = Box()\n>>> box.put()\n1\n"),
        ("def count(n):\n    while True:\n        yield n\n        n += 1",
         "assert [v for v, _ in zip(count(3), range(2))] == [3, 4]"),
        ("def root(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x",
         ">>> root(-1)\nTraceback (most recent call last):\n    ...\nValueError: negative\n"),
        ("import re\ndef has_a(text):\n    return re.search('a', text)",
         "assert has_a('cat')\nassert not has_a('dog')"),
        ("from collections import Counter\ndef count(text):\n    return Counter(text)",
         "count('aab') returns {'a': 2, 'b': 1}"),
        ("def polar(z):\n    return (abs(z), z * 1j)", "polar(2) == (2, 2j)"),
        ("def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)", "fib(10) == 55"),
        ("async def one():\n    return 1", "import asyncio\nassert asyncio.run(one()) == 1"),
        ("print('noise ' * 40000)\ndef f():\n    print('more')\n    return 'x\\ny\\udcff'", "assert len(f()) == 4"),
    ],
)  # fmt: skip
async def test_honest_code_of_many_kinds_is_verified(code: str, instruction: str) -> None:
    outcome = await work(code, f"Write a function or class.\n{instruction}")
    assert outcome.verdict is Verdict.VERIFIED, outcome.evidence


@needs_sandbox
async def test_an_object_that_equals_all_is_told() -> None:
    outcome = await work("class A:\n    def __eq__(self, o):\n        return True\ndef double(x):\n    return A()")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "equal to anything" in found(outcome, "tests", None)[0]


async def test_languages_that_are_not_run_are_written() -> None:
    specialist = CodeSpecialist()
    used = desk("```rust\nfn double(x: i64) -> i64 { 2 * x }\n```")
    outcome = await specialist.work(Assignment("Write a Rust function `double`."), used)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert outcome.text == "```rust\nfn double(x: i64) -> i64 { 2 * x }\n```"
    assert outcome.data["language"] == "rust"
    assert found(outcome, "sandbox", None)[0] == (
        "not run: rust is written but not run (run are Python, JavaScript, Bash, SQL)"
    )
    assert "rust" in used.prompts[0]


async def test_examples_that_are_no_tests_are_told() -> None:
    outcome = await work("def greet(n):\n    return 'Hello ' + n", "greet('Al') returns Hello Al", sandbox=False)
    assert found(outcome, "tests", None) == ["not understood as a test: greet('Al') returns Hello Al"]


async def test_one_call_with_the_request_as_it_is() -> None:
    used = desk(f"```python\n{GOOD}\n```", sandbox=False)
    await CodeSpecialist().work(Assignment(REQUEST), used)
    assert len(used.requests) == 1
    assert REQUEST in used.prompts[0]


async def test_an_earlier_answer_is_in_the_prompt() -> None:
    used = desk("```python\ndef greet(name):\n    return 'Lisbon ' + name\n```", sandbox=False)
    source = Source("s1", "Lisbon", "artifact")
    outcome = await CodeSpecialist().work(
        Assignment("Write `greet(name)` that puts it before a name.", (source,)), used
    )
    assert "Lisbon" in used.prompts[0]
    assert "return 'Lisbon '" in outcome.text


@pytest.mark.parametrize(
    "instruction",
    ["Write `answer()` that returns that answer.", "Write a Python function `answer()` without arguments."],
)
async def test_a_function_that_returns_what_was_found_is_written_without_a_model(instruction: str) -> None:
    used = desk("```python\ndef answer():\n    return 'Porto'\n```", sandbox=False)
    source = Source("s1", 'Lisbon, the "white" city', "artifact", "Where was she born?")
    outcome = await CodeSpecialist().work(Assignment(instruction, (source,)), used)
    assert used.requests == []
    assert outcome.data["code"] == "def answer():\n    return 'Lisbon, the \"white\" city'"
    assert outcome.verdict is Verdict.UNVERIFIED  # no sandbox, so nothing ran


async def test_the_value_of_a_long_result_is_what_answers_its_question() -> None:
    passages = "a.txt:\n" + "The mill at Orrin was built by Ruth Calder in the year of the flood. " * 3
    asked = "Find the passages that answer \u201cWho built the mill at Orrin?\u201d."
    used = desk("Ruth Calder.", sandbox=False)
    instruction = "From what you find, write a function `answer()` that returns the short answer as a string."
    outcome = await CodeSpecialist().work(Assignment(instruction, (Source("s1", passages, "artifact", asked),)), used)
    assert outcome.data["code"] == "def answer():\n    return 'Ruth Calder'"
    assert used.prompts[0].endswith("Question: Who built the mill at Orrin?")
    assert found(outcome, "value", None) == ["the value is verbatim in s1"]
    invented = desk("Hugh Marsh", sandbox=False)
    outcome = await CodeSpecialist().work(
        Assignment(instruction, (Source("s1", passages, "artifact", asked),)), invented
    )
    assert found(outcome, "value", False) == ["the value is not verbatim in s1"]


@pytest.mark.parametrize(
    "instruction",
    [
        "Write `answer()` that returns that answer as an integer.",
        "Write `answer()` that returns the current time.",
        "Write a Python function `answer()` without arguments that rolls a die.",
        "Write `answer(x)` that returns the answer for x.",
        "Write `answer()`. It must hold that answer() == 'Lisbon'.",
    ],
)
async def test_other_functions_are_left_to_the_model(instruction: str) -> None:
    used = desk("```python\ndef answer(x=0):\n    return 'Lisbon'\n```", sandbox=False)
    await CodeSpecialist().work(Assignment(instruction, (Source("s1", "Lisbon", "artifact", "Where?"),)), used)
    assert len(used.requests) == 1


@needs_sandbox
async def test_a_function_that_returns_what_was_found_is_run() -> None:
    source = Source("s1", "Lisbon", "artifact", "Where was she born?")
    outcome = await CodeSpecialist().work(Assignment("Write `answer()` that returns that answer.", (source,)), desk(""))
    assert outcome.verdict is Verdict.UNVERIFIED  # that it gives back what it was given proves nothing
    assert found(outcome, "sandbox", True)


async def test_sources_that_do_not_fit_are_cut_by_relevance_and_told() -> None:
    noise = "\n\n".join(f"Paragraph {n} tells of weather and of ships at sea. " * 4 for n in range(60))
    text = f"{noise}\n\nThe tariff is 17 cents for each parcel.\n\n{noise}"
    used = desk(f"```python\n{GOOD}\n```", window_tokens=1024, sandbox=False)
    instruction = "Write a function that gives the tariff of a parcel."
    outcome = await CodeSpecialist().work(Assignment(instruction, (Source("prices", text),)), used)
    assert "17 cents" in used.prompts[0]
    assert await used.count_tokens(used.requests[0].messages) < 1024
    assert "parts of prices fit the window" in found(outcome, "coverage", False)[0]


async def test_a_request_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ContextOverflowError):
        await CodeSpecialist().work(Assignment("word " * 5000), desk("x", window_tokens=512))


@needs_sandbox
async def test_a_cut_answer_is_told() -> None:
    outcome = await work(f"{GOOD}\n\n" + "# filler words here\n" * 2000)
    assert outcome.verdict is Verdict.VERIFIED
    assert found(outcome, "length", None) == ["the answer was cut at the limit"]


@needs_sandbox
async def test_forgotten_imports_are_added_and_told() -> None:
    outcome = await work("def root(x: int) -> Optional[float]:\n    return math.sqrt(x)", "root(4) == 2.0")
    assert outcome.verdict is Verdict.VERIFIED
    assert "import math" in found(outcome, "code", None)[0]
    assert "from typing import Optional" in outcome.text
