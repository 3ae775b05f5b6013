"""Looking over many runs, through SQLModel: cold, so that it may be slow to import (0.7 s), and is imported late."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, col, select

from nonet.store.engine import connect
from nonet.store.faults import store_error
from nonet.store.records import RunSummary
from nonet.store.run_reads import status_now
from nonet.store.tables import Run, Text

TASK_CHARACTERS = 200


def orm_engine(path: Path) -> Engine:
    """A SQLAlchemy engine over our own connections, reading only; each session sees one moment."""
    engine = create_engine("sqlite://", creator=lambda: connect(path, read_only=True), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Our connections commit by themselves, and pysqlite's own BEGIN would come before writes only.
        connection.exec_driver_sql("BEGIN")

    return engine


class History:
    """The runs of one database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = orm_engine(path)

    def runs(self, limit: int) -> list[RunSummary]:
        """The newest runs, newest first. Raises StoreError."""
        query = (
            select(Run, func.substr(Text.text, 1, TASK_CHARACTERS))
            .join(Text, col(Text.digest) == col(Run.task_digest))
            .order_by(col(Run.seq).desc())
            .limit(limit)
        )
        with self._session() as session:
            return [_summary(run, task) for run, task in session.exec(query)]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session:
                yield session
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.Error):
                raise store_error(error.orig, self._path) from error
            raise


def _summary(run: Run, task: str) -> RunSummary:
    return RunSummary(
        id=run.id,
        seq=run.seq,
        task=task,
        runtime=run.runtime,
        status=status_now(run.status, run.lease_expires_s, run.lease_process),
        verdict=run.verdict,
        created_at_s=run.created_at_s,
        finished_at_s=run.finished_at_s,
    )
