"""The bar: what it keeps, what it costs, and how sure one may be of it."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.agents.calibration import (
    ALWAYS_UP,
    Rated,
    Trial,
    best_reachable,
    bootstrap,
    calibrate,
    choose_bar,
    climbed,
    wilson,
)


def trial(confidence: float, *, small: bool, large: bool) -> Trial:
    return Rated(confidence, small, 1.0), Rated(0.9, large, 5.0)


def drawn(count: int, seed: int = 1) -> list[Trial]:
    """The small model is right as often as it is sure."""
    draw = random.Random(seed)
    trials = []
    for _ in range(count):
        sure = draw.random()
        trials.append(trial(sure, small=draw.random() < sure, large=draw.random() < 0.95))
    return trials


def test_the_ladder_is_climbed_below_the_bar_only() -> None:
    unsure = trial(0.4, small=False, large=True)
    assert climbed(unsure, 0.4) == (False, 1.0, 1)
    assert climbed(unsure, 0.5) == (True, 6.0, 2)
    assert climbed(unsure, ALWAYS_UP) == (True, 6.0, 2)


def test_the_cheapest_bar_that_keeps_the_accuracy() -> None:
    trials = [
        trial(0.2, small=False, large=True),
        trial(0.4, small=False, large=True),
        trial(0.6, small=True, large=True),
        trial(0.8, small=True, large=False),
    ]
    assert choose_bar(trials, 1.0) == 0.6
    assert choose_bar(trials, 0.75) == 0.4
    assert choose_bar(trials, 0.5) == 0.0  # the small model alone is good enough
    assert choose_bar([trial(0.5, small=False, large=False)] * 3, 0.5) is None
    assert best_reachable(trials) == 1.0


def test_what_is_expected_is_measured_on_other_tasks() -> None:
    """Confidence that means nothing looks good on the tasks it is chosen by, and not on others."""
    seen, expected = [], []
    for seed in range(20):
        draw = random.Random(seed)
        trials = [trial(draw.random(), small=draw.random() < 0.5, large=draw.random() < 0.5) for _ in range(40)]
        found = calibrate(trials, best_reachable(trials))
        assert found is not None
        seen.append(fmean(climbed(each, found.bar)[0] for each in trials))
        expected.append(found.expected.accuracy.mean)
    assert fmean(seen) > 0.55  # though every model and every confidence is a coin
    assert abs(fmean(expected) - 0.5) < 0.05


def test_a_calibrated_ladder_keeps_its_accuracy_for_less() -> None:
    found = calibrate(drawn(400), 0.85)
    assert found is not None
    fresh = [climbed(each, found.bar) for each in drawn(2000, seed=9)]
    assert fmean(right for right, _, _ in fresh) >= 0.83
    assert found.expected.accuracy.low <= fmean(right for right, _, _ in fresh) <= found.expected.accuracy.high
    cost = fmean(cost for _, cost, _ in fresh)
    assert found.expected.cost.low <= cost <= found.expected.cost.high
    assert cost < found.always_up.cost.mean
    assert found.first_only.accuracy.mean < 0.6
    assert found.last_only.cost.mean == 5.0


@pytest.mark.parametrize(("right", "count"), [(0, 10), (10, 10), (1, 2), (50, 100)])
def test_wilsons_interval_holds_the_share_and_stays_within_bounds(right: int, count: int) -> None:
    interval = wilson(right, count)
    assert 0.0 <= interval.low <= interval.mean <= interval.high <= 1.0
    assert interval.high > interval.low


def test_more_tasks_make_it_narrower() -> None:
    few, many = wilson(8, 10), wilson(80, 100)
    assert many.high - many.low < few.high - few.low
    assert bootstrap([1.0, 3.0] * 100).high < bootstrap([1.0, 3.0] * 5).high


def test_too_little_to_calibrate_with_is_refused() -> None:
    with pytest.raises(ValueError, match="two tasks"):
        calibrate([trial(0.5, small=True, large=True)], 0.5)
    with pytest.raises(ValueError, match="every rung"):
        calibrate([trial(0.5, small=True, large=True), (Rated(0.5, right=True, cost=1.0),)], 0.5)


rated = st.builds(Rated, st.floats(0, 0.999), st.booleans(), st.floats(0.1, 10))
ladders = st.integers(1, 3).flatmap(lambda rungs: st.lists(st.tuples(*[rated] * rungs), min_size=2, max_size=25))


@given(ladders, st.floats(0, 1))
def test_no_bar_is_chosen_that_breaks_its_word(trials: list[Trial], wanted: float) -> None:
    bar = choose_bar(trials, wanted)
    if bar is None:
        assert best_reachable(trials) < wanted
        return
    ended = [climbed(each, bar) for each in trials]
    assert fmean(right for right, _, _ in ended) >= wanted - 1e-6
    assert fmean(cost for _, cost, _ in ended) <= fmean(climbed(each, ALWAYS_UP)[1] for each in trials) + 1e-6 or (
        best_reachable(trials) > fmean(climbed(each, ALWAYS_UP)[0] for each in trials)
    )
