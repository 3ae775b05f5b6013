"""Queues of documents from within a session: look at them, fill one, work on one."""

from __future__ import annotations

import asyncio
import glob
import shlex
from typing import TYPE_CHECKING

from nonet.batch_live import counts_line, event_line, status_lines
from nonet.commands_batch import work_given
from nonet.commands_batch_run import look_at
from nonet.errors import UsageError
from nonet.graphs.batch_add import add_jobs
from nonet.graphs.batch_inputs import InputOptions, read_inputs
from nonet.graphs.batch_open import batch_of
from nonet.render import columns, text
from nonet.repl.pastes import is_there, opened
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.batch_events import BatchEvent
    from nonet.repl.desk import Desk

_HOW = "/batch, /batch QUEUE, /batch add QUEUE PATH... [TASK], /batch run QUEUE, /batch pause QUEUE, /batch go QUEUE."


async def batch(desk: Desk, words: str) -> int | None:
    """List the queues; or fill, run, hold or show one."""
    try:
        parts = shlex.split(words)
    except ValueError as error:
        raise UsageError(f"It cannot be read: {error}.", next_step=_HOW) from error
    queues = desk.store.queues
    match parts:
        case []:
            _list(desk)
        case ["add", queue, *inputs] if inputs:
            await _add(desk, queue, inputs)
        case ["run", queue]:
            return await _run(desk, queue)
        case ["pause" | "go" as verb, queue]:
            name = queues.get(queue).name
            queues.configure(name, paused=verb == "pause").result()
            desk.engine.show(status_lines(look_at(desk.store, [name], closely=True)))
        case [queue]:
            desk.engine.show(status_lines(look_at(desk.store, [queue], closely=True)))
        case _:
            raise UsageError("It is not understood.", next_step=_HOW)
    return None


def _list(desk: Desk) -> None:
    rows = [
        [
            each.name,
            f"{each.queued + each.delayed:,} waiting",
            f"{each.leased:,} at work",
            f"{each.done:,} done",
            f"{each.dead:,} dead",
            "paused" if each.paused else "",
        ]
        for each in desk.store.queues.queues()
    ]
    desk.engine.show(columns(rows, ("bold",), indent="") or [text("No queues. /batch add QUEUE PATH... makes one.")])


async def _add(desk: Desk, queue: str, words: list[str]) -> None:
    """Words that are paths or patterns of files first; what follows is the task."""
    count = 0
    while count < len(words) and (is_there(opened(words[count])) or glob.has_magic(words[count])):
        count += 1
    inputs, task = words[:count], " ".join(words[count:])
    if not inputs:
        raise UsageError(f"{words[0]} is no file, folder or pattern.", next_step=_HOW)
    work = work_given(desk.door.loaded.settings, task or None, None).to_json()
    skipped: list[tuple[str, str]] = []

    def fill() -> str:
        desk.store.queues.ensure(queue, work).result()
        options = InputOptions(
            max_bytes=desk.store.queues.get(queue).max_bytes, on_skip=lambda path, why: skipped.append((path, why))
        )
        added = add_jobs(desk.store, queue, read_inputs([str(opened(word)) for word in inputs], options), work=work)
        return f"{added.jobs:,} added to {one_line(queue)}, {added.known:,} it had already, {added.refused:,} refused"

    said = await asyncio.to_thread(fill)
    lines = [text(said), *(text(f"skipped  {path}: {why}") for path, why in skipped)]
    desk.engine.show([*lines, text((f"/batch run {one_line(queue)} works on it.", "dim"))])


async def _run(desk: Desk, queue: str) -> int:
    session = await desk.session()
    name = session.store.queues.get(queue).name
    desk.engine.tell({"is": "run", "run": "", "title": f"queue {one_line(name)}"})

    def hear(event: BatchEvent) -> None:
        if said := event_line(event):
            desk.engine.tell({"is": "progress", "line": one_line(said)})
        desk.engine.tell({"is": "usage", "said": counts_line(look_at(session.store, [name]))})

    report = await batch_of(session, [name], on_event=hear).run()
    desk.engine.show(status_lines(look_at(session.store, [name], closely=True)))
    return 1 if report.dead else 0
