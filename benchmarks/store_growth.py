"""What the database grows by: a run, a subtask, a document, a job of a queue, beside the bytes of what they say.

    python benchmarks/store_growth.py

"own bytes" is the content: a run's task and its answers, a document's text, a job's text and its result. The floors,
in the same run: the same content in a bare SQLite table (for documents, with a full-text index of SQLite's beside it),
and for runs what LangGraph's own AsyncSqliteSaver keeps of the same chain of steps at its defaults. Sizes are the
file's pages after a checkpoint of the log, so that what is waiting in it counts too.
"""

from __future__ import annotations

import asyncio
import hashlib
import operator
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypedDict

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.batch import Batch
from nonet.graphs.batch_add import add_jobs
from nonet.graphs.batch_work import Performed
from nonet.graphs.documents import add_documents
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Outcome, Verdict
from nonet.store import JobOutput, NewJob, Store

ANSWER_CHARS = 600
LENGTHS = (1, 5, 20, 100)
REPEATED = {1: 60, 5: 30, 20: 10, 100: 4}
"""Runs of each length, so that whole pages do not decide."""
DOCUMENTS, DOCUMENT_CHARS = 200, 10_000
JOBS = 4000


def text_of(seed: object, characters: int) -> str:
    """Words that no other text has in this order."""
    draw = random.Random(str(seed))
    words = []
    while sum(map(len, words)) + len(words) < characters:
        words.append("".join(draw.choices("aeioubcdlmnrst", k=draw.randint(3, 9))))
    return " ".join(words)[:characters]


def size_bytes(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def bare_bytes(path: Path, tables: str, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> int:
    """What bare SQLite takes for the rows, without its empty tables."""
    with sqlite3.connect(path) as connection:
        connection.executescript(tables)
        empty = size_bytes(path)
        for statement, values in rows:
            connection.execute(statement, values)
        connection.commit()
    return size_bytes(path) - empty


class Writes:
    """A specialist whose answers are as long as was said."""

    name = "general"
    description = "writes"
    examples = ("Write something.",)

    def __init__(self) -> None:
        self.made = 0

    async def work(self, _assignment: Any, _desk: Any) -> Outcome:
        self.made += 1
        return Outcome(text_of(("answer", self.made), ANSWER_CHARS), Verdict.UNVERIFIED)


def chain(length: int) -> Plan:
    steps = [
        Subtask(
            id=f"s{n}", specialist="general", instruction=f"Write part {n}.", inputs=(f"s{n - 1}",) if n > 1 else ()
        )
        for n in range(1, length + 1)
    ]
    return Plan(planner="user", subtasks=tuple(steps))


async def nonet_run_bytes(path: Path, length: int) -> float:
    settings = Settings(runtime="scripted", db=path, max_subtasks=999, max_depth=999)
    async with await Session.open(settings, specialists={"general": Writes()}) as session:
        await drive_plan(session, "Write the first one.", chain(length), [])
        before = size_bytes(path)
        for number in range(REPEATED[length]):
            result = await drive_plan(session, f"Write text number {number}.", chain(length), [])
            assert result.status == "done", result
        return (size_bytes(path) - before) / REPEATED[length]


class State(TypedDict):
    task: str
    results: Annotated[dict[str, str], operator.or_]


async def langgraph_run_bytes(path: Path, length: int) -> float:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(State)

    def step(number: int) -> Callable[[State], dict[str, dict[str, str]]]:
        return lambda state: {"results": {f"s{number}": text_of((state["task"], number), ANSWER_CHARS)}}

    for number in range(length):
        graph.add_node(f"n{number}", step(number))  # type: ignore[type-var]
        graph.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    graph.add_edge(f"n{length - 1}", END)
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        compiled = graph.compile(checkpointer=saver)
        runs = 2 if length == LENGTHS[-1] else REPEATED[length]
        for number in range(runs):
            config: Any = {"configurable": {"thread_id": str(number)}, "recursion_limit": 999}
            await compiled.ainvoke({"task": f"Write text number {number}.", "results": {}}, config)
    return size_bytes(path) / runs


def bare_run_bytes(path: Path, length: int) -> float:
    tables = "create table runs(task text); create table answers(run integer, step text, body text)"
    rows: list[tuple[str, tuple[Any, ...]]] = []
    for number in range(REPEATED[length]):
        rows.append(("insert into runs values(?)", (f"Write text number {number}.",)))
        rows += [
            ("insert into answers values(?, ?, ?)", (number, f"s{step}", text_of((number, step), ANSWER_CHARS)))
            for step in range(length)
        ]
    return bare_bytes(path, tables, rows) / REPEATED[length]


def runs(folder: Path) -> None:
    print(f"A run: a chain of subtasks, each with an answer of {ANSWER_CHARS} characters\n")
    print(
        "| subtasks | own bytes | bare SQLite | nonet, bytes a run | a subtask | x own | x bare | LangGraph saver "
        "| its x own |"
    )
    print("|---:" * 9 + "|")
    for length in LENGTHS:
        own = len("Write text number 1.") + length * ANSWER_CHARS
        bare = bare_run_bytes(folder / f"bare-{length}.db", length)
        ours = asyncio.run(nonet_run_bytes(folder / f"nonet-{length}.db", length))
        saver = asyncio.run(langgraph_run_bytes(folder / f"saver-{length}.db", length))
        print(
            f"| {length} | {own:,} | {bare:,.0f} | {ours:,.0f} | {ours / length:,.0f} | {ours / own:.2f} "
            f"| {ours / bare:.2f} | {saver:,.0f} | {saver / own:.2f} |",
            flush=True,
        )


def documents(folder: Path) -> None:
    texts = [text_of(("document", number), DOCUMENT_CHARS) for number in range(DOCUMENTS)]
    place = folder / "documents"
    place.mkdir()
    for number, text in enumerate(texts):
        (place / f"{number:04}.txt").write_text(text, encoding="utf-8")
    tables = "create table documents(body text); create virtual table words using fts5(body, content='')"
    rows = [(f"insert into {table} values(?)", (text,)) for text in texts for table in ("documents",)]
    rows += [("insert into words(body) values(?)", (text,)) for text in texts]
    bare = bare_bytes(folder / "bare-documents.db", tables, rows) / DOCUMENTS
    with Store.open(folder / "documents.db") as store:
        before = size_bytes(folder / "documents.db")
        add_documents(store, [place])
        ours = (size_bytes(folder / "documents.db") - before) / DOCUMENTS
    print(f"\nA document of {DOCUMENT_CHARS:,} characters, searchable by words (a vector takes 1.5 kB a chunk more)\n")
    table(("document", DOCUMENT_CHARS, bare, ours))


async def trivial(_job: Any, _on_event: Any) -> Performed:
    return Performed(JobOutput("unverified", "done " * 30))


def jobs(folder: Path) -> None:
    payload, result = text_of("job", 160), "done " * 30
    own = len(payload) + len(result)
    tables = "create table jobs(id text primary key, body text, status text, result text)"
    rows = [("insert into jobs values(?, ?, 'done', ?)", (f"d{n}", f"{n} {payload}", result)) for n in range(JOBS)]
    bare = bare_bytes(folder / "bare-jobs.db", tables, rows) / JOBS
    path = folder / "jobs.db"
    with Store.open(path) as store:
        before = size_bytes(path)
        many = (
            NewJob(f"d{n}", hashlib.sha256(str(n).encode()).digest(), 160, text=f"{n} {payload}") for n in range(JOBS)
        )
        add_jobs(store, "q", many, work="{}")
        waiting = (size_bytes(path) - before) / JOBS
        report = asyncio.run(Batch(store, trivial, "bench", places=64).run())
        assert report.done == JOBS
    ours = (size_bytes(path) - before) / JOBS
    print("\nA job of a batch queue, with its text and its result\n")
    table(("waiting", len(payload), bare, waiting), ("done", own, bare, ours))


def table(*rows: tuple[str, float, float, float]) -> None:
    print("| | own bytes | bare SQLite | nonet | x own | x bare |\n|---|---:|---:|---:|---:|---:|")
    for name, own, bare, ours in rows:
        print(f"| {name} | {own:,} | {bare:,.0f} | {ours:,.0f} | {ours / own:.2f} | {ours / bare:.2f} |")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nonet-growth-") as name:
        runs(Path(name))
        documents(Path(name))
        jobs(Path(name))


if __name__ == "__main__":
    main()
