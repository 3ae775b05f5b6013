"""LangGraph's checkpoints in our file, through a saver on our own connection. The thread of a run is its id.

A checkpoint is only the resume cache of the control flow (what ran is in `runs`), so a run that ended drops its own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from nonet.store.engine import connect
from nonet.store.faults import faults_of
from nonet.store.run_rows import drop_checkpoints

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


@asynccontextmanager
async def checkpointer(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """A saver for `graph.compile(checkpointer=...)`, on the database at `path`, which Store.open has made.

    Raises:
        StoreError: the file cannot be opened or written.
    """
    # Read when langgraph is first imported: checkpoints may hold plain values only, never a class to be called.
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    import aiosqlite  # noqa: PLC0415 - late, with LangGraph
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer  # noqa: PLC0415
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - 0.5 s and more

    with faults_of(path):
        connection = connect(path)
        connection.isolation_level = "IMMEDIATE"  # the saver counts on a transaction before its writes
        async with aiosqlite.Connection(lambda: connection, iter_chunk_size=64) as served:
            # Strict even where the application has imported langgraph before us, and the variable came too late.
            yield AsyncSqliteSaver(served, serde=JsonPlusSerializer(allowed_msgpack_modules=None))


def drop(path: Path, thread_id: str) -> None:
    """Remove the checkpoints of one thread. Raises StoreError."""
    with faults_of(path), closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        drop_checkpoints(connection, thread_id)
        connection.execute("COMMIT")
