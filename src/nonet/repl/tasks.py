"""What is said in plain words: a task or a follow-up, run and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.render import plan_lines, text
from nonet.repl.answers import answer_lines

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult
    from nonet.repl.desk import Desk

FAILED = 1


async def task(desk: Desk, said: str) -> int:
    """Run it and show the answer; with `/set approve on`, show its plan and wait."""
    talk = await desk.talk()
    if "@" in said:
        desk.documents_changed()
    approve = bool(talk.state.get("approve"))
    return finish(desk, await talk.say(said, wants_approval=approve, on_event=desk.progress))


def finish(desk: Desk, result: RunResult) -> int:
    """Show how a run ended; the exit status of the same on the command line."""
    if result.status == "waiting" and result.plan is not None:
        desk.engine.show(
            [*plan_lines(result.plan), text(("/plan approve runs it; /help plan tells how to change it.", "dim"))]
        )
        return 0
    desk.engine.show([*answer_lines(desk.store, result), text()])
    return 0 if result.status == "done" else FAILED
