"""The schema: what the steps make is what the tables say, and old databases pass."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect

from nonet.store import Store
from nonet.store.artifacts import REFERENCES
from nonet.store.engine import APPLICATION_ID, connect
from nonet.store.migrations import MIGRATIONS, migrate

DATA = Path(__file__).parents[1] / "data"


def described(connection: Connection) -> dict[str, Any]:
    """Every table as SQLAlchemy sees it: columns, keys, indexes, foreign keys."""
    inspector = inspect(connection)
    return {
        name: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)
            },
            "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(sorted(each["column_names"]) for each in inspector.get_unique_constraints(name)),
            "indexes": {each["name"]: (each["column_names"], each["unique"]) for each in inspector.get_indexes(name)},
            "foreign keys": sorted(
                tuple(key)[2:]  # without their numbers; SQLAlchemy's inspector misses the options of inline ones
                for key in connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})")
            ),
            "counts on": "AUTOINCREMENT"
            in str(connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE name = '{name}'").scalar()),
        }
        for name in inspector.get_table_names()
        if not name.startswith(("chunk_index", "pair_index"))
    }


def test_the_migrated_schema_is_what_the_tables_say(tmp_path: Path) -> None:
    from nonet.store import queue_tables  # noqa: F401, PLC0415
    from nonet.store.tables import Table  # noqa: PLC0415

    Store.open(tmp_path / "nonet.db").close()
    migrated = create_engine("sqlite://", creator=lambda: connect(tmp_path / "nonet.db"))
    declared = create_engine("sqlite://")
    with migrated.connect() as theirs, declared.connect() as ours:
        Table.metadata.create_all(ours)
        made, said = described(theirs), described(ours)
    migrated.dispose()
    declared.dispose()
    assert made.keys() == said.keys()
    for name, table in made.items():
        assert table == said[name], name


def test_every_name_of_a_text_is_known_to_the_cleaner() -> None:
    from nonet.store import queue_tables  # noqa: F401, PLC0415
    from nonet.store.tables import Table  # noqa: PLC0415

    named = {
        (table.name, column.name)
        for table in Table.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.target_fullname == "texts.digest"
    }
    assert named == set(REFERENCES)


def test_the_tables_do_not_collide_with_an_applications_own() -> None:
    from sqlmodel import SQLModel  # noqa: PLC0415

    from nonet.store.tables import Table  # noqa: PLC0415

    assert Table.metadata is not SQLModel.metadata
    assert "runs" not in SQLModel.metadata.tables


@pytest.mark.parametrize("database", sorted(DATA.glob("store-v*.db")), ids=lambda path: path.name)
def test_a_database_of_every_release_opens_and_tells_what_it_kept(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "nonet.db"
    shutil.copy(database, path)
    version = int(database.stem.removeprefix("store-v"))
    with Store.open(path) as store:
        assert [run.task for run in store.runs.list()] == ["Summarize notes.md", "Why does nothing starve?"]
        done = next(store.runs.get(run.id) for run in store.runs.list() if run.status == "done")
        assert (done.answer, done.verdict, done.documents) == ("A waiting limit.", "verified", ("notes.md",))
        assert [subtask.text for subtask in done.subtasks] == ["A waiting limit."]
        assert (len(done.plans), len(done.attempts), len(done.calls), len(done.notes)) == (1, 1, 1, 1)
        assert store.runs.get("last").status == "interrupted"
        files = store.runs.files(store.runs.get("last").id)
        assert files == ({} if version < 9 else {"calc.py": "def add(a, b): ...\n"})
        [hit] = store.documents.search("does it starve", 1)
        assert hit.text == "A waiting limit makes sure that no request starves.\n"
        assert store.vectors.state().done in (0, 2), "those of the first release are made anew"
        assert store.vectors.state().chunks == 2
        assert store.models.profile("scripted", "tiny") is not None
        kept = [(each.specialist, each.bar) for each in store.calibrations.of("scripted")]
        assert kept == ([] if version < 5 else [("general", 0.7)])
        evals = {each.arm: store.evals.items(each.id) for each in store.evals.list()}
        assert [item.answer for item in evals.get("a", [])] == ([] if version < 7 else ["def f(): ..."])
        cost = store.accounts.total()
        assert cost.calls == 1
        assert store.runs.prune(keep=0).runs == 1
        assert store.accounts.total() == cost, "what was removed is still counted"
        jobs = {name: status for queue in store.queues.queues() for name, status in _jobs(store, queue.name)}
        assert jobs == ({} if version < 2 else {"done.md": "done", "dead.md": "dead", "waiting.md": "queued"})
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    backup = tmp_path / f"nonet.db.v{version}"
    assert backup.exists() == (version < len(MIGRATIONS)), "an older database is backed up before it is changed"
    if backup.exists():
        assert backup.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(backup)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (version,)
            assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def _jobs(store: Store, queue: str) -> list[tuple[str, str]]:
    return [(job.document, str(job.status)) for job in store.queues.jobs(queue)]


def test_there_is_a_database_of_this_release() -> None:
    assert (DATA / f"store-v{len(MIGRATIONS)}.db").exists()


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE notes (x)")  # in the way of the first step, after some of its tables
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, APPLICATION_ID, lambda _: None)
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


WORKING = """
import asyncio, sys
from nonet.store import CallRecord, NewDocument, Store, SubtaskRecord

async def main():
    async with Store.open(sys.argv[1]) as store:
        store.documents.add(NewDocument("a.md", "some words"))
        store.documents.search("words", 3)
        lease = store.runs.create("task", runtime="scripted", owner="tests")
        async with store.runs.heartbeat(lease):
            store.runs.save_plan(lease, "{}", "rules")
            store.runs.record_call(lease, "s1", 1, CallRecord("tiny"))
            store.runs.finish_subtask(lease, SubtaskRecord("s1", "code", "x", "verified", "y"))
            store.runs.finish(lease, "done", "verified", "y", "{}")
        await store.runs.flush(lease)
        store.runs.get(lease.run)

asyncio.run(main())
heavy = {"sqlalchemy", "sqlmodel", "pydantic", "langgraph", "langchain_core", "aiosqlite"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_a_whole_run_loads_nothing_heavy(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WORKING, str(tmp_path / "nonet.db")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout == "[]\n"
