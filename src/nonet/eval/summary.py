"""What came of an evaluation, and of two side by side: numbers for every form they are shown in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from statistics import fmean
from typing import Any, Final

from nonet.agents.calibration import Interval
from nonet.errors import UsageError
from nonet.eval.grading import likelihood
from nonet.eval.libraries import bleu, chrf
from nonet.eval.statistics import Paired, compare_scores, mean_of
from nonet.eval.suites import SUITES
from nonet.store import EvalItem, EvalRecord

_RIGHT: Final = 1.0
_RESAMPLES: Final = 200
_COSTS: Final = ("calls", "prompt_tokens", "completion_tokens", "seconds", "swaps", "escalations")


@dataclass(frozen=True, slots=True)
class Summary:
    """One evaluation."""

    record: EvalRecord
    items: int
    known: int | None
    """Of them: answered by an earlier command. None: it is only shown."""
    metrics: Mapping[str, Interval]
    """By name, the one that decides first; means with the intervals of resampled items."""
    groups: Mapping[str, tuple[int, float]]
    """By kind of item: how many, and the mean of the first metric."""
    verdicts: Mapping[str, tuple[int, int]]
    """By nonet's verdict: how many such answers have the full score of the first metric, and how many less."""
    usage: Mapping[str, Any]
    """Of all items together; joules are None where they are not known of any."""
    errors: int
    """Items that ended in an error; they count as wrong."""

    @property
    def metric(self) -> str:
        """The one that decides."""
        return SUITES[self.record.suite].metric

    def to_json(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        fields = asdict(self.record)
        return {
            "eval": fields.pop("id"),
            **fields,
            "items": self.items,
            "known": self.known,
            "metric": self.metric,
            "metrics": {name: asdict(interval) for name, interval in self.metrics.items()},
            "groups": {name: {"items": count, "mean": mean} for name, (count, mean) in self.groups.items()},
            "verdicts": {name: {"right": right, "wrong": wrong} for name, (right, wrong) in self.verdicts.items()},
            "usage": dict(self.usage),
            "errors": self.errors,
        }


def summarize(
    record: EvalRecord, items: Sequence[EvalItem], *, known: int | None = None, seed: int | None = None
) -> Summary:
    """Add up what an evaluation gave.

    Args:
        record: which one.
        items: those that count.
        known: how many of them an earlier command answered.
        seed: of the resamples; that of the evaluation if none is given.
    """
    if record.suite not in SUITES:
        raise UsageError(f"The evaluation {record.id} is of the suite {record.suite}, which this nonet does not have.")
    suite = SUITES[record.suite]
    seed = int(record.facts.get("seed", 0)) if seed is None else seed
    groups: dict[str, list[float]] = defaultdict(list)
    verdicts: Counter[tuple[str, bool]] = Counter()
    for item in items:
        score = item.scores.get(suite.metric, 0.0)
        groups[item.group].append(score)
        if item.verdict:
            verdicts[item.verdict, score >= _RIGHT] += 1
    return Summary(
        record=record,
        items=len(items),
        known=known,
        metrics={name: found for name in suite.metrics if (found := _metric(name, items, seed)) is not None},
        groups={name: (len(scores), fmean(scores)) for name, scores in sorted(groups.items())},
        verdicts={
            name: (verdicts[name, True], verdicts[name, False]) for name in sorted({name for name, _ in verdicts})
        },
        usage=_usage(items),
        errors=sum("error" in item.facts for item in items),
    )


def _metric(name: str, items: Sequence[EvalItem], seed: int) -> Interval | None:
    """None where no item has it."""
    some = [item for item in items if name in item.scores]
    if not some:
        return None
    if name in ("bits_per_byte", "perplexity"):
        return _of_all(lambda each: likelihood([item.facts for item in each])[name], some, seed)
    if name in ("chrf", "bleu"):
        measure = chrf if name == "chrf" else bleu
        return _of_all(
            lambda each: measure([item.answer for item in each], [item.facts["references"] for item in each]) / 100,
            some,
            seed,
        )
    return mean_of([item.scores[name] for item in some], seed=seed)


def _of_all(value: Callable[[Sequence[EvalItem]], float], items: Sequence[EvalItem], seed: int) -> Interval:
    """A measure of the whole set, which is no mean of single ones, with the interval of resampled items."""
    draw = Random(seed)  # noqa: S311  resamples are no secret
    values = sorted(value(draw.choices(items, k=len(items))) for _ in range(_RESAMPLES))
    low, high = (values[round(end * (_RESAMPLES - 1))] for end in (0.025, 0.975))
    return Interval(value(items), low, high)


def _usage(items: Sequence[EvalItem]) -> dict[str, Any]:
    joules = [item.usage["joules"] for item in items if item.usage.get("joules") is not None]
    total: dict[str, Any] = {name: sum(item.usage.get(name, 0) for item in items) for name in _COSTS}
    return {**total, "joules": sum(joules) if joules else None}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two evaluations of a suite on the items that both have."""

    ours: EvalRecord
    theirs: EvalRecord
    metric: str
    paired: Paired
    ours_mean: float
    theirs_mean: float
    won: tuple[str, ...]
    lost: tuple[str, ...]
    left_out: int
    """Items that only one of the two has, or that ask something else in it."""

    def to_json(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        return {
            "suite": self.ours.suite,
            "eval": self.ours.id,
            "arm": self.ours.arm,
            "models": self.ours.models,
            "against": self.theirs.id,
            "against_arm": self.theirs.arm,
            "against_models": self.theirs.models,
            "metric": self.metric,
            "items": self.paired.wins + self.paired.losses + self.paired.ties,
            "mean": self.ours_mean,
            "against_mean": self.theirs_mean,
            "difference": asdict(self.paired.difference),
            "wins": self.paired.wins,
            "losses": self.paired.losses,
            "ties": self.paired.ties,
            "p": self.paired.p,
            "won": list(self.won),
            "lost": list(self.lost),
            "left_out": self.left_out,
        }


def compare(
    ours: EvalRecord, our_items: Sequence[EvalItem], theirs: EvalRecord, their_items: Sequence[EvalItem]
) -> Comparison:
    """Compare item by item. Raises UsageError where the two have nothing in common."""
    if ours.suite != theirs.suite:
        raise UsageError(
            f"{ours.id} is of the suite {ours.suite} and {theirs.id} of {theirs.suite}.",
            next_step="Only evaluations of one suite can be compared; `nonet eval list` shows them.",
        )
    metric = SUITES[ours.suite].metric
    other = {item.item: item for item in their_items}
    pairs = [
        (item, other[item.item])
        for item in our_items
        if item.item in other and other[item.item].request == item.request
    ]
    if not pairs:
        raise UsageError(
            f"{ours.id} and {theirs.id} have no item in common.",
            next_step="Measure both on the same data with the same --seed.",
        )
    sign = -1.0 if SUITES[ours.suite].lower_is_better else 1.0
    mine = [item.scores.get(metric, 0.0) for item, _ in pairs]
    yours = [item.scores.get(metric, 0.0) for _, item in pairs]
    better = [sign * (a - b) for a, b in zip(mine, yours, strict=True)]
    return Comparison(
        ours=ours,
        theirs=theirs,
        metric=metric,
        paired=compare_scores(better, seed=int(ours.facts.get("seed", 0))),
        ours_mean=fmean(mine),
        theirs_mean=fmean(yours),
        won=tuple(item.item for (item, _), by in zip(pairs, better, strict=True) if by > 0),
        lost=tuple(item.item for (item, _), by in zip(pairs, better, strict=True) if by < 0),
        left_out=len({item.item for item in our_items} | other.keys()) - len(pairs),
    )
