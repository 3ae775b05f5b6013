"""What a workflow's step costs, beside the same steps in a LangGraph graph written by hand and in raw asyncio.

    python benchmarks/workflows.py [--steps 10 200] [--wide 1000] [--reps 5]

All peers run in this process, interleaved. Durable means that a step is on disk (SQLite, synchronous=FULL) before the
next begins: LangGraph by its AsyncSqliteSaver with durability="sync", whose state holds one number. The steps are async
functions that add one. Ratios are of the medians of CPU seconds; wall seconds depend on the disk. --growth measures
memory and database of workflows from 250 to 1,000 steps and of maps up to 4,000 items, each in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import operator
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
os.environ["LANGSMITH_TRACING"] = "false"

import nonet

GROWTH_STEPS = (250, 500, 1000)
GROWTH_ITEMS = (250, 1000, 4000)
GOAL = 1.3


async def add_one(value: int) -> int:
    return value + 1


def chain(steps: int) -> nonet.Workflow[Any]:
    flow = nonet.Workflow("chain")
    for number in range(steps):
        source = f"s{number - 1}" if number else "start"
        flow.add(f"s{number}", function=add_one, arguments={"value": source})
    return flow


async def numbers(count: int) -> list[int]:
    return list(range(count))


async def total(doubled: list[int]) -> int:
    return sum(doubled)


def wide() -> nonet.Workflow[Any]:
    flow = nonet.Workflow("wide", output="total")
    flow.add("items", function=numbers)
    flow.add("doubled", function=add_one, each="item in items", arguments={"value": "item"})
    flow.add("total", function=total)
    return flow


class ChainState(TypedDict):
    value: int


class WideState(TypedDict, total=False):
    count: int
    items: list[int]
    item: int
    doubled: Annotated[list[int], operator.add]
    total: int


def langgraph_chain(steps: int, saver: Any) -> Any:
    from langgraph.graph import END, START, StateGraph

    async def node(state: ChainState) -> dict[str, int]:
        return {"value": await add_one(state["value"])}

    graph = StateGraph(ChainState)
    for number in range(steps):
        graph.add_node(f"s{number}", node)
        graph.add_edge(f"s{number - 1}" if number else START, f"s{number}")
    graph.add_edge(f"s{steps - 1}", END)
    return graph.compile(checkpointer=saver)


def langgraph_wide(saver: Any) -> Any:
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    async def items(state: WideState) -> dict[str, Any]:
        return {"items": await numbers(state["count"])}

    async def one(state: WideState) -> dict[str, Any]:
        return {"doubled": [await add_one(state["item"])]}

    async def gather(state: WideState) -> dict[str, Any]:
        return {"total": await total(state["doubled"])}

    graph = StateGraph(WideState)
    graph.add_node("items", items)
    graph.add_node("one", one)
    graph.add_node("gather", gather)
    graph.add_edge(START, "items")
    graph.add_conditional_edges(
        "items", lambda state: [Send("one", {"item": each}) for each in state["items"]], ["one"]
    )
    graph.add_edge("one", "gather")
    graph.add_edge("gather", END)
    return graph.compile(checkpointer=saver)


@asynccontextmanager
async def full_saver(path: Path) -> Any:
    """LangGraph's saver, as durable as nonet's store."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous=FULL")
        yield saver


async def raw_chain(steps: int) -> int:
    value = 0
    for _ in range(steps):
        value = await asyncio.create_task(add_one(value))
    return value


async def raw_wide(count: int) -> int:
    room = asyncio.Semaphore(32)

    async def one(item: int) -> int:
        async with room:
            return await add_one(item)

    return await total(list(await asyncio.gather(*(one(each) for each in await numbers(count)))))


async def measured(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return time.process_time() - cpu, time.perf_counter() - wall


async def overhead(lengths: list[int], count: int, reps: int) -> list[dict[str, Any]]:
    return [row for steps in lengths for row in await compared(steps, 0, reps)] + await compared(0, count, reps)


async def compared(steps: int, count: int, reps: int) -> list[dict[str, Any]]:
    """A chain of so many steps, or a map over so many items."""
    with tempfile.TemporaryDirectory() as folder:
        settings = nonet.Settings(db=Path(folder) / "nonet.db", runtime="scripted")
        async with await nonet.Session.open(settings) as session, full_saver(Path(folder) / "langgraph.db") as saver:
            row, fan = chain(steps or 1), wide()
            bare, kept = langgraph_chain(steps or 1, None), langgraph_chain(steps or 1, saver)
            bare_fan, kept_fan = langgraph_wide(None), langgraph_wide(saver)
            threads = iter(range(10**9))

            def config() -> Any:
                return {"configurable": {"thread_id": str(next(threads))}, "recursion_limit": 10 * max(steps, 3)}

            peers: dict[str, dict[str, Callable[[], Awaitable[object]]]] = {
                f"chain of {steps}": {
                    "raw asyncio": lambda: raw_chain(steps),
                    "LangGraph, nothing kept": lambda: bare.ainvoke({"value": 0}, config()),
                    "LangGraph, durable": lambda: kept.ainvoke({"value": 0}, config(), durability="sync"),
                    "nonet": lambda: row.arun({"start": 0}, session=session),
                },
                f"map over {count}": {
                    "raw asyncio": lambda: raw_wide(count),
                    "LangGraph, nothing kept": lambda: bare_fan.ainvoke({"count": count}, config()),
                    "LangGraph, durable": lambda: kept_fan.ainvoke({"count": count}, config(), durability="sync"),
                    "nonet": lambda: fan.arun({"count": count}, session=session),
                },
            }
            rows = []
            for shape, works in peers.items():
                each = steps if shape.startswith("chain") else count
                if not each:
                    continue
                times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
                for work in works.values():
                    await work()  # imports and caches
                for _ in range(reps):
                    for name, work in works.items():
                        times[name].append(await measured(work))
                floor = statistics.median(cpu for cpu, _ in times["LangGraph, durable"])
                for name, taken in times.items():
                    cpu = statistics.median(seconds for seconds, _ in taken)
                    wall = statistics.median(seconds for _, seconds in taken)
                    rows.append(
                        {
                            "shape": shape,
                            "peer": name,
                            "cpu_us_a_step": cpu / each * 1e6,
                            "wall_us_a_step": wall / each * 1e6,
                            "of_langgraph_durable": cpu / floor,
                        }
                    )
            return rows


def grown(kind: str, size: int) -> dict[str, Any]:
    """One run in this process: its memory beyond what nonet takes anyway, and its database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nonet.db"
        settings: dict[str, Any] = {"db": path, "runtime": "scripted"}
        chain(2).run({"start": 0}, **settings)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        base = path.stat().st_size
        flow, inputs = (chain(size), {"start": 0}) if kind == "steps" else (wide(), {"count": size})
        assert flow.run(inputs, **settings).status == "done"
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "kind": kind,
            "size": size,
            "memory_mb": (after - before) / 1024,
            "database_bytes_each": (path.stat().st_size - base) / size,
        }


def growth() -> list[dict[str, Any]]:
    rows = []
    for kind, sizes in (("steps", GROWTH_STEPS), ("items", GROWTH_ITEMS)):
        for size in sizes:
            command = [sys.executable, __file__, "--one", kind, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[10, 200])
    parser.add_argument("--wide", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="measure memory and database instead")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="an object a line")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(grown(given.one[0], int(given.one[1]))))
        return
    rows = growth() if given.growth else asyncio.run(overhead(given.steps, given.wide, given.reps))
    if given.json:
        for row in rows:
            print(json.dumps(row))
        return
    print(f"| {' | '.join(rows[0])} |")
    print(f"|{'---|' * len(rows[0])}")
    for row in rows:
        print("|", " | ".join(f"{each:.2f}" if isinstance(each, float) else str(each) for each in row.values()), "|")
    if not given.growth:
        ours = [row["of_langgraph_durable"] for row in rows if row["peer"] == "nonet"]
        print(f"\nnonet at most {max(ours):.2f} times LangGraph's own CPU at equal durability (goal: {GOAL})")


if __name__ == "__main__":
    main()
