"""Faults injected into every call with probability p: what is recovered, what it costs, and what is told wrongly.

    python benchmarks/faults.py [--runs 60]

A plan of four subtasks (code with a test, a question, a summary, small talk) runs on a scripted model that knows the
answers and goes wrong with probability p at each call: a time-out, a stream that breaks off, an empty answer, invalid
JSON, noise, or half an answer. The ladder has two rungs with the same odds. Code is run in the sandbox.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes.faulty import PLAN, FaultyModel, Injected, inject, is_right

from nonet.specialists import Verdict

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


async def measured(share: float, runs: int) -> list[Injected]:
    with tempfile.TemporaryDirectory() as folder:
        return [await inject(Path(folder), FaultyModel(share, seed=seed)) for seed in range(runs)]


def row(share: float, found: list[Injected], calls_without: float) -> str:
    subtasks = len(found) * len(PLAN.subtasks)
    ended = [each for one in found for each in one.result.subtasks]
    wrong = [each for each in ended if each.verdict != Verdict.FAILED and not is_right(each.specialist, each.text)]
    calls = sum(one.result.usage.calls for one in found) / len(found)
    failed = sum(each.verdict == Verdict.FAILED for each in ended)
    faults, hit = sum(one.faults.total() for one in found), sum(len(one.hit) for one in found)
    recovered = sum(len(one.hit & one.ended_right) for one in found)
    return (
        f"| {share:.2f} | {faults} | {f'{recovered / hit:.3f} of {hit}' if hit else '-'} | "
        f"{calls:.1f} ({calls - calls_without:+.1f}) | {failed / subtasks:.3f} | "
        f"{sum(each.verdict == Verdict.UNVERIFIED for each in wrong) / subtasks:.3f} | "
        f"{sum(each.verdict == Verdict.VERIFIED for each in wrong)} | {sum(bool(one.lies) for one in found)} |"
    )


async def report(runs: int) -> None:
    print(f"{runs} runs of {len(PLAN.subtasks)} subtasks at each p")
    heads = ["p", "faults", "recovered, of the subtasks hit", "calls a run (extra)", "failed, told"]
    heads += ["wrong, unverified", "wrong, verified", "told wrongly"]
    print(f"| {' | '.join(heads)} |")
    print("|---:" * len(heads) + "|")
    without = 0.0
    for share in SHARES:
        found = await measured(share, runs)
        without = without or sum(one.result.usage.calls for one in found) / len(found)
        print(row(share, found, without), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    asyncio.run(report(parser.parse_args().runs))


if __name__ == "__main__":
    main()
