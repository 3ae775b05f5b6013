"""Runs: created, leased, written while they work, read afterwards.

Writes are handed to the writer and not waited for; `flush` waits. Reads see every write made before them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nonet.errors import StoreError
from nonet.store import leases, retention, run_names
from nonet.store import run_reads as reads
from nonet.store import run_rows as rows
from nonet.store.artifacts import digest_of, storable
from nonet.store.reader import Reader
from nonet.store.records import (
    CallRecord,
    Lease,
    PlanRecord,
    Pruned,
    RunRecord,
    RunSummary,
    SubtaskRecord,
)
from nonet.store.writer import Writer

if TYPE_CHECKING:
    from nonet.store.history import History

_ID_BYTES = 5
"""Eight letters and digits, in base 32."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class _Young:
    """What a run that was created here has written, so that it need not wait for the disk to read it back."""

    plan: PlanRecord | None = None
    subtasks: dict[str, SubtaskRecord] = field(default_factory=dict)


class RunStore:
    """The runs of one database. Every write shows a lease; one with an older token writes nothing.

    The errors of writes (RunLeasedError, StoreWriteError, ...) are raised by the next `flush` of that run.
    """

    def __init__(self, writer: Writer, reader: Reader, history: Callable[[], History], *, lease_seconds: float) -> None:
        self._writer = writer
        self._reader = reader
        self._history = history
        self._lease_seconds = lease_seconds
        self._held: dict[str, Lease] = {}
        self._young: dict[str, _Young] = {}

    def create(
        self,
        task: str,
        *,
        runtime: str,
        documents: Sequence[str] = (),
        options: Mapping[str, Any] = _NOTHING,
        owner: str,
    ) -> Lease:
        """A new run, leased. Its id is short and random; what orders runs is the row, never the clock."""
        lease = Lease(self._new_id(), owner, 1)
        listed, chosen = json.dumps(list(documents)), json.dumps(dict(options))
        now = time.time()
        expires_s = now + self._lease_seconds

        def write(connection: sqlite3.Connection) -> None:
            rows.insert_run(
                connection,
                lease,
                task=task,
                runtime=runtime,
                documents=listed,
                options=chosen,
                expires_s=expires_s,
                now=now,
            )

        self._held[lease.run] = lease
        self._young[lease.run] = _Young()
        self._writer.submit(write, lease.run)
        return lease

    async def lease(self, run_id: str, owner: str) -> Lease:
        """Claim a run that exists, to resume it; takes an id, a beginning of one, or "last".

        Raises:
            RunNotFoundError: there is none; the nearest ids are named.
            RunLeasedError: a living process works on it.
        """
        found = self.resolve(run_id)
        taken = self._writer.call(lambda connection: leases.take(connection, found, owner, self._lease_seconds))
        lease = await asyncio.wrap_future(taken)
        self._held[found] = lease
        return lease

    async def renew(self, lease: Lease) -> None:
        """Move the lease's expiry. Raises RunLeasedError if it was lost."""
        renewed = self._writer.call(lambda connection: leases.extend(connection, lease, self._lease_seconds))
        await asyncio.wrap_future(renewed)

    @asynccontextmanager
    async def heartbeat(self, lease: Lease) -> AsyncIterator[None]:
        """Keep the lease while the block runs; when it is lost, stop the block.

        Raises:
            StoreError: the lease could not be renewed (RunLeasedError: another process has the run).
        """
        work = asyncio.current_task()
        lost: list[StoreError] = []
        beats: list[asyncio.Task[None]] = []

        async def beat() -> None:
            while True:
                try:
                    await self.renew(lease)
                except StoreError as error:
                    lost.append(error)
                    if work is not None:
                        work.cancel()
                    return
                await asyncio.sleep(self._lease_seconds / 3)

        # Most runs are over before their first beat: a timer costs them less than a task.
        first = asyncio.get_running_loop().call_later(
            self._lease_seconds / 3, lambda: beats.append(asyncio.create_task(beat()))
        )
        try:
            yield
        except asyncio.CancelledError:
            if not lost:
                raise
            if work is not None:
                work.uncancel()
            raise lost[0] from None
        finally:
            first.cancel()
            for pulse in beats:
                pulse.cancel()
                with suppress(asyncio.CancelledError):
                    await pulse

    def release(self, lease: Lease) -> None:
        """Give the run back, so that another process can take it at once; after `finish` there is nothing to give."""
        if self._held.get(lease.run) == lease:
            del self._held[lease.run]
            self._young.pop(lease.run, None)
            self._writer.submit(lambda connection: leases.give_back(connection, lease), lease.run)

    def release_all(self) -> None:
        """Give back every run that is held here (on closing)."""
        for lease in list(self._held.values()):
            self.release(lease)

    async def flush(self, lease: Lease) -> None:
        """Wait until all that was written of this run is on disk. Raises the first StoreError of its writes."""
        await asyncio.wrap_future(self._writer.barrier(lease.run))

    def save_plan(self, lease: Lease, plan_json: str, planner: str, status: str = "accepted") -> None:
        """The next revision of the run's plan; the first is 1."""
        now = time.time()
        young = self._young.get(lease.run)
        if young is not None:
            revision = young.plan.revision + 1 if young.plan is not None else 1
            young.plan = PlanRecord(revision, planner, status, plan_json, now)
        self._write(
            lease, rows.fenced(lease, rows.insert_plan, plan_json=plan_json, planner=planner, status=status, now=now)
        )

    def keep_files(self, lease: Lease, files: Mapping[str, str]) -> None:
        """The user's files that the run may change, by path relative to their project, as they are now."""
        self._write(lease, rows.fenced(lease, rows.insert_files, files=dict(files)))

    def files(self, run_id: str) -> dict[str, str]:
        """The files that were kept with a run, by their path."""
        self._writer.settle(run_id)
        return dict(
            self._reader.rows(
                "SELECT f.name, t.text FROM run_files f JOIN runs r ON r.seq = f.run_seq"
                " JOIN texts t ON t.digest = f.text_digest WHERE r.id = ? ORDER BY f.name",
                (run_id,),
            )
        )

    def start_attempt(self, lease: Lease, subtask_id: str, number: int, model: str) -> None:
        """An attempt begins; the first is 1."""
        self._write(
            lease,
            rows.fenced(lease, rows.insert_attempt, subtask=subtask_id, number=number, model=model, now=time.time()),
        )

    def record_call(self, lease: Lease, subtask_id: str, attempt: int, call: CallRecord) -> None:
        """A call was answered, or failed. Calls outside subtasks name the empty one."""
        self._write(
            lease, rows.fenced(lease, rows.insert_call, subtask=subtask_id, attempt=attempt, call=call, now=time.time())
        )

    def finish_attempt(  # noqa: PLR0917 - the order of the table's columns
        self, lease: Lease, subtask_id: str, number: int, verdict: str, evidence_json: str, text: str
    ) -> None:
        """How the newest attempt of that number ended, and what it produced."""
        end = partial(
            rows.end_attempt,
            subtask=subtask_id,
            number=number,
            verdict=verdict,
            evidence_json=evidence_json,
            text=text,
            now=time.time(),
        )
        self._write(lease, rows.fenced(lease, end))

    def finish_subtask(self, lease: Lease, subtask: SubtaskRecord) -> None:
        """The artifact, its verdict and its evidence, all or nothing."""
        now = time.time()
        young = self._young.get(lease.run)
        if young is not None:
            kept = replace(subtask, text=storable(subtask.text), digest=digest_of(subtask.text), finished_at_s=now)
            young.subtasks[subtask.id] = kept
        self._write(lease, rows.fenced(lease, rows.insert_subtask, subtask=subtask, now=now))

    def save_options(self, lease: Lease, options: Mapping[str, Any]) -> None:
        """What the run was asked to be, from now on."""
        self._write(lease, rows.fenced(lease, rows.update_options, options=json.dumps(dict(options))))

    def add_note(self, lease: Lease, kind: str, text: str) -> None:
        """Something that must not pass in silence."""
        self._write(lease, rows.fenced(lease, rows.insert_note, kind=kind, text=text, now=time.time()))

    def finish(
        self,
        lease: Lease,
        status: str,
        verdict: str,
        answer: str,
        usage_json: str,
        *,
        missing: Sequence[str] = (),
    ) -> None:
        """How the run stands, with its answer and what that lacks; gives the lease back.

        "done", "failed" and "refused" drop its checkpoints; "waiting" and "interrupted" keep them for a resume.
        """
        self._held.pop(lease.run, None)
        self._young.pop(lease.run, None)
        end = partial(
            rows.end_run,
            run_id=lease.run,
            status=status,
            verdict=verdict,
            answer=answer,
            usage_json=usage_json,
            missing=json.dumps(list(missing)),
            now=time.time(),
        )
        self._write(lease, rows.fenced(lease, end))

    def plan(self, run_id: str) -> PlanRecord | None:
        """The newest revision of the run's plan; None where there is none yet."""
        young = self._young.get(run_id)
        if young is not None:
            return young.plan
        self._writer.settle(run_id)
        return self._reader.read(lambda connection: reads.newest_plan(connection, run_id))

    def finished(self, run_id: str) -> dict[str, SubtaskRecord]:
        """The subtasks that have an artifact, by id, whatever their verdict; compare `input_digest` before reuse."""
        young = self._young.get(run_id)
        if young is not None:
            return dict(young.subtasks)
        self._writer.settle(run_id)
        return self._reader.read(lambda connection: reads.finished_subtasks(connection, run_id))

    def get(self, run_id: str) -> RunRecord:
        """Everything of a run, by id, by a beginning of one, or "last". Raises RunNotFoundError."""
        found = self.resolve(run_id)
        record = self._reader.read(lambda connection: reads.run(connection, found))
        if record is None:
            raise run_names.not_found(self._reader, run_id)
        return record

    def list(self, limit: int = 20) -> list[RunSummary]:
        """The newest runs, newest first."""
        self._writer.drain()
        return self._history().runs(limit)

    def resolve(self, run_id: str) -> str:
        """The full id of a run named by its id, by a beginning that no other has, or by "last".

        Raises:
            RunNotFoundError: none or several are meant; the nearest are named.
        """
        self._writer.settle(run_id)
        if self._reader.row("SELECT 1 FROM runs WHERE id = ?", (storable(run_id),)):
            return run_id
        self._writer.drain()
        return run_names.resolve(self._reader, run_id)

    def delete(self, run_id: str) -> Pruned:
        """Remove one run and the texts that only it named; durable on return.

        Raises:
            RunNotFoundError: there is none.
            RunLeasedError: a living process works on it.
        """
        found = self.resolve(run_id)
        return self._writer.call(lambda connection: retention.delete(connection, found)).result()

    def prune(self, *, keep: int | None = None, older_than_seconds: float | None = None) -> Pruned:
        """Remove ended runs beyond the newest `keep`, and those that ended before; durable on return.

        With both, a run goes that either would remove. Runs that can be resumed stay. Unused texts go too, and the
        file shrinks by `freed_bytes`.
        """
        return self._writer.call(
            lambda connection: retention.prune(connection, keep=keep, older_than_seconds=older_than_seconds)
        ).result()

    def _write(self, lease: Lease, write: Callable[[sqlite3.Connection], None]) -> None:
        self._writer.submit(write, lease.run)

    def _new_id(self) -> str:
        while True:
            run_id = base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode("ascii").lower()
            if run_id not in self._held and self._reader.row("SELECT 1 FROM runs WHERE id = ?", (run_id,)) is None:
                return run_id
