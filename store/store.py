"""The store: one SQLite file, and what is remembered in it."""

from __future__ import annotations

import asyncio
import os
import weakref
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nonet.errors import StoreError, StoreWriteError
from nonet.store.accounts import AccountStore
from nonet.store.calibrations import CalibrationStore
from nonet.store.documents import DocumentStore
from nonet.store.engine import connect, prepare
from nonet.store.evals import EvalStore
from nonet.store.faults import faults_of
from nonet.store.hosts import HostStore
from nonet.store.leases import LEASE_SECONDS
from nonet.store.models import ModelStore
from nonet.store.queue import QueueStore
from nonet.store.reader import Reader
from nonet.store.responses import ResponseStore
from nonet.store.runs import RunStore
from nonet.store.sessions import SessionStore
from nonet.store.vectors import VectorStore
from nonet.store.writer import Writer

if TYPE_CHECKING:
    from nonet.store.history import History


class Store:
    """Runs, documents, models and queues of one file. Usable from any thread; several processes may have it open."""

    path: Path
    runs: RunStore
    documents: DocumentStore
    vectors: VectorStore
    models: ModelStore
    sessions: SessionStore
    queues: QueueStore
    calibrations: CalibrationStore
    responses: ResponseStore
    accounts: AccountStore
    hosts: HostStore
    evals: EvalStore

    def __init__(self, path: Path, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Use `open`; this takes a file that is known to be good."""
        self.path = path
        self._writer = Writer(path)
        self._reader = Reader(path)
        self._history: History | None = None
        self.runs = RunStore(self._writer, self._reader, self._load_history, lease_seconds=lease_seconds)
        self.documents = DocumentStore(self._writer, self._reader)
        self.vectors = VectorStore(self._writer, self._reader)
        self.models = ModelStore(self._writer, self._reader)
        self.sessions = SessionStore(self._writer, self._reader)
        self.queues = QueueStore(self._writer, self._reader)
        self.calibrations = CalibrationStore(self._writer, self._reader)
        self.responses = ResponseStore(self._writer, self._reader)
        self.accounts = AccountStore(self._writer, self._reader)
        self.hosts = HostStore(self._writer, self._reader)
        self.evals = EvalStore(self._writer, self._reader)
        # A program that forgets to close loses nothing either: this runs at its exit, too.
        self._finalizer = weakref.finalize(self, _shut, self._writer, self._reader)

    @classmethod
    def open(cls, path: Path | str, *, create: bool = True, lease_seconds: float = LEASE_SECONDS) -> Store:
        """Open the database at `path`, making it (mode 0600) and its folder (0700) where they are missing.

        Args:
            path: a file; `~` is the user's home.
            create: False to raise where there is none.
            lease_seconds: how long a run stays claimed after its process was last heard of.

        Raises:
            StoreCorruptError: the file is damaged, or is not one of nonet's.
            StoreWriteError: it cannot be written.
            StoreError: it is a folder, is missing, or was made by a newer nonet.
        """
        try:
            file = Path(path).expanduser().absolute()
        except RuntimeError as error:
            raise StoreError(f"{path}: {error}", next_step="Give the database's whole path.") from error
        prepare(file, create=create)
        return cls(file, lease_seconds=lease_seconds)

    def check_writable(self) -> None:
        """Raise StoreWriteError where a result could not be kept: SQLite opens a read-only file without a word."""
        if not os.access(self.path, os.W_OK):
            raise StoreWriteError(
                f"The database {self.path} is read-only.",
                next_step="Make the file and its folder writable, or name another with --db.",
            )

    def vacuum(self) -> int:
        """Write the file anew, as small as it can be; by how many bytes it shrank.

        Raises:
            StoreError: another process is using it, or the disk has no room for a copy.
        """
        self._writer.drain()
        before = self.path.stat().st_size
        with faults_of(self.path), closing(connect(self.path)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(before - self.path.stat().st_size, 0)

    async def flush(self) -> None:
        """Wait until every write is on disk. Raises the first StoreError that no other flush has raised."""
        await asyncio.wrap_future(self._writer.barrier())

    def close(self) -> None:
        """Give back the runs held here, write what is left, and close; twice is fine.

        Raises:
            StoreError: a write could not be kept, and no flush has said so.
        """
        if self._finalizer.alive:
            self.runs.release_all()
            self._finalizer()
            self._writer.barrier().result()

    async def aclose(self) -> None:
        """As `close`, without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def _load_history(self) -> History:
        if self._history is None:
            from nonet.store.history import History  # noqa: PLC0415 - loads SQLAlchemy

            self._history = History(self.path)
        return self._history

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._leave, error)

    def _leave(self, error: BaseException | None) -> None:
        """Close; an error that is on its way already is not hidden by one of closing."""
        try:
            self.close()
        except StoreError as closing:
            if error is None:
                raise
            error.add_note(f"Closing the database failed as well: {closing}")


def _shut(writer: Writer, reader: Reader) -> None:
    writer.close()
    reader.close()
