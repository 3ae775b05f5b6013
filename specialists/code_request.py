"""What a request for code asks for: the language, the names to define, and the tests that it gives."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass

from nonet.specialists.code_tests import Test, read_tests

_BUILTINS = frozenset(dir(builtins))
_LONG = (
    "JavaScript|TypeScript|Java|Kotlin|Scala|Rust|Golang|Swift|Ruby|Perl|PHP|Haskell|OCaml|Elixir|Erlang|Lua|SQL|Bash|"
    "PowerShell|MATLAB|Fortran|COBOL|Clojure|Dart|Julia|Zig"
)
# These are words and letters of their own elsewhere, so their case counts.
_LANGUAGE = rf"((?i:{_LONG})|C\+\+|C#|F#|Go|C|R)(?![\w+#])"
_IN_LANGUAGE = re.compile(rf"\b(?:in|using)\s+(?:plain\s+|pure\s+|modern\s+)?{_LANGUAGE}")
_INTO_LANGUAGE = re.compile(rf"\b(?:to|into)\s+{_LANGUAGE}")
_LANGUAGE_THING = re.compile(
    rf"\b{_LANGUAGE}\s+(?:function|script|program|query|class|method|snippet|code|one-liner|module|statement)\b"
)
_FENCE_LANGUAGE = re.compile(rf"^```[ \t]*{_LANGUAGE}", re.MULTILINE)

_IDENTIFIER = r"([A-Za-z_]\w*)"
_NAMES_IT = r"(?i:\b(?:called|named|named as|name it|call it|name the \w+|call the \w+))"
_NAMED = (
    re.compile(rf"{_NAMES_IT}\s*:?\s*[`'\"]{_IDENTIFIER}\s*(?:\(|[`'\"])"),
    re.compile(rf"{_NAMES_IT}\s+([A-Za-z]\w*_\w*|[A-Za-z]\w*(?=\()|[A-Za-z]\w*(?=[.,;)]|\s*$))", re.MULTILINE),
    re.compile(rf"`{_IDENTIFIER}(?:\([^`]*\))?`\s+(?:implemented|function|class|method|helper)\b"),
    re.compile(rf"(?i:\b(?:functions?|class|method|implements?|write|define|create))\s+`{_IDENTIFIER}(?:\([^`]*\))?`"),
    re.compile(rf"(?i:\b(?:function|method|implement|define|write))\s+{_IDENTIFIER}\("),
)
_DEFINITION = re.compile(rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{_IDENTIFIER}[ \t]*[(:]", re.MULTILINE)
_NOT_NAMES = frozenset(
    ("it", "the", "a", "an", "as", "with", "by", "for", "from", "in", "on", "to", "and", "or", "of", "that", "this")
)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A request, read."""

    language: str
    """"python", or another in lower case."""
    names: tuple[str, ...]
    """Functions and classes that the code must define."""
    tests: tuple[Test, ...]
    unread: tuple[str, ...]
    """Examples that look like tests but could not be made into one."""


def read_request(text: str) -> CodeRequest:
    """Read a request; never fails, at worst finds nothing."""
    asked = _requested_names(text)
    tests, unread = read_tests(text, asked)
    called = [name for test in tests for name in test.names]
    return CodeRequest(_language(text), tuple(dict.fromkeys([*called, *asked])), tests, unread)


def _language(text: str) -> str:
    patterns = [_INTO_LANGUAGE]
    if "python" not in text.lower():
        patterns += [_IN_LANGUAGE, _LANGUAGE_THING, _FENCE_LANGUAGE]
    found = next((match[1] for pattern in patterns if (match := pattern.search(text))), "python")
    return found.lower()


def _requested_names(text: str) -> list[str]:
    names = [name for pattern in _NAMED for name in pattern.findall(text)]
    definitions = _DEFINITION.findall(text)
    # Where a request shows several, the last is the one to write; those above are there to be used.
    names += definitions[-1:]
    return [name for name in names if name.lower() not in _NOT_NAMES and name not in _BUILTINS]
