"""Changes files that the user gave: asks for whole files, merges parts of them, tests a copy, answers with a diff."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from nonet.runtimes import Message
from nonet.specialists.budget import Fit, Part, fit
from nonet.specialists.code_checks import CodeChecker, how_it_ended
from nonet.specialists.code_ends import ends_program
from nonet.specialists.code_judge import fenced
from nonet.specialists.code_prompt import ANSWER_TOKENS, Wrong
from nonet.specialists.code_request import CodeRequest
from nonet.specialists.code_static import problems
from nonet.specialists.code_syntax import parse, try_parse
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.sandbox.protocol import ExecutionResult, Job, Limits
from nonet.specialists.templates import render
from nonet.specialists.workspace import Workspace, unified_diff

_TEST_LIMITS = Limits(
    memory_bytes=2 << 30, processes=256, file_bytes=64 << 20, work_bytes=256 << 20, work_files=20_000, open_files=1024
)
_TEST_SECONDS = 120.0
_NAMED_BLOCK = re.compile(
    r"^[ \t]*(?:#+[ \t]*|\*\*)?(?:FILE:[ \t]*`?(?P<path>[\w./-]+)|`?(?P<name>[\w./-]+\.\w+))`?:?(?:\*\*)?[ \t]*\n+"
    r"(?P<fence>```+)[^\n]*\n(?P<body>.*?)(?:^(?P=fence)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_BLOCK = re.compile(r"^(```+)[^\n]*\n(.*?)(?:^\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_OUTPUT_CHARS = 900


class FilesJudge:
    """What answers that change files prove. One for each attempt."""

    def __init__(self, assignment: Assignment, request: CodeRequest, workspace: Workspace, desk: Desk) -> None:
        self._assignment = assignment
        self._request = request
        self._workspace = workspace
        self._desk = desk
        self._before: ExecutionResult | None = None

    async def prompt(self, wrong: Wrong | None) -> tuple[Fit, list[Evidence]]:
        """The files, the request, and what was wrong. Raises ContextOverflowError where the files do not fit."""

        def build(texts: Sequence[str]) -> tuple[Message, ...]:
            files = "".join(f"FILE: {name}\n```\n{text}```\n\n" for name, text in self._workspace.files.items())
            material = "".join(f"{text}\n\n" for text in texts)
            first = render("code_files", files=files, material=material, request=self._assignment.instruction)
            if wrong is None:
                return first
            findings = "\n".join(f"- {text}" for text in wrong.findings)
            repair = render("code_files_repair", findings=findings, request=self._assignment.instruction)
            return (*first, Message("assistant", wrong.answer), *repair)

        parts = [Part(f"{source.name}:\n{source.text.strip()}", 1) for source in self._assignment.sources]
        fitted = await fit(parts, build, self._desk, min(ANSWER_TOKENS, self._desk.window_tokens // 2))
        if not fitted.dropped:
            return fitted, []
        return fitted, [Evidence("coverage", passed=False, detail="not all that it should read fit the window")]

    async def judge(self, answer: str) -> Outcome:
        """Raises SandboxUnavailableError."""
        changed, notes = changed_files(answer, self._workspace.files)
        if not changed:
            missing = Evidence("code", passed=False, detail="the answer changes none of the files")
            return Outcome("", Verdict.FAILED, (*notes, missing))
        broken = [item for name, text in changed.items() for item in self._static(name, text)]
        checks = broken or await self._run(changed)
        diff = "".join(unified_diff(name, self._workspace.files[name], text) for name, text in changed.items())
        tier = self._desk.sandbox.tier if self._desk.sandbox is not None else None
        data = {"language": "diff", "code": diff, "files": sorted(changed), "sandbox": tier}
        return Outcome(fenced(diff.rstrip("\n"), "diff"), _verdict(checks), (*checks, *notes), data=data)

    def _static(self, name: str, text: str) -> list[Evidence]:
        if not name.endswith(".py"):
            return []
        try:
            tree = parse(text)
        except SyntaxError as error:
            detail = f"{name}: {type(error).__name__}: {error.msg} (line {error.lineno})"
            return [Evidence("code", passed=False, detail=detail)]
        # Only what the change brought in.
        old = self._workspace.files[name]
        before = try_parse(old)
        there = {item.detail.partition(" (line")[0] for item in problems(old, "")} if before else set()
        there |= {detail.partition(" (line")[0] for detail in ends_program(before)} if before else set()
        ends = [Evidence("code", passed=False, detail=f"{name}: {detail}") for detail in ends_program(tree)]
        found = [*problems(text, self._assignment.instruction), *ends]
        return [item for item in found if item.detail.removeprefix(f"{name}: ").partition(" (line")[0] not in there]

    async def _run(self, changed: Mapping[str, str]) -> list[Evidence]:
        if self._desk.sandbox is None:
            return [Evidence("sandbox", passed=None, detail="not run: no sandbox")]
        return [*await self._tests_of_request(changed), *await self._tests_of_project(changed)]

    async def _tests_of_request(self, changed: Mapping[str, str]) -> list[Evidence]:
        """The tests that the request gives, where one file of Python can be loaded alone."""
        assert self._desk.sandbox is not None
        [(name, text), *more] = changed.items()
        if more or not name.endswith(".py") or not self._request.tests:
            return []
        checked = await CodeChecker(self._desk.sandbox).check(text, self._request.tests)
        return list(checked.evidence)

    async def _tests_of_project(self, changed: Mapping[str, str]) -> list[Evidence]:
        workspace, sandbox = self._workspace, self._desk.sandbox
        assert sandbox is not None
        words = " ".join(workspace.test_command)
        if not workspace.test_command:
            return [] if self._request.tests else [Evidence("tests", passed=None, detail="no test was given")]
        if not sandbox.runs_commands:
            return [
                Evidence("tests", passed=None, detail=f"{words}: not run: the {sandbox.tier} sandbox runs Python only")
            ]
        if self._before is None:
            self._before = await self._command({})
        after = await self._command(changed)
        where = f"in the {sandbox.tier} sandbox, on a copy, {after.seconds:.1f} s"
        if after.exit_status != 0:
            output = (after.stdout.strip() or after.stderr.strip())[-_OUTPUT_CHARS:]
            ended = how_it_ended(after) if after.timed_out or after.limits_hit else f"status {after.exit_status}"
            return [Evidence("tests", passed=False, detail=f"{words}: {ended} ({where}):\n{output}")]
        if self._before.exit_status == 0:
            detail = f"{words} passes ({where}), as it did before the change: it does not prove what is new"
            return [Evidence("tests", passed=None, detail=detail)]
        return [Evidence("tests", passed=True, detail=f"{words} passes ({where}); before the change it failed")]

    async def _command(self, changed: Mapping[str, str]) -> ExecutionResult:
        assert self._desk.sandbox is not None
        workspace = self._workspace
        files = {**workspace.project, **{name: text.encode() for name, text in changed.items()}}
        job = Job(command=workspace.test_command, files=files, readable=workspace.readable, limits=_TEST_LIMITS)
        return await self._desk.sandbox.run(job, timeout_seconds=_TEST_SECONDS)


def _verdict(checks: Sequence[Evidence]) -> Verdict:
    if any(item.passed is False for item in checks):
        return Verdict.FAILED
    proved = any(item.kind == "tests" and item.passed is True for item in checks)
    return Verdict.VERIFIED if proved else Verdict.UNVERIFIED


def changed_files(answer: str, files: Mapping[str, str]) -> tuple[dict[str, str], list[Evidence]]:
    """The new text of each file that an answer changes, and what was done to get it."""
    found: dict[str, str] = {}
    notes: list[Evidence] = []
    for match in _NAMED_BLOCK.finditer(answer):
        said = match["path"] or match["name"]
        name = _known(said, files)
        if name is not None:
            found[name] = match["body"]
        else:
            notes.append(Evidence("code", passed=None, detail=f"left out: {said} is no file that was given"))
    if not found and not notes and len(files) == 1 and (blocks := [body for _, body in _BLOCK.findall(answer)]):
        found = {next(iter(files)): max(blocks, key=len)}
    changed: dict[str, str] = {}
    for name, text in found.items():
        whole = _ended(text)
        if name.endswith(".py") and (merged := merge_python(files[name], whole)) is not None:
            whole = merged
            notes.append(Evidence("code", passed=None, detail=f"{name}: the answer was a part of it, and was merged"))
        if whole != files[name]:
            changed[name] = whole
    return changed, notes


def _known(name: str, files: Mapping[str, str]) -> str | None:
    """The file that is meant: by its path, or by its name where only one has it."""
    same = [path for path in files if path == name] or [path for path in files if path.endswith("/" + name)]
    return same[0] if len(same) == 1 else None


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def merge_python(old: str, new: str) -> str | None:
    """`old` with the definitions of `new` in it, where `new` leaves out what `old` has; None where it is whole.

    Small models answer with the function that changes, and not with the file that it stands in.
    """
    before, after = try_parse(old), try_parse(new)
    if before is None or after is None:
        return None
    had, has = _definitions(before), _definitions(after)
    if not had.keys() - has.keys() or not has:
        return None
    lines = old.splitlines(keepends=True)
    for name in sorted(had.keys() & has.keys(), key=lambda name: -had[name][0]):
        start, end = had[name]
        lines[start:end] = [_ended(part) for part in _slice(new, has[name])]
    imports = [line for line in _imports(after, new) if line not in _imports(before, old)]
    added = [part for name, span in has.items() if name not in had for part in ["\n", "\n", *_slice(new, span)]]
    at = _after_docstring(before)
    lines[at:at] = [f"{line}\n" for line in imports]
    return "".join([*lines, *added])


def _definitions(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """Functions and classes of the top level: the lines that each takes, decorators included."""
    return {
        node.name: (min([node.lineno, *(item.lineno for item in node.decorator_list)]) - 1, node.end_lineno or 0)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def _slice(text: str, span: tuple[int, int]) -> list[str]:
    return text.splitlines(keepends=True)[span[0] : span[1]]


def _imports(tree: ast.Module, text: str) -> list[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return [ast.get_source_segment(text, node) or "" for node in nodes]


def _after_docstring(tree: ast.Module) -> int:
    """Where imports may be put in: below the docstring and what must stand first."""
    line = 0
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (docstring or future):
            break
        line = node.end_lineno or line
    return line
