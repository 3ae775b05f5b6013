"""One writer: many small writes, few commits.

A commit at `synchronous = FULL` waits for the disk (0.1 ms on a quiet one, 6 ms on a busy one), and SQLite takes one
writer at a time. So callers hand their writes over without waiting, a thread commits whatever has come together, and
only who needs to know that it is on disk waits, at a barrier.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from nonet.errors import NonetError, StoreError
from nonet.store.engine import connect
from nonet.store.faults import store_error

Write = Callable[[sqlite3.Connection], Any]
"""A few statements in the writer's transaction. It may be run again after a rollback, so it changes nothing else."""
T = TypeVar("T")

_NOBODY = "\0"
"""A key that no write has."""

_FAULTS = (sqlite3.Error, NonetError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a write can raise by its data; it must reach who waits for it, and must not end the thread."""

LINGER_SECONDS = 0.01
"""How long a write waits for company when nobody waits for it. Lost at most, when the process is killed."""


@dataclass(eq=False, slots=True)
class _Entry:
    """A write, or a barrier (`write` is None)."""

    write: Write | None
    key: str
    future: Future[Any] | None = None
    value: Any = field(default=None)
    error: NonetError | None = field(default=None)


class Writer:
    """The only connection of this process that changes runs and documents. Thread-safe.

    Writes are committed in the order they were given. One that fails takes none of its neighbours along; its error
    is raised at the next barrier of its key, and until then further writes of that key are refused, so that what is
    kept of a run is always a beginning of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wake = threading.Condition()
        self._urgent = threading.Event()
        self._entries: list[_Entry] = []
        self._busy = False
        self._closed = False
        self._errors: dict[str, NonetError] = {}
        self._pending: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None

    def submit(self, write: Write, key: str) -> None:
        """Hand over a write and go on. Errors come at the barrier of `key`."""
        self._append(_Entry(write, key))

    def call(self, write: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Hand over a write; the future gives what it returned once it is on disk, or its StoreError."""
        future: Future[T] = Future()
        self._append(_Entry(write, "", future))
        return future

    def barrier(self, key: str | None = None) -> Future[None]:
        """A future that is done when all that was handed over before is on disk.

        Args:
            key: whose errors it raises and forgives; None for the first of all.
        """
        future: Future[None] = Future()
        with self._wake:
            idle = not self._entries and not self._busy
        if idle:
            self._answer(future, key)
        else:
            self._append(_Entry(None, "" if key is None else key, future, value=key))
        return future

    def settle(self, key: str) -> None:
        """Hold the thread up until no write of `key` is outstanding; raises no error of them. For reads that follow."""
        with self._wake:
            outstanding = key in self._pending
        if outstanding:
            self.barrier(_NOBODY).result()

    def drain(self) -> None:
        """As `settle`, for every key."""
        self.barrier(_NOBODY).result()

    def close(self) -> None:
        """Commit what is left and end the thread. Errors stay for a last `barrier`; calling it twice is fine."""
        with self._wake:
            self._closed = True
            self._wake.notify()
            self._urgent.set()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _append(self, entry: _Entry) -> None:
        with self._wake:
            if self._closed:
                raise StoreError(f"The database {self._path} is closed.")
            self._entries.append(entry)
            if entry.future is None:
                self._pending[entry.key] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nonet-writer", daemon=True)
                self._thread.start()
            elif len(self._entries) == 1:
                self._wake.notify()
            if entry.future is not None:
                self._urgent.set()

    def _run(self) -> None:
        """The thread: sleep until there is something, let it gather, commit it, tell who waits."""
        try:
            while entries := self._next():
                try:
                    self._commit(entries)
                except BaseException as error:
                    self._give_up(entries, error)
                    raise
                for entry in entries:
                    self._tell(entry)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _next(self) -> list[_Entry]:
        """What has come together; nothing once the writer is closed and all is done."""
        with self._wake:
            self._busy = False
            while not self._entries and not self._closed:
                self._wake.wait()
            if not self._entries:
                return []
        self._urgent.wait(LINGER_SECONDS)
        with self._wake:
            entries, self._entries = self._entries, []
            self._busy = True
            if not self._closed:
                self._urgent.clear()
            return entries

    def _give_up(self, entries: list[_Entry], error: BaseException) -> None:
        """The thread ends by something that no write should do: nobody may wait for it for ever."""
        stopped = StoreError(f"Writing to {self._path} has stopped: {type(error).__name__}: {error}.")
        with self._wake:
            self._closed = True
            self._busy = False
            entries += self._entries
            self._entries = []
            self._pending.clear()
            self._errors.update({entry.key: stopped for entry in entries if entry.future is None})
        for entry in entries:
            entry.error = stopped
            self._tell(entry)

    def _commit(self, entries: list[_Entry]) -> None:
        """All in one transaction; if a write fails, once more with each write in a savepoint of its own."""
        try:
            if self._connection is None:
                self._connection = connect(self._path)
            if not self._transact(self._connection, entries, isolated=False):
                self._transact(self._connection, entries, isolated=True)
        except sqlite3.Error as error:  # of BEGIN or COMMIT, or a full disk: nothing of this batch is kept
            for entry in entries:
                entry.error = store_error(error, self._path)
        with self._wake:
            for entry in entries:
                if entry.future is None:
                    self._pending[entry.key] -= 1
                    if not self._pending[entry.key]:
                        del self._pending[entry.key]
                    if entry.error is not None:
                        self._errors.setdefault(entry.key, entry.error)

    def _transact(self, connection: sqlite3.Connection, entries: list[_Entry], *, isolated: bool) -> bool:
        """Run and commit; False where a write failed and nothing was kept."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = self._each_apart(connection, entries) if isolated else self._together(connection, entries)
            connection.execute("COMMIT" if done else "ROLLBACK")
        except BaseException:
            if connection.in_transaction:  # a full disk ends it by itself
                connection.execute("ROLLBACK")
            raise
        return done

    def _together(self, connection: sqlite3.Connection, entries: list[_Entry]) -> bool:
        for entry in entries:
            if entry.write is None or (entry.future is None and entry.key in self._errors):
                continue
            try:
                entry.value = entry.write(connection)
            except _FAULTS:
                if not connection.in_transaction:
                    raise
                return False
        return True

    def _each_apart(self, connection: sqlite3.Connection, entries: list[_Entry]) -> bool:
        failed = set(self._errors)
        for entry in entries:
            if entry.write is None or (entry.future is None and entry.key in failed):
                continue
            connection.execute("SAVEPOINT entry")
            try:
                entry.value = entry.write(connection)
            except _FAULTS as error:
                if not connection.in_transaction:
                    raise
                entry.error = self._fault(error)
                failed.add(entry.key)
                connection.execute("ROLLBACK TO entry")
            connection.execute("RELEASE entry")
        return True

    def _fault(self, error: Exception) -> NonetError:
        if isinstance(error, NonetError):
            return error
        if isinstance(error, sqlite3.Error):
            return store_error(error, self._path)
        return StoreError(f"A write to {self._path} could not be made: {type(error).__name__}: {error}.")

    def _tell(self, entry: _Entry) -> None:
        if entry.future is None:
            return
        if entry.write is None:
            self._answer(entry.future, entry.value)
        elif entry.error is not None:
            _finish(entry.future, error=entry.error)
        else:
            _finish(entry.future, value=entry.value)

    def _answer(self, future: Future[None], key: str | None) -> None:
        """Answer a barrier with the first error of its key, which is thereby forgiven."""
        with self._wake:
            if key is None and self._errors:
                key = next(iter(self._errors))
            error = self._errors.pop(key, None) if key is not None else None
        _finish(future, error=error)


def _finish(future: Future[Any], *, value: object = None, error: NonetError | None = None) -> None:
    """Set the future's outcome, unless who waited was cancelled meanwhile."""
    if not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)
