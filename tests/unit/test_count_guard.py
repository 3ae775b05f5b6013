"""What a server says it read, beside what was counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.errors import ContextOverflowError
from nonet.runtimes import TokenCount
from nonet.runtimes.count_guard import CountGuard


@pytest.mark.parametrize(
    ("read", "agrees"), [(1000, True), (1020, True), (980, True), (900, False), (1200, False), (0, True)]
)
def test_an_exact_count_must_agree(*, read: int, agrees: bool) -> None:
    guard = CountGuard()
    if agrees:
        guard.check("m", TokenCount(1000, exact=True), read)
    else:
        with pytest.raises(ContextOverflowError, match=f"{read:,} tokens"):
            guard.check("m", TokenCount(1000, exact=True), read)


def test_a_prompt_that_takes_far_less_of_its_bound_than_any_before_was_cut() -> None:
    guard = CountGuard()
    for read in (700, 650, 720, 610, 690):
        guard.check("m", TokenCount(1000, exact=False), read)
    guard.check("m", TokenCount(3000, exact=False), 1650)  # .55 of it: code, not a cut
    with pytest.raises(ContextOverflowError, match="at most 3,000"):
        guard.check("m", TokenCount(3000, exact=False), 1000)


def test_nothing_is_learned_from_short_prompts() -> None:
    guard = CountGuard()
    for _ in range(20):
        guard.check("m", TokenCount(150, exact=False), 149)
    guard.check("m", TokenCount(1000, exact=False), 600)


def test_a_bound_that_was_too_low_is_raised() -> None:
    guard = CountGuard()
    assert guard.bounded(TokenCount(100, exact=False)) == 100
    guard.check("m", TokenCount(100, exact=False), 340)  # the template says much by itself
    assert guard.bounded(TokenCount(100, exact=False)) == 340
    assert guard.bounded(TokenCount(100, exact=True)) == 100


@given(st.lists(st.tuples(st.integers(200, 4000), st.floats(0.55, 0.85)), max_size=40))
def test_prompts_of_any_usual_share_pass(prompts: list[tuple[int, float]]) -> None:
    guard = CountGuard()
    for bound, share in prompts:
        guard.check("m", TokenCount(bound, exact=False), int(bound * share))
