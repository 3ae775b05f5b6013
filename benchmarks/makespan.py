"""How much longer a plan takes than its critical path, with scripted durations, through graph, executor and store.

    python benchmarks/makespan.py --data FOLDER [--items 60] [--seconds 0.5]

FOLDER holds asynchow.dev.jsonl: 200 plans of real life as DAGs with a duration a step. Each is run with its durations
scaled so that its critical path takes `--seconds`; a specialist sleeps as long as its step. The floor is the same plan
with bare asyncio, in turn with nonet in the same run. Then the plan of the issue: a branch of 10 s beside a chain of
three steps of 3 s. An order is violated where a step began before one that it reads had ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome, Verdict


@dataclass
class Sleeper:
    """A specialist that takes the time its instruction names, and notes when."""

    name: str = "sleeper"
    description: str = "sleeps"
    examples: tuple[str, ...] = ("sleep",)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        del desk
        step, seconds = assignment.instruction.split()
        start = time.monotonic()
        await asyncio.sleep(float(seconds))
        self.spans[step] = (start, time.monotonic())
        return Outcome(step, Verdict.UNVERIFIED)


@dataclass(frozen=True)
class Dag:
    id: str
    reads: Mapping[str, tuple[str, ...]]
    seconds: Mapping[str, float]

    def critical_path(self) -> float:
        ends: dict[str, float] = {}
        for step in self.order():
            ends[step] = self.seconds[step] + max((ends[name] for name in self.reads[step]), default=0.0)
        return max(ends.values())

    def order(self) -> list[str]:
        """Every step after those it reads."""
        found: list[str] = []
        while len(found) < len(self.reads):
            found += [
                step for step in self.reads if step not in found and all(one in found for one in self.reads[step])
            ]
        return found

    def scaled(self, critical_seconds: float) -> Dag:
        factor = critical_seconds / self.critical_path()
        return Dag(self.id, self.reads, {step: seconds * factor for step, seconds in self.seconds.items()})

    def plan(self) -> Plan:
        ids = {step: f"s{number}" for number, step in enumerate(self.order(), 1)}
        return Plan(
            planner="user",
            subtasks=tuple(
                Subtask(
                    id=ids[step],
                    specialist="sleeper",
                    instruction=f"{step} {self.seconds[step]:.6f}",
                    inputs=tuple(ids[name] for name in self.reads[step]),
                )
                for step in self.order()
            ),
        )


def read_dags(path: Path) -> list[Dag]:
    dags = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        steps = list(row["steps"])
        reads = {step: tuple(str(a) for a, b in row["edges"] if str(b) == step) for step in steps}
        dags.append(Dag(row["id"], reads, {step: max(1.0, row["duration_s"][step]) for step in steps}))
    return dags


async def with_nonet(session: Session, sleeper: Sleeper, dag: Dag) -> tuple[float, int]:
    """Makespan in seconds from the first step's start, and orders violated. The whole run's wall time is longer."""
    sleeper.spans.clear()
    await drive_plan(session, dag.id, dag.plan(), ())
    spans = sleeper.spans
    violated = sum(spans[step][0] < spans[name][1] for step in dag.reads for name in dag.reads[step])
    return max(end for _, end in spans.values()) - min(start for start, _ in spans.values()), violated


async def bare(dag: Dag) -> float:
    """The same with nothing but asyncio."""
    done = {step: asyncio.Event() for step in dag.reads}

    async def work(step: str) -> None:
        for name in dag.reads[step]:
            await done[name].wait()
        await asyncio.sleep(dag.seconds[step])
        done[step].set()

    started = time.monotonic()
    await asyncio.gather(*map(work, dag.reads))
    return time.monotonic() - started


def told(name: str, ratios: Sequence[float]) -> str:
    ordered = sorted(ratios)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{name:14} median {statistics.median(ordered):.3f}, 95 % below {high:.3f}, most {ordered[-1]:.3f}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with asynchow.dev.jsonl")
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of each critical path")
    options = parser.parse_args()
    dags = [dag.scaled(options.seconds) for dag in read_dags(options.data / "asynchow.dev.jsonl")]
    dags = dags[:: max(1, len(dags) // options.items)][: options.items]
    issue = Dag("issue", {"slow": (), "a": (), "b": ("a",), "c": ("b",)}, {"slow": 10.0, "a": 3.0, "b": 3.0, "c": 3.0})
    sleeper = Sleeper()
    nonet, floor, violated = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(runtime="scripted", db=Path(folder) / "nonet.db", max_subtasks=99, max_depth=99)
        async with await Session.open(settings, specialists={"sleeper": sleeper}) as session:
            await with_nonet(session, sleeper, dags[0])  # LangGraph is imported by the first run
            for dag in dags:
                seconds, wrong = await with_nonet(session, sleeper, dag)
                violated += wrong
                nonet.append(seconds / options.seconds)
                floor.append(await bare(dag) / options.seconds)
            print(f"{len(dags)} plans of AsyncHow, critical path {options.seconds} s; makespan / critical path")
            print(told("nonet", nonet))
            print(told("bare asyncio", floor))
            print(f"orders violated: {violated} of {sum(len(reads) for dag in dags for reads in dag.reads.values())}")
            seconds, _ = await with_nonet(session, sleeper, issue)
            print(f"10 s beside 3 x 3 s: {seconds:.2f} s, {seconds / issue.critical_path():.3f} of the critical path")


if __name__ == "__main__":
    asyncio.run(main())
