"""`nonet runs`: look at runs, finish them, clean them up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nonet import commands_workflow
from nonet.changes import Given, given_again, settle
from nonet.commands_work import approver, finish, open_session
from nonet.door import Door, Flags, open_door, open_store, run_kept
from nonet.errors import RunNotFoundError, UsageError
from nonet.live import view_for
from nonet.render import columns, print_lines
from nonet.stories import story_lines
from nonet.terminal import emit, out, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.context import Decision
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.store import RunRecord, RunSummary

NEWEST = "last"
RESUMABLE = ("interrupted", "waiting")
_SECONDS_A_DAY = 86_400


def show_all(limit: int, flags: Flags, *, json: bool) -> int:
    """List runs, the newest first."""
    with open_store(open_door(flags)) as store:
        found = store.runs.list(limit)
    if json:
        emit({"runs": [_summary(each) for each in found]})
    elif found:
        rows = [
            [each.id, when(each.created_at_s), each.status, each.verdict or "-", one_line(each.task, 80)]
            for each in found
        ]
        print_lines(columns(rows, ("bold", "dim", "", "", ""), indent=""))
    else:
        say("There are no runs yet. Start one with: nonet run TASK")
    return 0


def _summary(run: RunSummary) -> dict[str, Any]:
    fields = asdict(run)
    return {"run": fields.pop("id"), **fields}


def show_one(run: str | None, flags: Flags, *, json: bool) -> int:
    """Tell the whole story of a run."""
    from nonet.graphs.records import result_of_run  # noqa: PLC0415

    door = open_door(flags)
    with open_store(door) as store:
        record = store.runs.get(run or NEWEST)
    if json:
        emit({**result_of_run(record).to_json(), "history": history(record)})
        return 0
    print_lines(story_lines(record, result_of_run(record)))
    if record.status in {*RESUMABLE, "failed"}:
        say(f"Go on with: {door.run_command('resume', record.id)}")
    return 0


def history(record: RunRecord) -> dict[str, Any]:
    """What `nonet runs show --json` tells beyond the result."""
    from nonet.graphs.records import workflow_of_run  # noqa: PLC0415

    return {
        "workflow": workflow_of_run(record),
        "created_at_s": record.created_at_s,
        "finished_at_s": record.finished_at_s,
        "runtime": record.runtime,
        "documents": list(record.documents),
        "leases": record.leases,
        "plans": [asdict(each) for each in record.plans],
        "attempts": [asdict(each) for each in record.attempts],
        "calls": [asdict(each) for each in record.calls],
        "notes": [asdict(each) for each in record.notes],
    }


@dataclass(frozen=True, slots=True)
class Resuming:
    """What is said of a run that is to go on."""

    decision: str | None = None
    edits: Sequence[str] = ()
    workflow: str | None = None
    force: bool = False
    apply: bool = False


@dataclass(frozen=True, slots=True)
class Forking:
    """What is to be otherwise in a new run from an old one."""

    again: Sequence[str] = ()
    inputs: Sequence[str] = ()
    workflow: str | None = None
    bigger: bool = False
    replay: bool = False
    apply: bool = False


def resume(run: str | None, flags: Flags, bounds: Mapping[str, Any], how: Resuming, *, json: bool, quiet: bool) -> int:
    """Finish a run; `bounds` are the limits of its budget that were given now."""
    door = open_door(flags, json=json, quiet=quiet)
    record = _to_resume(door, run, raised=bool(bounds))
    if "runtime" not in door.loaded.origins:  # the run goes on where it began
        door = open_door({**flags, "runtime": record.runtime}, json=json, quiet=quiet)
    from nonet.graphs.budget import Limits  # noqa: PLC0415
    from nonet.graphs.records import workflow_of_run  # noqa: PLC0415

    limits = Limits.of(bounds) if bounds else None
    if workflow_of_run(record) is not None:
        _only_of_tasks(record, {"--apply": how.apply})
        if how.edits:
            raise UsageError("--edit changes a plan; a workflow is changed in its file.", next_step="Then use --force.")
        return commands_workflow.resume(
            door, record, how.workflow, limits=limits, decision=how.decision, force=how.force
        )
    _only_of_workflows(record, {"--workflow": how.workflow, "--force": how.force})
    view = view_for(quiet=quiet)
    given = _files_of(door, record, wanted=how.apply)

    async def work() -> RunResult:
        from nonet.graphs.run import resume_run  # noqa: PLC0415

        async with await open_session(door) as session:
            session.workspace = given.workspace if given is not None else None
            return await resume_run(
                session,
                record.id,
                approve=approver(session, view),
                limits=limits,
                decision=_decision(session, record, how.decision, how.edits),
                on_event=view,
            )

    result = run_kept(door, view, work)
    status = finish(door, result)
    texts = [subtask.text for subtask in result.subtasks]
    settle(given, texts, failed=status != 0, wanted=how.apply, may_ask=not (json or quiet))
    return status


def _files_of(door: Door, record: RunRecord, *, wanted: bool) -> Given | None:
    """The files of the user's that the run changes, as they were when it began. Raises UsageError."""
    origin = record.options.get("files")
    if not isinstance(origin, dict):
        if wanted:
            raise UsageError(
                f"Run {record.id} changes no files, so --apply has nothing to do.",
                next_step="Files that a task may change are named with --file when it is run.",
            )
        return None
    with open_store(door) as store:
        return given_again(origin, store.runs.files(record.id))


def _decision(session: Session, record: RunRecord, said: str | None, edits: Sequence[str]) -> Decision | None:
    """What the command line says of the plan. Raises UsageError for a change that cannot be made."""
    from nonet.approval import EditError, edited  # noqa: PLC0415
    from nonet.graphs.context import Decision  # noqa: PLC0415
    from nonet.graphs.records import plan_of  # noqa: PLC0415

    if not edits:
        return Decision("accept" if said == "accept" else "refuse") if said else None
    plan = plan_of(record)
    if plan is None or record.status != "waiting":
        raise UsageError(f"Run {record.id} has no plan that waits.", next_step="Only a plan that waits can be changed.")
    for command in edits:
        try:
            plan = edited(plan, command, frozenset(session.specialists), session.settings.max_subtasks)
        except EditError as error:
            raise UsageError(
                f"--edit {command!r}: {error}",
                next_step="It takes: drop, reroute, reword and add, as `--approve` does.",
            ) from error
    return Decision("edit", plan)


def _to_resume(door: Door, run: str | None, *, raised: bool) -> RunRecord:
    """The run that is named, or else the newest that is not finished; with a limit raised, one that it failed by, too.

    Raises RunNotFoundError.
    """
    with open_store(door) as store:
        if run is not None:
            return store.runs.get(run)
        able = {*RESUMABLE, "failed"} if raised else RESUMABLE
        unfinished = [each for each in store.runs.list(1000) if each.status in able]
        if not unfinished:
            raise RunNotFoundError(
                "There is no unfinished run.",
                next_step="`nonet runs list` shows all; a failed one can be resumed by its id.",
            )
        return store.runs.get(unfinished[0].id)


def prune(older_than_days: float, flags: Flags, *, vacuum: bool, json: bool) -> int:
    """Remove old finished runs."""
    with open_store(open_door(flags)) as store:
        removed = asdict(store.runs.prune(older_than_seconds=older_than_days * _SECONDS_A_DAY))
        if vacuum:
            removed["freed_bytes"] += store.vacuum()
    if json:
        emit(removed)
    else:
        out(f"{removed['runs']} runs and {removed['texts']} texts removed; {removed['freed_bytes'] / 1e6:.1f} MB freed")
    return 0


def when(seconds: float) -> str:
    """A time of the epoch, as the user's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _only_of_workflows(record: RunRecord, said: Mapping[str, object]) -> None:
    for option in (name for name, value in said.items() if value):
        raise UsageError(f"{option} is for runs of workflows, and run {record.id} is of a task.")


def _only_of_tasks(record: RunRecord, said: Mapping[str, object]) -> None:
    for option in (name for name, value in said.items() if value):
        raise UsageError(f"{option} is for runs of tasks, and run {record.id} is of a workflow.")


def fork(run: str, how: Forking, flags: Flags, *, json: bool, quiet: bool) -> int:
    """A new run from an old one: some parts again, or what is not verified by larger models."""
    door = open_door(flags, json=json, quiet=quiet)
    from nonet.graphs.records import workflow_of_run  # noqa: PLC0415

    with open_store(door) as store:
        record = store.runs.get(run)
    if "runtime" not in door.loaded.origins:
        door = open_door({**flags, "runtime": record.runtime}, json=json, quiet=quiet)
    if workflow_of_run(record) is not None:
        _only_of_tasks(record, {"--apply": how.apply})
        if how.bigger:
            raise UsageError(
                "--bigger is for runs of tasks.", next_step="Of a workflow: --again STEP --model LARGER_MODEL."
            )
        return commands_workflow.fork(door, record, how.workflow, again=how.again, given=how.inputs, replay=how.replay)
    _only_of_workflows(record, {"--workflow": how.workflow, "--input": how.inputs, "--replay": how.replay})
    view = view_for(quiet=quiet)
    given = _files_of(door, record, wanted=how.apply)

    async def work() -> RunResult:
        from nonet.graphs.fork import fork_run, retry_bigger  # noqa: PLC0415

        async with await open_session(door) as session:
            session.workspace = given.workspace if given is not None else None
            if how.bigger:
                return await retry_bigger(session, record.id, on_event=view)
            return await fork_run(session, record.id, again=how.again, on_event=view)

    result = run_kept(door, view, work)
    status = finish(door, result)
    texts = [subtask.text for subtask in result.subtasks]
    settle(given, texts, failed=status != 0, wanted=how.apply, may_ask=not (json or quiet))
    return status


def export(runs: Sequence[str], form: str, flags: Flags, *, json: bool) -> int:
    """Print runs as a document."""
    from nonet.export import exported  # noqa: PLC0415
    from nonet.graphs.records import result_of_run  # noqa: PLC0415

    with open_store(open_door(flags)) as store:
        results = [result_of_run(store.runs.get(run)) for run in runs or [NEWEST]]
    if json:
        emit({"title": "nonet", "runs": [result.to_json() for result in results]})
    else:
        out(exported(results, form).rstrip("\n"))
    return 0
