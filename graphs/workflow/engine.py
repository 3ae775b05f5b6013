"""Runs the steps of a workflow: each starts the moment what it reads is there. No waves, no barrier between them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from nonet.graphs.workflow.checking import Checked
from nonet.graphs.workflow.flow import Flow, Value
from nonet.graphs.workflow.performing import Scope, perform


async def run_steps(flow: Flow, checked: Checked, given: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
    """Run every step; what each came to, by name.

    The first error that ends the run (no server, no disk, no budget) cancels what is still at work, and is raised
    when all of it has stopped; finished steps are in the store by then.

    Args:
        given: the inputs.
        prefix: of the ids under which steps are kept; empty for the workflow itself.
    """
    values = dict(given)
    sorter = checked.sorter()
    ended: asyncio.Queue[str] = asyncio.Queue()
    running: dict[str, asyncio.Task[Value]] = {}

    def start(name: str) -> None:
        work = perform(flow, checked.steps[name], Scope(values, prefix, frozenset(checked.steps), run_steps))
        task = asyncio.ensure_future(work)
        running[name] = task
        task.add_done_callback(lambda _task: ended.put_nowait(name))

    try:
        while sorter.is_active():
            for name in sorter.get_ready():
                start(name)
            name = await ended.get()
            values[name] = running.pop(name).result()
            sorter.done(name)
    finally:
        for task in running.values():
            task.cancel()
        if running:
            await asyncio.gather(*running.values(), return_exceptions=True)
    return {name: values[name] for name in checked.steps}
