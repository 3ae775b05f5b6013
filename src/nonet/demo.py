"""`nonet demo`: the main job on a fresh machine, with example documents that ship with the package."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.commands_models import needed, pull_models
from nonet.commands_work import finish, open_session
from nonet.door import Door, Flags, open_door, open_store, run_kept
from nonet.live import view_for
from nonet.terminal import run_async, say

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult

FOLDER = ".demo"
TASK = """\
Write a Python function parse_reading(line) that splits a line of the readings file at its commas and returns its \
third part, the temperature, as a float.
assert parse_reading("2024-05-07T12:30,B3,21.5,14.2") == 21.5
assert parse_reading("2024-01-02T00:10,B1,-3.0,0.0") == -3.0

Find out from the maintenance log: what is the serial number of the new pump in bay 3?

Summarize field-report.md in two sentences.
"""
"""One part for each specialist: code that can be proved, a fact to quote, a text to shorten."""


def demo(flags: Flags, *, json: bool, quiet: bool) -> int:
    """Fetch what is missing, add the documents, run the task, say where it is kept."""
    door = open_demo(flags, json=json, quiet=quiet)
    if door.loaded.settings.runtime != "scripted":
        run_async(pull_models(door, needed(door.loaded.settings)))
    add_examples(door)
    if not quiet:
        say(f"Task:\n{TASK}")
        if door.loaded.settings.light:
            say("The smallest model alone seldom writes code that passes; the verdicts will tell.")
    view = view_for(quiet=quiet)

    async def work() -> RunResult:
        from nonet.graphs.run import run_task  # noqa: PLC0415

        async with await open_session(door) as session:
            return await run_task(session, TASK, on_event=view)

    return finish(door, run_kept(door, view, work))


def open_demo(flags: Flags, *, json: bool, quiet: bool) -> Door:
    """The door with the demo's own defaults: the embedded runtime, and a database in this folder."""
    own: dict[str, Any] = {"runtime": "embedded", **flags}
    if "db" not in own and not os.environ.get("NONET_DB"):
        own["db"] = Path(FOLDER) / "nonet.db"
    return open_door(own, json=json, quiet=quiet)


def add_examples(door: Door) -> None:
    """Put the documents that ship with the package into the database."""
    from nonet.graphs.documents import add_documents  # noqa: PLC0415

    with as_file(files("nonet").joinpath("data", "documents")) as folder, open_store(door, create=True) as store:
        report = add_documents(store, sorted(folder.glob("*.md")))
    if not door.quiet:
        say(f"Documents: {', '.join(report.names)}")
