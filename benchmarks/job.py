"""What the job costs through nonet, beside the floors, in one run.

    python benchmarks/job.py [--reps 5] [--tasks 100] [--at-once 64]

Each repetition runs every peer in a fresh process, interleaved, against the same scripted server. Prints CPU a task at
zero latency, calls and prompt bytes, and how close 64 tasks at once come to the ideal at 50 ms a call and 8 slots, as
medians and as ratios to the hand-written LangGraph graph without persistence. The server itself holds a slot a little
longer than 50 ms. What that adds is told apart ("server s"), and "of ideal, own" is without it: what is lost there is
lost because the client left a slot empty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from job_peers import PEERS, task_text

HERE = Path(__file__).parent


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def admin(path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    url = os.environ["BENCH_URL"] + path
    request = urllib.request.Request(url, data=None if data is None else json.dumps(data).encode())
    with urllib.request.urlopen(request) as reply:
        return dict(json.load(reply))


async def measure(name: str, tasks: int, at_once: int) -> dict[str, float]:
    """Inside the peer's own process."""
    peer = PEERS[name]()
    await peer.start()
    admin("/_config", {"latency_ms": 0})
    for number in range(5):
        await run_checked(peer, task_text(number))
    admin("/_reset", {})
    await run_checked(peer, task_text(5))
    counted = admin("/_stats")
    cpu, wall = cpu_seconds(), time.perf_counter()
    for number in range(tasks):
        await run_checked(peer, task_text(number))
    row = {
        "cpu_ms": (cpu_seconds() - cpu) / tasks * 1e3,
        "wall_ms": (time.perf_counter() - wall) / tasks * 1e3,
        "calls": counted["calls"],
        "prompt_bytes": counted["prompt_bytes"],
    }
    admin("/_config", {"latency_ms": 50})
    admin("/_reset", {})
    wall = time.perf_counter()
    await asyncio.gather(*(run_checked(peer, task_text(number)) for number in range(at_once)))
    seconds = time.perf_counter() - wall
    stats = admin("/_stats")
    ideal = stats["calls"] * 0.05 / stats["slots"]
    await peer.stop()
    late = stats["held_s"] / stats["slots"] - ideal
    shares = {"of_ideal": ideal / seconds, "server_s": late, "of_ideal_own": ideal / (seconds - late)}
    return {**row, "at_once_s": seconds, "ideal_s": ideal, **shares}


async def run_checked(peer: Any, task: str) -> None:
    answer = await peer.run(task)
    if "[final]" not in answer:
        raise RuntimeError(f"not an answer: {answer[:200]!r}")


def child(name: str, options: argparse.Namespace, url: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--peer", name]
    command += ["--tasks", str(options.tasks), "--at-once", str(options.at_once)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BENCH_URL": url, "PYTHONPATH": str(HERE)},
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def report(rows: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        name: {key: statistics.median(row[key] for row in each) for key in each[0]} for name, each in rows.items()
    }
    floor = medians["langgraph"]["cpu_ms"]
    print(
        "| peer | CPU ms a task | x LangGraph | calls | prompt bytes | at once s | ideal s | of ideal | server s "
        "| of ideal, own |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, row in medians.items():
        print(
            f"| {name} | {row['cpu_ms']:.2f} | {row['cpu_ms'] / floor:.2f} | {row['calls']:.0f} | "
            f"{row['prompt_bytes']:.0f} | {row['at_once_s']:.2f} | {row['ideal_s']:.2f} | {row['of_ideal']:.0%} | "
            f"{row['server_s']:.2f} | {row['of_ideal_own']:.0%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        print(json.dumps(asyncio.run(measure(options.peer, options.tasks, options.at_once))))
        return
    with subprocess.Popen(
        [sys.executable, str(HERE / "bench_server.py"), "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().split()[-1]}"
            rows: dict[str, list[dict[str, float]]] = {}
            for _ in range(options.reps):
                for name in PEERS:
                    rows.setdefault(name, []).append(child(name, options, url))
            report(rows)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
