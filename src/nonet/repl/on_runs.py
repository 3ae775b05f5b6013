"""Runs: list them, look at one, go on with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.commands_runs import RESUMABLE, when
from nonet.errors import RunNotFoundError, UsageError
from nonet.graphs.records import result_of_run, workflow_of_run
from nonet.render import columns, text
from nonet.repl import on_workflow
from nonet.repl.tasks import finish
from nonet.stories import story_lines
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.repl.desk import Desk
    from nonet.store import RunRecord

_LISTED = 20
_TASK_CHARACTERS = 40


async def runs(desk: Desk, words: str) -> None:
    """The newest runs, those of this session marked; or the whole story of one."""
    if words and not words.isdigit():
        record = named(desk, words)
        desk.engine.show(story_lines(record, result_of_run(record)))
        return
    found = desk.store.runs.list(int(words or _LISTED))
    mine = set(desk.store.sessions.runs(desk.record.id))
    rows = [
        [
            "*" if each.id in mine else " ",
            each.id,
            when(each.created_at_s),
            each.status,
            each.verdict or "-",
            one_line(each.task, _TASK_CHARACTERS),
        ]
        for each in found
    ]
    desk.engine.show(columns(rows, ("", "bold", "dim"), indent="") or [text("There are no runs yet.")])


def named(desk: Desk, word: str) -> RunRecord:
    """The run the user means; "last" is the last of this session. Raises RunNotFoundError."""
    word = word.lstrip("@")
    if word in {"", "last"}:
        mine = desk.store.sessions.runs(desk.record.id, 1)
        if not mine:
            raise RunNotFoundError("Nothing was run in this session yet.", next_step="/runs lists all runs.")
        return desk.store.runs.get(mine[0])
    return desk.store.runs.get(word)


async def resume(desk: Desk, words: str) -> int:
    """Go on with a run that was stopped; without a name, the newest of this session that can go on, then of all."""
    from nonet.graphs.run import resume_run  # noqa: PLC0415

    record = named(desk, words) if words else _unfinished(desk)
    if record.status == "waiting":
        raise UsageError(f"Run {record.id} waits for its plan to be approved.", next_step="/plan approve runs it.")
    if workflow_of_run(record) is not None:
        return await on_workflow.resume(desk, record)
    session = await desk.session()
    if record.runtime != session.runtime.name:
        raise UsageError(
            f"Run {record.id} was made on the {record.runtime} runtime; this session uses {session.runtime.name}.",
            next_step=f"/set runtime {record.runtime}, then /resume {record.id}.",
        )
    result = await resume_run(session, record.id, on_event=desk.progress)
    await (await desk.talk()).take_up(result)
    return finish(desk, result)


def _unfinished(desk: Desk) -> RunRecord:
    mine = [desk.store.runs.get(run) for run in reversed(desk.store.sessions.runs(desk.record.id))]
    for record in mine:
        if record.status in RESUMABLE:
            return record
    for summary in desk.store.runs.list(1000):
        if summary.status in RESUMABLE:
            return desk.store.runs.get(summary.id)
    raise RunNotFoundError("There is no run that was stopped.", next_step="/resume RUN goes on with a failed one.")
