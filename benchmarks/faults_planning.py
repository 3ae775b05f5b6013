"""What faults of a planning model do: each of its answers is broken with probability p.

    python benchmarks/faults_planning.py

A scripted model knows the plan of each of our own requests (tests/data/composite_own.jsonl) and plans before the rules.
Its answers break in the ways named below. Recovered: there is a valid plan all the same. Reported as success: the plan
is the model's though one of its answers was broken, or the rules' and does not say that the model's was left.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quality_plan_sets import graph_of
from quality_plans import OWN, Item, read_composite, score

from nonet.agents.ladder import PlannerLadder
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.planner import RulePlanner
from nonet.agents.protocol import Rung
from nonet.agents.router import Router
from nonet.agents.stepwise import StepwisePlanner
from nonet.errors import CallTimeoutError, IncompleteAnswerError, NonetError
from nonet.runtimes import Message
from nonet.specialists.catalog import default_specialists

KINDS = ("invalid JSON", "a cycle", "self-dependency", "unknown specialist", "time-out", "empty answer", "no answer")


@dataclass
class FaultyDesk:
    """Knows the plan of one item, and says it unless a fault strikes."""

    item: Item
    rng: random.Random
    probability: float
    model: str = "scripted"
    calls: int = 0
    struck: list[str] = field(default_factory=list)

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        del messages, max_completion_tokens
        self.calls += 1
        whole = "steps" in schema.get("properties", {})
        right = self.whole(range(len(self.item.nodes))) if whole else self.decision()
        if self.rng.random() >= self.probability:
            return json.dumps(right)
        kind = self.rng.choice(KINDS)
        self.struck.append(kind)
        return self.broken(kind, right, whole=whole)

    def whole(self, numbers: Iterable[int]) -> dict[str, Any]:
        return {"steps": {f"s{number + 1}": self.step(number) for number in numbers}}

    def decision(self) -> dict[str, Any]:
        return self.step(self.calls - 1) if self.calls <= len(self.item.nodes) else {"specialist": "done"}

    def step(self, number: int) -> dict[str, Any]:
        words = self.item.request.split()
        share = max(1, len(words) // len(self.item.nodes))
        text = " ".join(words[number * share : None if number == len(self.item.nodes) - 1 else (number + 1) * share])
        reads = [f"s{a + 1}" for a, b in self.item.edges if b == number]
        return {"specialist": self.item.nodes[number], "reads": reads, "instruction": f"{number + 1}: {text[:190]}"}

    def broken(self, kind: str, right: dict[str, Any], *, whole: bool) -> str:
        if kind == "time-out":
            raise CallTimeoutError("The model did not answer in time.")
        if kind == "empty answer":
            raise IncompleteAnswerError("The answer is empty.", partial="")
        place = len(self.item.nodes) if whole else self.calls
        wrong = {
            "a cycle": {**self.step(0), "reads": [f"s{place + 1}"]},
            "self-dependency": {**self.step(0), "reads": [f"s{place}"]},
            "unknown specialist": {**self.step(0), "specialist": "wizard"},
        }.get(kind)
        if wrong is not None:
            right = {"steps": {**right["steps"], f"s{place}": wrong}} if whole else wrong
        said = json.dumps(right)
        return {"invalid JSON": said[: max(1, len(said) // 2)], "no answer": ""}.get(kind, said)


@dataclass
class Counts:
    plans: int = 0
    struck: int = 0
    recovered: int = 0
    lost: int = 0
    right: int = 0
    right_struck: int = 0
    calls: int = 0
    hidden: int = 0


async def measure(way: str, probability: float, items: Sequence[Item], rules: RulePlanner) -> Counts:
    specialists = {name: each.description for name, each in default_specialists().items()}
    counts = Counts()
    for number, item in enumerate(items):
        desk = FaultyDesk(item, random.Random(number), probability)
        rung: Rung = {"stepwise": StepwisePlanner, "one-shot": OneShotPlanner}[way](desk, specialists)
        struck = False
        try:
            plan = await PlannerLadder([rung], rules, desk=desk).plan(
                item.request, attached=item.attached, collection=item.collection
            )
            plan.check(frozenset(specialists))
        except (NonetError, ValueError):
            counts.lost += 1
            continue
        finally:
            struck = bool(desk.struck)
            counts.plans += 1
            counts.calls += desk.calls
            counts.struck += struck
        exact = score(*graph_of(plan), item).exact
        told = any(one.planner == way and not one.used for one in plan.tried)
        counts.recovered += struck
        counts.right += exact
        counts.right_struck += struck and exact
        counts.hidden += struck and (plan.planner == way or not told)
    return counts


async def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    items = read_composite(OWN)
    rules = RulePlanner(Router({name: each.examples for name, each in default_specialists().items()}))
    print(f"n={len(items)} requests; faults: {', '.join(KINDS)}")
    for way in ("stepwise", "one-shot"):
        free = await measure(way, 0.0, items, rules)
        for probability in (0.0, 0.1, 0.3, 0.5, 1.0):
            found = await measure(way, probability, items, rules)
            recovery = found.recovered / found.struck if found.struck else 1.0
            right = f"{found.right_struck / found.struck:.3f}" if found.struck else "-"
            extra = (found.calls - free.calls) / found.plans
            each = found.calls / found.plans
            print(
                f"{way:9} p={probability:.1f}: {found.struck:3} plans struck, recovered {recovery:.3f}, of them exact"
                f" {right}; exact over all {found.right / found.plans:.3f}; {each:.2f} calls a plan"
                f" ({extra:+.2f}); lost {found.lost}; reported as success {found.hidden}"
            )


if __name__ == "__main__":
    asyncio.run(main())
