"""Documents: kept once, found by their words, removed without a trace in the index."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nonet.errors import DocumentError
from nonet.store import Filter, NewDocument, Store

SCHEDULER = """# Scheduler

Work for models that are loaded goes first.

## Starvation

A waiting limit makes sure that no request starves.

```sh
# not a heading
make
```

### Limits

At most 30 seconds.
"""
STORE = "The store keeps every artifact under its SHA-256. Commits wait for the disk.\n"
NOTES = "Café résumé naïve Ångström. Don't run the foxes' runners!\n"


def chunks(text: str) -> list[tuple[int, int]]:
    """A chunk a paragraph."""
    return [match.span() for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*\n?", text)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database to copy: making one waits for the disk several times."""
    path = tmp_path_factory.mktemp("empty") / "nonet.db"
    Store.open(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path, empty: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "nonet.db"))


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as store:
        yield store


@pytest.fixture
def filled(store: Store) -> Store:
    store.documents.add_many(
        [
            NewDocument("docs/scheduler.md", SCHEDULER, "text/markdown", chunks=chunks(SCHEDULER)),
            NewDocument("docs/store.txt", STORE, chunks=chunks(STORE)),
            NewDocument("notes.txt", NOTES),
        ]
    )
    return store


def found(store: Store, query: str, limit: int = 10, documents: list[str] | None = None) -> list[str]:
    return [hit.document for hit in store.documents.search(query, limit, documents)]


def index_is_whole(path: Path) -> bool:
    """FTS5's own comparison of the index with the texts it was made of."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO chunk_index (chunk_index, rank) VALUES ('integrity-check', 1)")
        return bool(connection.execute("SELECT count(*) >= 0 FROM chunk_index").fetchone()[0])


def test_a_document_is_added_unchanged_or_replaced(store: Store, path: Path) -> None:
    document = NewDocument("a.md", "# Title\nold words", "text/markdown", "/home/a.md", size_bytes=17, modified=1.5)
    first = store.documents.add(document)
    assert (first.change, first.title, first.path, first.size_bytes, first.modified) == (
        "added", "Title", "/home/a.md", 17, 1.5,
    )  # fmt: skip
    assert (first.chunks, first.characters, first.media_type) == (1, 17, "text/markdown")
    assert store.documents.add(document).change == "unchanged"
    again = store.documents.add(NewDocument("a.md", "new words", "text/markdown"))
    assert (again.change, again.text()) == ("replaced", "new words")
    assert found(store, "old") == []
    assert found(store, "new") == ["a.md"]
    with pytest.raises(DocumentError, match="replaced or removed"):
        first.text()
    assert index_is_whole(path)


def test_another_cut_of_the_same_text_replaces_it(store: Store) -> None:
    store.documents.add(NewDocument("a", "one two three", chunks=[(0, 13)]))
    again = store.documents.add(NewDocument("a", "one two three", chunks=[(0, 7), (4, 13)]))
    assert (again.change, again.chunks) == ("replaced", 2)
    assert [hit.text for hit in store.documents.search("three", 5)] == ["two three"]


def test_a_moved_file_is_unchanged_but_its_path_is_new(store: Store) -> None:
    store.documents.add(NewDocument("a", "text", path="/old", modified=1.0))
    assert store.documents.add(NewDocument("a", "text", path="/new", modified=2.0)).change == "unchanged"
    assert (store.documents.get("a").path, store.documents.get("a").modified) == ("/new", 2.0)


def test_several_are_added_all_or_none(store: Store) -> None:
    with pytest.raises(DocumentError, match="not cut well"):
        store.documents.add_many([NewDocument("a", "fine"), NewDocument("b", "short", chunks=[(0, 99)])])
    assert store.documents.list() == []


@pytest.mark.parametrize(
    "document",
    [
        NewDocument("", "text"),
        NewDocument(" \n", "text"),
        NewDocument("half \ud83d", "text"),
        NewDocument("a", "text", chunks=[(2, 2)]),
        NewDocument("a", "text", chunks=[(-1, 2)]),
        NewDocument("a", "text", chunks=[(0, 4)], headings=["one", "two"]),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(store: Store, document: NewDocument) -> None:
    with pytest.raises(DocumentError):
        store.documents.add(document)


def test_an_empty_document_is_kept_and_never_found(store: Store, path: Path) -> None:
    assert store.documents.add(NewDocument("empty", "")).chunks == 0
    assert store.documents.get("empty").text() == ""
    assert found(store, "empty") == []
    assert store.documents.remove("empty")
    assert index_is_whole(path)


def test_names_are_whole_or_an_end_that_only_one_has(filled: Store) -> None:
    assert filled.documents.get("scheduler.md").name == "docs/scheduler.md"
    assert filled.documents.get("./notes.txt".removeprefix("./")).name == "notes.txt"
    filled.documents.add(NewDocument("more/scheduler.md", "x"))
    with pytest.raises(DocumentError, match=r"Several documents end with scheduler\.md"):
        filled.documents.get("scheduler.md")
    with pytest.raises(DocumentError, match="Several"):
        filled.documents.remove("scheduler.md")
    with pytest.raises(DocumentError, match=r"Did you mean docs/store.txt"):
        filled.documents.get("docs/stor.txt")
    for name in ("", "/", "md", "eduler.md", "%", "\ud800", "\0"):
        with pytest.raises(DocumentError, match="There is no document"):
            filled.documents.get(name)
        assert not filled.documents.remove(name)


def test_removing_leaves_no_trace(filled: Store, path: Path) -> None:
    assert filled.documents.remove("scheduler.md")
    assert not filled.documents.remove("scheduler.md")
    assert found(filled, "starvation loaded") == []
    assert [document.name for document in filled.documents.list()] == ["docs/store.txt", "notes.txt"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM texts").fetchone() == (2,)
        assert connection.execute("SELECT count(DISTINCT document_seq) FROM chunks").fetchone() == (2,)
    assert index_is_whole(path)


def test_two_documents_may_share_a_text(store: Store, path: Path) -> None:
    store.documents.add_many([NewDocument("a", "same words"), NewDocument("b", "same words")])
    assert store.documents.remove("a")
    assert store.documents.get("b").text() == "same words"
    assert found(store, "words") == ["b"]
    assert index_is_whole(path)


def test_a_hit_is_the_very_text_at_its_offsets(filled: Store) -> None:
    for query in ("loaded", "starves", "SHA-256", "seconds", "résumé"):
        hits = filled.documents.search(query, 10)
        assert hits, query
        for hit in hits:
            assert hit.text == filled.documents.get(hit.document).text()[hit.start : hit.end]
            assert hit.score > 0
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize(
    "query", ["cafe", "CAFÉ", "cafe\u0301", "resume", "naive", "angstrom", "fox", "running", "don't"]
)
def test_words_are_found_whatever_their_case_accents_and_endings(filled: Store, query: str) -> None:
    assert found(filled, query) == ["notes.txt"]


def test_headings_and_names_are_searched_with_what_stands_below_them(filled: Store) -> None:
    hits = filled.documents.search("starvation", 5)
    assert any("no request starves" in hit.text for hit in hits), "found by the heading above it"
    assert "docs/scheduler.md" in found(filled, "limits")
    assert "docs/store.txt" in found(filled, "store.txt")
    own = NewDocument("own", "plain text", chunks=[(0, 5), (6, 10)], headings=["zebra", "giraffe"])
    filled.documents.add(own)
    assert [hit.text for hit in filled.documents.search("giraffe", 5)] == ["text"]


@pytest.mark.usefixtures("filled")
def test_a_comment_in_a_fence_is_no_heading(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        headings = {row[0] for row in connection.execute("SELECT heading FROM chunks")}
    assert headings == {"Scheduler", "Scheduler > Starvation", "Scheduler > Starvation > Limits", ""}


def test_a_search_can_be_kept_to_some_documents_and_to_some_hits(filled: Store) -> None:
    assert set(found(filled, "the a limit", documents=["docs/store.txt"])) <= {"docs/store.txt"}
    assert found(filled, "commits limit", documents=["docs/scheduler.md"]) == ["docs/scheduler.md"] * len(
        found(filled, "limit", documents=["docs/scheduler.md"])
    )
    assert found(filled, "limit", documents=[]) == []
    assert found(filled, "limit", documents=["no such"]) == []
    assert found(filled, "limit", limit=0) == []
    assert len(found(filled, "scheduler limits starve", limit=1)) == 1


def test_stop_words_count_only_where_there_is_nothing_else(filled: Store) -> None:
    assert found(filled, "what does the artifact do for us") == ["docs/store.txt"]
    assert found(filled, "the"), "but they are words"


def test_more_of_the_rare_words_is_better(store: Store) -> None:
    filler = [NewDocument(f"f{number}", f"common words number {number}") for number in range(30)]
    store.documents.add_many([*filler, NewDocument("one", "common zebra"), NewDocument("two", "common zebra giraffe")])
    assert found(store, "zebra giraffe common", limit=2) == ["two", "one"]


def test_a_query_as_long_as_a_book_is_answered(filled: Store) -> None:
    query = " ".join(f"word{number}" for number in range(100_000))
    assert found(filled, "artifact " + query) == ["docs/store.txt"]


OPERATORS = [
    '"',
    "'",
    "AND",
    "OR NOT",
    "NEAR(a b)",
    "a*",
    "(",
    ")",
    "name:x",
    "-x",
    "^x",
    "{",
    "+",
    "\0",
    "😀",
    "_",
    "",
]


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=[])),
        st.lists(st.sampled_from(["fox", *OPERATORS])).map(" ".join),
        st.lists(st.sampled_from(["fox", *OPERATORS])).map("".join),
    )
)
@example("ß ﬁ İ ǅ ᏣᎳᎩ ½ ² Ⅷ ١٢٣ हिन्दी 中文 ไทย \u0301")
@example('" OR "')
def test_any_text_is_a_query(filled: Store, query: str) -> None:
    for hit in filled.documents.search(query, 3):
        assert hit.text


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=[]), max_size=200), st.data())
def test_any_text_is_a_document(store: Store, path: Path, text: str, data: st.DataObject) -> None:
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=4))})
    spans = list(pairwise(cuts))
    record = store.documents.add(NewDocument("any", text, "text/markdown", chunks=spans))
    kept = record.text()
    assert len(kept) == len(text)
    assert [mine for mine, theirs in zip(kept, text, strict=True) if mine != theirs] == [
        "\ufffd" for letter in text if "\ud800" <= letter <= "\udfff"
    ]
    for hit in store.documents.search(text, 5):
        assert hit.text == kept[hit.start : hit.end]
    if "\0" not in text:  # SQL's substr, which the check goes through, ends there; nothing of ours does
        assert index_is_whole(path)
    assert store.documents.remove("any")
    assert found(store, text) == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\n\n  ## The *plan* \n", "The *plan"),
        ('"""What is remembered."""\nimport os', "What is remembered."),
        ("// main.c\nint main", "main.c"),
        ("---\n---\nFirst line", "First line"),
        ("\n\n", ""),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_title_is_the_first_line_that_says_something(store: Store, text: str, title: str) -> None:
    assert store.documents.add(NewDocument("a", text)).title == title
    assert store.documents.add(NewDocument("b", text, title="Mine")).title == "Mine"


CHINESE = "北京大学位于北京市海淀区。量子计算机的研究从一九九八年开始。"
JAPANESE = "東京タワーは一九五八年に完成した。カタカナの言葉もある。"
THAI = "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย"


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("量子", "zh"),
        ("计算机研究", "zh"),
        ("海", "zh"),
        ("タワー", "ja"),
        ("東京", "ja"),
        ("เมืองหลวง", "th"),
        ("ｶﾀｶﾅ", "ja"),
    ],
)
def test_scripts_without_spaces_are_searched_within_their_runs(store: Store, query: str, document: str) -> None:
    store.documents.add_many([NewDocument("zh", CHINESE), NewDocument("ja", JAPANESE), NewDocument("th", THAI)])
    assert found(store, query, limit=1) == [document]
    assert store.documents.remove(document)
    assert found(store, query, limit=1) != [document]


def test_a_search_can_be_kept_to_a_collection_a_kind_a_path_and_a_time(store: Store) -> None:
    store.documents.add_many(
        [
            NewDocument("web/a.md", "pump", "text/markdown", "/w/a.md", collection="web", dated=100.0),
            NewDocument("lab/b.pdf", "pump", "application/pdf", "/lab/b.pdf", collection="lab", dated=200.0),
            NewDocument("c.txt", "pump", "text/plain", "/c.txt", modified=300.0),
        ]
    )

    def kept(**wanted: Any) -> set[str]:
        return {hit.document for hit in store.documents.search("pump", 9, where=Filter(**wanted))}

    assert kept() == {"web/a.md", "lab/b.pdf", "c.txt"}
    assert kept(collection="web") == {"web/a.md"}
    assert kept(collection="") == {"c.txt"}
    assert kept(kind="pdf") == kept(kind=".PDF") == {"lab/b.pdf"}
    assert kept(kind="text/") == {"web/a.md", "c.txt"}
    assert kept(path="/lab/*") == {"lab/b.pdf"}
    assert kept(since=200.0) == {"lab/b.pdf", "c.txt"}
    assert kept(until=200.0) == {"web/a.md"}
    assert kept(documents=["c.txt"], kind="pdf") == set()
    assert [record.name for record in store.documents.list(Filter(collection="lab"))] == ["lab/b.pdf"]


def test_a_hit_says_where_it_stands(store: Store) -> None:
    document = NewDocument(
        "p.pdf", "first second", "application/pdf", "/p.pdf", [(0, 6), (6, 12)], pages=[1, 2], headings=["A", "B"],
        dated=5.0,
    )  # fmt: skip
    store.documents.add(document)
    [hit] = store.documents.search("second", 3)
    assert (hit.page, hit.heading, hit.media_type, hit.path, hit.dated) == (2, "B", "application/pdf", "/p.pdf", 5.0)
