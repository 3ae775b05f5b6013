"""How well one model plans: choices averaged over orders, step by step, and in one shot, beside the rules.

    python benchmarks/quality_plans_models.py --data FOLDER --model smollm2:135m [--each 1] [--sets routing composite]

Every set of items is sampled evenly, and n is printed: on two cores a 1.5B model takes a minute for a plan. The prompts
are those that a run uses; they were not made on these items. "sure" is what a run would act on: a choice that won in
three of four orders, a plan that its own checks do not doubt.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from quality_plan_sets import DOMAINS, domain_items, graph_of, hop_items, tool_items
from quality_plans import Item, read_composite, read_rows, score

from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import ask_reads, ask_specialist
from nonet.agents.planner import RulePlanner
from nonet.agents.protocol import Rung
from nonet.agents.router import Router
from nonet.agents.stepwise import StepwisePlanner
from nonet.errors import PlanError
from nonet.eval.plans import f1
from nonet.graphs.measuring import RuntimeDesk
from nonet.runtimes.choosing import Option
from nonet.runtimes.embedded import EmbeddedRuntime
from nonet.specialists.catalog import default_specialists


@dataclass
class Tally:
    """Sums over items."""

    n: int = 0
    right: int = 0
    sure: int = 0
    sure_right: int = 0
    valid: int = 0
    node: float = 0.0
    edge: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)

    def choices(self) -> str:
        trusted = f"{self.sure_right} of {self.sure} sure ones right"
        return f"n={self.n} right {self.right / self.n:.2f}, {trusted}; chosen: {dict(self.answers)}"

    def plans(self) -> str:
        means = f"node F1 {self.node / self.n:.2f}, edge F1 {self.edge / self.n:.2f}, exact {self.right / self.n:.2f}"
        return (
            f"n={self.n} valid {self.valid / self.n:.2f}, {means}; {self.sure_right} of {self.sure} sure ones exact"
            + (f"; none: {dict(self.answers)}" if self.answers else "")
        )


def sampled(rows: Sequence[Any], each: int, key: Callable[[Any], str]) -> list[Any]:
    """So many of every group, in order."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[key(row)] += 1
        if seen[key(row)] <= each:
            kept.append(row)
    return kept


async def choosing(desk: RuntimeDesk, items: Sequence[tuple[str, str]], specialists: Mapping[str, str]) -> Tally:
    """Items are (request, label)."""
    tally = Tally()
    options = [Option(name, description) for name, description in specialists.items()]
    for request, label in items:
        choice = await ask_specialist(desk.ask, request, options)
        tally.n += 1
        tally.right += choice.name == label
        tally.sure += choice.sure
        tally.sure_right += choice.sure and choice.name == label
        tally.answers[choice.name] += 1
    return tally


async def planning(rung: Rung, items: Sequence[Item]) -> Tally:
    """A plan that is none scores nothing."""
    tally = Tally()
    for item in items:
        tally.n += 1
        try:
            plan = await rung.plan(item.request, attached=item.attached, collection=item.collection)
        except PlanError as error:
            tally.answers[error.message[:60]] += 1
            continue
        nodes, edges = graph_of(plan)
        result = score(nodes, edges, item)
        tally.valid += 1
        tally.node += result.node_f1
        tally.edge += result.edge_f1
        tally.right += result.exact
        tally.sure += not plan.doubts
        tally.sure_right += result.exact and not plan.doubts
    return tally


async def dependencies(desk: RuntimeDesk, rows: Sequence[Mapping[str, Any]]) -> tuple[float, float, int]:
    """Edge F1 by the model and by a pure chain, on AsyncHow's steps; and the steps it gave no sure answer for."""
    by_model = by_chain = 0.0
    unsure = 0
    for row in rows:
        names = sorted(row["steps"], key=int)
        wanted = Counter((str(a), str(b)) for a, b in row["edges"])
        found: Counter[tuple[str, str]] = Counter()
        for place in range(1, len(names)):
            reads = await ask_reads(desk.ask, row["steps"][names[place]], [row["steps"][one] for one in names[:place]])
            unsure += reads is None
            found.update((names[one], names[place]) for one in (reads if reads is not None else (place - 1,)))
        by_model += f1(found, wanted)
        by_chain += f1(Counter(pairwise(names)), wanted)
    return by_model / len(rows), by_chain / len(rows), unsure


class Report:
    """Prints a line a measurement, with what it cost."""

    def __init__(self, desk: RuntimeDesk) -> None:
        self._desk = desk
        self._calls, self._started = 0, time.monotonic()

    def line(self, name: str, text: str) -> None:
        calls, seconds = self._desk.calls - self._calls, time.monotonic() - self._started
        self._calls, self._started = self._desk.calls, time.monotonic()
        print(f"{self._desk.model:20} {name:24} {text}; {calls} calls, {seconds:.0f} s", flush=True)


async def measure(  # noqa: PLR0917
    desk: RuntimeDesk, folder: Path, sets: Sequence[str], each: int, most: int | None, ways: Sequence[str]
) -> None:
    shipped = default_specialists()
    specialists = {name: one.description for name, one in shipped.items()}
    rules = RulePlanner(Router({name: one.examples for name, one in shipped.items()}))
    report = Report(desk)
    if "routing" in sets:
        rows = sampled(read_rows(folder / "routing.dev.jsonl"), 2 * each, lambda row: row["label"])[:most]
        found = await choosing(desk, [(row["request"][:600], row["label"]) for row in rows], specialists)
        report.line("routing", found.choices())
    if "workbench" in sets:
        alone = [(request, domains[0]) for request, domains in domain_items(folder) if len(domains) == 1]
        domains = {name: description for name, (description, _) in DOMAINS.items()}
        found = await choosing(desk, sampled(alone, each, lambda item: item[1])[:most], domains)
        report.line("workbench, one domain", found.choices())
    if "composite" in sets:
        items = sampled(read_composite(folder / "composite.dev.jsonl"), each, lambda item: item.group)[:most]
        report.line("composite, rules", (await planning(rules, items)).plans())
        rungs: tuple[Rung, ...] = (OneShotPlanner(desk, specialists), StepwisePlanner(desk, specialists))
        for rung in (rung for rung in rungs if rung.name in ways):
            report.line(f"composite, {rung.name}", (await planning(rung, items)).plans())
    if "musique" in sets:
        hops = sampled(hop_items(folder), 2 * each, lambda item: item.group)[: 4 * each]
        report.line("musique, rules", (await planning(rules, hops)).plans())
        looks = OneShotPlanner(desk, {"retrieval": specialists["retrieval"]})
        report.line("musique, one-shot", (await planning(looks, hops)).plans())
    if "restbench" in sets:
        tools, descriptions = tool_items(folder)
        tools = sampled(tools, 2 * each, lambda item: item.group)[: 4 * each]
        report.line("restbench, one-shot", (await planning(OneShotPlanner(desk, descriptions), tools)).plans())
    if "asynchow" in sets:
        rows = sampled(read_rows(folder / "asynchow.dev.jsonl"), each, lambda row: str(len(row["steps"])))[: 3 * each]
        model, chain, unsure = await dependencies(desk, rows)
        report.line("asynchow", f"n={len(rows)} edge F1 {model:.2f}, of a chain {chain:.2f}, {unsure} steps unsure")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ["routing", "workbench", "composite", "musique", "restbench", "asynchow"]
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--model", required=True)
    parser.add_argument("--each", type=int, default=1, help="items of each group of a set")
    parser.add_argument("--sets", nargs="+", default=every, choices=every)
    parser.add_argument("--most", type=int, help="items of a set at most")
    parser.add_argument("--ways", nargs="+", default=["one-shot", "stepwise"], choices=["one-shot", "stepwise"])
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    runtime = EmbeddedRuntime(threads=options.threads)
    try:
        desk = RuntimeDesk(runtime, options.model)
        await measure(desk, options.data, options.sets, options.each, options.most, options.ways)
    finally:
        await runtime.aclose()


if __name__ == "__main__":
    asyncio.run(main())
