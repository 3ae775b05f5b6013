"""What is said in plain words: a task, run and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.graphs.run import run_task
from nonet.repl.answers import answer_lines

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult
    from nonet.repl.desk import Desk

FAILED = 1


async def task(desk: Desk, said: str) -> int:
    """Run it and show the answer."""
    desk.progress.run = ""
    session = await desk.session()
    return finish(desk, await run_task(session, said, on_event=desk.progress))


def finish(desk: Desk, result: RunResult) -> int:
    """Show how a run ended; the exit status of the same on the command line."""
    desk.engine.show(answer_lines(result))
    return 0 if result.status in {"done", "waiting"} else FAILED
