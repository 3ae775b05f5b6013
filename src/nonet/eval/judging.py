"""Two answers side by side, without names, for people to judge; and what their choices come to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from nonet.eval.statistics import cohens_kappa, sign_test
from nonet.store import EvalChoice, EvalItem

FIRST, SECOND, TIE = "first", "second", "tie"
CHOICES: Final = (FIRST, SECOND, TIE)


@dataclass(frozen=True, slots=True)
class Pair:
    """One item, to be judged."""

    item: str
    request: str
    left: str
    right: str
    left_is: str
    """Whose answer stands on the left: "first" or "second"."""

    def choice(self, side: str) -> str:
        """What "left", "right" or "tie" means without sides."""
        if side == TIE:
            return TIE
        other = SECOND if self.left_is == FIRST else FIRST
        return self.left_is if side == "left" else other


def open_pairs(
    first: Sequence[EvalItem], second: Sequence[EvalItem], judge: str, said: Sequence[EvalChoice], *, seed: int = 0
) -> tuple[list[Pair], int]:
    """What this judge has not judged yet, in an order and with sides of the judge's own; and how many are the same.

    Answers that are the same letter by letter are not shown. Only the seed, the judge's name and the item decide the
    sides, so that a judge who comes back finds them as they were.
    """
    done = {choice.item for choice in said if choice.judge == judge}
    others = {item.item: item for item in second}
    pairs, same = [], 0
    for item in first:
        other = others.get(item.item)
        if other is None or other.request != item.request:
            continue
        if other.answer.strip() == item.answer.strip():
            same += 1
        else:
            pairs.append(_pair(item, other, random.Random(f"{seed}/{judge}/{item.item}")))  # noqa: S311  no secret
    random.Random(f"{seed}/{judge}").shuffle(pairs)  # noqa: S311
    return [pair for pair in pairs if pair.item not in done], same


def _pair(item: EvalItem, other: EvalItem, draw: random.Random) -> Pair:
    if draw.random() < 0.5:  # noqa: PLR2004  a fair coin
        return Pair(item.item, item.request, item.answer, other.answer, FIRST)
    return Pair(item.item, item.request, other.answer, item.answer, SECOND)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on the items that both have judged."""

    judges: tuple[str, str]
    items: int
    same: int
    kappa: float | None
    """Cohen's; None where chance alone explains all they say."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What judges said of a pair of evaluations."""

    by_judge: dict[str, dict[str, int]]
    """By judge: how often each choice, and how often what stood on the left was chosen."""
    together: dict[str, int]
    """By item, what most judges say: how often each; where none leads, a tie."""
    p: float
    """Of the exact sign test on the items that are no ties, all judges together."""
    agreements: tuple[Agreement, ...]

    def to_json(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        return {
            "judges": [{"judge": name, **counts} for name, counts in self.by_judge.items()],
            "together": self.together,
            "p": self.p,
            "agreements": [
                {"judges": list(each.judges), "items": each.items, "same": each.same, "kappa": each.kappa}
                for each in self.agreements
            ],
        }


def verdicts(said: Sequence[EvalChoice]) -> Verdicts:
    """Count the choices, and how far the judges agree."""
    judges = sorted({choice.judge for choice in said})
    by_judge = {judge: _counts([choice for choice in said if choice.judge == judge]) for judge in judges}
    votes: dict[str, Counter[str]] = {}
    for choice in said:
        votes.setdefault(choice.item, Counter())[choice.choice] += 1
    leading = Counter(_leader(counts) for counts in votes.values())
    together = {name: leading[name] for name in CHOICES}
    choices = {judge: {each.item: each.choice for each in said if each.judge == judge} for judge in judges}
    agreements = [_agreement(one, other, choices[one], choices[other]) for one, other in combinations(judges, 2)]
    return Verdicts(by_judge, together, sign_test(together[FIRST], together[SECOND]), tuple(agreements))


def _counts(said: Sequence[EvalChoice]) -> dict[str, int]:
    counts = Counter(choice.choice for choice in said)
    left = sum(choice.choice == choice.left for choice in said)
    return {"items": len(said), **{name: counts[name] for name in CHOICES}, "left": left}


def _leader(votes: Counter[str]) -> str:
    ahead = votes[FIRST] - votes[SECOND]
    if votes[TIE] > max(votes[FIRST], votes[SECOND]) or ahead == 0:
        return TIE
    return FIRST if ahead > 0 else SECOND


def _agreement(one: str, other: str, first: dict[str, str], second: dict[str, str]) -> Agreement:
    both = sorted(first.keys() & second.keys())
    mine, yours = [first[item] for item in both], [second[item] for item in both]
    same = sum(a == b for a, b in zip(mine, yours, strict=True))
    return Agreement((one, other), len(both), same, cohens_kappa(mine, yours))
