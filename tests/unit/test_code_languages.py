"""JavaScript, Bash and SQL: run in the sandbox with the examples of the request."""

from __future__ import annotations

import shutil

import pytest
from fakes.desk import FakeDesk

from nonet.runtimes import ModelInfo
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Verdict
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.code_languages import function_cases
from nonet.specialists.code_loop import Tries
from nonet.specialists.sandbox.probe import find_sandbox

SANDBOX = find_sandbox()
pytestmark = pytest.mark.skipif(SANDBOX is None or not SANDBOX.runs_commands, reason="no tier here runs commands")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

JS = "Write a JavaScript function `total(values)`. assert(total([1, 2]) === 3); total([]) should return 0."
BASH = "Write a Bash function `greet`. `greet World` should print `Hello, World!` and `greet` prints `Hello, you!`"
SQL = """Write an SQL query for the names of the people over 30, oldest first.
CREATE TABLE people (name TEXT, age INTEGER);
INSERT INTO people VALUES ('Ann', 41), ('Bo', 25), ('Cy', 33);
It must return [('Ann',), ('Cy',)]."""


async def work(request: str, tag: str, code: str) -> Outcome:
    runtime = ScriptedRuntime(lambda _: f"```{tag}\n{code}\n```", models=(ModelInfo("m", 4096),))
    desk = FakeDesk(runtime, "m", sandbox=SANDBOX)
    return await CodeSpecialist(tries=Tries(repairs=0, samples=0)).work(Assignment(request), desk)


def details(outcome: Outcome) -> str:
    return "\n".join(item.detail for item in outcome.evidence)


def test_examples_of_javascript_are_read() -> None:
    text = (
        "`f([1], {'a': true})` should return false. assert.deepStrictEqual(f(1, 'x'), [1, 2]);\n"
        "console.assert(f(3) === 'y')"
    )
    cases = [(case.call, case.expected) for case in function_cases(text)]
    assert (("f", [1, "x"]), [1, 2]) in cases
    assert (("f", [3]), "y") in cases
    assert (("f", [[1], {"a": True}]), False) in cases


@needs_node
async def test_javascript_is_verified() -> None:
    outcome = await work(JS, "javascript", "const total = (values) => values.reduce((a, b) => a + b, 0);")
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)
    assert [test["passed"] for test in outcome.data["tests"]] == [True, True]


@needs_node
@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("function total(values) { return values.length; }", "got 2, expected 3"),
        ("function total(values) { return values.sum(); }", "is not a function"),
        ("function total(values) { return values.reduce((a, b) => a + b, 0) + ''; }", "got '3', expected 3"),
        ("function total(values {", "SyntaxError"),
        ("process.exit(0)", "it ended with status 0"),
        ("console.log('2 of 2 passed'); function total() { return NaN; }", "expected 3"),
    ],
)
async def test_javascript_fails(code: str, detail: str) -> None:
    outcome = await work(JS, "javascript", code)
    assert outcome.verdict is Verdict.FAILED
    assert detail in details(outcome)


@needs_node
async def test_javascript_without_examples_is_run() -> None:
    outcome = await work("Write a JavaScript program that prints 1.", "javascript", "console.log(1)")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "it runs" in details(outcome)


@needs_node
async def test_modules_of_javascript() -> None:
    outcome = await work(JS, "js", "export function total(values) { return values.reduce((a, b) => a + b, 0); }")
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)


async def test_bash_is_verified() -> None:
    outcome = await work(BASH, "bash", 'greet() { echo "Hello, ${1:-you}!"; }')
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)


async def test_a_script_of_bash_is_called_by_its_name() -> None:
    request = "Write a Bash script add.sh. `./add.sh 2 3` prints `5`."
    assert (await work(request, "bash", "echo $(($1 + $2))")).verdict is Verdict.VERIFIED
    assert (await work(request, "bash", "echo $(($1 * $2))")).verdict is Verdict.FAILED


async def test_bash_fails() -> None:
    outcome = await work(BASH, "bash", 'greet() { echo "Hello, $1!"; }')
    assert outcome.verdict is Verdict.FAILED
    assert "got 'Hello, !'" in details(outcome)


async def test_sql_is_verified() -> None:
    outcome = await work(SQL, "sql", "SELECT name FROM people WHERE age > 30 ORDER BY age DESC;")
    assert outcome.verdict is Verdict.VERIFIED, details(outcome)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("SELECT name FROM people WHERE age > 30 ORDER BY age;", "got [('Cy',), ('Ann',)]"),
        ("SELECT nam FROM people;", "no such column: nam"),
        ("SELEC name FROM people", "syntax error"),
    ],
)
async def test_sql_fails(code: str, detail: str) -> None:
    outcome = await work(SQL, "sql", code)
    assert outcome.verdict is Verdict.FAILED
    assert detail in details(outcome)


async def test_sql_without_rows_is_run() -> None:
    outcome = await work(SQL.partition("It must")[0], "sql", "SELECT count(*) FROM people")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "it runs" in details(outcome)
