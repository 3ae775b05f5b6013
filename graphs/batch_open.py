"""A worker for the queues of a session: its models do the work, and small calls tell whether the server is well."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nonet.errors import UsageError
from nonet.graphs.batch import Batch
from nonet.graphs.batch_breaker import Breaker
from nonet.graphs.batch_events import OnBatchEvent, ServerFailed, ServerWell
from nonet.graphs.batch_work import SUPERVISOR, Performed, Work, perform
from nonet.graphs.batch_workflow import check_for_command_line, is_workflow, reference_of, workflow_of
from nonet.graphs.session import owner
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.lines import Priority

if TYPE_CHECKING:
    from nonet.graphs.events import OnEvent
    from nonet.graphs.session import Session
    from nonet.specialists.staff import Staff
    from nonet.store import Job

PLACES_A_SLOT = 4
"""Documents in hand for each call that can be made at once: so that calls for one model can be made together."""
_MOST_PLACES = 64
_PROBE = ChatRequest("", (Message("user", "Say OK."),), max_completion_tokens=8, temperature=0.1)
"""Not deterministic, so that no earlier answer takes its place."""


def batch_of(
    session: Session,
    queues: Sequence[str] | None = None,
    *,
    places: int | None = None,
    forever: bool = False,
    on_event: OnBatchEvent = lambda _event: None,
) -> Batch:
    """A worker that does what the queues' documents were added for.

    Args:
        queues: which; None for all.
        places: documents in hand at once; unless given, a few for each call the runtime takes at once, and more where
            models have to make room for one another.
        forever: wait for new documents when there are none.
    """

    async def work(job: Job, on_step: OnEvent) -> Performed:
        return await perform(session, job, on_step)

    async def probe() -> None:
        model = next(iter(session.ladders.values()))[0]
        await session.scheduler.chat(dataclasses.replace(_PROBE, model=model), priority=Priority.INTERACTIVE)

    def changed(reason: str, seconds: float) -> None:
        on_event(ServerFailed(reason) if reason else ServerWell(seconds))

    return Batch(
        store=session.store,
        perform=work,
        owner=owner(),
        queues=queues,
        places=places or _places(session),
        breaker=Breaker(probe, changed),
        forever=forever,
        keep=lambda job: Work.of(job.work).keep,
        on_event=on_event,
    )


def _places(session: Session) -> int:
    """A few a slot; as many as may be where the models do not fit together, so that each load serves many documents."""
    hosts = [server.host for server in session.scheduler.servers.values()]
    models = {ladder[0] for ladder in session.ladders.values()} | (
        {session.embed_model} if session.embed_model else set()
    )
    if len(models) > min(host.room for host in hosts):
        return _MOST_PLACES
    return min(sum(host.slots for host in hosts) * PLACES_A_SLOT, _MOST_PLACES)


def checked_work(work: Work, staff: Staff, workflows: Mapping[str, str]) -> Work:
    """The work as it is kept with a queue.

    Args:
        workflows: those of nonet.toml, by name.

    Raises:
        UsageError: for a workflow that does not exist, or cannot be run for documents.
    """
    known = (SUPERVISOR, *staff.specialists)
    if work.workflow not in known and is_workflow(work.workflow, workflows):
        work = dataclasses.replace(work, workflow=reference_of(work.workflow, workflows))
        check_for_command_line(workflow_of(work.workflow))
    elif work.workflow not in known:
        why = staff.why_missing(work.workflow) or f"There is no workflow {work.workflow!r}."
        raise UsageError(why, next_step=f"There are: {', '.join(known)}.")
    if not work.task.strip():
        raise UsageError("The task is empty.", next_step='Say what to do: --task "Summarize {document}".')
    return work
