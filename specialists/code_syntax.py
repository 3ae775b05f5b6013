"""Parsing of Python that nobody vouches for."""

from __future__ import annotations

import ast
import warnings


def parse(text: str) -> ast.Module:
    """The tree of a module.

    Raises:
        SyntaxError: it is not Python, or too deeply nested or otherwise too strange for the parser.
    """
    with warnings.catch_warnings():
        # Odd escapes in someone else's strings are not our user's concern.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "too deeply nested") from error


def try_parse(text: str) -> ast.Module | None:
    """As `parse`, None where it is not Python."""
    try:
        return parse(text)
    except SyntaxError:
        return None


def try_expression(text: str) -> ast.expr | None:
    """The tree of an expression that is the whole of `text`, None where it is not one."""
    # A line of its own ends an expression: what follows below "- f(1) == 2" is the next point of a list.
    tree = try_parse(text.strip())
    body = tree.body if tree else []
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
