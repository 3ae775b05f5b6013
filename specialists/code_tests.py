"""The tests that a request for code gives: asserts, doctests, and examples in prose such as "f(1) should return 2"."""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nonet.specialists.code_syntax import try_expression, try_parse

_BUILTINS = frozenset(dir(builtins))
_LONGEST_TEST = 600
"""Characters; what is longer is prose."""

_SAYS_RESULT = re.compile(
    r"[`'\"]?,?\s*(?:(?:should|must|shall|has to|needs to|will|would|to)\s+)?"
    r"(?:(?:returns?|gives?|yields?|equals?|is|be|produces?|outputs?|evaluates? to|results? in|comes? to)\b"
    r"(?:\s+(?:back|exactly|equal to|to))?|==>|=>|->|[→➞⇒⟶↦]|==?)\s*[`]?"
)
_AFTER_RESULT = re.compile(
    r"[`'\"]?\s*(?:$|[.,;:)(]|(?:and|but|because|since|as|while|whereas|for|when|or)\b)", re.MULTILINE
)
"""What may follow a result: "f(2) is 3 times f(1)" and "f(1) returns 2 items" are no tests."""
_LOWER_CONSTANTS = {"true": "True", "false": "False", "none": "None", "null": "None"}
_SATISFIES = re.compile(r"\b(?:satisf(?:y|ies)|fulfill?s?|holds?|pass(?:es)?|ensures?)\b(?: that)?:?[ \t]*`?")
_BLOCK_END = re.compile(r"^[ \t]*(?:\"\"\"|'''|```|~~~).*$|\n[ \t]*(?=\n)", re.MULTILINE)
_CALL = re.compile(r"(?<![\w.`])`?([A-Za-z_]\w*)\(")
_WORD = r"(?!(?:and|or|not|in|is|if|else|for|lambda|await|async|assert)\b)[A-Za-z_]\w*"
_TWO_WORDS = re.compile(rf"\b({_WORD})[ \t]+{_WORD}")
"""Nothing that Python can read holds these, but for its strings and comments."""


@dataclass(frozen=True, slots=True)
class Test:
    """One check that the request gives."""

    shown: str
    """As a reader would write it: `f(1) == 2`."""
    source: str
    """Statements that raise where it fails; they set got_ and expected_ where there are two sides."""
    names: tuple[str, ...]
    """What it takes from the code under test."""


def yes_or_no(test: Test) -> bool | None:
    """Which of the two it asks for, where that is all it asks (None counts as no): wrong code passes half of such.

    None: it asks for more.
    """
    tree = try_parse(test.source)
    for node in tree.body if tree else []:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "expected_":
            value = node.value.value if isinstance(node.value, ast.Constant) else ...
            return bool(value) if value is None or isinstance(value, bool) else None
    claims = [node.test for node in tree.body if isinstance(node, ast.Assert)] if tree else []
    if not claims:
        return None  # that it raises, for one
    return not all(isinstance(claim, ast.UnaryOp) and isinstance(claim.op, ast.Not) for claim in claims)


def read_tests(text: str, asked: Sequence[str]) -> tuple[tuple[Test, ...], tuple[str, ...]]:
    """Tests in a text, each once, and the examples that look like tests but could not be made into one.

    Args:
        text: the request.
        asked: functions that it asks for by name.
    """
    unread: list[str] = []
    doctests, rest = _doctests(text)
    asserts, rest = _asserts(rest)
    # "Collatz(1) is [1]" in the explanation of another function that is asked for by name is no test of it.
    said = [test for test in _calls(rest, unread) if not asked or set(asked) & set(test.names)]
    tests = {test.source: test for test in (*doctests, *asserts, *said)}
    return tuple(tests.values()), tuple(dict.fromkeys(unread))


def _doctests(text: str) -> tuple[list[Test], str]:
    """Tests from `>>>` examples, and the text without them."""
    # The end of a docstring or of a fenced block is not what an example prints.
    examples = [example for block in _BLOCK_END.split(text) for example in _examples(block)]
    tests: list[Test] = []
    setup: list[str] = []
    for example in examples:
        if not example.want:
            # ">>> f(1) == 2" with nothing below means that it holds.
            check = _make_test(f"assert {example.source.strip()}") if _parse_comparison(example.source) else None
            tests += [check] if check else []
            setup += [] if check else [example.source]
            continue
        test = _doctest(example, "".join(setup))
        if test is not None:
            tests.append(test)
    kept = [line for line in text.splitlines() if not line.lstrip().startswith((">>>", "... "))]
    return tests, "\n".join(kept) if examples else text


def _examples(text: str) -> list[doctest.Example]:
    try:
        return doctest.DocTestParser().get_examples(text)
    except ValueError:
        return []


def _doctest(example: doctest.Example, setup: str) -> Test | None:
    expression = try_expression(example.source.strip())
    if expression is None:
        return None
    if example.exc_msg is not None:
        kind = example.exc_msg.split(":")[0].strip().rpartition(".")[2]
        attempt = f"try:\n    {ast.unparse(expression)}\nexcept {kind}:\n    pass\n"
        source = f"{attempt}else:\n    raise AssertionError('it did not raise {kind}')"
        return _make_test(setup + source, f"{example.source.strip()} raises {kind}") if kind.isidentifier() else None
    # The next sentence may stand right below.
    wanted = [example.want.strip(), example.want.strip().splitlines()[0].strip()]
    for want in wanted:
        if _literal(want) is not None:
            return _make_test(setup + f"assert {ast.unparse(expression)} == {want}")
    return _make_test(setup + f"assert repr({ast.unparse(expression)}) == {wanted[0]!r}")


def _asserts(text: str) -> tuple[list[Test], str]:
    tests: list[Test] = []
    rest, end = [], 0
    for match in re.finditer(r"\bassert\b", text):
        if match.start() < end:
            continue
        statement = _longest(text[match.start() : match.start() + _LONGEST_TEST], _parse_assert)
        test = _make_test(_imports_above(text) + statement) if statement else None
        if test is not None:
            tests.append(test)
            rest.append(text[end : match.start()])
            end = match.start() + len(statement)
    return tests, "".join([*rest, text[end:]])


def _imports_above(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if re.match(r"\s*(import|from)\s+\w", line)]
    return "".join(f"{line}\n" for line in lines if _imports_stdlib(line))


def _imports_stdlib(line: str) -> bool:
    tree = try_parse(line)
    statement = tree.body[0] if tree and tree.body else None
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0] in sys.stdlib_module_names
    return isinstance(statement, ast.Import) and all(
        alias.name.split(".")[0] in sys.stdlib_module_names for alias in statement.names
    )


def _calls(text: str, unread: list[str]) -> Iterator[Test]:
    """Tests from "it must satisfy set(f(1)) == {2}" and "f(1) should return 2"."""
    end = 0
    for match in _SATISFIES.finditer(text):
        start = match.end()
        expression = _longest(text[start : start + _LONGEST_TEST], _parse_check) if start >= end else ""
        # "It must pass f(1) == 2" is a check, "it must pass f(1), which returns 2" is not one yet.
        bare = isinstance(try_expression(expression), ast.Call) and _SAYS_RESULT.match(text, start + len(expression))
        if expression and not bare and (made := _each_of(expression)):
            end = start + len(expression)
            yield from made
    for match in _CALL.finditer(text):
        if match.start() < end:
            continue
        start = match.start(1)
        window = text[start : start + _LONGEST_TEST]
        if (comparison := _longest(window, _parse_comparison)) and (made := _each_of(comparison)):
            end = start + len(comparison)
            yield from made
            continue
        call = _longest(window, _parse_call)
        said = _SAYS_RESULT.match(window, len(call)) if call else None
        if said is None or _make_test(f"assert {call}") is None:
            continue
        want, length = _result(window[said.end() :])
        test = _make_test(f"assert {call} == {want}") if want else None
        if test is not None:
            end = start + said.end() + length
            yield test
        else:
            unread.append(window[: said.end() + 20].splitlines()[0].strip())


def _each_of(expression: str) -> list[Test]:
    """A test for each side of an "and", so that it is told which of them fails; one where a side is none by itself."""
    tree = try_expression(expression)
    sides = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else []
    tests = [_make_test(f"assert {ast.unparse(side)}") for side in sides] or [None]
    whole = [_make_test(f"assert {expression}")] if None in tests else tests
    return [test for test in whole if test is not None]


def _result(text: str) -> tuple[str, int]:
    """The literal that `text` begins with and how long it is, ("", 0) if none."""
    if (word := re.match(r"[a-z]+", text)) and word[0] in _LOWER_CONSTANTS:
        want, length = _LOWER_CONSTANTS[word[0]], word.end()
    else:
        want = _longest(text, _literal)
        length = len(want)
    return (want, length) if want and _AFTER_RESULT.match(text, length) else ("", 0)


def _make_test(source: str, shown: str = "") -> Test | None:
    """A test of `source`, whose last statement is the check; None where it needs names that nobody can know."""
    tree = try_parse(source)
    if tree is None:
        return None
    free = _free_names(tree)
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    modules = sorted(name for name in free if name in sys.stdlib_module_names and name not in called)
    names = tuple(name for name in free if name not in modules) or _redefined(tree.body[-1])
    if not names or not set(names) <= called:
        return None
    check = tree.body[-1]
    shown = shown or (ast.unparse(check.test) if isinstance(check, ast.Assert) else ast.unparse(check))
    tree.body[-1:] = _two_sides(check)
    imports = "".join(f"import {name}\n" for name in modules)
    return Test(shown, imports + ast.unparse(ast.fix_missing_locations(tree)), names)


def _free_names(tree: ast.AST) -> list[str]:
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | _BUILTINS
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return list(dict.fromkeys(node.id for node in names if node.id not in bound))


def _redefined(check: ast.stmt) -> tuple[str, ...]:
    """The builtin whose name the request gives to its function, where a check calls nothing else."""
    if isinstance(check, ast.Assert) and isinstance(check.test, ast.Compare):
        left = check.test.left
        if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id in _BUILTINS:
            return (left.func.id,)
    return ()


def _two_sides(check: ast.stmt) -> list[ast.stmt]:
    """`assert a == b` with its sides named, so that a failure can tell both."""
    if not (isinstance(check, ast.Assert) and isinstance(check.test, ast.Compare) and len(check.test.ops) == 1):
        return [check]
    left, right = ast.Name("got_", ast.Load()), ast.Name("expected_", ast.Load())
    compared = ast.Compare(left, check.test.ops, [right])
    return [
        ast.Assign([ast.Name("got_", ast.Store())], check.test.left),
        ast.Assign([ast.Name("expected_", ast.Store())], check.test.comparators[0]),
        ast.Assert(compared, check.msg),
    ]


def _longest(text: str, accept: Callable[[str], object]) -> str:
    """The longest beginning of `text` that `accept` takes (does not answer None), cut where a word or bracket ends."""
    prose = _TWO_WORDS.search(text)
    if prose and not re.search("['\"#]", text[: prose.start()]):
        text = text[: prose.end(1)]  # else a hundred beginnings of a page of prose are parsed, for each call it names
    ends = [match.end() for match in re.finditer(r"\w+|[\])}'\"]", text)]
    for end in reversed(ends):
        if accept(text[:end]) is not None:
            return text[:end]
    return ""


def _literal(text: str) -> ast.expr | None:
    """An expression that is a value written out."""
    expression = try_expression(text)
    try:
        if expression is not None:
            ast.literal_eval(expression)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    return expression


def _knowable(expression: ast.expr) -> bool:
    """Whether all it needs is Python and functions that it calls."""
    return _make_test(f"assert {ast.unparse(expression)}") is not None


def _parse_check(text: str) -> ast.expr | None:
    expression = try_expression(text)
    if isinstance(expression, ast.BoolOp) and not _all_compare(expression):
        return None
    kinds = (ast.Compare, ast.Call, ast.UnaryOp, ast.BoolOp)
    return expression if isinstance(expression, kinds) and _knowable(expression) else None


def _all_compare(expression: ast.BoolOp) -> bool:
    """Else it may be "f(1) == 2 and f(2)" of "f(1) == 2 and f(2) returns 3"."""
    return all(isinstance(value, ast.Compare | ast.UnaryOp) for value in expression.values)


def _parse_comparison(text: str) -> ast.expr | None:
    expression = try_expression(text)
    compared = expression.values[0] if isinstance(expression, ast.BoolOp) else expression
    if isinstance(expression, ast.BoolOp) and not _all_compare(expression):
        return None
    if not isinstance(compared, ast.Compare) or expression is None:
        return None
    side = compared.comparators[0]
    # In prose "is" means equality, or nothing: "f(2) is 3 times f(1)".
    means_it = isinstance(side, ast.Constant) and (side.value is None or isinstance(side.value, bool))
    if isinstance(side, ast.Name) or (isinstance(compared.ops[0], ast.Is | ast.IsNot) and not means_it):
        return None
    return expression if _knowable(expression) else None


def _parse_call(text: str) -> ast.expr | None:
    expression = try_expression(text)
    return expression if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name) else None


def _parse_assert(text: str) -> ast.stmt | None:
    tree = try_parse(text)
    statements = tree.body if tree else []
    one = len(statements) == 1 and isinstance(statements[0], ast.Assert)
    return statements[0] if one and _make_test(text) is not None else None
