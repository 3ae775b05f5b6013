"""Runs JavaScript, Bash and SQL in the sandbox with the examples of the request.

What the code gave is compared out here, by value: inside there is no expected value that it could print instead.
"""

from __future__ import annotations

import ast
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nonet.specialists.code_checks import Checked, TestResult
from nonet.specialists.code_tests import Test, read_tests
from nonet.specialists.protocol import Evidence, Verdict
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Sandbox

RUN_LANGUAGES = {"javascript": "JavaScript", "bash": "Bash", "sql": "SQL"}
_NOT_FOUND = 127
_MISSING = "could not be started"


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a request."""

    shown: str
    call: Any
    """What to run, as the language's runner takes it."""
    expected: Any


async def check_other(language: str, code: str, instruction: str, sandbox: Sandbox, seconds: float) -> Checked:
    """Run `code` with the examples that `instruction` gives. Raises SandboxUnavailableError."""
    runner: Callable[[str, str, Sandbox, float], Awaitable[Checked]] = {
        "javascript": _javascript,
        "bash": _bash,
        "sql": _sql,
    }[language]
    return await runner(code, instruction, sandbox, seconds)


def function_cases(instruction: str) -> list[Case]:
    """Examples of a function called with plain values: (name, arguments) and what it should return."""
    text = re.sub(r"[!=]==", lambda match: match[0][:2], instruction)
    text = re.sub(r"\bassert\.\w*[eE]qual\((.+?\)),\s*(.+?)\)\s*(?:;|$)", r"assert \1 == \2", text, flags=re.MULTILINE)
    for word, python in (("true", "True"), ("false", "False"), ("null", "None"), ("undefined", "None")):
        text = re.sub(rf"(?<=[\s(\[,:])(?<!should be ){word}\b", python, text)
    tests, _ = read_tests(text, ())
    return [case for test in tests if (case := _function_case(test.shown)) is not None]


def _function_case(shown: str) -> Case | None:
    try:
        expression = ast.parse(shown, mode="eval").body
        if not (isinstance(expression, ast.Compare) and isinstance(expression.ops[0], ast.Eq)):
            return None
        call = expression.left
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)) or call.keywords:
            return None
        arguments = [ast.literal_eval(argument) for argument in call.args]
        expected = ast.literal_eval(expression.comparators[0])
        json.dumps([arguments, expected])
    except (ValueError, TypeError, SyntaxError):
        return None
    return Case(shown, (call.func.id, arguments), expected)


async def _javascript(code: str, instruction: str, sandbox: Sandbox, seconds: float) -> Checked:
    cases = function_cases(instruction)
    nonce = secrets.token_hex(16)
    calls = "\n".join(
        f"try {{ tell_({index}, {case.call[0]}(...{json.dumps(case.call[1])})); }} "
        f"catch (error) {{ tell_({index}, null, String(error)); }}"
        for index, case in enumerate(cases)
    )
    tell = (
        f"const tell_ = (index, value, error) => process.stdout.write('\\n{nonce} ' + "
        "JSON.stringify({ index, value: value === undefined ? null : value, error }) + '\\n');"
    )
    # A module of its own, so that what the code exports or declares twice is its own business.
    program = f"{code}\n;{{\n{tell}\n{calls}\n}}\n"
    # Files that import or export are modules, by their name.
    name = "program.mjs" if re.search(r"^\s*(?:import|export)\b", code, re.MULTILINE) else "program.js"
    job = Job(command=("node", name), files={name: program.encode(errors="replace")})
    result, missing = await _run(job, sandbox, seconds)
    if missing:
        return missing
    reports = [json.loads(line[33:]) for line in result.stdout.splitlines() if line.startswith(f"{nonce} ")]
    found = {report["index"]: report for report in reports if isinstance(report, dict)}
    results = [_js_result(case, found.get(index), result) for index, case in enumerate(cases)]
    return _checked(results, result, sandbox)


def _js_result(case: Case, report: dict[str, Any] | None, result: ExecutionResult) -> TestResult:
    if report is None:
        return _test_result(case, None, error=_how_it_ended(result))
    return _test_result(case, report.get("value"), error=str(report["error"]) if report.get("error") else "")


_BASH_EXAMPLE = re.compile(
    r"`(?P<call>[^`\n]+)`\s+(?:should\s+|must\s+|would\s+|will\s+)?"
    r"(?:print|output|echo|give|return|show)(?:s|es)?(?:\s+exactly)?:?\s+[`\"](?P<want>[^`\"\n]*)[`\"]"
)


async def _bash(code: str, instruction: str, sandbox: Sandbox, seconds: float) -> Checked:
    cases = [
        Case(f"{match['call']} prints {match['want']}", match["call"], match["want"])
        for match in _BASH_EXAMPLE.finditer(instruction)
    ]
    if not cases:
        result, missing = await _run(_bash_job("bash script.sh", code), sandbox, seconds)
        return missing or _checked([], result, sandbox)
    results: list[TestResult] = []
    for case in cases:
        # The script by its name, or a function that it defines.
        named = re.sub(r"^(?:bash\s+|sh\s+)?(?:\./)?[\w-]+\.sh\b", "bash script.sh", case.call)
        call = named if named != case.call else f". ./script.sh > /dev/null; {case.call}"
        result, missing = await _run(_bash_job(call, code), sandbox, seconds)
        if missing:
            return missing
        failed = _how_it_ended(result) if result.timed_out or result.exit_status == _NOT_FOUND else ""
        results.append(_test_result(case, result.stdout.strip(), error=failed))
    return _checked(results, result, sandbox)


def _bash_job(call: str, code: str) -> Job:
    return Job(command=("bash", "-c", call), files={"script.sh": f"{code}\n".encode(errors="replace")})


_STATEMENT = re.compile(r"\b(?:CREATE\s+TABLE|INSERT\s+INTO)\b[^;]*;", re.IGNORECASE)
_ROWS = re.compile(r"\b(?:return|give|yield|result|produce)(?:s|ing)?\b[^\[\n]{0,60}(?=\[)", re.IGNORECASE)
_SQL_PROGRAM = """
import sqlite3
database = sqlite3.connect(":memory:")
database.executescript({setup!r})
statements, rows = [], []
text = ""
for line in {code!r}.split(";"):
    text += line + ";"
    if sqlite3.complete_statement(text):
        if text.strip(" \\n\\t;"):
            rows = database.execute(text).fetchall()
        text = ""
print()
print({nonce!r}, repr(rows))
"""


async def _sql(code: str, instruction: str, sandbox: Sandbox, seconds: float) -> Checked:
    setup = "\n".join(_STATEMENT.findall(instruction))
    nonce = secrets.token_hex(16)
    program = _SQL_PROGRAM.format(setup=setup, code=code, nonce=nonce)
    result = await sandbox.run(Job(program=program), timeout_seconds=seconds)
    case = _rows_case(instruction)
    line = next((line for line in result.stdout.splitlines() if line.startswith(f"{nonce} ")), "")
    if case is None:
        return _checked([], result, sandbox)
    got = ast.literal_eval(line[33:]) if line else None
    ordered = re.search(r"\border\s+by\b", code, re.IGNORECASE)
    if not ordered and isinstance(got, list):
        got, case = sorted(got, key=repr), Case(case.shown, case.call, sorted(case.expected, key=repr))
    error = "" if line else _how_it_ended(result)
    return _checked([_test_result(case, got, error=error)], result, sandbox)


def _rows_case(instruction: str) -> Case | None:
    for match in _ROWS.finditer(instruction):
        text = instruction[match.end() :]
        for end in reversed([found.end() for found in re.finditer(r"\]", text[:2000])]):
            try:
                rows = ast.literal_eval(text[:end])
            except (ValueError, SyntaxError):
                continue
            if isinstance(rows, list):
                wanted = [tuple(row) if isinstance(row, list | tuple) else (row,) for row in rows]
                return Case(f"the rows are {wanted}", None, wanted)
    return None


async def _run(job: Job, sandbox: Sandbox, seconds: float) -> tuple[ExecutionResult, Checked | None]:
    """The result, and what to say instead where the tool is not here."""
    if not sandbox.runs_commands:
        return ExecutionResult(1, "", "", 0.0), _not_run(f"the {sandbox.tier} sandbox runs Python only")
    result = await sandbox.run(job, timeout_seconds=seconds)
    if result.exit_status == _NOT_FOUND and _MISSING in result.stderr:
        return result, _not_run(f"{job.command[0]} is not installed where the sandbox looks")
    return result, None


def _not_run(why: str) -> Checked:
    return Checked(Verdict.UNVERIFIED, (Evidence("sandbox", passed=None, detail=f"not run: {why}"),))


def _test_result(case: Case, got: object, *, error: str) -> TestResult:
    # JSON has one kind of list, and one kind of number.
    same = not error and json.dumps(got, sort_keys=True) == json.dumps(case.expected, sort_keys=True)
    same = same or (not error and _is_number(got) and _is_number(case.expected) and got == case.expected)
    detail = "" if same else error or f"got {got!r:.200}, expected {case.expected!r:.200}"
    return TestResult(Test(case.shown, "", ()), passed=same, detail=detail)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _checked(results: Sequence[TestResult], result: ExecutionResult, sandbox: Sandbox) -> Checked:
    where = f"in the {sandbox.tier} sandbox, {result.seconds:.2f} s"
    if results:
        number = sum(item.passed for item in results)
        verdict = Verdict.VERIFIED if number == len(results) else Verdict.FAILED
        ordered = sorted(results, key=lambda item: item.passed)
        ran = Evidence("sandbox", passed=True, detail=f"{number} of {len(results)} tests passed {where}")
        return Checked(verdict, (*(item.evidence() for item in ordered), ran), tuple(results))
    given = Evidence("tests", passed=None, detail="no test was given")
    if result.exit_status == 0:
        return Checked(Verdict.UNVERIFIED, (given, Evidence("sandbox", passed=True, detail=f"it runs ({where})")))
    return Checked(Verdict.FAILED, (Evidence("sandbox", passed=False, detail=_how_it_ended(result)), given))


def _how_it_ended(result: ExecutionResult) -> str:
    if result.timed_out:
        return "it did not end in time"
    if result.limits_hit:
        return f"it ran into its limits: {', '.join(result.limits_hit)}"
    lines = [line for line in result.stderr.strip().splitlines() if line.strip() and not line.startswith("Node.js")]
    telling = [line for line in lines if re.search(r"\b\w*(?:Error|error|not found)\b", line)]
    last = (telling or lines)[-1:]
    return (last[0][:300] if last else "") or f"it ended with status {result.exit_status}"
