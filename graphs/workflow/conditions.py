"""The small expressions that decide: `when="kind == 'refund'"`, `until="draft.score >= 8"`.

A closed language, so that a workflow that came as a file can do nothing by them: names of steps and inputs, attributes
and items, constants, comparisons, `in`, `and`, `or`, `not`, and `len(...)`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_CHARACTERS = 1000

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed expression."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    """Steps and inputs that it reads."""

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of these values. Raises ValueError, in words, where it cannot be computed."""
        try:
            return bool(_value(self.tree, values))
        except (TypeError, LookupError, AttributeError, ValueError) as error:
            raise ValueError(f"{self.text!r} cannot be computed: {error}") from error


@lru_cache(maxsize=1024)
def parse(text: str) -> Condition:
    """Read an expression. Raises ValueError, in words, for what the language does not have."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a condition has at most {MAX_CHARACTERS} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not an expression") from error
    names: dict[str, None] = {}
    _check(tree, text, names)
    return Condition(text, tree, tuple(names))


def look_up(value: Any, name: str) -> Any:  # noqa: ANN401  a step's output may be anything
    """The field `name` of a model or a mapping. Raises AttributeError, and for names that begin with an underscore."""
    if name.startswith("_"):
        raise AttributeError(f"names that begin with an underscore are not read: {name}")
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        raise AttributeError(f"it has no {name!r}")
    found = getattr(value, name)
    if callable(found):
        raise AttributeError(f"{name!r} is not a value")  # noqa: TRY004  as where there is no such field
    return found


def _check(node: ast.expr, text: str, names: dict[str, None]) -> None:
    match node:
        case ast.Name(id=name):
            names[name] = None
        case ast.Constant(value=None | bool() | int() | float() | str()):
            pass
        case ast.Attribute(value=inner, attr=attribute):
            if attribute.startswith("_"):
                raise ValueError(f"{text!r} reads {attribute!r}, and names that begin with an underscore are not read")
            _check(inner, text, names)
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str())):
            _check(inner, text, names)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=inner):
            _check(inner, text, names)
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            _check_all(parts, text, names)
        case ast.Compare(left=left, ops=operators, comparators=parts) if all(
            type(each) in _COMPARISONS for each in operators
        ):
            _check_all([left, *parts], text, names)
        case ast.Call(func=ast.Name(id="len"), args=[inner], keywords=[]):
            _check(inner, text, names)
        case _:
            raise ValueError(
                f"{text!r} is more than a condition may be; it has names, fields, constants, comparisons, in, and, or, "
                "not, and len()"
            )


def _check_all(nodes: Sequence[ast.expr], text: str, names: dict[str, None]) -> None:
    for each in nodes:
        _check(each, text, names)


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:  # noqa: ANN401, C901, PLR0911  one line a kind of node
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=constant):
            return constant
        case ast.Attribute(value=inner, attr=attribute):
            return look_up(_value(inner, values), attribute)
        case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
            return _value(inner, values)[key]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _value(inner, values)
        case ast.UnaryOp(operand=inner):
            return -_value(inner, values)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(each, values) for each in parts)
        case ast.BoolOp(values=parts):
            return any(_value(each, values) for each in parts)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(each, values) for each in parts]
        case ast.Compare():
            return _compared(node, values)
        case ast.Call(args=[inner]):
            return len(_value(inner, values))
    raise ValueError("an expression that was not checked")


def _compared(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _value(node.left, values)
    for comparison, part in zip(node.ops, node.comparators, strict=True):
        right = _value(part, values)
        if not _COMPARISONS[type(comparison)](left, right):
            return False
        left = right
    return True
