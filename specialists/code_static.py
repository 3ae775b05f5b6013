"""What can be said of Python code without running it: it parses, defines what is asked, and uses what exists.

pyflakes finds names that nothing binds (the errors that ruff calls F821 to F823) and statements outside of functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nonet.specialists.code_answer import ExtractedCode, packages_needed
from nonet.specialists.code_syntax import parse
from nonet.specialists.protocol import Evidence

_REACHES_OUT = {
    "socket": "socket|network|server|client|port|tcp|udp",
    "ssl": "ssl|tls|certificate",
    "urllib": "url|http|download|web|request|fetch|api",
    "http": "http|web|server|request|api",
    "ftplib": "ftp",
    "smtplib": "mail|smtp",
    "subprocess": "subprocess|command|shell|program|process|run",
    "multiprocessing": "process|parallel|cores?",
    "ctypes": "ctypes|library|native",
    "pty": "terminal|pty",
    "webbrowser": "browser|web|url",
}
"""Modules that reach out of the program, and words of a request that ask for such a thing."""
_FATAL = frozenset(
    {"UndefinedName", "UndefinedLocal", "UndefinedExport", "ReturnOutsideFunction", "YieldOutsideFunction",
     "ContinueOutsideLoop", "BreakOutsideLoop", "DuplicateArgument", "DefaultExceptNotLast"}
)  # fmt: skip


def must_not_run(extracted: ExtractedCode, instruction: str) -> Evidence | None:
    """Why it is not run at all: passed False where that is the code's fault, None where it was asked for."""
    if extracted.error:
        return Evidence("code", passed=False, detail=extracted.error)
    if extracted.missing:
        names = ", ".join(f"`{name}`" for name in extracted.missing)
        return Evidence("code", passed=False, detail=f"it does not define {names}")
    packages = packages_needed(extracted.code)
    if packages:
        wanted = all(re.search(rf"\b{re.escape(package)}\b", instruction, re.IGNORECASE) for package in packages)
        detail = f"not run: it needs {', '.join(packages)}, and only the standard library is there"
        return Evidence("sandbox", passed=None if wanted else False, detail=detail)
    return None


def problems(code: str, instruction: str) -> Iterator[Evidence]:
    """What is wrong with code that can be run."""
    for module in _imported(code):
        words = _REACHES_OUT.get(module)
        if words and not re.search(rf"\b(?:{module}|{words})s?\b", instruction, re.IGNORECASE):
            yield Evidence("code", passed=False, detail=f"it imports {module}, which the request does not ask for")
    yield from (Evidence("code", passed=False, detail=text) for text in _names_problems(code))


def _imported(code: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module.split(".")[0])
    return list(dict.fromkeys(names))


def _names_problems(code: str) -> Iterator[str]:
    from pyflakes.checker import Checker  # noqa: PLC0415 - some 20 ms

    try:
        messages = Checker(parse(code), "program.py").messages
    except RecursionError:
        return  # it parses, and will be judged by its tests
    lines = code.splitlines()
    for message in messages:
        if type(message).__name__ in _FATAL:
            source = lines[message.lineno - 1].strip()[:100] if 0 < message.lineno <= len(lines) else ""
            yield f"{message.message % message.message_args} (line {message.lineno}: {source})"
