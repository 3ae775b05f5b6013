"""Plans: show one, change it, approve it; and running a task as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonet.approval import EditError, edited
from nonet.errors import UsageError
from nonet.graphs.context import Decision
from nonet.graphs.records import plan_of, workflow_of_run
from nonet.graphs.run import resume_run, run_task
from nonet.render import plan_lines, text
from nonet.repl import on_workflow
from nonet.repl.on_runs import named
from nonet.repl.tasks import finish

if TYPE_CHECKING:
    from nonet.agents.plan import Plan
    from nonet.repl.desk import Desk
    from nonet.store import RunRecord

_EDITS = ("drop", "reroute", "reword")
_APPROVALS = ("approve", "accept", "refuse")


async def plan(desk: Desk, words: str) -> int | None:
    """Show the plan that waits, or that of the last run; change it; approve it; or make one for a task."""
    verb = words.partition(" ")[0]
    if not words:
        waiting = _waiting(desk)
        record = waiting or named(desk, "last")
        made = await _edited_plan(desk, record)
        lines = plan_lines(made) if made is not None else [text(f"Run {record.id} has no plan.")]
        desk.engine.show([*lines, text((f"run {record.id}, {record.status}", "dim"))])
        return None
    if words in _APPROVALS:
        return await _decide(desk, words)
    if verb in _EDITS and _waiting(desk) is not None:
        await _change(desk, words)
        return None
    talk = await desk.talk()
    return finish(desk, await talk.say(words, wants_approval=True, on_event=desk.progress))


async def run(desk: Desk, words: str) -> int:
    """Run a task without reading it as a follow-up; without one, the plan that waits."""
    if not words:
        return await _decide(desk, "approve")
    talk = await desk.talk()
    result = await run_task(talk.session, words, on_event=desk.progress)
    await talk.take_up(result)
    return finish(desk, result)


def _waiting(desk: Desk) -> RunRecord | None:
    for run_id in reversed(desk.store.sessions.runs(desk.record.id, 20)):
        record = desk.store.runs.get(run_id)
        if record.status == "waiting":
            return record
    return None


def _needed(desk: Desk) -> RunRecord:
    record = _waiting(desk)
    if record is None:
        raise UsageError(
            "No plan waits for approval.", next_step="/plan TASK makes one; /set approve on, for all tasks."
        )
    return record


async def _edited_plan(desk: Desk, record: RunRecord) -> Plan | None:
    """The plan as the user has changed it so far; the change is kept with the session until it is approved."""
    made = plan_of(record)
    kept = (await desk.talk()).state.get("plan", {})
    if made is None or kept.get("run") != record.id:
        return made
    return type(made).model_validate(kept["plan"])


async def _change(desk: Desk, words: str) -> None:
    record = _needed(desk)
    talk = await desk.talk()
    before = await _edited_plan(desk, record)
    if before is None:
        raise UsageError(f"Run {record.id} has no plan.")
    try:
        after = edited(before, words, frozenset(talk.session.specialists), talk.session.settings.max_subtasks)
    except EditError as error:
        raise UsageError(str(error), next_step="/plan shows it; /help plan tells how to change it.") from error
    talk.state["plan"] = {"run": record.id, "plan": after.model_dump(mode="json")}
    await talk.keep()
    desk.engine.show(plan_lines(after))


async def _decide(desk: Desk, word: str) -> int:
    record = _needed(desk)
    if workflow_of_run(record) is not None:
        return await on_workflow.resume(desk, record, word)
    talk = await desk.talk()
    changed = await _edited_plan(desk, record)
    decision = Decision("accept")
    if word == "refuse":
        decision = Decision("refuse")
    elif changed is not None and changed != plan_of(record):
        decision = Decision("edit", changed)
    desk.progress.run = record.id
    result = await resume_run(talk.session, record.id, decision=decision, on_event=desk.progress)
    talk.state.pop("plan", None)
    await talk.take_up(result)
    if result.status == "refused":
        desk.engine.show([text(f"The plan of run {record.id} is refused; nothing was run.")])
        return 0
    return finish(desk, result)
