"""Getting code out of answers."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.specialists.code_answer import extract_code, other_language_code, packages_needed

DOUBLE = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{DOUBLE}\n```",
        f"Sure! Here it is:\n\n```py\n{DOUBLE}\n```\n\nIt doubles.",
        f"```\n{DOUBLE}\n```",
        f"```python\n{DOUBLE}",
        f"~~~python\n{DOUBLE}\n~~~",
        DOUBLE,
        f"Here is the code:\n\n{DOUBLE}\n\nThis function doubles its input.",
        f"   ```python\n   {DOUBLE.replace(chr(10), chr(10) + '   ')}\n   ```",
        f"```bash\npip install x\n```\n```python\n{DOUBLE}\n```",
        f"```python\n{DOUBLE}\n```\nUse it so:\n```python\nprint(double(2))\n```",
        f"```python\nprint(double(2))\n```\n\n```python\n{DOUBLE}\n```",
        f"```python\n{DOUBLE}\n\nassert double(1) == 2\nprint(double(3))\n```",
        f"```python\n{DOUBLE}\n\n# Example usage\nresult = double(3)\nprint(result)\n```",
        f"```python\n{DOUBLE}\n\nif __name__ == '__main__':\n    print(double(3))\n```",
        f"```python\n{DOUBLE}\n\ndef cut_in_the_mid",
        f"```python\r\n{DOUBLE}\r\n```".replace("\r\n", "\n"),
    ],
)
def test_the_function_is_found_and_nothing_else(answer: str) -> None:
    extracted = extract_code(answer, ["double"], "Write a function called `double`.")
    assert extracted.code == DOUBLE
    assert not extracted.error
    assert not extracted.missing


def test_several_blocks_make_one_program_where_names_are_spread() -> None:
    answer = "```python\ndef a():\n    return 1\n```\nand\n```python\ndef b():\n    return a()\n```"
    extracted = extract_code(answer, ["a", "b"], "functions a and b")
    assert "def a" in extracted.code
    assert "def b" in extracted.code


def test_a_script_is_kept_as_it_is() -> None:
    code = "def f():\n    return 1\n\nprint(f())"
    assert extract_code(f"```python\n{code}\n```", [], "Write a script that prints 1.").code == code


@pytest.mark.parametrize("answer", ["", "I cannot do that.", "```python\n```", "From here it is easy."])
def test_no_code(answer: str) -> None:
    assert extract_code(answer, ["f"], "").code == ""


def test_a_syntax_error_is_told_with_its_line() -> None:
    extracted = extract_code("```python\ndef f(x):\n    return x +\n```", ["f"], "")
    assert extracted.error == "SyntaxError: invalid syntax (line 2: return x +)"


def test_a_missing_name_is_told() -> None:
    assert extract_code("```python\nx = 1\n```", ["f"], "").missing == ("f",)


def test_the_only_function_takes_the_name_that_was_asked_for() -> None:
    extracted = extract_code("```python\ndef fact(n):\n    return n and n * fact(n - 1) or 1\n```", ["factorial"], "")
    assert extracted.code.startswith("def factorial(n):\n    return n and n * factorial(n - 1)")
    assert extracted.renamed == "fact to factorial"


def test_forgotten_imports_are_added() -> None:
    code = "def f(x: List[int]) -> float:\n    return math.sqrt(Counter(x)[1]) + len(re.findall('a', 'b'))"
    extracted = extract_code(f"```python\n{code}\n```", ["f"], "")
    assert set(extracted.added) == {
        "import math",
        "import re",
        "from collections import Counter",
        "from typing import List",
    }
    ast.parse(extracted.code)


def test_what_is_bound_is_not_imported() -> None:
    code = "def f(math, values):\n    Counter = dict\n    return [math.x for re in values if Counter(re)]"
    assert extract_code(f"```python\n{code}\n```", ["f"], "").added == ()


def test_helpers_that_the_request_shows_are_put_before() -> None:
    request = (
        "Complete:\n\n```python\nimport string\n\ndef is_letter(c):\n    return c in string.ascii_letters\n\n"
        "def letters(text):\n    '''All letters.'''\n```"
    )
    answer = "```python\ndef letters(text):\n    return [c for c in text if is_letter(c)]\n```"
    code = extract_code(answer, ["letters"], request).code
    namespace: dict[str, object] = {}
    exec(code, namespace)
    assert eval("letters('a1b')", namespace) == ["a", "b"]


def test_packages_are_told() -> None:
    assert packages_needed("import numpy as np, os\nfrom pandas.core import frame\nimport json") == ("numpy", "pandas")


def test_odd_escapes_in_the_code_warn_nobody() -> None:
    assert extract_code("```python\ndef f():\n    return '\\d'\n```", ["f"], "").error == ""


def test_other_languages() -> None:
    assert other_language_code("Here:\n```rust\nfn main() {}\n```\nDone.") == ("fn main() {}", "rust")
    assert other_language_code("SELECT 1;\n") == ("SELECT 1;", "")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_answer_can_be_read(answer: str) -> None:
    extract_code(answer, ["f"], answer)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["```python\n", "```", "\n", "def f():\n", "    pass\n", "x = f(\n", "assert f()\n"])))
def test_any_broken_answer_can_be_read(pieces: list[str]) -> None:
    extracted = extract_code("".join(pieces), ["f"], "a function f()")
    if extracted.code and not extracted.error:
        ast.parse(extracted.code)
