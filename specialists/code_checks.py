"""Runs code in the sandbox with the tests of its request, and says what that proves."""

from __future__ import annotations

import ast
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from nonet.specialists.code_probes import Probe
from nonet.specialists.code_tests import Test
from nonet.specialists.protocol import Evidence, Verdict
from nonet.specialists.sandbox.protocol import ExecutionResult, Sandbox

_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test of the request ended."""

    test: Test
    passed: bool
    detail: str = ""
    """What it got and expected, or why it did not run; empty where it passed."""
    replayed: bool = False
    """Whether the pass was decided on the returned values alone, where the code was not loaded."""

    opaque: bool = False
    """Whether it passed by the equality of an object that the code itself made, which proves nothing."""

    def evidence(self) -> Evidence:
        text = self.test.shown + (f": {self.detail}" if self.detail else "")
        return Evidence("tests", passed=None if self.opaque else self.passed, detail=text)


@dataclass(frozen=True, slots=True)
class Checked:
    """What running the code proved."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    tests: tuple[TestResult, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class CodeChecker:
    """Runs code and its tests, each run within `seconds`. Raises SandboxUnavailableError."""

    sandbox: Sandbox
    seconds: float = 10.0

    async def check(self, code: str, tests: Sequence[Test]) -> Checked:
        """Run the tests, or the code alone where there are none."""
        if not tests:
            return await self._run_alone(code)
        results, ran = await self._run_tests(code, tests)
        verdict = Verdict.VERIFIED
        if any(result.opaque for result in results):
            verdict = Verdict.UNVERIFIED
        if not all(result.passed for result in results):
            verdict = Verdict.FAILED
        inside = [result.test.shown for result in results if result.passed and not result.replayed]
        notes = [ran]
        if inside and verdict is not Verdict.FAILED:
            some = "; ".join(inside[:_MOST_SHOWN]) + ("; ..." if len(inside) > _MOST_SHOWN else "")
            detail = f"judged in the code's own process, because they cannot be replayed: {some}"
            notes.append(Evidence("sandbox", passed=None, detail=detail))
        # The failures first: they are what a repair needs and what a reader looks for.
        ordered = sorted(results, key=lambda result: result.passed)
        return Checked(verdict, (*(result.evidence() for result in ordered), *notes), tuple(results))

    async def _run_alone(self, code: str) -> Checked:
        result = await self.sandbox.run(code, timeout_seconds=self.seconds)
        given = Evidence("tests", passed=None, detail="no test was given")
        where = f"in the {self.sandbox.tier} sandbox, {result.seconds:.2f} s"
        last = result.stderr.strip().splitlines()[-1] if result.stderr.strip() else ""
        if result.exit_status == 0:
            return Checked(Verdict.UNVERIFIED, (given, Evidence("sandbox", passed=True, detail=f"it runs ({where})")))
        if last.startswith("EOFError"):
            detail = f"not run to its end: it asks for input ({where})"
            return Checked(Verdict.UNVERIFIED, (given, Evidence("sandbox", passed=None, detail=detail)))
        problem = how_it_ended(result) if result.timed_out or not last else _traceback(result.stderr)
        return Checked(Verdict.FAILED, (Evidence("sandbox", passed=False, detail=problem), given))

    async def _run_tests(self, code: str, tests: Sequence[Test]) -> tuple[list[TestResult], Evidence]:
        jobs = [(test.source, list(test.names)) for test in tests]
        result, reports = await self._run_harness("run_tests", code, jobs)
        first = {report["test"]: report for report in reports if isinstance(report.get("test"), int)}
        loading = next((report for report in reports if "loaded" in report), None)
        if loading is None or not loading["loaded"]:
            why = str(loading["error"]) if loading else f"the code did not load: {how_it_ended(result)}"
            failed = Evidence("sandbox", passed=False, detail=why)
            return [TestResult(test, passed=False, detail="not run") for test in tests], failed
        judged = await self._judge(tests, first)
        ended = any(report.get("end") for report in reports)
        why = "" if ended else how_it_ended(result)
        results = [_result(test, first.get(index), judged.get(index), why) for index, test in enumerate(tests)]
        number = sum(item.passed for item in results)
        detail = f"{number} of {len(tests)} tests passed in the {self.sandbox.tier} sandbox, {result.seconds:.2f} s"
        return results, Evidence("sandbox", passed=ended, detail=detail if ended else f"{detail}; {why}")

    async def _judge(
        self, tests: Sequence[Test], first: Mapping[int, Mapping[str, Any]]
    ) -> dict[int, Mapping[str, Any]]:
        """Reports of the second run, by test: one for every replayable pass of the first, if need be a failed one."""
        replayable = [
            (index, test.source, calls)
            for index, test in enumerate(tests)
            if (report := first.get(index)) and report.get("passed") is True and report.get("replayable")
            if (calls := _calls(report)) is not None
        ]
        if not replayable:
            return {}
        _, reports = await self._run_harness("judge", replayable)
        unheard: dict[int, Mapping[str, Any]] = {
            index: {"passed": False, "error": "it did not pass again on the values it returned"}
            for index, *_ in replayable
        }
        return unheard | {report["test"]: report for report in reports if report.get("test") in unheard}

    async def _run_harness(self, entry: str, *arguments: object) -> tuple[ExecutionResult, list[Mapping[str, Any]]]:
        return await _run_harness(self.sandbox, self.seconds, entry, *arguments)


async def observe(sandbox: Sandbox, code: str, probes: Sequence[Probe], seconds: float) -> dict[int, str]:
    """What each call gave, by its number: a value, "raised", or "" where that cannot be said; without the others.

    Raises SandboxUnavailableError.
    """
    calls = [(probe.name, probe.arguments) for probe in probes]
    _, reports = await _run_harness(sandbox, seconds, "observe", code, calls)
    return {report["call"]: str(report.get("gave", "")) for report in reports if isinstance(report.get("call"), int)}


async def passing(sandbox: Sandbox, sources: Sequence[str], seconds: float) -> set[int]:
    """The numbers of those test programs that pass by themselves, all of them run at once.

    Raises SandboxUnavailableError.
    """
    _, reports = await _run_harness(sandbox, seconds, "run_tests", "", [(source, []) for source in sources])
    return {report["test"] for report in reports if isinstance(report.get("test"), int) and report["passed"] is True}


async def _run_harness(
    sandbox: Sandbox, seconds: float, entry: str, *arguments: object
) -> tuple[ExecutionResult, list[Mapping[str, Any]]]:
    nonce = secrets.token_hex(16)
    call = f"{entry}({', '.join(repr(argument) for argument in arguments)}, {nonce!r})"
    result = await sandbox.run(f"{_harness()}\n\n{call}\n", timeout_seconds=seconds)
    return result, _reports(result.stdout, nonce)


def how_it_ended(result: ExecutionResult) -> str:
    """In words, of a program that did not report its end."""
    if result.timed_out:
        return f"it did not end within {result.allowed_seconds:g} s"
    if "[sandbox: " in result.stderr:
        return result.stderr.rpartition("[sandbox: ")[2].strip().rstrip("]")
    if result.exit_status < 0:
        return f"it was ended by signal {-result.exit_status}"
    last = result.stderr.strip().splitlines()[-1:]
    return f"it ended itself with status {result.exit_status}" + (f" ({last[0][:200]})" if last else "")


def _calls(report: Mapping[str, Any]) -> list[tuple[str, str, object]] | None:
    """The transcript as values; None where it is not what the harness writes."""
    try:
        return [(str(name), str(how), ast.literal_eval(value)) for name, how, value in report["calls"]]
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _result(test: Test, first: Mapping[str, Any] | None, judged: Mapping[str, Any] | None, why: str) -> TestResult:
    if first is None:
        return TestResult(test, passed=False, detail=f"not run: {why or 'no report'}")
    report = judged or first
    if report.get("passed") is True:
        opaque = judged is None and report.get("opaque") is not False
        detail = "it passed, but by an object that may call itself equal to anything" if opaque else ""
        return TestResult(test, passed=True, detail=detail, replayed=judged is not None, opaque=opaque)
    error = str(report.get("error", ""))
    if "got_" in report and "expected_" in report and error.startswith("AssertionError"):
        return TestResult(test, passed=False, detail=f"got {report['got_']}, expected {report['expected_']}")
    return TestResult(test, passed=False, detail="it is not true" if error == "AssertionError" else error)


@cache
def _harness() -> str:
    return files("nonet.specialists").joinpath("code_harness.py").read_text("utf-8")


def _reports(stdout: str, nonce: str) -> list[Mapping[str, Any]]:
    """Lines with the nonce. What the code wrote there itself has none, and what cannot be read is no report."""
    reports: list[Mapping[str, Any]] = []
    for line in stdout.splitlines():
        if not line.startswith(nonce + " "):
            continue
        try:
            report = ast.literal_eval(line[len(nonce) + 1 :])
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(report, dict):
            reports.append(report)
    return reports


def _traceback(stderr: str) -> str:
    """The last frame of the program and the message."""
    lines = stderr.strip().splitlines()
    frames = [index for index, line in enumerate(lines) if line.lstrip().startswith('File "program.py"')]
    at = f" ({', '.join(part.strip() for part in lines[frames[-1] : frames[-1] + 2])})" if frames else ""
    return lines[-1][:300] + at.replace('File "program.py", ', "")[:300]
