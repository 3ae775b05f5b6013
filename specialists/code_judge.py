"""From a model's answer to an outcome: finds the code in it, checks it, runs it with the tests of the request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nonet.specialists.checks import degeneration_check
from nonet.specialists.code_answer import ExtractedCode, extract_code, other_language_code
from nonet.specialists.code_checks import Checked, CodeChecker
from nonet.specialists.code_languages import RUN_LANGUAGES, check_other
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.code_static import must_not_run, problems
from nonet.specialists.code_stubs import blind, thin
from nonet.specialists.code_tests import yes_or_no
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.sandbox.protocol import Sandbox

_MOST_LUCK = 0.25
"""Wrong answers that pass, expected among those that were tried."""
NO_SANDBOX = Checked(Verdict.UNVERIFIED, (Evidence("sandbox", passed=None, detail="not run: no sandbox"),))


class AnswerJudge:
    """What answers to one request prove."""

    def __init__(self, assignment: Assignment, request: CodeRequest, desk: Desk, seconds: float) -> None:
        self._instruction = assignment.instruction
        self._request = request
        self._sandbox = desk.sandbox
        self._seconds = seconds

    async def judge(self, answer: str) -> Outcome:
        """Raises SandboxUnavailableError."""
        if self._request.language != "python":
            return await self._other(answer)
        extracted = extract_code(answer, self._request.names, self._instruction)
        if not extracted.code:
            missing = Evidence("code", passed=False, detail="the answer has no code")
            return Outcome(
                answer.strip(), Verdict.FAILED, _with_tier((missing,), self._sandbox), data=_tier(self._sandbox)
            )
        if refused := must_not_run(extracted, self._instruction):
            verdict = Verdict.UNVERIFIED if refused.passed is None else Verdict.FAILED
            checked = Checked(verdict, (refused,))
        else:
            checked = await self.run(extracted.code)
            found = tuple(problems(extracted.code, self._instruction))
            # What the tests did not reach may still be wrong; and what reaches out was not asked for.
            verdict = Verdict.FAILED if found else checked.verdict
            checked = Checked(verdict, (*found, *checked.evidence), checked.tests)
            if verdict is Verdict.VERIFIED and (doubt := await self._doubt(extracted.code)):
                checked = Checked(Verdict.UNVERIFIED, (doubt, *checked.evidence), checked.tests)
        return python_outcome(extracted, checked, tuple(_told_of(extracted, self._request)), self._sandbox)

    def luck(self, tries: int) -> Evidence | None:
        """What speaks against the answer that passed after so many: that some answer would have, by chance.

        Nothing against a first one. On 32 answers for MBPP with one test shown, six of seven first answers that passed
        a test of yes or no were right, and twelve of the fourteen others.
        """
        tests = self._request.tests
        asked = [yes_or_no(test) for test in tests]
        if not tests or None in asked or tries == 1:
            return None
        # Where all ask for the same, a function that always says so passes: they are worth one.
        worth = len(tests) if len(set(asked)) > 1 else 1
        if tries * 0.5**worth <= _MOST_LUCK:
            return None
        number = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
        detail = f"answer number {tries} was the first to pass, and {number} of yes or no may be passed by luck"
        return Evidence("luck", passed=False, detail=detail)

    async def _doubt(self, code: str) -> Evidence | None:
        """What speaks against code that passed, however many were tried. Raises SandboxUnavailableError."""
        tests = self._request.tests
        found = blind(code, tests)
        return found if found or self._sandbox is None else await thin(tests, self._sandbox, self._seconds)

    async def run(self, code: str) -> Checked:
        """Python with the tests of the request. Raises SandboxUnavailableError."""
        if self._sandbox is None:
            return NO_SANDBOX
        return await CodeChecker(self._sandbox, self._seconds).check(code, self._request.tests)

    async def _other(self, answer: str) -> Outcome:
        language = self._request.language
        code, tag = other_language_code(answer)
        data: dict[str, Any] = {"language": language, "code": code, "tests": [], **_tier(self._sandbox)}
        if not code:
            missing = Evidence("code", passed=False, detail="the answer has no code")
            return Outcome("", Verdict.FAILED, _with_tier((missing,), self._sandbox), data=data)
        if (broken := degeneration_check(code)) is not None:
            return Outcome(code, Verdict.FAILED, _with_tier((broken,), self._sandbox), data=data)
        if language not in RUN_LANGUAGES:
            ran = ", ".join(("Python", *RUN_LANGUAGES.values()))
            detail = f"not run: {language} is written but not run (run are {ran})"
            checked = Checked(Verdict.UNVERIFIED, (Evidence("sandbox", passed=None, detail=detail),))
        elif self._sandbox is None:
            checked = NO_SANDBOX
        else:
            checked = await check_other(language, code, self._instruction, self._sandbox, self._seconds)
        tests = [{"test": item.test.shown, "passed": item.passed, "detail": item.detail} for item in checked.tests]
        text = fenced(code, tag or language)
        evidence = _with_tier(checked.evidence, self._sandbox)
        return Outcome(text, checked.verdict, evidence, data={**data, "tests": tests})


def python_outcome(
    extracted: ExtractedCode, checked: Checked, notes: Sequence[Evidence], sandbox: Sandbox | None
) -> Outcome:
    """The outcome of Python code that was checked."""
    tests = [{"test": item.test.shown, "passed": item.passed, "detail": item.detail} for item in checked.tests]
    data = {"language": "python", "code": extracted.code, "tests": tests, **_tier(sandbox)}
    evidence = (*_with_tier(checked.evidence, sandbox), *notes)
    return Outcome(fenced(extracted.code, "python"), checked.verdict, evidence, data=data)


def fenced(code: str, tag: str) -> str:
    """A Markdown code block."""
    # A fence longer than any inside, as CommonMark has it.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return f"{fence}{tag}\n{code}\n{fence}"


def _with_tier(evidence: tuple[Evidence, ...], sandbox: Sandbox | None) -> tuple[Evidence, ...]:
    """The evidence, which says in any case which sandbox there is."""
    if sandbox is None or any(f"{sandbox.tier} sandbox" in item.detail for item in evidence):
        return evidence
    ran = any(item.kind in {"sandbox", "tests"} and not item.detail.startswith("not run") for item in evidence)
    detail = f"in the {sandbox.tier} sandbox" if ran else f"not run; the {sandbox.tier} sandbox works here"
    return (*evidence, Evidence("sandbox", passed=None, detail=detail))


def _tier(sandbox: Sandbox | None) -> dict[str, str | None]:
    return {"sandbox": sandbox.tier if sandbox is not None else None}


def _told_of(extracted: ExtractedCode, request: CodeRequest) -> Iterator[Evidence]:
    """What was changed in the code, and what of the request could not be used."""
    if extracted.added:
        lines = "; ".join(text.partition("\n")[0] for text in extracted.added)
        yield Evidence("code", passed=None, detail=f"added: {lines}")
    if extracted.renamed:
        yield Evidence("code", passed=None, detail=f"renamed: {extracted.renamed}")
    for text in request.unread:
        yield Evidence("tests", passed=None, detail=f"not understood as a test: {text}")
