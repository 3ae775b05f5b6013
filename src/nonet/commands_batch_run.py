"""`nonet batch run` and `nonet batch status`."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.batch_live import (
    DRAINING,
    NOW,
    Look,
    QuietBatchView,
    counts_line,
    progress_json,
    status_lines,
    view_for,
)
from nonet.commands_batch import counts, work_given
from nonet.commands_work import open_session
from nonet.door import Door, Flags, open_door, open_store
from nonet.errors import NonetError, UsageError
from nonet.graphs.batch_events import ServerFailed, ServerWell
from nonet.render import console_for, print_lines
from nonet.terminal import InterruptedByUserError, emit, is_plain, out, run_async, say
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.batch import Batch, BatchReport
    from nonet.graphs.session import Session
    from nonet.store import Store

_TICK_SECONDS = 0.25
_LIVE_SECONDS = 1.0
_DEAD = 1


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder whose documents go into the queue, and what is done with them."""

    folder: Path | None = None
    task: str | None = None
    workflow: str | None = None


@dataclass(slots=True)
class _Outcome:
    report: BatchReport
    look: Look


def look_at(store: Store, names: Sequence[str] | None, *, closely: bool = False) -> Look:
    """The queues now. Raises QueueNotFoundError."""
    queues = store.queues.queues() if names is None else [store.queues.get(name) for name in names]
    paces = [store.queues.pace(queue.name) for queue in queues]
    if not closely:
        return Look(queues, paces)
    [queue] = queues
    at_work, failing = store.queues.at_work(queue.name), store.queues.failing(queue.name)
    return Look(queues, paces, at_work, failing, store.path.stat().st_size)


def run(queues: Sequence[str], flags: Flags, watched: Watched, *, places: int | None, json: bool, quiet: bool) -> int:
    """Work until the queues are empty, or for ever on a folder."""
    if watched.folder is None and (watched.task is not None or watched.workflow is not None):
        raise UsageError(
            "--task and --workflow go with --watch here.", next_step="Documents bring theirs: nonet batch add --task"
        )
    if watched.folder is not None and len(queues) != 1:
        raise UsageError("--watch needs one queue.", next_step="nonet batch run QUEUE --watch FOLDER")
    door = open_door(flags, json=json, quiet=quiet)
    worker = _Worker(door, list(dict.fromkeys(queues)) or None, watched, places)
    try:
        outcome = run_async(worker.work(), on_stop=worker.stop_now, gently=worker.drain)
    except InterruptedByUserError as error:
        raise InterruptedByUserError("Stopped.", kept=worker.kept(), next_step=worker.go_on()) from error
    except NonetError as error:
        if worker.begun and not error.kept:
            error.kept = worker.kept()
            error.next_step = f"{error.next_step} Then go on with: {worker.go_on()}".strip()
        raise
    if worker.draining:
        raise InterruptedByUserError("Stopped.", kept=worker.kept(), next_step=worker.go_on())
    return _finish(door, worker, outcome)


def _finish(door: Door, worker: _Worker, outcome: _Outcome) -> int:
    report, look = outcome.report, outcome.look
    if door.json:
        emit(progress_json("end", look, worker.view.track))
    else:
        out(f"{report.done:,} done, {report.dead:,} dead in {report.seconds:.1f} s")
        if not door.quiet:
            say(counts_line(look))
            paused = [one_line(queue.name) for queue in look.queues if queue.paused and queue.unfinished]
            if paused:
                say(f"Paused, with documents left: {', '.join(paused)}. Go on with: nonet batch resume QUEUE")
            for queue in look.queues:
                if queue.dead:
                    say(f"See why: nonet batch list {queue.name} --status dead{door.db_option}")
    return _DEAD if report.dead else 0


class _Worker:
    """One `nonet batch run`."""

    def __init__(self, door: Door, names: list[str] | None, watched: Watched, places: int | None) -> None:
        self.draining = False
        self.begun = False
        self.view: QuietBatchView
        self._door, self._names, self._watched, self._places = door, names, watched, places
        self._batch: Batch | None = None
        self._watching: asyncio.Task[None] | None = None

    async def work(self) -> _Outcome:
        from nonet.graphs.batch_open import batch_of  # noqa: PLC0415

        async with await open_session(self._door) as session:
            store = session.store
            store.check_writable()
            if self._watched.folder is not None:
                self._prepare_watch(store)
            look_at(store, self._names)  # a name that is not there is told before anything begins
            self.view = view_for(lambda: look_at(store, self._names), json=self._door.json, quiet=self._door.quiet)
            self._batch = batch_of(
                session,
                self._names,
                places=self._places,
                forever=self._watched.folder is not None,
                on_event=self.view,
            )
            if self.draining:
                self._batch.stop()
            self.begun = True
            report = await self._run(session, self._batch)
            return _Outcome(report, look_at(store, self._names))

    async def _run(self, session: Session, batch: Batch) -> BatchReport:
        ticking = asyncio.create_task(self._tick(session))
        if self._watched.folder is not None:
            self._watching = asyncio.create_task(self._watch(session.store, self._watched.folder))
            self._watching.add_done_callback(lambda _task: batch.stop())
        try:
            with self.view:
                report = await batch.run()
            if self._watching is not None and self._watching.done() and not self._watching.cancelled():
                self._watching.result()
            return report
        finally:
            for task in (ticking, self._watching):
                if task is not None:
                    task.cancel()

    def _prepare_watch(self, store: Store) -> None:
        folder, [name] = self._watched.folder, self._names or [""]
        if folder is None or not folder.is_dir():
            raise UsageError(f"{folder} is not a folder.", next_step="Name a folder with --watch.")
        known = {queue.name: queue.work for queue in store.queues.queues()}
        asked = self._watched.task is not None or self._watched.workflow is not None
        if asked or name not in known:
            known[name] = work_given(self._door.loaded.settings, self._watched.task, self._watched.workflow).to_json()
        store.queues.ensure(name, known[name]).result()

    async def _watch(self, store: Store, folder: Path) -> None:
        from nonet.graphs.batch_inputs import InputOptions  # noqa: PLC0415
        from nonet.graphs.batch_watch import watch_folder  # noqa: PLC0415

        [name] = self._names or [""]
        queue = store.queues.get(name)
        options = InputOptions(
            max_bytes=queue.max_bytes,
            on_skip=lambda path, reason: self.view.tell(one_line(f"skipped {path}: {reason}")),
        )
        async with aclosing(watch_folder(store, name, folder, work=queue.work, options=options)) as coming:
            async for added in coming:
                if added.jobs:
                    self.view.tell(f"{added.jobs:,} new in {one_line(str(folder))}")

    async def _tick(self, session: Session) -> None:
        """Keep the view going, and tell when the scheduler waits for its servers."""
        down_since: float | None = None
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            servers = list(session.scheduler.servers.values())
            if down_since is None and not any(server.host.up for server in servers):
                down_since = time.monotonic()
                self.view(ServerFailed(servers[0].fault))
            elif down_since is not None and any(server.host.up for server in servers):
                self.view(ServerWell(time.monotonic() - down_since))
                down_since = None
            self.view.tick()

    def drain(self) -> None:
        """The first Ctrl-C."""
        self.draining = True
        if self._watching is not None:
            self._watching.cancel()
        if self._batch is not None:
            self._batch.stop()
        if self.begun:
            self.view.tell(DRAINING)

    def stop_now(self) -> None:
        """The second."""
        if self.begun:
            self.view.tell(NOW)

    def kept(self) -> str:
        """What an interrupted worker leaves."""
        if not self.begun:
            return ""
        track = self.view.track
        return f"{track.done:,} done by this process; all the rest waits in the queue."

    def go_on(self) -> str:
        """The command that goes on."""
        names = "".join(f" {shlex.quote(name)}" for name in self._names or [])
        return f"Go on with: nonet batch run{names}{self._door.db_option}"


def status(queue: str, flags: Flags, *, live: bool, json: bool) -> int:
    """How far a queue is, once or until it is empty."""
    with open_store(open_door(flags)) as store:
        if not live:
            _show(look_at(store, [queue], closely=True), json=json)
        elif json or is_plain(sys.stdout):
            _follow_lines(store, queue, json=json)
        else:
            _follow(store, queue)
    return 0


def _show(look: Look, *, json: bool) -> None:
    [queue] = look.queues
    if not json:
        print_lines(status_lines(look))
        return
    usage = queue.usage
    emit(
        {
            **counts(queue),
            "rate_per_s": look.to_json()["rate_per_s"],
            "eta_s": look.to_json()["eta_s"],
            "concurrency": queue.concurrency,
            "usage": {**asdict(usage), "seconds": round(usage.seconds, 3)},
            "database_bytes": look.database_bytes,
            "at_work": [asdict(each) for each in look.at_work],
            "failing": [asdict(each) for each in look.failing],
        }
    )


def _follow_lines(store: Store, queue: str, *, json: bool) -> None:
    while True:
        look = look_at(store, [queue], closely=True)
        _show(look, json=json)
        if not look.queues[0].unfinished:
            return
        time.sleep(_LIVE_SECONDS)


def _follow(store: Store, queue: str) -> None:
    from rich.console import Group  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    look = look_at(store, [queue], closely=True)
    with Live(console=console_for(sys.stdout), auto_refresh=False) as shown:
        while True:
            shown.update(Group(*status_lines(look)), refresh=True)
            if not look.queues[0].unfinished:
                return
            time.sleep(_LIVE_SECONDS)
            look = look_at(store, [queue], closely=True)
