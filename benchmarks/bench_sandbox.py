"""What a sandbox costs a run, beside the same interpreter started bare, in turns, in one go.

    python benchmarks/bench_sandbox.py --runs 30

Prints for each tier that works here the median of what a run of `pass` takes above the bare subprocess, and how many
times its CPU time; and for the tiers that run commands the same for `true`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from nonet.specialists import Job
from nonet.specialists.sandbox.probe import working_tiers

PYTHON = str(Path(sys.executable).resolve())
TRUE = Job(command=("true",))


@dataclass
class Cost:
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def of(self, work: Callable[[], Awaitable[object]]) -> None:
        cpu, wall = _cpu(), time.perf_counter()
        await work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(_cpu() - cpu)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


async def bare(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, env={}, stdout=asyncio.subprocess.PIPE)
    await process.communicate()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tiers = working_tiers()
    costs: dict[str, Cost] = {"bare Python": Cost(), "bare true": Cost()}
    for _ in range(options.runs):
        await costs["bare Python"].of(lambda: bare(PYTHON, "-I", "-S", "-B", "-c", "pass"))
        await costs["bare true"].of(lambda: bare("/bin/true"))
        for tier, sandbox in tiers.items():
            await costs.setdefault(f"{tier} Python", Cost()).of(lambda s=sandbox: s.run("pass", timeout_seconds=60))
            if sandbox.runs_commands:
                await costs.setdefault(f"{tier} true", Cost()).of(lambda s=sandbox: s.run(TRUE, timeout_seconds=60))
    rows = {}
    for name, cost in costs.items():
        floor = costs["bare " + name.rpartition(" ")[2]]
        above = statistics.median(a - b for a, b in zip(cost.wall, floor.wall, strict=True))
        rows[name] = {
            "wall_ms": round(1000 * statistics.median(cost.wall), 1),
            "above_bare_ms": round(1000 * above, 1),
            "cpu_ms": round(1000 * statistics.median(cost.cpu), 1),
            "cpu_above_bare_ms": round(1000 * (statistics.median(cost.cpu) - statistics.median(floor.cpu)), 1),
        }
    if options.json:
        print(json.dumps(rows))
        return
    print("| | ms | above bare, ms | CPU ms | x bare (CPU) |\n|---|---:|---:|---:|---:|")
    for name, row in rows.items():
        times = row["cpu_ms"] / rows["bare " + name.rpartition(" ")[2]]["cpu_ms"]
        print(f"| {name} | {row['wall_ms']} | {row['above_bare_ms']} | {row['cpu_ms']} | {times:.1f} |")


if __name__ == "__main__":
    asyncio.run(main())
