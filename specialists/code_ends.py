"""Whether code ends the program that loads it: tests that load it then end too, with the status of success."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit", "os.abort", "SystemExit"})
_AT_ONCE = "os._exit"
"""No `except` and no test runner can stop it, wherever it stands."""


def ends_program(tree: ast.Module) -> Iterator[str]:
    r"""What in it ends the program when it is loaded, or ends it at once when it is called, in words.

    >>> list(ends_program(ast.parse("import sys\ndef main():\n    sys.exit(0)\nsys.exit(main())")))
    ['it ends the program that loads it, by sys.exit (line 4)']
    """
    known = _names(tree)
    for node in _when_loaded(tree):
        name = _called(node, known)
        if name in _EXITS:
            yield f"it ends the program that loads it, by {name} (line {getattr(node, 'lineno', 0)})"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and _dotted(node, known) == _AT_ONCE:
            yield f"it uses {_AT_ONCE}, after which no test can say that it failed (line {node.lineno})"


def _when_loaded(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when the module is loaded: not the bodies of functions, nor what only a script runs."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _called(node: ast.AST, known: dict[str, str]) -> str:
    if isinstance(node, ast.Call):
        return _dotted(node.func, known)
    return _dotted(node.exc, known) if isinstance(node, ast.Raise) and node.exc is not None else ""


def _dotted(node: ast.AST, known: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{known.get(node.value.id, node.value.id)}.{node.attr}"
    return known.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _names(tree: ast.Module) -> dict[str, str]:
    """What imported names stand for: `from os import _exit as leave` -> {"leave": "os._exit"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names
