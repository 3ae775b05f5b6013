"""Reviews a Python file: what a careful reader would remark, examples that do not hold, and repairs that were tested.

    python examples/code_review.py examples/data/pricing.py

Remarks come from the syntax tree. The examples in docstrings are run in the sandbox; where one does not hold, the code
specialist repairs the function, and only a repair that passes all examples is shown. Your file is not changed.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import doctest
import sys
from pathlib import Path

from pydantic import BaseModel

import nonet
from nonet.specialists.sandbox.probe import find_sandbox
from nonet.text import clean

LONG_LINES = 50


class Function(BaseModel):
    """A function of the file that has examples."""

    name: str
    line: int
    source: str
    failures: str = ""
    """What doctest said; empty where all examples hold."""


@nonet.step
def remarks(source: str) -> list[str]:
    """What the syntax tree tells."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append((node.lineno, "a bare except hides every error, Ctrl-C included"))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is None and not node.name.startswith("_"):
            found.append((node.lineno, f"{node.name} has no docstring"))
        elif not doctest.DocTestParser().get_examples(ast.get_docstring(node) or ""):
            found.append((node.lineno, f"{node.name} has no example, so nothing here can test it"))
        if any(isinstance(default, ast.List | ast.Dict | ast.Set) for default in node.args.defaults):
            found.append((node.lineno, f"a default of {node.name} is shared by all of its calls"))
        if node.returns is None or any(argument.annotation is None for argument in node.args.args):
            found.append((node.lineno, f"{node.name} lacks types"))
        if (node.end_lineno or 0) - node.lineno > LONG_LINES:
            found.append((node.lineno, f"{node.name} is longer than {LONG_LINES} lines"))
    return [f"line {line}: {text}" for line, text in sorted(found)]


@nonet.step
def functions(source: str) -> list[Function]:
    """Those with examples in their docstrings."""
    lines = source.splitlines()
    return [
        Function(name=node.name, line=node.lineno, source="\n".join(lines[node.lineno - 1 : node.end_lineno]))
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and ">>>" in (ast.get_docstring(node) or "")
    ]


@nonet.step(each="function in functions")
async def tried(function: Function, source: str) -> Function:
    """Run its examples where they can do no harm."""
    program = (
        f"import doctest\nmodule = {{'__name__': 'reviewed'}}\nexec({source!r}, module)\n"
        f"doctest.run_docstring_examples(module[{function.name!r}], module, name={function.name!r})\n"
    )
    result = await find_sandbox().run(program)
    failures = result.stdout.strip() or (result.stderr.strip() if result.exit_status else "")
    return function.model_copy(update={"failures": failures})


@nonet.step
def broken(tried: list[Function]) -> list[Function]:
    return [function for function in tried if function.failures]


@nonet.step(specialist="code", each="function in broken", returns=str | None)
def repairs(function: Function) -> str:
    """An instruction; its examples are the tests, and a repair that fails one is None."""
    return f"Correct this Python function so that its examples hold.\n\n```python\n{function.source}\n```"


@nonet.step
def review(remarks: list[str], functions: list[Function], broken: list[Function], repairs: list[str | None]) -> str:
    """The review in Markdown."""
    lines = ["## Remarks", "", *(f"- {each}" for each in remarks or ["none"]), "", "## Examples", ""]
    lines.append(f"{len(functions) - len(broken)} of {len(functions)} functions with examples pass them.")
    for function, repair in zip(broken, repairs, strict=True):
        failed = [each.strip() for each in function.failures.splitlines()]
        lines += ["", f"### {function.name}, line {function.line}", "", "```text", *failed[-7:], "```", ""]
        if repair is None:
            lines.append("No repair that passes the examples was found.")
            continue
        lines += ["A repair that passes all of its examples:", "", "```diff", *changes(function.source, repair), "```"]
    return "\n".join(lines)


def changes(old: str, new: str) -> list[str]:
    """The lines that differ, as a diff has them."""
    return list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm=""))[3:]


WORKFLOW = nonet.Workflow("code_review", [remarks, functions, tried, broken, repairs, review], output=review)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a Python file")
    options = parser.parse_args()
    try:
        source = options.file.read_text(encoding="utf-8")
        ast.parse(source)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
        parser.error(f"{options.file} cannot be reviewed: {error}")
    if not source.strip():
        parser.error(f"{options.file} is empty")
    try:
        result = WORKFLOW.run({"source": source})
        print(clean(f"# {options.file.name}\n\n{result.output}"))
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
