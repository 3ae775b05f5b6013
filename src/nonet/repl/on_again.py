"""Doing a run again: from a part on, with a change, by larger models; and forgetting the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.approval import EditError, edited
from nonet.errors import UsageError
from nonet.graphs.fork import fork_run, retry_bigger
from nonet.graphs.records import plan_of, workflow_of_run
from nonet.render import text
from nonet.repl import on_workflow
from nonet.repl.on_runs import named
from nonet.repl.tasks import finish

if TYPE_CHECKING:
    from nonet.repl.desk import Desk

_EDITS = ("drop", "reroute", "reword")


async def fork(desk: Desk, words: str) -> int:
    """A new run from an old one: `/fork RUN s2`, `/fork RUN reword s2 TEXT`."""
    first, _, rest = words.partition(" ")
    if first in _EDITS or (first.startswith("s") and first[1:].isdigit()):
        first, rest = "last", words
    record = named(desk, first)
    if workflow_of_run(record) is not None:
        return await on_workflow.fork(desk, record, rest.split())
    talk = await desk.talk()
    rest = rest.strip()
    plan = None
    again: list[str] = []
    if rest.partition(" ")[0] in _EDITS:
        before = plan_of(record)
        if before is None:
            raise UsageError(f"Run {record.id} has no plan to change.")
        try:
            plan = edited(before, rest, frozenset(talk.session.specialists), talk.session.settings.max_subtasks)
        except EditError as error:
            raise UsageError(str(error), next_step="/help fork tells how it is written.") from error
    else:
        again = rest.split()
    result = await fork_run(talk.session, record.id, again=again, plan=plan, on_event=desk.progress)
    await talk.take_up(result)
    return finish(desk, result)


async def retry(desk: Desk, words: str) -> int:
    """Do the last run again; `bigger`: what is not verified, by larger models."""
    bigger = words.split()[:1] == ["bigger"]
    rest = words.removeprefix("bigger").strip() if bigger else words
    record = named(desk, rest)
    talk = await desk.talk()
    if bigger:
        result = await retry_bigger(talk.session, record.id, on_event=desk.progress)
    else:
        parts = [each.id for each in record.subtasks if each.verdict != "verified"] or [e.id for e in record.subtasks]
        result = await fork_run(talk.session, record.id, again=parts, on_event=desk.progress)
    await talk.take_up(result)
    return finish(desk, result)


async def undo(desk: Desk, words: str) -> None:
    """Forget the last run in this session."""
    if words:
        raise UsageError("/undo takes no words; it is about the last run.")
    run = await (await desk.talk()).undo()
    said = f"Run {run} is no longer part of this session; /runs {run} still shows it." if run else "Nothing to undo."
    desk.engine.show([text(said)])
