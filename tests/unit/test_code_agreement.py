"""Answers are compared on calls like those of the tests: which calls are made, and what counts as the same."""

from __future__ import annotations

import ast

import pytest

from nonet.specialists.code_agreement import Agreement, SecondLook
from nonet.specialists.code_probes import Probe, probes
from nonet.specialists.code_request import read_request
from nonet.specialists.sandbox.probe import find_sandbox
from nonet.specialists.sandbox.protocol import Sandbox

needs_sandbox = pytest.mark.skipif(find_sandbox() is None, reason="no sandbox tier works here")


def arguments(request: str) -> list[tuple[object, ...]]:
    """The positional arguments of each call that is made for a request's tests."""
    found = [ast.literal_eval(probe.arguments) for probe in probes(read_request(request).tests)]
    assert all(named == {} for _, named in found)
    return [positional for positional, _ in found]


def test_the_calls_differ_from_the_tests_and_are_the_same_each_time() -> None:
    request = "assert total([1, 2, 3]) == 6"
    made = arguments(request)
    assert len(made) == len({repr(call) for call in made}) > 5
    assert ([1, 2, 3],) not in made
    assert made == arguments(request)


def test_values_keep_their_kind() -> None:
    for text, number, flag, items in arguments("assert f('ab', 7, True, [1.5, 2.5]) == 1"):
        assert isinstance(text, str)
        assert text.islower()
        assert isinstance(number, int)
        assert number > 0
        assert isinstance(flag, bool)
        assert isinstance(items, list)
        assert all(isinstance(item, float) for item in items)


def test_a_list_in_order_beside_what_is_looked_for_stays_in_order() -> None:
    for items, _ in arguments("assert search([1, 3, 5, 9], 5) == 2"):
        assert isinstance(items, list)
        assert items == sorted(items)


def test_a_count_goes_with_the_list_that_it_counts() -> None:
    made = arguments("assert largest([4, 1, 7, 2], 4) == 7")
    assert {len(items) for items, _ in made if isinstance(items, list)} > {4}
    assert all(isinstance(items, list) and len(items) == count for items, count in made)


def test_no_call_is_made_of_what_is_not_written_out() -> None:
    assert probes(read_request("assert f(g(1)) == 2").tests) == probes(read_request("assert g(1) == 2").tests)
    assert probes(read_request("assert answer() == 2").tests) == ()


def sandbox() -> Sandbox:
    found = find_sandbox()
    assert found is not None
    return found


async def agreed(one: str, other: str, *calls: str) -> tuple[int, int]:
    made = [Probe("f", call) for call in calls]
    return await Agreement(made, sandbox(), 10.0).of(one, other)


@needs_sandbox
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x): return 1", "def f(x): return 1.0"),
        ("def f(x): return [True]", "def f(x): return [1]"),
        ("def f(x): return 0.1 + 0.2", "def f(x): return 0.3"),
        ("def f(x): return {1: 2, 3: 4}", "def f(x): return {3: 4, 1: 2}"),
        ("def f(x): yield from (1, 2)", "def f(x): return [1, 2]"),
        ("def f(x): x.append(1)", "def f(x): x += [1]"),
        ("import itertools\ndef f(x): return itertools.count()", "def f(x): return 5"),
    ],
)
async def test_what_counts_as_the_same(one: str, other: str) -> None:
    same, told = await agreed(one, other, "(([7],), {})")
    assert same == told  # what cannot be written down tells nothing


@needs_sandbox
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x): return (1,)", "def f(x): return [1]"),
        ("def f(x): return '1'", "def f(x): return 1"),
        ("def f(x): return 1", "def f(x): raise ValueError"),
        ("def f(x): return 1", "def g(x): return 1"),
        ("def f(x): x.append(1)", "def f(x): x.append(2)"),
    ],
)
async def test_what_counts_as_different(one: str, other: str) -> None:
    assert await agreed(one, other, "(([7],), {})") == (0, 1)


@needs_sandbox
async def test_a_call_that_does_not_end_tells_nothing_and_keeps_the_others() -> None:
    endless = "def f(x):\n    while x > 5:\n        pass\n    return x"
    assert await agreed(endless, "def f(x): return x", "((3,), {})", "((9,), {})", "((4,), {})") == (2, 2)


@needs_sandbox
async def test_where_both_refuse_nothing_is_told() -> None:
    assert await agreed("def f(x): return 1 / x", "def f(x): return 2 // x", "((0,), {})") == (0, 0)


@needs_sandbox
async def test_the_answer_that_another_agrees_with_is_chosen() -> None:
    look = SecondLook(read_request("Write `double`. It must satisfy double(2) == 4."), sandbox(), 10.0)
    assert look.wanted
    square = "def double(x): return x ** 2"
    right = ["def double(x): return 2 * x", "def double(x): return x + x"]
    index, seen = await look.choose([square, *right], 4)
    assert (index, seen.passed) == (1, True)
    index, seen = await look.choose([square, right[0]], 4)
    assert (index, seen.passed) == (0, False)
    assert seen.detail == "the 2 answers that pass the one test differ on other calls like the test's"


def test_several_tests_are_not_looked_at_again() -> None:
    request = read_request("Write `double`. It must satisfy double(2) == 4 and double(3) == 6.")
    assert not SecondLook(request, find_sandbox(), 10.0).wanted
