"""Workflows of the user's from within a session: list them, look at one, run one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from nonet.commands_workflow import find, inputs_given, lines_of, of_run
from nonet.errors import UsageError
from nonet.graphs.workflow.loading import known_workflows
from nonet.render import columns, text
from nonet.repl.tasks import finish

if TYPE_CHECKING:
    from nonet.graphs.workflow.flow import Approval
    from nonet.graphs.workflow.result import WorkflowResult
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.repl.desk import Desk
    from nonet.store import RunRecord

_HOW = "/workflow, /workflow show NAME, /workflow run NAME [INPUT=VALUE | INPUT=@FILE]..."


async def workflow(desk: Desk, words: str) -> int | None:
    """List those that have a name; show one, or run one."""
    try:
        parts = shlex.split(words)
    except ValueError as error:
        raise UsageError(f"It cannot be read: {error}.", next_step=_HOW) from error
    settings = desk.door.loaded.settings
    match parts:
        case []:
            rows = [[name, place] for name, place in known_workflows(settings.workflows).items()]
            none = [text('None has a name here; nonet.toml gives one: [workflows] triage = "./flows.py:triage".')]
            desk.engine.show(columns(rows, ("bold", "dim"), indent="") or none)
        case ["show", name] | [name]:
            desk.engine.show(lines_of(find(name, settings)))
        case ["run", name, *given]:
            return await _run(desk, find(name, settings), given)
        case _:
            raise UsageError("It is not understood.", next_step=_HOW)
    return None


async def _run(desk: Desk, found: Workflow[Any], given: list[str]) -> int:
    inputs = inputs_given(found, given)
    talk = await desk.talk()
    return await _shown(desk, await found.arun(inputs, session=talk.session, on_event=desk.progress))


async def resume(desk: Desk, record: RunRecord, said: str = "") -> int:
    """Go on with a workflow's run; `said` of the steps that wait: "accept" or "refuse"."""
    talk = await desk.talk()
    found = of_run(record, None, desk.door.loaded.settings)
    answers = None if not said else said != "refuse"
    return await _shown(
        desk, await found.aresume(record.id, session=talk.session, answers=answers, on_event=desk.progress)
    )


async def fork(desk: Desk, record: RunRecord, words: list[str]) -> int:
    """A new run: steps named are done again, "input=value" gives another input."""
    talk = await desk.talk()
    found = of_run(record, None, desk.door.loaded.settings)
    inputs = inputs_given(found, [each for each in words if "=" in each])
    again = [each for each in words if "=" not in each]
    forked = await found.afork(record.id, session=talk.session, again=again, inputs=inputs, on_event=desk.progress)
    return await _shown(desk, forked)


async def _shown(desk: Desk, result: WorkflowResult[Any]) -> int:
    await (await desk.talk()).take_up(result.ran)
    if result.status == "waiting":
        desk.engine.show([_waits(each) for each in result.waiting])
        desk.engine.show([text(("/plan approve goes on, /plan refuse skips the step.", "dim"))])
        return 0
    return finish(desk, result.ran)


def _waits(approval: Approval) -> Any:  # noqa: ANN401  a line of text
    return text((approval.step, "bold"), " waits: ", approval.question)
