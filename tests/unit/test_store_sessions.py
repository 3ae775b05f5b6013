"""Interactive sessions in the store: found by name, by id and as the last; their runs; what goes and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonet.errors import SessionNotFoundError
from nonet.store import Store


async def test_a_session_keeps_its_state_and_its_runs_in_order(tmp_path: Path) -> None:
    with Store.open(tmp_path / "nonet.db") as store:
        session = store.sessions.create()
        runs = [store.runs.create(task, runtime="scripted", owner="test") for task in ("one", "two")]
        for lease in (*runs, runs[0]):
            store.sessions.add_run(session.id, lease.run)
            store.runs.finish(lease, "done", "verified", "", "{}")
        await store.sessions.save(session.id, {"facts": ["a"]})
        assert store.sessions.runs(session.id) == (runs[1].run, runs[0].run), "a run taken up again moves to the end"
    with Store.open(tmp_path / "nonet.db") as store:
        found = store.sessions.find(session.id[:3])
        assert (found.state, found.runs) == ({"facts": ["a"]}, 2)
        await store.sessions.drop_run(session.id, runs[0].run)
        assert store.sessions.runs(session.id) == (runs[1].run,)
        assert store.runs.get(runs[0].run).task == "one", "the run itself stays"
        store.runs.prune(keep=0)
        assert store.sessions.runs(session.id) == ()


async def test_the_last_session_is_the_one_used_last_whatever_the_clock_says(tmp_path: Path) -> None:
    with Store.open(tmp_path / "nonet.db") as store:
        first, second = store.sessions.create(), store.sessions.create()
        assert store.sessions.find().id == second.id
        await store.sessions.save(first.id, {})
        assert store.sessions.find().id == first.id
        assert [each.id for each in store.sessions.list()] == [first.id, second.id]


def test_a_name_is_of_one_session_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "nonet.db") as store:
        with pytest.raises(SessionNotFoundError, match="no sessions yet"):
            store.sessions.find("mill")
        first, second = store.sessions.create(), store.sessions.create()
        store.sessions.rename(first.id, "mill")
        store.sessions.rename(second.id, "mill")
        assert store.sessions.find("mill").id == second.id
        assert store.sessions.find(first.id).name == ""
        with pytest.raises(SessionNotFoundError, match="Did you mean mill"):
            store.sessions.find("mil")
        with pytest.raises(SessionNotFoundError):
            store.sessions.find("")
