"""`nonet run`, `nonet plan` and `nonet ask`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.changes import Given, read_given, settle
from nonet.door import Door, Flags, check_named, each_line, one_task, open_door, run_kept
from nonet.errors import DocumentError, UsageError
from nonet.live import View, view_for
from nonet.render import ask_lines, plan_lines, print_lines, result_lines, why_lines
from nonet.terminal import emit, out, say

if TYPE_CHECKING:
    from nonet.graphs.context import Approve
    from nonet.graphs.result import RunResult
    from nonet.graphs.session import Session
    from nonet.specialists import Specialist

FAILED = 1
_FILE_NAME = re.compile(r"(?<![\w@./-])[\w-][\w.-]{0,100}\.\w{1,8}\b(?!/)")
_MOST_FILES = 3
LINES = "-"


def graph(*, json: bool) -> int:
    """Print how work flows."""
    from nonet.graphs.supervisor import mermaid  # noqa: PLC0415

    if json:
        emit({"mermaid": mermaid()})
    else:
        out(mermaid().rstrip("\n"))
    return 0


@dataclass(frozen=True, slots=True)
class Editing:
    """What `--file` and its kin ask for."""

    files: Sequence[Path] = ()
    test_command: str | None = None
    apply: bool = False

    def read(self, task: str | None) -> Given | None:
        """What is on disk. Raises UsageError."""
        if self.files and task == LINES:
            raise UsageError("--file goes with one task, not with one a line.")
        if self.apply and not self.files:
            raise UsageError("--apply needs --file.", next_step="Name the files that may change with --file.")
        return read_given(self.files, self.test_command)


def run(
    task: str | None,
    docs: Sequence[Path],
    flags: Flags,
    editing: Editing = Editing(),
    *,
    json: bool,
    approve: bool,
    quiet: bool,
    talk: str | None = None,
) -> int:
    """Run a task, or one a line.

    Args:
        talk: the session it belongs to, by name, id or "last".
    """
    door = open_door(flags, json=json, quiet=quiet)
    _check_narrowing(flags, docs, "--docs")
    given = editing.read(task)
    view = view_for(quiet=quiet, live=task != LINES)
    if task == LINES:
        return run_kept(door, view, lambda: _run_lines(door, view, docs, approve=approve))
    text = one_task(task)
    if task is not None and not (docs or editing.files or quiet):
        for name in files_named(text):
            say(f"{name} is a file here. It is read if you write @{name} in the task, or add --docs {name}.")

    async def work() -> RunResult:
        async with await open_session(door, searches=not docs) as session:
            session.workspace = given.workspace if given is not None else None
            asker = approver(session, view) if approve else None
            run_it = _runner(session, typed=task is not None, talk=talk)
            return await run_it(text, documents=docs, approve=asker, wants_approval=approve, on_event=view)

    result = run_kept(door, view, work)
    status = finish(door, result)
    texts = [subtask.text for subtask in result.subtasks]
    settle(given, texts, failed=status != 0, wanted=editing.apply, may_ask=not (json or quiet))
    return status


def files_named(text: str) -> list[str]:
    """Files of the current folder that a task names without a sign that they are to be read; at most three."""
    names = dict.fromkeys(match.group() for match in _FILE_NAME.finditer(text))
    return [name for name in names if os.path.isfile(name)][:_MOST_FILES]  # noqa: PTH113 - never raises


def _runner(session: Session, *, typed: bool, talk: str | None) -> Callable[..., Awaitable[RunResult]]:
    """How the task is run: in its session; else with its @references, if somebody typed it; else as it stands.

    What comes through a pipe may be anybody's text, and must not make us read files.
    """
    from nonet.graphs.conversation import Conversation, run_mentions  # noqa: PLC0415
    from nonet.graphs.mentions import read_mentions  # noqa: PLC0415
    from nonet.graphs.run import run_task  # noqa: PLC0415

    if talk is not None:
        return Conversation.open(session, talk).say
    if not typed:
        return partial(run_task, session)

    def mentioned(text: str, **options: Any) -> Awaitable[RunResult]:  # noqa: ANN401  those of run_mentions
        return run_mentions(session, read_mentions(session.store, text), **options)

    return mentioned


async def _run_lines(door: Door, view: View, docs: Sequence[Path], *, approve: bool) -> int:
    from nonet.graphs.run import run_task  # noqa: PLC0415

    async with await open_session(door, searches=not docs) as session:

        async def one(line: str) -> tuple[dict[str, Any], int]:
            result = await run_task(session, line, documents=docs, wants_approval=approve, on_event=view)
            return result.to_json(), exit_status(result)

        return await each_line(one)


def plan(task: str | None, docs: Sequence[Path], flags: Flags, *, json: bool, quiet: bool) -> int:
    """Show the plan of a task, or of one a line."""
    from nonet.graphs.run import plan_task  # noqa: PLC0415

    door = open_door(flags, json=json, quiet=quiet)
    view = view_for(quiet=quiet, live=False)
    text = task if task == LINES else one_task(task)

    async def work() -> int:
        async with await open_session(door, plans_only=True, searches=not docs) as session:

            async def one(line: str) -> tuple[dict[str, Any], int]:
                made = await plan_task(session, line, documents=docs, on_event=view)
                return made.model_dump(mode="json"), 0

            if text == LINES:
                return await each_line(one)
            made = await plan_task(session, text, documents=docs, on_event=view)
            if json:
                emit(made.model_dump(mode="json"))
            else:
                print_lines([*plan_lines(made), *why_lines(made)])
            return 0

    return run_kept(door, view, work)


def ask(
    specialist: str,
    text: str | None,
    inputs: Sequence[Path],
    flags: Flags,
    editing: Editing = Editing(),
    *,
    wanted: Mapping[str, Any] | None = None,
    json: bool,
    quiet: bool,
) -> int:
    """Ask one specialist, once or for each line.

    Args:
        wanted: how a summary is to be, by the names of SummaryOptions.
    """
    from nonet.graphs.ask import AskResult, ask_specialist  # noqa: PLC0415
    from nonet.specialists.summary_options import check_taker, options_of  # noqa: PLC0415

    options = options_of(wanted or {}, prefix="--")
    check_taker(specialist, options, prefix="--")
    door = open_door(flags, json=json, quiet=quiet)
    _check_narrowing(flags, inputs, "--input")
    given = editing.read(text)
    if given is not None and specialist != "code":
        raise UsageError(f"--file is for the code specialist, not for {specialist!r}.", next_step="Use --input.")
    view = view_for(quiet=quiet, live=text != LINES)
    question = text if text == LINES else one_task(text)

    def status(result: AskResult) -> int:
        return FAILED if result.verdict == "failed" else 0

    async def work() -> int | AskResult:
        async with await open_session(door, searches=not inputs) as session:

            async def one(line: str) -> tuple[dict[str, Any], int]:
                result = await ask_specialist(session, specialist, line, inputs=inputs, options=options, on_event=view)
                return {**result.to_json(), "applied": []}, status(result)

            if question == LINES:
                return await each_line(one)
            session.workspace = given.workspace if given is not None else None
            return await ask_specialist(session, specialist, question, inputs=inputs, options=options, on_event=view)

    result = run_kept(door, view, work)
    if isinstance(result, int):
        return result
    if not json:
        print_lines(ask_lines(result))
    failed = result.verdict == "failed"
    applied = settle(given, [result.output], failed=failed, wanted=editing.apply, may_ask=not (json or quiet))
    if json:
        emit({**result.to_json(), "applied": applied})
    return status(result)


def _check_narrowing(flags: Flags, documents: Sequence[Path], named_by: str) -> None:
    """Raise UsageError where a search is to be kept to some documents by two options, of which one would not count."""
    narrowing = sorted(name.removeprefix("only_") for name in flags if name.startswith("only_"))
    if documents and narrowing:
        raise UsageError(
            f"--{narrowing[0]} keeps searches to some documents, and {named_by} names the documents themselves.",
            next_step="Leave one of the two out.",
        )


async def open_session(
    door: Door, own: Sequence[Specialist] = (), *, plans_only: bool = False, searches: bool = False
) -> Session:
    """The session of the door's settings; says which runtime was chosen, and why.

    Args:
        own: specialists beside those that ship and those of the settings.
        plans_only: no model that can chat has to be there.
        searches: what is to be done may search the collection that was named, so that it has to be there.

    Raises:
        DocumentError: it is not.
    """
    from nonet.graphs.session import Session  # noqa: PLC0415

    session = await Session.open(door.loaded.settings, own=own, plans_only=plans_only)
    try:
        if searches:
            check_named(door, session.store)
    except DocumentError:
        await session.aclose()
        raise
    if not door.quiet:
        say(f"{session.runtime.name} runtime: {session.runtime_reason}")
        for problem in session.staff.problems:
            say(f"Warning: {problem.told()}")
    return session


def approver(session: Session, view: View) -> Approve | None:
    """Asks on this terminal; None where there is none to ask on, and the run is left waiting."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from nonet.approval import asker  # noqa: PLC0415

    return asker(view, session.specialists, session.settings.max_subtasks)


def finish(door: Door, result: RunResult, told: Mapping[str, Any] | None = None) -> int:
    """Print a run's result, and on standard error how to look again.

    Args:
        told: as JSON, where there is more to tell than of any run.
    """
    if door.json:
        emit(told or result.to_json())
    else:
        print_lines(result_lines(result))
    if not door.quiet:
        if result.status == "waiting":
            say(
                f"It waits for approval: {door.run_command('show', result.run)}\n"
                f"Accept it with: {door.run_command('resume', result.run, '--accept')}\n"
                f"or refuse it with: {door.run_command('resume', result.run, '--refuse')}"
            )
        else:
            say(f"Kept as run {result.run}; look again with: {door.run_command('show', result.run)}")
    return exit_status(result)


def exit_status(result: RunResult) -> int:
    """0 when the run did what it was asked to, and when it waits as it was asked to."""
    return 0 if result.status in {"done", "waiting"} else FAILED
