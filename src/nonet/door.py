"""What the commands share: settings and where they came from, tasks from standard input, how to come back to a run."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nonet.errors import NonetError, TaskError
from nonet.settings import Loaded, load
from nonet.terminal import InterruptedByUserError, emit, error_object, run_async

if TYPE_CHECKING:
    from nonet.live import View
    from nonet.store import Store

T = TypeVar("T")

Flags = Mapping[str, Any]
_READ_BYTES = 65536
_LONGEST_TASK_BYTES = 8_000_000
"""More than any task may have: what is longer is read no further."""


@dataclass(frozen=True, slots=True)
class Door:
    """The settings of one command, and how it speaks."""

    loaded: Loaded
    json: bool = False
    quiet: bool = False

    @property
    def db_option(self) -> str:
        """What a later command needs to find the same database: nothing where the settings lead there by themselves."""
        if self.loaded.origins.get("db") != "--db":
            return ""
        return f" --db {shlex.quote(short_path(self.loaded.settings.database_path()))}"

    def run_command(self, verb: str, run: str, *more: str) -> str:
        """A command line to copy: `nonet runs show 3f2a`."""
        return " ".join(["nonet runs", verb, run, *more]) + self.db_option


def open_door(flags: Flags, *, json: bool = False, quiet: bool = False) -> Door:
    """Read the settings. Raises SettingsError."""
    return Door(load(flags), json=json, quiet=quiet)


def short_path(path: Path) -> str:
    """Relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone
        return str(path)
    return min(relative, str(path), key=len)


def open_store(door: Door, *, create: bool = False) -> Store:
    """The database of the settings, a context manager.

    Args:
        create: make a missing one even if --db names it; where one only looks, that would hide a typing slip.

    Raises:
        StoreError: it cannot be used.
    """
    from nonet.store import Store  # noqa: PLC0415

    named = door.loaded.origins.get("db") == "--db"
    return Store.open(door.loaded.settings.database_path(), create=create or not named)


def check_named(door: Door, store: Store) -> None:
    """Raise DocumentError where the command itself names a collection that no document is of.

    One that nonet.toml names may be there before its first document; a run says so (nonet.graphs.run).
    """
    from nonet.graphs.scope import check_collection, scope_of  # noqa: PLC0415

    if door.loaded.origins.get("collection") == "--collection":
        check_collection(store, scope_of(door.loaded.settings).collection)


def run_kept(door: Door, view: View, work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end with the view open. An interrupt, or an error, names the run that is kept and how to go on.

    Raises:
        InterruptedByUserError, NonetError: with `kept` and `next_step` about the run.
    """

    async def within() -> T:
        with view:
            return await work()

    try:
        return run_async(within(), on_stop=view.stopping)
    except InterruptedByUserError as error:
        if not view.run:
            raise
        raise InterruptedByUserError(
            "Interrupted.", kept=f"Run {view.run} is kept.", next_step=f"Finish it with: {_resume(door, view)}"
        ) from error
    except NonetError as error:
        if view.run and not error.kept:
            error.kept = f"Run {view.run} is kept, with what it had finished: {_resume(door, view)}"
        raise


def _resume(door: Door, view: View) -> str:
    return door.run_command("resume", view.run)


def one_task(task: str | None) -> str:
    """The task from the command line, or else all of standard input.

    Raises:
        TaskError: there is neither, or it is not UTF-8.
    """
    if task is not None:
        return _valid(task)
    if sys.stdin is None or sys.stdin.isatty():
        raise TaskError(
            "There is no task.",
            next_step='Say what you want, for example: nonet run "Summarize notes.md" --docs notes.md',
        )
    return _decoded(sys.stdin.buffer.read(_LONGEST_TASK_BYTES))


def _valid(task: str) -> str:
    try:
        task.encode()
    except UnicodeEncodeError:
        raise TaskError("The task is not valid UTF-8.", next_step="Check your terminal's encoding.") from None
    return task


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError(
            f"The task is not UTF-8 text (byte {error.start}).", next_step="A document goes in with --docs."
        ) from None


async def each_line(one: Callable[[str], Awaitable[tuple[dict[str, Any], int]]]) -> int:
    """Hand every line of standard input to `one` and print its object; an error becomes an object, and work goes on.

    Returns:
        The worst exit status of all.
    """
    worst = 0
    async for line in _lines():
        try:
            value, status = await one(_decoded(line))
        except NonetError as error:
            value, status = {"error": error_object(error)}, error.exit_status
        emit(value)
        worst = max(worst, status)
    return worst


async def _lines() -> AsyncIterator[bytes]:
    """Lines as they arrive. A thread reads, past sys.stdin, whose lock would hold up the exit of the process."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        while True:
            try:
                piece = os.read(descriptor, _READ_BYTES)
            except OSError:
                piece = b""
            try:
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            if not piece:
                return

    threading.Thread(target=read, daemon=True, name="nonet-stdin").start()
    rest = b""
    while piece := await pieces.get():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest
