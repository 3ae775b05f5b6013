"""Gets Python out of what a model wrote: the right block, without examples of use, with the imports it forgot."""

from __future__ import annotations

import ast
import builtins
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.specialists.code_syntax import parse, try_parse

_FENCE = re.compile(
    r"^[ \t]*(```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_PYTHON = frozenset({"", "python", "python3", "py", "py3", "python2"})
_STARTS_CODE = re.compile(r"^(?:(?:async )?def \w|class \w|import \w|from [\w.]+ import|@\w)", re.MULTILINE)

_FORGOTTEN = {
    name: f"from {module} import {name}"
    for module, names in (
        ("typing", "Any Callable Dict Generator Iterable Iterator List Optional Sequence Set Tuple TypeVar Union"),
        ("collections", "ChainMap Counter OrderedDict defaultdict deque namedtuple"),
        ("functools", "cache cmp_to_key lru_cache partial reduce"),
        ("itertools", "accumulate chain combinations cycle groupby islice permutations product zip_longest"),
        ("dataclasses", "dataclass field"),
        ("abc", "ABC abstractmethod"),
        ("fractions", "Fraction"),
        ("decimal", "Decimal"),
        ("math", "ceil comb factorial floor gcd isclose isqrt lcm log log10 log2 pi prod sqrt"),
        ("enum", "Enum"),
    )
    for name in names.split()
}
"""Names that small models use without their import, and what each can only mean."""


@dataclass(frozen=True, slots=True)
class ExtractedCode:
    """Code found in an answer; `code` is empty where there is none."""

    code: str
    error: str = ""
    """Why it is no valid Python: the syntax error."""
    added: tuple[str, ...] = ()
    """Lines that were put before it: forgotten imports, helpers of the request."""
    missing: tuple[str, ...] = ()
    """Names that were to be defined and are not."""
    renamed: str = ""
    """"old to new" where its only function had another name than the one asked for."""


def extract_code(answer: str, names: Sequence[str], request: str) -> ExtractedCode:
    """The Python of an answer that should define `names`; `request` may show code that it builds on."""
    candidates = _candidates(answer)
    best = max(candidates, key=lambda code: _merit(code, names), default="")
    if not best.strip():
        return ExtractedCode("")
    try:
        tree = parse(best)
    except SyntaxError as error:
        return ExtractedCode(best.strip("\n"), error=_told(error, best))
    if _has_definitions(tree) and (names or re.search(r"\b(function|class|method)\b", request, re.IGNORECASE)):
        best = _without_examples(best, tree)
    added = _missing_lines(best, request)
    code = "\n".join([*added, *([""] if added else []), best.strip("\n")])
    missing = tuple(name for name in names if name not in _defined(parse(code)))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(missing) == len(functions) == 1 and missing[0].isidentifier():
        renamed = re.sub(rf"\b{functions[0]}\b", missing[0], code)
        return ExtractedCode(renamed, added=added, renamed=f"{functions[0]} to {missing[0]}")
    return ExtractedCode(code, added=added, missing=missing)


def other_language_code(answer: str) -> tuple[str, str]:
    """The first fenced block and its tag, else the whole answer and no tag."""
    match = _FENCE.search(answer)
    return (match[3].strip("\n"), match[2]) if match else (answer.strip(), "")


def packages_needed(code: str) -> tuple[str, ...]:
    """What valid code imports at its top that is not in the standard library."""
    packages: list[str] = []
    for node in parse(code).body:
        if isinstance(node, ast.Import):
            packages += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            packages.append((node.module or ".").split(".")[0])
    return tuple(dict.fromkeys(name for name in packages if name not in sys.stdlib_module_names))


def _told(error: SyntaxError, code: str) -> str:
    lines = code.splitlines()
    line = error.lineno or 0
    at = f" (line {line}: {lines[line - 1].strip()[:100]})" if 0 < line <= len(lines) else ""
    return f"{type(error).__name__}: {error.msg}{at}"


def _candidates(answer: str) -> list[str]:
    """Texts that may be the code, the likeliest first."""
    blocks = [textwrap.dedent(body) for _, tag, body in _FENCE.findall(answer) if tag.lower() in _PYTHON]
    candidates = [*blocks, "\n\n".join(blocks)] if len(blocks) > 1 else blocks
    if not blocks and (start := _STARTS_CODE.search(answer)):
        candidates = [answer[start.start() :]]
    # An answer that was cut, or prose behind code: whole statements from the top that can be read.
    return [text for code in candidates for text in (code, _readable_part(code)) if text.strip()]


def _readable_part(code: str) -> str:
    """The most of the top-level statements that parse, empty where all or none do."""
    lines = code.splitlines()
    starts = [index for index, line in enumerate(lines) if line and line[0] not in " \t)]}#"]
    for end in [len(lines), *reversed(starts)]:
        part = "\n".join(lines[:end])
        if try_parse(part):
            return part if end < len(lines) and part.strip() else ""
    return ""


def _merit(code: str, names: Sequence[str]) -> tuple[bool, int, bool]:
    """Parses, then defines what is asked for, then defines anything; max() keeps the first of equals."""
    tree = try_parse(code)
    if tree is None:
        return (False, 0, False)
    return (True, len(_defined(tree) & set(names)), _has_definitions(tree))


def _has_definitions(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in tree.body)


def _defined(tree: ast.Module) -> set[str]:
    """Names that the top level binds."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names


def _without_examples(code: str, tree: ast.Module) -> str:
    """The code without its own asserts and without what stands behind the last definition and serves none."""
    last = max(index for index, node in enumerate(tree.body) if _is_definition(node))
    used = {n.id for node in tree.body if _is_definition(node) for n in ast.walk(node) if isinstance(n, ast.Name)}
    dropped = [
        node
        for index, node in enumerate(tree.body)
        if isinstance(node, ast.Assert)
        or _prints(node)
        or (index > last and not _defined(ast.Module([node], [])) & used)
    ]
    lines = code.splitlines()
    for node in dropped:
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    # Comments that introduced the examples.
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines))


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _prints(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


def _missing_lines(code: str, request: str) -> tuple[str, ...]:
    """Imports and helpers for names that the code uses and nothing binds."""
    shown = _shown_code(request)
    waiting = sorted(_unbound(parse(code)))
    seen: set[str] = set()
    lines: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in shown:
            lines.insert(0, shown[name])
            # What a helper needs in its turn goes before it.
            waiting += sorted(_unbound(parse(shown[name])))
        elif name in _FORGOTTEN:
            lines.insert(0, _FORGOTTEN[name])
        elif name in sys.stdlib_module_names and re.search(rf"\b{name}\.\w", code):
            lines.insert(0, f"import {name}")
    return tuple(dict.fromkeys(lines))


def _unbound(tree: ast.Module) -> set[str]:
    bound = set(dir(builtins)) | _defined(tree)
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
    return used - bound


def _shown_code(request: str) -> dict[str, str]:
    """Top-level imports and whole functions that a request shows, by the name each binds."""
    start = _STARTS_CODE.search(request)
    code = _readable_part(request[start.start() :] + "\n?") if start else ""
    shown: dict[str, str] = {}
    for node in parse(code).body if code else []:
        source = ast.get_source_segment(code, node) or ""
        for name in _defined(ast.Module([node], [])):
            if not (isinstance(node, ast.FunctionDef) and _is_stub(node)):
                shown[name] = source
    return shown


def _is_stub(node: ast.FunctionDef) -> bool:
    """A signature with at most a docstring: what is to be written, not what is there to be used."""
    return all(
        isinstance(part, ast.Pass) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in node.body
    )
