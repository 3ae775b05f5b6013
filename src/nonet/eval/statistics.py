"""Intervals, tests and agreement: pure arithmetic over items."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from nonet.agents.calibration import Interval, bootstrap, wilson


@dataclass(frozen=True, slots=True)
class Paired:
    """Two ways of answering on the same items."""

    wins: int
    losses: int
    ties: int
    p: float
    """Of the exact two-sided sign test on wins and losses: how often chance alone would be at least as uneven."""
    difference: Interval
    """By how much the first is better on average, with the interval of resampled items."""


def mean_of(scores: Sequence[float], *, seed: int = 0) -> Interval:
    """A mean with the interval of resampled items (percentile bootstrap).

    Where all scores are 0 or all are 1 every resample is the same, which would look like certainty: Wilson's then.

    >>> mean_of([1.0] * 10)
    Interval(mean=1.0, low=0.72246..., high=1.0)
    """
    if set(scores) in ({0.0}, {1.0}):
        return wilson(round(sum(scores)), len(scores))
    return bootstrap(scores, seed=seed)


def compare_scores(better: Sequence[float], *, seed: int = 0) -> Paired:
    """Two ways item by item; where scores are 0 and 1 the test is McNemar's, exact.

    Args:
        better: by how much the first is better, an item.
        seed: of the resamples.

    >>> compare_scores([1, 1, 1, 0, 1, 1]).p
    0.0625
    """
    wins, losses = sum(by > 0 for by in better), sum(by < 0 for by in better)
    ties = len(better) - wins - losses
    return Paired(wins, losses, ties, sign_test(wins, losses), bootstrap(better, seed=seed))


def sign_test(wins: int, losses: int) -> float:
    """The exact two-sided p of as many wins and losses where both are equally likely (Dixon and Mood 1946).

    >>> sign_test(0, 0), sign_test(5, 0), sign_test(3, 3)
    (1.0, 0.0625, 1.0)
    """
    count = wins + losses
    tail = sum(math.comb(count, most) for most in range(min(wins, losses) + 1))
    return min(1.0, tail * 2.0 ** (1 - count))


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two judges on the same items beyond chance (Cohen 1960); None where chance alone explains all.

    >>> cohens_kappa("aabb", "aabb"), cohens_kappa("aabb", "abab"), cohens_kappa("aaaa", "aaaa")
    (1.0, 0.0, None)
    """
    count = len(first)
    if count == 0:
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    one, other = Counter(first), Counter(second)
    expected = sum(one[value] * other[value] for value in one) / count**2
    return None if math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)
