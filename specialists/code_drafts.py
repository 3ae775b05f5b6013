"""Tests that a model drafts from the request alone, where the request gives none: they choose, and never prove.

Drafted apart from the code, so that the code's mistakes are not made twice; by the same model, so that they are wrong
often enough: no verdict rests on them.
"""

from __future__ import annotations

from collections.abc import Sequence

from nonet.specialists.code_checks import CodeChecker
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.code_tests import Test, read_tests
from nonet.specialists.protocol import Desk, Outcome
from nonet.specialists.templates import render

_DRAFT_TOKENS = 300
_MOST_TESTS = 6


class Drafts:
    """The drafted tests of one request for a Python function."""

    def __init__(self, instruction: str, request: CodeRequest, desk: Desk, seconds: float) -> None:
        self._instruction = instruction
        self._request = request
        self._desk = desk
        self._seconds = seconds
        self._tests: Sequence[Test] = ()

    @property
    def wanted(self) -> bool:
        """Whether tests are lacking, and could be drafted and run."""
        request = self._request
        return request.language == "python" and bool(request.names) and not request.tests and bool(self._desk.sandbox)

    async def draft(self) -> int:
        """One call; how many tests came of it. Raises CallError."""
        names = ", ".join(f"`{name}`" for name in self._request.names)
        messages = render("code_tests", request=self._instruction, names=names)
        response = await self._desk.chat(messages, max_completion_tokens=_DRAFT_TOKENS)
        tests, _ = read_tests(response.text, self._request.names)
        self._tests = [test for test in tests if set(test.names) <= set(self._request.names)][:_MOST_TESTS]
        return len(self._tests)

    async def passed(self, outcome: Outcome) -> int:
        """How many of them the code of an outcome passes. Raises SandboxUnavailableError."""
        assert self._desk.sandbox is not None
        code = str(outcome.data.get("code", ""))
        if not code:
            return 0
        checked = await CodeChecker(self._desk.sandbox, self._seconds).check(code, self._tests)
        return sum(test.passed for test in checked.tests)
