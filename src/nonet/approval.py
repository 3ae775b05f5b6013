"""Asking a person about a plan: accept it, change it, or refuse it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from nonet.graphs.context import Decision
from nonet.live import View
from nonet.render import console_for, plan_lines, show
from nonet.terminal import say

if TYPE_CHECKING:
    from nonet.agents.plan import Plan, Subtask

HELP = """\
  accept                run the plan (also: a, y, or just Enter)
  add code TEXT <- s1   one more subtask at the end, and what it reads (subtasks or documents; may be left out)
  drop s2               leave a subtask out, and what reads it reads what it read
  reroute s2 retrieval  give a subtask to another specialist
  reword s2 TEXT        say it in other words
  refuse                run nothing (also: n, q)"""


class EditError(ValueError):
    """The change cannot be made; the plan is as it was."""


def asker(
    view: View, specialists: Mapping[str, object], max_subtasks: int, read: Callable[[], Awaitable[str]] | None = None
) -> Callable[[Plan], Awaitable[Decision]]:
    """What `run_task` calls to have the plan approved on this terminal.

    Args:
        read: gives the next line of the user, "" at the end of input.
    """
    next_line = read or read_line

    async def approve(plan: Plan) -> Decision:
        with view.paused():
            return await _converse(plan, frozenset(specialists), max_subtasks, next_line)

    return approve


async def _converse(
    plan: Plan, specialists: frozenset[str], max_subtasks: int, read: Callable[[], Awaitable[str]]
) -> Decision:
    original = plan
    console = console_for(sys.stderr)
    show(console, plan_lines(plan))
    say(HELP)
    while True:
        sys.stderr.write("plan> ")
        sys.stderr.flush()
        line = await read()
        command = line.strip()
        if not line or command in {"refuse", "n", "no", "q", "quit"}:
            return Decision("refuse")
        if command in {"", "accept", "a", "y", "yes"}:
            return Decision("accept") if plan == original else Decision("edit", plan)
        try:
            plan = edited(plan, command, specialists, max_subtasks)
        except EditError as error:
            say(f"{error}")
            say(HELP)
        else:
            show(console, plan_lines(plan))


def edited(plan: Plan, command: str, specialists: frozenset[str], max_subtasks: int) -> Plan:
    """The plan with one change made. Raises EditError when the change is not understood or the plan could not run."""
    verb, _, rest = command.partition(" ")
    if verb == "add":
        return _checked(plan, [*plan.subtasks, _added(plan, rest)], specialists, max_subtasks)
    subtask_id, _, argument = rest.strip().partition(" ")
    if verb not in {"drop", "reroute", "reword"}:
        raise EditError(f"{verb!r} is not understood.")
    try:
        subtask = plan.subtask(subtask_id)
    except KeyError:
        raise EditError(f"There is no subtask {subtask_id!r}; there are {', '.join(_ids(plan))}.") from None
    if verb == "drop":
        new = _without(plan, subtask_id)
    elif not argument.strip():
        raise EditError(f"{verb} wants a {'specialist' if verb == 'reroute' else 'text'} after {subtask_id}.")
    else:
        key = "specialist" if verb == "reroute" else "instruction"
        changed = subtask.model_copy(update={key: argument.strip(), "routing": None})
        new = [changed if each.id == subtask_id else each for each in plan.subtasks]
    return _checked(plan, new, specialists, max_subtasks)


def _ids(plan: Plan) -> list[str]:
    return [each.id for each in plan.subtasks]


def _added(plan: Plan, rest: str) -> Subtask:
    """From "SPECIALIST TEXT", or "SPECIALIST TEXT <- s1, notes.md". Raises EditError."""
    specialist, _, text = rest.strip().partition(" ")
    text, _, read = text.partition(" <- ")
    if not specialist or not text.strip():
        raise EditError("add wants a specialist and what it should do.")
    names = [name.strip() for name in read.split(",") if name.strip()]
    number = 1 + max(int(name[1:]) for name in _ids(plan))
    return plan.subtasks[-1].model_copy(
        update={
            "id": f"s{number}",
            "specialist": specialist,
            "instruction": text.strip(),
            "inputs": tuple(name for name in names if name in _ids(plan)),
            "documents": tuple(name for name in names if name not in _ids(plan)),
            "routing": None,
        }
    )


def _without(plan: Plan, subtask_id: str) -> list[Subtask]:
    """The subtasks that remain; what read the dropped one reads what that one read."""
    dropped = plan.subtask(subtask_id)
    remaining = []
    for each in plan.subtasks:
        if each.id == subtask_id:
            continue
        inputs: list[str] = []
        for name in each.inputs:
            inputs += [new for new in (dropped.inputs if name == subtask_id else (name,)) if new not in inputs]
        remaining.append(each.model_copy(update={"inputs": tuple(inputs)}))
    return remaining


def _checked(plan: Plan, subtasks: list[Subtask], specialists: frozenset[str], max_subtasks: int) -> Plan:
    """Validated as any plan is, whoever made it."""
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        new = type(plan).model_validate(
            {"planner": "user", "subtasks": [each.model_dump() for each in subtasks], "notes": plan.notes}
        )
        new.check(specialists, max_subtasks)
    except ValidationError as error:
        reasons = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors(include_url=False))
        raise EditError(f"That plan could not run: {reasons}.") from error
    except ValueError as error:
        raise EditError(f"That plan could not run: {error}.") from error
    return new


async def read_line() -> str:
    """One line from the terminal, without a thread that nothing could interrupt. "" at the end of input."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    descriptor = sys.stdin.fileno()
    read = b""
    loop.add_reader(descriptor, ready.set)
    try:
        while not read.endswith(b"\n"):
            await ready.wait()
            ready.clear()
            piece = os.read(descriptor, 4096)  # past sys.stdin's buffer, which would hide a second line from the loop
            read += piece
            if not piece:
                break
    finally:
        loop.remove_reader(descriptor)
    return read.decode(errors="replace")
