"""Workflows of the user's: run one, go on with one, look at one."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.approval import read_line
from nonet.commands_work import LINES, exit_status, open_session
from nonet.commands_work import finish as finish_run
from nonet.door import Door, Flags, each_line, open_door, run_kept
from nonet.errors import UsageError
from nonet.live import View, view_for
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, out, say
from nonet.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.graphs.budget import Limits
    from nonet.graphs.session import Session
    from nonet.graphs.workflow.flow import Approval, AskPerson
    from nonet.graphs.workflow.result import WorkflowResult
    from nonet.graphs.workflow.workflow import Workflow
    from nonet.settings import Settings
    from nonet.store import RunRecord

_MOST_BYTES = 8_000_000
_SHOWN_CHARACTERS = 300


def find(said: str, settings: Settings) -> Workflow[Any]:
    """The workflow that is named on the command line. Raises WorkflowError."""
    from nonet.graphs.workflow.loading import load_workflow  # noqa: PLC0415

    return load_workflow(said, settings.workflows)


def graph(said: str, flags: Flags, *, json: bool) -> int:
    """Print how its work flows."""
    picture = find(said, open_door(flags).loaded.settings).mermaid()
    if json:
        emit({"mermaid": picture})
    else:
        out(picture.rstrip("\n"))
    return 0


def run(
    said: str,
    task: str | None,
    given: Sequence[str],
    docs: Sequence[Path],
    flags: Flags,
    *,
    json: bool,
    approve: bool,
    quiet: bool,
) -> int:
    """Run a workflow, or run it for each line of standard input.

    Args:
        task: a JSON object of inputs, `-` for one a line, or the text of the only input that it cannot do without.
        given: "name=value" or "name=@file".
    """
    door = open_door(flags, json=json, quiet=quiet)
    workflow = find(said, door.loaded.settings)
    view = view_for(quiet=quiet, live=task != LINES)
    if task == LINES:
        return run_kept(door, view, lambda: _run_lines(door, workflow, view, given, docs))
    inputs = {**_of_task(workflow, _piped(task, given)), **inputs_given(workflow, given)}

    async def work() -> WorkflowResult[Any]:
        async with await open_with(door, workflow, searches=not docs) as session:
            asker = ask_here(view) if approve else None
            return await workflow.arun(inputs, session=session, documents=docs, approve=asker, on_event=view)

    return finish(door, run_kept(door, view, work))


def _piped(task: str | None, given: Sequence[str]) -> str | None:
    """Inputs may come through a pipe, where none is named."""
    if task is not None or given or sys.stdin is None or sys.stdin.isatty():
        return task
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError(f"Standard input holds more than {_MOST_BYTES:,} bytes.", next_step="Name a file: NAME=@FILE.")
    try:
        return data.decode("utf-8-sig") or None
    except UnicodeDecodeError as error:
        raise UsageError(f"Standard input is not UTF-8 text (byte {error.start}).") from None


async def _run_lines(
    door: Door, workflow: Workflow[Any], view: View, given: Sequence[str], docs: Sequence[Path]
) -> int:
    shared = inputs_given(workflow, given)
    async with await open_with(door, workflow, searches=not docs) as session:

        async def one(line: str) -> tuple[dict[str, Any], int]:
            inputs = {**shared, **_of_task(workflow, line)}
            result = await workflow.arun(inputs, session=session, documents=docs, on_event=view)
            return result.to_json(), exit_status(result.ran)

        return await each_line(one)


async def open_with(door: Door, workflow: Workflow[Any], *, searches: bool = False) -> Session:
    """A session that has the specialists which the workflow brings as objects. Args and errors as `open_session`."""
    from nonet.graphs.workflow.alone import own_specialists  # noqa: PLC0415

    return await open_session(door, own=tuple(own_specialists(workflow).values()), searches=searches)


def _of_task(workflow: Workflow[Any], task: str | None) -> dict[str, Any]:
    """The inputs that stand in the place of a task."""
    if task is None:
        return {}
    if task.lstrip().startswith("{"):
        try:
            found = json_.loads(task)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"The inputs are no JSON object: {error}.") from error
        return dict(found)
    needed = [name for name, each in workflow.inputs.items() if each.required]
    if len(needed) != 1:
        raise UsageError(
            f"The workflow {workflow.name!r} takes {', '.join(needed) or 'no input'}; which of it is this text?",
            next_step=f"Say --input {needed[0] if needed else 'NAME'}=..., or give a JSON object.",
        )
    return {needed[0]: _value(workflow, needed[0], task)}


def inputs_given(workflow: Workflow[Any], given: Sequence[str]) -> dict[str, Any]:
    """Of "name=value" and "name=@file", each of the type of its input. Raises UsageError."""
    inputs = {}
    for each in given:
        name, equals, said = each.partition("=")
        if not equals:
            raise UsageError(f"--input {each!r} has no `=`.", next_step="It is written NAME=VALUE or NAME=@FILE.")
        inputs[name] = _value(workflow, name, _read(said[1:]) if said.startswith("@") else said)
    return inputs


def _value(workflow: Workflow[Any], name: str, said: str) -> Any:  # noqa: ANN401  of the input's type
    """JSON, where the input is no text and it is JSON; else the text."""
    parameter = workflow.inputs.get(name)
    if parameter is None or parameter.type.is_text:
        return said
    try:
        return json_.loads(said)
    except ValueError:
        return said


def _read(path: str) -> str:
    from nonet.errors import DocumentError  # noqa: PLC0415
    from nonet.specialists.ingest import convert, open_file  # noqa: PLC0415  reads what `docs add` reads

    if not path:
        raise UsageError("--input NAME=@ names no file.")
    try:
        return convert(open_file(Path(path)), name=path).text
    except DocumentError as error:
        raise UsageError(error.message, next_step=error.next_step) from error


def ask_here(view: View) -> AskPerson | None:
    """Asks on this terminal; None where there is none to ask on, and the run is left waiting."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    async def ask(approval: Approval) -> bool:
        from nonet.graphs.workflow.templates import in_words  # noqa: PLC0415

        with view.paused():
            for name, value in approval.inputs.items():
                say(f"  {name}: {one_line(in_words(value), _SHOWN_CHARACTERS)}")
            sys.stderr.write(f"{one_line(approval.question)} [y/N] ")
            sys.stderr.flush()
            return (await read_line()).strip().lower() in {"y", "yes"}

    return ask


def finish(door: Door, result: WorkflowResult[Any]) -> int:
    """Print a result, and on standard error how to go on."""
    told = result.to_json() if door.json else None
    if result.status == "waiting" and not door.quiet:
        for each in result.waiting:
            say(f"{each.step} waits: {one_line(each.question)}")
    return finish_run(door, result.ran, told)


def resume(
    door: Door, record: RunRecord, said: str | None, *, limits: Limits | None, decision: str | None, force: bool
) -> int:
    """Go on with a run of a workflow."""
    workflow = of_run(record, said, door.loaded.settings)
    view = view_for(quiet=door.quiet)

    async def work() -> WorkflowResult[Any]:
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        async with await open_with(door, workflow) as session:
            return await launch.resume(
                session,
                workflow,
                record.id,
                force=force,
                answers=None if decision is None else decision == "accept",
                limits=limits,
                ask=ask_here(view),
                on_event=view,
            )

    return finish(door, run_kept(door, view, work))


def fork(
    door: Door, record: RunRecord, said: str | None, *, again: Sequence[str], given: Sequence[str], replay: bool
) -> int:
    """A new run of a workflow from an old one."""
    workflow = of_run(record, said, door.loaded.settings)
    inputs = inputs_given(workflow, given)
    view = view_for(quiet=door.quiet)

    async def work() -> WorkflowResult[Any]:
        from nonet.graphs.workflow import launch  # noqa: PLC0415

        async with await open_with(door, workflow) as session:
            return await launch.fork(
                session, workflow, record.id, again=again, inputs=inputs, replay=replay, on_event=view
            )

    return finish(door, run_kept(door, view, work))


def of_run(record: RunRecord, said: str | None, settings: Settings) -> Workflow[Any]:
    """The workflow of a run: the one that is named, else where it was when the run was started."""
    if said is not None:
        return find(said, settings)
    from nonet.graphs.records import workflow_of_run  # noqa: PLC0415

    option: Mapping[str, str] = workflow_of_run(record) or {}
    file, name, module = (option.get(key, "") for key in ("file", "name", "module"))
    if "." in module:  # part of a package, whose files cannot be run by themselves
        return find(f"{module}:{name}", settings)
    if not file or not Path(file).is_file():
        where = f"its file {file} is not there" if file else "it was made where there is no file"
        raise UsageError(
            f"The workflow {name!r} of run {record.id} cannot be found: {where}.",
            next_step="Name it with --workflow, or go on from Python with its resume().",
        )
    return find(f"{file}:{name}" if file.endswith(".py") else file, settings)


def show_all(flags: Flags, *, json: bool) -> int:
    """List the workflows that are known by name."""
    from nonet.graphs.workflow.loading import known_workflows  # noqa: PLC0415

    known = known_workflows(open_door(flags).loaded.settings.workflows)
    if json:
        emit({"workflows": [{"name": name, "place": place} for name, place in known.items()]})
    elif known:
        print_lines(columns([[name, place] for name, place in known.items()], ("bold", "dim"), indent=""))
    else:
        say('None is known by name. Name yours in nonet.toml, under [workflows]: triage = "./flows.py:triage"')
    return 0


def show(said: str, flags: Flags, *, as_yaml: bool, json: bool, png: Path | None = None) -> int:
    """Check a workflow, and tell what it is made of; draw it into `png`, which must be new."""
    workflow = find(said, open_door(flags).loaded.settings)
    if png is not None:
        _write_new(png, workflow.png())
    if as_yaml:
        from nonet.graphs.workflow.files import write_workflow  # noqa: PLC0415

        out(write_workflow(workflow).rstrip("\n"))
    elif json:
        emit(described(workflow))
    else:
        print_lines(lines_of(workflow))
    return 0


def _write_new(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{path} exists already.", next_step="Name a new file.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def described(workflow: Workflow[Any]) -> dict[str, Any]:
    """What `nonet workflow show --json` prints."""
    checked = workflow.checked()
    return {
        "name": workflow.name,
        "description": workflow.description,
        "place": str(workflow.place or ""),
        "inputs": [
            {"name": name, "type": each.type.name, "required": each.required} for name, each in checked.inputs.items()
        ],
        "steps": [
            {
                "name": name,
                "specialist": step.definition.specialist,
                "reads": list(step.needs),
                "output": step.output.name,
                "place": str(step.place or ""),
            }
            for name, step in checked.steps.items()
        ],
        "output": checked.output,
        "definition": workflow.definition.model_dump(mode="json", exclude_defaults=True),
    }


def lines_of(workflow: Workflow[Any]) -> list[Text]:
    """Its inputs, its steps in the order in which they can run, and its output."""
    told = described(workflow)
    lines = [text((workflow.name, "bold"), f"  {one_line(workflow.description)}"), text((told["place"], "dim"))]
    rows = [[each["name"], each["type"], "" if each["required"] else "optional"] for each in told["inputs"]]
    lines += [text(("Inputs", "bold"))] + (columns(rows, ("cyan", "", "dim")) or [text("  none")])
    rows = [
        [
            each["name"],
            each["specialist"] or "python",
            each["output"],
            _arrow(each["reads"]),
        ]
        for each in told["steps"]
    ]
    lines += [text(("Steps", "bold")), *columns(rows, ("bold", "cyan", "", "dim"))]
    return [*lines, text(("Output", "bold"), f"  {told['output'] or 'each step that no other reads'}")]


def _arrow(reads: Sequence[str]) -> str:
    return f"<- {', '.join(reads)}" if reads else ""
