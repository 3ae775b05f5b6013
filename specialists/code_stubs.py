"""What a pass is worth: whether a function that does nothing passes the tests too, or is what passed.

A function that always returns 0 passes `total(0) == 0`, and so does much wrong code; a bare `return 8` passes
`double(4) == 8`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nonet.specialists.code_checks import passing
from nonet.specialists.code_syntax import try_parse
from nonet.specialists.code_tests import Test, yes_or_no
from nonet.specialists.protocol import Evidence
from nonet.specialists.sandbox.protocol import Sandbox

_CONSTANTS = ("0", "None", "''", "[]", "{}", "()", "set()")
_PLACES = ("first", "second", "third", "fourth")
_READ_ALL = frozenset({"locals", "vars", "eval", "exec"})
_SECONDS = 2.0
"""Tests on functions that do nothing end at once."""


@dataclass(frozen=True, slots=True)
class _Stub:
    """A function body that reads nothing of the request."""

    returns: str
    told: str


_STUBS = (
    *(_Stub(constant, f"always returns {constant}") for constant in _CONSTANTS),
    *(_Stub(f"args[{at}]", f"returns its {place} argument as it is") for at, place in enumerate(_PLACES)),
)


def blind(code: str, tests: Sequence[Test]) -> Evidence | None:
    """What speaks against code that passes: a function that was tested takes arguments and never looks at them."""
    tree = try_parse(code)
    tested = {name for test in tests for name in test.names}
    bound = {name: node for node in (tree.body if tree else []) for name in _bound(node)}
    for name in sorted(tested & bound.keys()):
        node = bound[name]
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and _looks_at_nothing(node):
            detail = f"{name} passes without a look at its arguments: no proof"
            return Evidence("luck", passed=False, detail=detail)
    return None


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement of the module gives a value; the last one counts."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def _looks_at_nothing(function: ast.FunctionDef) -> bool:
    inner = [part for statement in function.body for part in ast.walk(statement)]
    arguments = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    named = {node.id for node in inner if isinstance(node, ast.Name)}
    return bool(arguments) and not named & (arguments | _READ_ALL)


async def thin(tests: Sequence[Test], sandbox: Sandbox, seconds: float) -> Evidence | None:
    """What speaks against tests that were passed: a function that does nothing passes them all too.

    Tests of yes or no are not looked at: `code_judge.AnswerJudge.luck` counts those. Nor are calls without arguments,
    for a constant may be all that they are to give. Raises SandboxUnavailableError.
    """
    stubs = [stub for stub in _STUBS if all(_may_pass(stub, test) for test in tests)]
    if not tests or not stubs:
        return None
    sources = [_stubbed(stub, test) for stub in stubs for test in tests]
    passed = await passing(sandbox, sources, min(seconds, _SECONDS))
    for number, stub in enumerate(stubs):
        if passed.issuperset(range(number * len(tests), (number + 1) * len(tests))):
            which = "the test is passed" if len(tests) == 1 else f"the {len(tests)} tests are passed"
            return Evidence("luck", passed=False, detail=f"{which} by any function that {stub.told}: no proof")
    return None


def _stubbed(stub: _Stub, test: Test) -> str:
    functions = (f"def {name}(*args, **kwargs):\n    return {stub.returns}\n" for name in test.names)
    return f"{''.join(functions)}{test.source}"


def _may_pass(stub: _Stub, test: Test) -> bool:
    """Whether it is worth trying: where the test compares a call with a value that is written out, that tells."""
    tree = try_parse(test.source)
    calls = list(_calls(tree, test.names)) if tree else []
    if tree is None or not any(call.args or call.keywords for call in calls):
        return False
    sides = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    got, expected = sides.get("got_"), sides.get("expected_")
    none = isinstance(expected, ast.Constant) and expected.value is None
    if yes_or_no(test) is not None and not none:
        return False
    if got not in calls or not isinstance(got, ast.Call) or expected is None or not _equality(tree):
        return True
    try:
        wanted = ast.literal_eval(expected)
        return bool(wanted == _returned(stub, got) and not isinstance(wanted, bool))
    except IndexError:
        return False
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return True


def _calls(tree: ast.AST, names: Sequence[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def _equality(tree: ast.Module) -> bool:
    claim = tree.body[-1]
    return (
        isinstance(claim, ast.Assert)
        and isinstance(claim.test, ast.Compare)
        and isinstance(claim.test.ops[0], ast.Eq | ast.Is)
    )


def _returned(stub: _Stub, call: ast.Call) -> object:
    """Raises ValueError where that is not written out in the test."""
    if stub.returns in _CONSTANTS:
        return ast.literal_eval(stub.returns)
    return ast.literal_eval(call.args[_STUBS.index(stub) - len(_CONSTANTS)])
