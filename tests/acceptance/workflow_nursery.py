"""Runs a workflow in processes that kill themselves in the middle of it. Prints how many it took.

Usage: workflow_nursery.py DATABASE LOG SEED. Each step writes its name into LOG when it begins.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import nonet

ITEMS = 12
CHAIN = 6
left = 0
"""Steps until this process dies; 0: never."""


def note(what: str) -> None:
    """A line into the log."""
    with Path(sys.argv[2]).open("a", encoding="utf-8") as log:
        log.write(f"{what}\n")


def begin(name: str) -> None:
    """Write it down; perhaps die here, with what came before on disk and this not."""
    global left  # noqa: PLW0603  one process, one life
    note(name)
    left -= 1
    if left == 0:
        note("killed")
        os.kill(os.getpid(), signal.SIGKILL)


def link(number: int) -> object:
    async def add(value: int) -> int:
        begin(f"s{number}")
        return value + 1

    return add


def several(value: int) -> list[int]:
    begin("several")
    return list(range(value, value + ITEMS))


async def double(item: int) -> int:
    begin(f"item{item}")
    return 2 * item


def total(doubled: list[int]) -> int:
    begin("total")
    return sum(doubled)


inner = nonet.Workflow("inner")
inner.add("several", function=several)
inner.add("doubled", function=double, each="item in several", at_once=3)
inner.add("total", function=total)
flow = nonet.Workflow("flow", output="whole")
for number in range(CHAIN):
    flow.add(f"s{number}", function=link(number), arguments={"value": f"s{number - 1}" if number else "start"})  # type: ignore[call-overload]
flow.add("whole", workflow=inner, arguments={"value": f"s{CHAIN - 1}"})


def live(life: int, database: str) -> None:
    """One process's part of the run."""
    settings: dict[str, Any] = {"db": database, "runtime": "scripted"}
    result = flow.run({"start": 1}, **settings) if life == 0 else flow.resume("last", **settings)
    print(result.output, flush=True)


def main() -> int:
    """Lives until one of them ends by itself; its exit status."""
    global left  # noqa: PLW0603  of each child
    database, _, seed = sys.argv[1:]
    warm = nonet.Workflow("warm")
    warm.add("one", function=len, arguments={"obj": "text"})
    warm.run({"text": ""}, db=f"{database}.warm", runtime="scripted")  # imports what every life needs
    dice = random.Random(int(seed))
    for life in range(1000):
        child = os.fork()
        if child == 0:
            left = dice.randint(1, 5)
            live(life, database)
            os._exit(0)
        dice.random()  # the children's dice are copies: the next one shall throw another number
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(life, flush=True)
            return os.waitstatus_to_exitcode(status)
    return 1


if __name__ == "__main__":
    sys.exit(main())
