"""The code specialist: writes code in one call, then proves it where it can: the request's tests in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from nonet.runtimes import Finish, Message
from nonet.specialists.budget import Fit, Part, fit, split_chars
from nonet.specialists.checks import degeneration_check
from nonet.specialists.code_answer import ExtractedCode, extract_code, other_language_code, packages_needed
from nonet.specialists.code_checks import Checked, CodeChecker
from nonet.specialists.code_constant import Written, read_constant, write_constant
from nonet.specialists.code_request import CodeRequest, read_request
from nonet.specialists.code_tests import read_tests
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.templates import render
from nonet.specialists.text import content_stems

_ANSWER_TOKENS = 768
"""The most an answer may take; half of a small window. Functions of the public sets take some 60 to 250."""
_PART_CHARS = (300, 900)
"""A source that does not fit whole is offered in parts of about this size."""
_FINDINGS_CHARS = 1200
_REPAIR_TEMPERATURE = 0.6

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
        test_seconds: what all tests of an attempt may take together.
    """

    name = "code"
    description = "writes Python and runs it against the tests it is given"
    examples = _EXAMPLES

    def __init__(self, *, test_seconds: float = 10.0) -> None:
        self._test_seconds = test_seconds

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One call, then the checks. Raises CallError and SandboxUnavailableError."""
        request = read_request(assignment.instruction)
        constant = read_constant(assignment, request) if assignment.attempt == 1 else None
        if constant is not None and (written := await write_constant(constant, desk)) is not None:
            return await self._constant(written, desk)
        prompt, notes = await _prompt(assignment, request, desk)
        room = desk.window_tokens - prompt.tokens
        response = await desk.chat(
            prompt.messages,
            max_completion_tokens=max(1, min(_ANSWER_TOKENS, room)),
            # Greedy first; after that a small model repeats itself word for word unless it is sampled.
            temperature=_REPAIR_TEMPERATURE if assignment.attempt > 1 else 0.0,
            seed=assignment.attempt,
        )
        cut = response.finish is Finish.LENGTH
        if cut:
            passed = None if request.language == "python" else False
            notes.append(Evidence("length", passed=passed, detail="the answer was cut at the limit"))
        if request.language != "python":
            return _other_language(response.text, request.language, cut=cut, notes=notes)
        extracted = extract_code(response.text, request.names, assignment.instruction)
        if not extracted.code:
            missing = Evidence("code", passed=False, detail="the answer has no code")
            return Outcome(response.text.strip(), Verdict.FAILED, (missing, *notes))
        checked = _static(extracted, assignment.instruction) or await self._checked(extracted.code, request, desk)
        return _outcome(extracted, checked, (*_told_of(extracted, request), *notes))

    async def _constant(self, written: Written, desk: Desk) -> Outcome:
        """Run what code wrote; a value that a model picked out of a longer text stays unverified."""
        request = CodeRequest("python", (), read_tests(written.test, ())[0] if written.whole else (), ())
        checked = await self._checked(written.code, request, desk)
        return _outcome(ExtractedCode(written.code), checked, (written.value,))

    async def _checked(self, code: str, request: CodeRequest, desk: Desk) -> Checked:
        if desk.sandbox is None:
            return Checked(Verdict.UNVERIFIED, (Evidence("sandbox", passed=None, detail="not run: no sandbox"),))
        return await CodeChecker(desk.sandbox, self._test_seconds).check(code, request.tests)


def _told_of(extracted: ExtractedCode, request: CodeRequest) -> Iterator[Evidence]:
    """What was changed in the code, and what of the request could not be used."""
    if extracted.added:
        lines = "; ".join(text.partition("\n")[0] for text in extracted.added)
        yield Evidence("code", passed=None, detail=f"added: {lines}")
    if extracted.renamed:
        yield Evidence("code", passed=None, detail=f"renamed: {extracted.renamed}")
    for text in request.unread:
        yield Evidence("tests", passed=None, detail=f"not understood as a test: {text}")


def _outcome(extracted: ExtractedCode, checked: Checked, notes: Sequence[Evidence]) -> Outcome:
    tests = [{"test": item.test.shown, "passed": item.passed, "detail": item.detail} for item in checked.tests]
    data = {"language": "python", "code": extracted.code, "tests": tests}
    return Outcome(_fenced(extracted.code, "python"), checked.verdict, (*checked.evidence, *notes), data=data)


def _static(extracted: ExtractedCode, instruction: str) -> Checked | None:
    """What can be said without running it."""
    if extracted.error:
        return Checked(Verdict.FAILED, (Evidence("code", passed=False, detail=extracted.error),))
    if extracted.missing:
        names = ", ".join(f"`{name}`" for name in extracted.missing)
        return Checked(Verdict.FAILED, (Evidence("code", passed=False, detail=f"it does not define {names}"),))
    packages = packages_needed(extracted.code)
    if not packages:
        return None
    wanted = all(re.search(rf"\b{re.escape(package)}\b", instruction, re.IGNORECASE) for package in packages)
    detail = f"not run: it needs {', '.join(packages)}, and only the standard library is there"
    verdict = Verdict.UNVERIFIED if wanted else Verdict.FAILED
    return Checked(verdict, (Evidence("sandbox", passed=None if wanted else False, detail=detail),))


def _other_language(text: str, language: str, *, cut: bool, notes: Sequence[Evidence]) -> Outcome:
    code, tag = other_language_code(text)
    if not code:
        return Outcome("", Verdict.FAILED, (Evidence("code", passed=False, detail="the answer has no code"), *notes))
    if (broken := degeneration_check(code)) is not None:
        return Outcome(code, Verdict.FAILED, (broken, *notes))
    not_run = Evidence("sandbox", passed=None, detail=f"not run: only Python is run, this is {language}")
    verdict = Verdict.FAILED if cut else Verdict.UNVERIFIED
    data = {"language": language, "code": code, "tests": []}
    return Outcome(_fenced(code, tag or language), verdict, (not_run, *notes), data=data)


def _fenced(code: str, tag: str) -> str:
    # A fence longer than any inside, as CommonMark has it.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return f"{fence}{tag}\n{code}\n{fence}"


async def _prompt(assignment: Assignment, request: CodeRequest, desk: Desk) -> tuple[Fit, list[Evidence]]:
    answer_tokens = min(_ANSWER_TOKENS, desk.window_tokens // 2)
    build = _builder(assignment, request)
    whole = [Part(_shown(source.name, source.text), priority=1) for source in assignment.sources]
    fitted = await fit(whole, build, desk, answer_tokens)
    if not fitted.dropped:
        return fitted, []
    parts = _ranked_parts(assignment.sources, assignment.instruction)
    fitted = await fit([Part(text, priority) for text, priority in parts], build, desk, answer_tokens)
    read = f"{len(fitted.kept)} of {len(parts)} parts of {', '.join(source.name for source in assignment.sources)}"
    detail = f"only {read} fit the window; the most relevant were taken"
    return fitted, [Evidence("coverage", passed=False, detail=detail)]


def _builder(assignment: Assignment, request: CodeRequest) -> Callable[[Sequence[str]], tuple[Message, ...]]:
    def build(texts: Sequence[str]) -> tuple[Message, ...]:
        material = "".join(f"{text}\n\n" for text in texts)
        if request.language != "python":
            return render("code_other", material=material, request=assignment.instruction, language=request.language)
        first = render("code", material=material, request=assignment.instruction)
        findings = "\n".join(f"- {item.detail}" for item in assignment.feedback if item.passed is False)
        if not findings or not assignment.previous:
            return first
        repair = render("code_repair", findings=findings[:_FINDINGS_CHARS], request=assignment.instruction)
        return (*first, Message("assistant", assignment.previous), *repair)

    return build


def _shown(name: str, text: str) -> str:
    return f"{name}:\n{text.strip()}"


def _ranked_parts(sources: Sequence[Source], instruction: str) -> list[tuple[str, int]]:
    """(text, priority) in the order of the text; those that share most words with the request come first."""
    asked = set(content_stems(instruction))
    parts = [
        (source.name, source.text[start:end])
        for source in sources
        for start, end in split_chars(source.text, _PART_CHARS)
    ]
    scores = [len(asked & set(content_stems(text))) for _, text in parts]
    order = sorted(range(len(parts)), key=lambda index: -scores[index])
    ranks = {index: rank for rank, index in enumerate(order, start=1)}
    return [(_shown(name, text), ranks[index]) for index, (name, text) in enumerate(parts)]
