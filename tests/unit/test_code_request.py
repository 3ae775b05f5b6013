"""What is read out of a request for code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.specialists.code_request import read_request


def shown(text: str) -> list[str]:
    return [test.shown for test in read_request(text).tests]


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("It must satisfy area([4, 5], [1, 2]) == [4.0, 2.5].", ["area([4, 5], [1, 2]) == [4.0, 2.5]"]),
        ("It must satisfy set(shared((1, 2), (2, 3))) == {2}", ["set(shared((1, 2), (2, 3))) == {2}"]),
        ("it has to satisfy not odd(2)", ["not odd(2)"]),
        ("f([1]) should return 2", ["f([1]) == 2"]),
        ("for example f(3) -> 6, f(4) → 24.", ["f(3) == 6", "f(4) == 24"]),
        ("`f('a')` returns `'b'` and f([]) gives false", ["f('a') == 'b'", "f([]) == False"]),
        ("f(1, x=[2, (3)]) must be equal to {'a': 1}!", []),
        ("f(1, x=[2, (3)]) must be equal to {'a': 1}.", ["f(1, x=[2, 3]) == {'a': 1}"]),
        ("- f(1) == 2\n- f(2) == 3\n* f(3) returns 4", ["f(1) == 2", "f(2) == 3", "f(3) == 4"]),
        (">>> add(1, 2)\n3\n>>> add('a', 'b')\n'ab'\nMake it good.", ["add(1, 2) == 3", "add('a', 'b') == 'ab'"]),
        ("assert f(1)==2\nassert f(2)==3 and make it fast", ["f(1) == 2", "f(2) == 3"]),
        ("```python\nassert f([1,\n  2]) == [\n 3]\n```", ["f([1, 2]) == [3]"]),
        ("assert sum(10, 15) == 6", ["sum(10, 15) == 6"]),
        ("f(2) == 4 and f(3) == 9", ["f(2) == 4", "f(3) == 9"]),
        ("It must satisfy f(2) == 4 and f(3) should return 9.", ["f(2) == 4", "f(3) == 9"]),
        ("f(2) == 4, f(3) == 9 and f(4) gives 16", ["f(2) == 4", "f(3) == 9", "f(4) == 16"]),
        ("it must satisfy f(2) returns 3", ["f(2) == 3"]),
        ("is_even(2) is True", ["is_even(2) is True"]),
        # Prose that only looks like tests.
        ("f(n) returns n plus 1", []),
        ("f(1) returns 2 items", []),
        ("f(2) is 3 times f(1)", []),
        ("f(2) is 1-indexed", []),
        ("f(2) == 4 is expected or so", ["f(2) == 4"]),
        ("assert that the input is a list", []),
        ("write a function that adds print(1) to the log", []),
        ("is_ok(3, 1) => true\nis_ok(3, 2) => false", ["is_ok(3, 1) == True", "is_ok(3, 2) == False"]),
        ("def collatz(n):\n    '''Collatz(1) is [1].'''", []),
        ("", []),
    ],
)
def test_tests_are_found(text: str, tests: list[str]) -> None:
    assert shown(text) == tests


def test_the_sides_of_a_comparison_are_named() -> None:
    [test] = read_request("f(1) == 2").tests
    assert test.source == "got_ = f(1)\nexpected_ = 2\nassert got_ == expected_"
    assert test.names == ("f",)


def test_modules_of_the_standard_library_are_imported() -> None:
    [test] = read_request("must satisfy math.isclose(area(2), 12.57, rel_tol=0.01)").tests
    assert test.source.startswith("import math\n")
    assert test.names == ("area",)


def test_examples_that_are_no_tests_are_told() -> None:
    assert read_request("greet('Al') returns Hello Al").unread == ("greet('Al') returns Hello Al",)


def test_a_doctest_that_raises() -> None:
    text = ">>> root(-1)\nTraceback (most recent call last):\n    ...\nValueError: negative\n"
    assert shown(text) == ["root(-1) raises ValueError"]


def test_a_doctest_with_its_setup() -> None:
    [test] = read_request(">>> stack = Stack()\n>>> stack.size()\n0\n").tests
    assert test.source.startswith("stack = Stack()\n")
    assert test.names == ("Stack",)


def test_the_end_of_a_docstring_is_not_part_of_an_example() -> None:
    assert shown('def f(n):\n    """Double.\n    >>> f(2)\n    4\n    """\n') == ["f(2) == 4"]


def test_a_fenced_docstring() -> None:
    text = 'Complete:\n\n```python\ndef f(n):\n    """Double.\n    >>> f(2)\n    4\n    >>> f(3)\n    6\n    """\n```'
    assert shown(text) == ["f(2) == 4", "f(3) == 6"]
    assert read_request(text).names == ("f",)


def test_a_badly_indented_example_spoils_no_other() -> None:
    assert shown(">>> f(1)\n  2\nprose\n\n    >>> f(2)\n 3\n\n>>> f(3)\n4") == ["f(1) == 2", "f(3) == 4"]


def test_an_example_that_compares_by_itself() -> None:
    assert shown(">>> f(1) == 2\n>>> f(2) == 3\n") == ["f(1) == 2", "f(2) == 3"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Write a sort. The function must be called `by_age`.", ("by_age",)),
        ("Find it. Name it `merge`.", ("merge",)),
        ("(call it `max_product`).", ("max_product",)),
        ("Write a function called sum_all that adds.", ("sum_all",)),
        ("I need `div` implemented: divide.", ("div",)),
        ("write a Python function `answer()` without arguments", ("answer",)),
        ("Implement a class `Stack` with push", ("Stack",)),
        ("def helper(x):\n    return x\n\ndef wanted(x):\n    '''Use helper.'''\n", ("wanted",)),
        ("a function called with two arguments, named after Euler", ()),
        ("f(1) == 2", ("f",)),
        ("Write a function to sort a list", ()),
    ],
)
def test_names_are_found(text: str, names: tuple[str, ...]) -> None:
    assert read_request(text).names == names


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write a function that adds", "python"),
        ("write a JavaScript function that adds", "javascript"),
        ("Write it in Rust", "rust"),
        ("a bash script that lists files", "bash"),
        ("write an SQL query for the names", "sql"),
        ("a function in C++ that adds", "c++"),
        ("a program in Go", "go"),
        ("Translate this Python function to Rust", "rust"),
        ("Python function that writes a bash script", "python"),
        ("go to the store and implement C in the formula", "python"),
        ("the rust on the bridge: write a function", "python"),
    ],
)
def test_the_language_is_found(text: str, language: str) -> None:
    assert read_request(text).language == language


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    read_request(text)


@settings(deadline=None)
@given(st.text("f(1)=[]'\"`\n >.assert->", max_size=120))
def test_any_near_test_can_be_read(text: str) -> None:
    for test in read_request(text).tests:
        compile(test.source, "test", "exec")


def test_a_long_page_of_prose_that_names_many_calls_is_read_at_once() -> None:
    page = "It would be good if f(x, 1) and then g(y) were there, as we said before. " * 60
    started = time.process_time()
    assert shown(page + "Then f(1, 2) == 3 and make it fast.") == ["f(1, 2) == 3"]
    assert time.process_time() - started < 2.0


def test_words_in_strings_and_comments_of_an_example_are_no_prose() -> None:
    assert shown("title('two words here') returns 'Two words here'.") == ["title('two words here') == 'Two words here'"]
