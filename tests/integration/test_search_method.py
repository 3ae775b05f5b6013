"""A run that searches by words alone says so: in its evidence, and once in what it prints."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.ask import ask_specialist
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.render import console_for, result_lines, show
from nonet.settings import Settings
from nonet.store import NewDocument, Store

TEXT = "The pump stands in bay 3. "
QUESTION = "Where does the pump stand?"


def few(store: Store) -> None:
    store.documents.add(NewDocument("a.txt", TEXT))


def many(store: Store) -> None:
    text = TEXT * 65
    chunks = [(at, at + len(TEXT)) for at in range(0, len(text), len(TEXT))]
    store.documents.add(NewDocument("a.txt", text, chunks=chunks))


def of_another_model(store: Store) -> None:
    few(store)
    (chunk,) = store.vectors.pending(1)
    store.vectors.put("other@1", [(chunk.seq, (1.0, 0.0))])


def methods_of(evidence: object) -> list[str]:
    assert isinstance(evidence, tuple)
    return [f"{item.passed} {item.detail}" for item in evidence if item.kind == "method"]


@pytest.mark.parametrize(
    ("fill", "lacking"),
    [
        (few, ""),
        (many, "65 chunks have no vectors yet: nonet docs embed"),
        (of_another_model, "the vectors are of other@1: nonet docs embed --again makes those of all-minilm:l6-v2"),
    ],
)
async def test_what_keeps_a_run_from_its_vectors_is_evidence(
    tmp_path: Path, fill: Callable[[Store], None], lacking: str
) -> None:
    db = tmp_path / "nonet.db"
    with Store.open(db) as store:
        fill(store)
    async with await Session.open(Settings(runtime="scripted", db=db)) as session:
        found = await ask_specialist(session, "retrieval", QUESTION)
        nothing = await ask_specialist(session, "retrieval", "Who painted the ceiling of the chapel?")
    for result in (found, nothing):
        (said,) = methods_of(result.evidence) or [""]
        assert said.startswith(f"None searched by words alone: {lacking}" if lacking else "")
        assert bool(said) is bool(lacking)


async def test_without_an_embedding_model_a_run_prints_it_once(tmp_path: Path) -> None:
    db = tmp_path / "nonet.db"
    with Store.open(db) as store:
        few(store)
    subtasks = tuple(Subtask(id=name, specialist="retrieval", instruction=QUESTION) for name in ("s1", "s2"))
    async with await Session.open(Settings(runtime="scripted", db=db)) as session:
        session.embed_model = None
        result = await drive_plan(session, QUESTION, Plan(planner="user", subtasks=subtasks), ())
    stream = io.StringIO()
    show(console_for(stream), result_lines(result))
    said = "s1, s2  searched by words alone: no model makes vectors here: nonet models pull all-minilm:l6-v2, then"
    assert stream.getvalue().count("searched by words alone") == stream.getvalue().count(said) == 1
