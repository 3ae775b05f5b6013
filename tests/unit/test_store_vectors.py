"""Vectors of chunks: made once, of one model, searched by the cosine, gone with their document."""

from __future__ import annotations

import importlib
import math
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nonet.errors import StoreError
from nonet.store import Filter, NewDocument, Store

DIMENSIONS = 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "nonet.db") as store:
        yield store


@pytest.fixture(params=["numpy", "plain"])
def scan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NumPy, which is used where something has loaded it, and without."""
    if request.param == "numpy":
        importlib.import_module("numpy")
    else:
        monkeypatch.delitem(sys.modules, "numpy", raising=False)


def vector(seed: int) -> tuple[float, ...]:
    made = random.Random(seed)
    return tuple(made.gauss(0, 1) for _ in range(DIMENSIONS))


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def fill(store: Store, count: int) -> dict[str, tuple[float, ...]]:
    """Documents of one chunk each, with vectors."""
    store.documents.add_many([NewDocument(f"d{number}", f"text {number}") for number in range(count)])
    vectors = {}
    for chunk in store.vectors.pending(count):
        vectors[chunk.document] = vector(int(chunk.document[1:]))
        store.vectors.put("minilm@1", [(chunk.seq, vectors[chunk.document])])
    return vectors


def test_what_is_pending_is_made_once(store: Store) -> None:
    store.documents.add(NewDocument("a", "one two", chunks=[(0, 4), (4, 7)], headings=["H", ""]))
    store.documents.add(NewDocument("b", "three"))
    assert store.vectors.state() == type(store.vectors.state())("", 0, 3)
    pending = store.vectors.pending(2)
    assert [(chunk.document, chunk.heading, chunk.text) for chunk in pending] == [("a", "H", "one "), ("a", "", "two")]
    assert store.vectors.put("minilm@1", [(chunk.seq, vector(1)) for chunk in pending]) == 2
    assert store.vectors.put("minilm@1", [(pending[0].seq, vector(2))]) == 0
    assert [chunk.document for chunk in store.vectors.pending(9)] == ["b"]
    assert store.vectors.pending_count(Filter(documents=["a"])) == 0
    assert (store.vectors.state().model, store.vectors.state().done) == ("minilm@1", 2)


@pytest.mark.usefixtures("scan")
def test_the_nearest_come_first_with_their_cosine(store: Store) -> None:
    vectors = fill(store, 40)
    query = vector(7)
    hits = store.vectors.nearest("minilm@1", query, 5)
    wanted = sorted(vectors, key=lambda name: -cosine(query, vectors[name]))[:5]
    assert [hit.document for hit in hits] == wanted
    for hit in hits:
        assert hit.score == pytest.approx(cosine(query, vectors[hit.document]), abs=0.02)


@pytest.mark.usefixtures("scan")
def test_a_first_pass_over_signs_finds_nearly_what_the_vectors_would(store: Store) -> None:
    store.documents.add(NewDocument("big", "x" * 4000, chunks=[(at, at + 1) for at in range(4000)]))
    topics = [vector(seed) for seed in range(100)]

    def near(topic: int, seed: int) -> tuple[float, ...]:
        return tuple(a + 0.7 * b for a, b in zip(topics[topic], vector(seed), strict=True))

    made = {chunk.seq: near(chunk.seq % 100, 1000 + chunk.seq) for chunk in store.vectors.pending(4000)}
    store.vectors.put("m", list(made.items()))
    found, wanted = set(), set()
    for topic in range(6):
        query = near(topic, 500 + topic)
        found |= {hit.seq for hit in store.vectors.nearest("m", query, 10)}
        scores = {seq: cosine(query, each) for seq, each in made.items()}
        wanted |= set(sorted(scores, key=lambda seq, scores=scores: -scores[seq])[:10])  # type: ignore[misc]
    assert len(found & wanted) >= 0.95 * len(wanted)


@pytest.mark.usefixtures("scan")
def test_a_filter_holds_for_vectors(store: Store) -> None:
    fill(store, 20)
    hits = store.vectors.nearest("minilm@1", vector(3), 50, Filter(documents=["d3", "d11"]))
    assert [hit.document for hit in hits][:1] == ["d3"]
    assert {hit.document for hit in hits} == {"d3", "d11"}
    assert store.vectors.nearest("minilm@1", vector(3), 0) == []


@pytest.mark.usefixtures("scan")
def test_a_filter_holds_for_a_first_pass_over_signs_too(store: Store) -> None:
    for number, name in enumerate(("left", "right", "left")):
        spans = [(at, at + 1) for at in range(2_000)]
        store.documents.add(NewDocument(f"{name}{number}", "x" * 2_000, chunks=spans, collection=name))
    signs = {chunk.seq: vector(chunk.seq % 500) for chunk in store.vectors.pending(6_000)}
    store.vectors.put("m", list(signs.items()))
    for seed in (3, 77):
        hits = store.vectors.nearest("m", vector(seed), 8, Filter(collection="left"))
        assert {hit.collection for hit in hits} == {"left"}
        assert [round(hit.score, 2) for hit in hits] == [1.0] * 8, "as many of each direction as are in these two"
        assert store.vectors.nearest("m", vector(seed), 8, Filter(collection="none")) == []


def test_two_models_never_mix(store: Store) -> None:
    fill(store, 3)
    assert store.vectors.nearest("other@2", vector(1), 3) == []
    assert store.vectors.pending(1) == []
    store.vectors.expect("minilm@1")
    with pytest.raises(StoreError, match=r"vectors of minilm@1, not of other@2"):
        store.vectors.expect("other@2")
    store.documents.add(NewDocument("new", "text"))
    [chunk] = store.vectors.pending(5)
    with pytest.raises(StoreError, match=r"vectors of minilm@1, not of other@2") as caught:
        store.vectors.put("other@2", [(chunk.seq, vector(9))])
    assert "--again" in caught.value.next_step
    with pytest.raises(StoreError, match="minilm"):
        store.vectors.put("minilm@1", [(chunk.seq, (1.0, 2.0))])
    store.vectors.clear()
    assert store.vectors.put("other@2", [(chunk.seq, (1.0, 2.0))]) == 1
    assert [hit.document for hit in store.vectors.nearest("other@2", (1.0, 2.0), 3)] == ["new"]


def test_a_removed_document_takes_its_vectors_along(store: Store, tmp_path: Path) -> None:
    fill(store, 10)
    store.vectors.tidy()
    for name in ("d0", "d4", "d9"):
        store.documents.remove(name)
    store.documents.add(NewDocument("d5", "other text"))
    with closing(sqlite3.connect(tmp_path / "nonet.db")) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (6,)
        blocks = connection.execute("SELECT length(chunks) / 8, length(signs) / 8 FROM vector_blocks").fetchall()
        assert [sum(column) for column in zip(*blocks, strict=True)] == [6, 6]
    left = {hit.document for hit in store.vectors.nearest("minilm@1", vector(4), 20)}
    assert left == {"d1", "d2", "d3", "d6", "d7", "d8"}
    assert [chunk.document for chunk in store.vectors.pending(5)] == ["d5"]


def test_small_blocks_are_put_together(store: Store, tmp_path: Path) -> None:
    vectors = fill(store, 30)
    before = [hit.document for hit in store.vectors.nearest("minilm@1", vector(8), 9)]
    store.vectors.tidy()
    with closing(sqlite3.connect(tmp_path / "nonet.db")) as connection:
        assert connection.execute("SELECT count(*) FROM vector_blocks").fetchone() == (1,)
    assert [hit.document for hit in store.vectors.nearest("minilm@1", vector(8), 9)] == before
    assert len(vectors) == 30


def test_vectors_of_chunks_that_are_gone_are_left_out(store: Store) -> None:
    store.documents.add(NewDocument("a", "text"))
    [chunk] = store.vectors.pending(5)
    store.documents.remove("a")
    assert store.vectors.put("m", [(chunk.seq, vector(1))]) == 0


def test_the_engine_is_said(store: Store) -> None:
    expected = "sqlite-vec" if hasattr(sqlite3.Connection, "enable_load_extension") else "built-in"
    assert store.vectors.engine() == expected


def test_how_much_chunks_are_alike(store: Store) -> None:
    vectors = fill(store, 3)
    store.documents.add(NewDocument("bare", "no vector"))
    chunks = [hit.seq for name in ("d0", "d1", "d2") for hit in store.documents.search(f"text {name[1:]}", 1)]
    alike = store.vectors.alike([*chunks, 99])
    assert alike[0][1] == alike[1][0] == pytest.approx(cosine(vectors["d0"], vectors["d1"]), abs=0.02)
    assert alike[3] == [0.0] * 4
