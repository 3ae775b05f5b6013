"""A new run from an old one: what is to stand is taken over, the rest is done again, otherwise or by larger models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nonet.errors import ModelNotFoundError, PlanError
from nonet.graphs.planning import check_plan, check_staff
from nonet.graphs.records import plan_of, refuse_workflow
from nonet.graphs.run import drive_plan
from nonet.graphs.scope import scope_of_run
from nonet.specialists import Verdict

if TYPE_CHECKING:
    from nonet.agents.plan import Plan
    from nonet.graphs.events import OnEvent
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.runtimes import ModelInfo
    from nonet.store import RunRecord


async def fork_run(
    session: Session,
    run_id: str,
    *,
    again: Collection[str] = (),
    plan: Plan | None = None,
    on_event: OnEvent | None = None,
) -> RunResult:
    """Run a run's plan anew; the finished parts that are to stand, and whose inputs did not change, are not repeated.

    Args:
        session: where it runs; its models may be others than those of the first time.
        run_id: the run to begin from; it stays as it is.
        again: parts to do again, with all that reads them; failed ones are done again in any case.
        plan: instead of the run's own.
        on_event: as `run_task`.

    Raises:
        RunNotFoundError: there is no such run.
        PlanError: the run has no plan, the plan cannot run here, or has no such part.
    """
    found = session.store.runs.get(run_id)
    refuse_workflow(found)
    chosen = plan or plan_of(found)
    if chosen is None:
        raise PlanError(f"Run {found.id} has no plan yet.", next_step="Resume it, or run its task anew.")
    check_staff(chosen, session, f"Run {found.id}")
    check_plan(chosen, session, whose="The plan")
    redone = _with_readers(chosen, again)
    kept = {each.id: each for each in found.subtasks if each.id not in redone and each.verdict != Verdict.FAILED}
    scope = scope_of_run(found)
    return await drive_plan(session, found.task, chosen, found.documents, scope=scope, finished=kept, on_event=on_event)


async def retry_bigger(session: Session, run_id: str, *, on_event: OnEvent | None = None) -> RunResult:
    """Do again what is not verified (where all is: everything), beginning with a larger model than the one that did it.

    Raises:
        ModelNotFoundError: there is no larger model for any of it.
        RunNotFoundError, PlanError: as `fork_run`.
    """
    found = session.store.runs.get(run_id)
    open_parts = [each.id for each in found.subtasks if each.verdict != Verdict.VERIFIED]
    again = open_parts or [each.id for each in found.subtasks]
    ladders = dict(session.ladders)
    larger = await _larger_ladders(session, found, again)
    if not larger:
        models = ", ".join(sorted({each.model for each in found.subtasks if each.id in again and each.model}))
        raise ModelNotFoundError(
            f"There is no larger model here than {models or 'those of the run'}.",
            kept=f"Run {found.id} is as it was.",
            next_step="`nonet models list` shows what could be fetched; `nonet models pull NAME` fetches it.",
        )
    ladders.update(larger)
    return await fork_run(replace(session, ladders=ladders), found.id, again=again, on_event=on_event)


async def _larger_ladders(session: Session, found: RunRecord, again: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By specialist, where there are larger models than the one that did its work."""
    chat = sorted(
        (model for model in await session.runtime.models() if "chat" in model.capabilities),
        key=lambda model: model.size_bytes,
    )
    larger: dict[str, tuple[str, ...]] = {}
    for part in (each for each in found.subtasks if each.id in again):
        ladder = session.ladders.get(part.specialist, ())
        above = ladder[ladder.index(part.model) + 1 :] if part.model in ladder else ()
        above = above or _by_size(chat, part.model)
        if above:
            larger[part.specialist] = above
    return larger


def _by_size(chat: Sequence[ModelInfo], model: str) -> tuple[str, ...]:
    used = next((each.size_bytes for each in chat if each.name == model), None)
    return () if used is None else tuple(each.name for each in chat if each.size_bytes > used)


def _with_readers(plan: Plan, again: Collection[str]) -> set[str]:
    known = {each.id for each in plan.subtasks}
    if unknown := [name for name in again if name not in known]:
        raise PlanError(
            f"The plan has no part {', '.join(unknown)}.", next_step=f"Its parts: {', '.join(sorted(known))}."
        )
    redone = set(again)
    for subtask in plan.subtasks:
        if redone.intersection(subtask.inputs):
            redone.add(subtask.id)
    return redone
