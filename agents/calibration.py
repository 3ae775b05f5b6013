"""Where on the scale of confidence a ladder is to be climbed: the bar that keeps a wanted accuracy at the least cost.

Pure arithmetic over trials: tasks whose right answer is known, answered once on every rung. What is reported was
measured on tasks that the bar was not chosen by (cross-fitting): judged by those it was chosen by, any rule looks good.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Final

FOLDS: Final = 10
_LEVEL: Final = 0.95
_Z: Final = NormalDist().inv_cdf(0.5 + _LEVEL / 2)
_RESAMPLES: Final = 1000
ALWAYS_UP: Final = 1.0
"""No confidence reaches it."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What one rung made of a task."""

    confidence: float
    right: bool
    cost: float
    """In any unit that can be summed: seconds, calls."""


Trial = tuple[Rated, ...]
"""One task on every rung, the smallest model first."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule comes to."""

    accuracy: Interval
    cost: Interval
    """A task."""
    climbed: float
    """Share of the tasks that went beyond the first rung."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A bar, and what it is worth."""

    bar: float
    tasks: int
    expected: Measured
    """By cross-fitting."""
    first_only: Measured
    """The smallest model alone."""
    last_only: Measured
    """The largest model alone, without the others before it."""
    always_up: Measured
    """Every rung, and the result of the most confidence."""


def climbed(trial: Trial, bar: float) -> tuple[bool, float, int]:
    """Whether the ladder ends right, what it costs, and how many rungs it takes, as graphs.attempts climbs it."""
    cost = 0.0
    for place, rated in enumerate(trial):
        cost += rated.cost
        if rated.confidence >= bar:
            return rated.right, cost, place + 1
    best = max(range(len(trial)), key=lambda place: (trial[place].confidence, place))
    return trial[best].right, cost, len(trial)


def choose_bar(trials: Sequence[Trial], wanted: float) -> float | None:
    """The cheapest bar with at least the wanted accuracy on these trials; of equals the lowest. None: none has it."""
    candidates = sorted({0.0, ALWAYS_UP, *(rated.confidence for trial in trials for rated in trial[:-1])})
    best: tuple[float, float] | None = None
    for bar in candidates:
        ended = [climbed(trial, bar) for trial in trials]
        if sum(right for right, _, _ in ended) < wanted * len(trials) - 1e-9:
            continue
        cost = fmean(cost for _, cost, _ in ended)
        if best is None or cost < best[0] - 1e-12:
            best = cost, bar
    return best[1] if best is not None else None


def calibrate(trials: Sequence[Trial], wanted: float, *, seed: int = 0) -> Calibration | None:
    """The bar for all trials, with what it is worth on tasks it was not chosen by. None: no bar has the accuracy.

    Raises:
        ValueError: fewer than two trials, or trials of different ladders.
    """
    if len(trials) < 2 or len({len(trial) for trial in trials}) != 1:  # noqa: PLR2004 - one to choose by, one to judge
        raise ValueError("a calibration needs at least two tasks, each tried on every rung")
    bar = choose_bar(trials, wanted)
    if bar is None:
        return None
    return Calibration(
        bar=bar,
        tasks=len(trials),
        expected=_measured(_cross_fitted(trials, wanted, seed)),
        first_only=_measured([climbed(trial[:1], 0.0) for trial in trials]),
        last_only=_measured([climbed(trial[-1:], 0.0) for trial in trials]),
        always_up=_measured([climbed(trial, ALWAYS_UP) for trial in trials]),
    )


def best_reachable(trials: Sequence[Trial]) -> float:
    """The highest accuracy that any bar has on these trials."""
    return _best(trials)[0]


def _best(trials: Sequence[Trial]) -> tuple[float, float]:
    """The highest accuracy of any bar, and the lowest bar that has it."""
    bars = sorted({0.0, ALWAYS_UP, *(rated.confidence for trial in trials for rated in trial[:-1])})
    accuracy, bar = max((fmean(climbed(trial, bar)[0] for trial in trials), -bar) for bar in bars)
    return accuracy, -bar


def _cross_fitted(trials: Sequence[Trial], wanted: float, seed: int) -> list[tuple[bool, float, int]]:
    """Each trial under the bar that the other folds choose; their best where none has the wanted accuracy."""
    order = list(range(len(trials)))
    random.Random(seed).shuffle(order)  # noqa: S311  folds are no secret
    ended: list[tuple[bool, float, int]] = []
    folds = min(FOLDS, len(trials))
    for fold in range(folds):
        held = set(order[fold::folds])
        others = [trial for at, trial in enumerate(trials) if at not in held]
        chosen = choose_bar(others, wanted)
        bar = _best(others)[1] if chosen is None else chosen
        ended += [climbed(trials[at], bar) for at in sorted(held)]
    return ended


def _measured(ended: Sequence[tuple[bool, float, int]]) -> Measured:
    costs = [cost for _, cost, _ in ended]
    return Measured(
        accuracy=wilson(sum(right for right, _, _ in ended), len(ended)),
        cost=bootstrap(costs),
        climbed=fmean(rungs > 1 for _, _, rungs in ended),
    )


def wilson(right: int, count: int) -> Interval:
    """A share with Wilson's interval (1927), which holds near 0 and 1 and for few tasks too.

    >>> wilson(8, 10)
    Interval(mean=0.8, low=0.49016..., high=0.94331...)
    """
    share = right / count
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def bootstrap(values: Sequence[float], *, seed: int = 0) -> Interval:
    """A mean with the percentile interval of a thousand resamples."""
    draw = random.Random(seed)  # noqa: S311  nor are resamples
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    low, high = (means[round(end * (_RESAMPLES - 1))] for end in ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return Interval(fmean(values), low, high)
