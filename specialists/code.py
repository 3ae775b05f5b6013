"""The code specialist: writes code and proves it, by the tests of the request run in the sandbox."""

from __future__ import annotations

from functools import partial

from nonet.specialists.code_agreement import SecondLook
from nonet.specialists.code_answer import ExtractedCode
from nonet.specialists.code_checks import Checked, CodeChecker
from nonet.specialists.code_constant import Written, read_constant, write_constant
from nonet.specialists.code_drafts import Drafts
from nonet.specialists.code_files import FilesJudge
from nonet.specialists.code_judge import NO_SANDBOX, AnswerJudge, python_outcome
from nonet.specialists.code_loop import Loop, Tries
from nonet.specialists.code_prompt import build_prompt
from nonet.specialists.code_request import read_request
from nonet.specialists.protocol import Assignment, Desk, Outcome

_EXAMPLES = (
    "Write a Python function that reverses the digits of an integer.",
    "Implement a function `median` that returns the middle value of a list of numbers.",
    "I need a script that renames all photos in a list by their date.",
    "Code a class for a bank account with deposit and withdraw methods.",
    "Write a function to check whether a string is a palindrome, called `is_palindrome`.",
    "Create a Python program that prints the multiplication table of a number.",
    "Write a regular expression in Python that matches email addresses.",
    "Fix this code: def add(a, b): return a - b",
    "Implement binary search over a sorted list.",
    "I need `chunk` implemented: split a list into pieces of n. It must satisfy chunk([1, 2, 3], 2) == [[1, 2], [3]]",
    "Write a python function to count the vowels in a given string.",
    "Write a function that returns the n-th prime number.",
    "Write a Python function `answer()` that returns that answer as a string.",
    "Refactor this function so that it uses a dictionary instead of nested ifs.",
    "Write a generator that yields the Collatz sequence of a number.",
    "Write a function to convert temperatures from Celsius to Fahrenheit.",
)


class CodeSpecialist:
    """Verified only if at least one test that the request gives was run, and all of them passed.

    Args:
        test_seconds: what all tests of an answer may take together.
        tries: how many calls one attempt may make.
    """

    name = "code"
    description = "writes code and runs it against the tests it is given"
    examples = _EXAMPLES

    def __init__(self, *, test_seconds: float = 10.0, tries: Tries | None = None) -> None:
        self._test_seconds = test_seconds
        self._tries = tries or Tries()

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """Answers until one passes the tests, or the tries are spent. Raises CallError and SandboxUnavailableError."""
        request = read_request(assignment.instruction)
        may_be_constant = assignment.attempt == 1 and assignment.workspace is None
        constant = read_constant(assignment, request) if may_be_constant else None
        if constant is not None and (written := await write_constant(constant, desk)) is not None:
            return await self._constant(written, desk)
        if assignment.workspace is not None:
            files = FilesJudge(assignment, request, assignment.workspace, desk)
            loop = Loop(desk, files.prompt, files.judge, self._tries, attempt=assignment.attempt, whole=True)
            return await loop.run()
        judge = AnswerJudge(assignment, request, desk, self._test_seconds)
        prompt = partial(build_prompt, assignment, request, desk)
        drafts = Drafts(assignment.instruction, request, desk, self._test_seconds)
        whole = request.language != "python"
        loop = Loop(
            desk,
            prompt,
            judge.judge,
            self._tries,
            plain=partial(build_prompt, assignment, request, desk, plain=True),
            drafts=drafts,
            luck=judge.luck,
            second_look=SecondLook(request, desk.sandbox, self._test_seconds),
            attempt=assignment.attempt,
            whole=whole,
            plain_first=not whole and not request.tests,
        )
        return await loop.run()

    async def _constant(self, written: Written, desk: Desk) -> Outcome:
        """Run what code wrote. It is never verified: a test of our own making could not fail."""
        checked: Checked = NO_SANDBOX
        if desk.sandbox is not None:
            checked = await CodeChecker(desk.sandbox, self._test_seconds).check(written.code, ())
        return python_outcome(ExtractedCode(written.code), checked, (written.value,), desk.sandbox)
