"""LangGraph's checkpoints in our file: kept while a run may go on, gone when it ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import pytest

from nonet.errors import StoreError
from nonet.store import Lease, Store
from nonet.store.checkpoints import checkpointer, drop


class State(TypedDict, total=False):
    count: int
    said: str


def graph() -> Any:
    from langgraph.graph import START, StateGraph  # noqa: PLC0415
    from langgraph.types import interrupt  # noqa: PLC0415

    def add(state: State) -> State:
        return {"count": state["count"] + 1}

    def ask(_: State) -> State:
        return {"said": interrupt("go on?")}

    builder: Any = StateGraph(State)
    builder.add_node("add", add)
    builder.add_node("ask", ask)
    builder.add_edge(START, "add")
    builder.add_edge("add", "ask")
    return builder


def kept(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
        return found


async def interrupted(store: Store) -> Lease:
    lease = store.runs.create("task", runtime="scripted", owner="tests")
    config = {"configurable": {"thread_id": lease.run}}
    async with checkpointer(store.path) as saver:
        state = await graph().compile(checkpointer=saver).ainvoke({"count": 1}, config, durability="exit")
    assert "__interrupt__" in state
    return lease


async def test_an_interrupted_graph_goes_on_in_another_process(tmp_path: Path) -> None:
    from langgraph.types import Command  # noqa: PLC0415

    async with Store.open(tmp_path / "nonet.db") as store:
        lease = await interrupted(store)
    async with checkpointer(tmp_path / "nonet.db") as saver:
        config = {"configurable": {"thread_id": lease.run}}
        state = await graph().compile(checkpointer=saver).ainvoke(Command(resume="yes"), config, durability="exit")
    assert state == {"count": 2, "said": "yes"}


@pytest.mark.parametrize(
    ("status", "stays"),
    [("done", False), ("failed", False), ("refused", False), ("waiting", True), ("interrupted", True)],
)
async def test_an_ended_run_drops_its_checkpoints_and_no_others(tmp_path: Path, status: str, stays: bool) -> None:  # noqa: FBT001
    async with Store.open(tmp_path / "nonet.db") as store:
        lease, other = await interrupted(store), await interrupted(store)
        both = kept(store.path)
        store.runs.finish(lease, status, "", "", "{}")
        await store.flush()
        assert kept(store.path) == (both if stays else both // 2)
        drop(store.path, other.run)
        assert kept(store.path) == (both // 2 if stays else 0)


async def test_checkpoints_hold_plain_values_only(tmp_path: Path) -> None:
    """A class in a checkpoint would be imported and called when it is read (LANGGRAPH_STRICT_MSGPACK)."""
    async with Store.open(tmp_path / "nonet.db") as store, checkpointer(store.path) as saver:
        kind, payload = saver.serde.dumps_typed(Lease("run", "owner", 1))
        back = saver.serde.loads_typed((kind, payload))
    assert not isinstance(back, Lease)


async def test_our_settings_hold_for_the_savers_connection(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "nonet.db") as store, checkpointer(store.path) as saver:
        for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 60_000)):
            async with saver.conn.execute(f"PRAGMA {pragma}") as cursor:
                assert await cursor.fetchone() == (value,)


async def test_a_missing_file_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        async with checkpointer(tmp_path / "none.db"):
            pass
    assert not (tmp_path / "none.db").exists()


def test_dropping_where_there_never_were_any(tmp_path: Path) -> None:
    Store.open(tmp_path / "nonet.db").close()
    drop(tmp_path / "nonet.db", "nosuch")
