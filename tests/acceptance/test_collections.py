"""Which documents an answer is made from: those of the collection, type, path and date that were asked for."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import nonet as library
from nonet.cli import main
from nonet.errors import DocumentError, UsageError

TASK = "Look up who replaced two oak paddles."
WHO = {"mill": "Anna Berg", "yard": "Otto Lind"}
Nonet = Callable[..., Any]


@pytest.fixture(name="nonet")
def _nonet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nonet:
    """Runs a command where two projects hold a document each that says who it was; gives the object printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")

    def run(*words: str, status: int = 0) -> Any:
        assert main([*words, "--json"]) == status
        captured = capsys.readouterr()
        return json.loads(captured.out) if captured.out else captured.err

    for number, (name, who) in enumerate(WHO.items()):
        path = Path(name, "report.md" if name == "mill" else "report.txt")
        path.parent.mkdir()
        path.write_text(f"# Report\n\nThe miller {who} replaced two oak paddles on 3 March.\n")
        os.utime(path, (1_700_000_000 + number * 86_400 * 365,) * 2)
        run("docs", "add", name, "--collection", name, "--no-embed")
    return run


def read(result: Any) -> set[str]:
    """The documents that an answer quotes."""
    return {each["document"] for each in result["citations"]}


@pytest.mark.parametrize(
    "options",
    [
        ("--collection", "yard"),
        ("--type", "txt"),
        ("--path", "*/yard/*"),
        ("--since", "2024-06-01"),
        ("--collection", "*", "--until", "2023-12-31"),
    ],
)
def test_an_answer_is_made_from_what_was_asked_for_alone(nonet: Nonet, options: tuple[str, ...]) -> None:
    wanted = "mill" if "--until" in options else "yard"
    for result in (nonet("run", TASK, *options), nonet("ask", "retrieval", TASK, *options)):
        assert {name.partition("/")[0] for name in read(result)} == {wanted}
        assert WHO[wanted] in (result.get("answer") or result["output"])


def test_a_project_has_its_own_collection(nonet: Nonet) -> None:
    Path("nonet.toml").write_text('collection = "yard"\n')
    assert read(nonet("run", TASK)) == {"yard/report.txt"}
    assert read(nonet("run", TASK, "--collection", "mill")) == {"mill/report.md"}
    assert [each["name"] for each in nonet("docs", "list")["documents"]] == ["yard/report.txt"]
    assert len(nonet("docs", "list", "--collection", "*")["documents"]) == len(WHO)
    Path("note.txt").write_text("The wheel turned all winter.")
    assert nonet("docs", "add", "note.txt", "--no-embed")["added"] == ["yard/note.txt"]
    assert nonet("docs", "search", "paddles")["results"][0]["document"] == "yard/report.txt"
    assert read(nonet("run", TASK, "--docs", "mill")) == {"yard/report.md"}, (
        "what is named is read, and is the project's"
    )


def test_a_resumed_run_and_a_fork_search_what_the_run_did(nonet: Nonet) -> None:
    waiting = nonet("run", TASK, "--approve", "--collection", "yard")
    Path("nonet.toml").write_text('collection = "mill"\n')
    done = nonet("runs", "resume", waiting["run"], "--accept")
    assert read(done) == {"yard/report.txt"}
    assert read(nonet("runs", "fork", done["run"], "--again", "s1")) == {"yard/report.txt"}


def test_what_narrows_a_search_and_documents_that_are_named_exclude_each_other(nonet: Nonet) -> None:
    Path("log.txt").write_text("The paddles were oiled.")
    for command in (("run", TASK, "--docs", "log.txt"), ("ask", "retrieval", TASK, "--input", "log.txt")):
        told = nonet(*command, "--since", "2024-01-01", status=2)
        assert told["error"]["message"].startswith("--since keeps searches to some documents")


def test_an_unknown_collection_is_an_error_that_names_those_there_are(nonet: Nonet) -> None:
    Path("flows.yaml").write_text(
        "name: look\ninputs: {what: str}\n"
        "steps:\n  find: {specialist: retrieval, instruction: '{what}'}\noutput: find\n"
    )
    for command in (
        ("run", TASK),
        ("run", TASK, "--workflow", "flows.yaml"),
        ("plan", TASK),
        ("ask", "retrieval", TASK),
        ("docs", "search", "paddles"),
    ):
        told = nonet(*command, "--collection", "wharf", status=2)
        assert "There is no collection wharf" in told["error"]["message"]
        assert "mill, yard" in told["error"]["next_step"]


@pytest.mark.usefixtures("nonet")
def test_a_collection_of_the_settings_that_is_empty_yet_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nonet.toml").write_text('collection = "wharf"\n')
    assert main(["run", TASK]) == 0
    said = capsys.readouterr()
    assert "note (documents): There is no collection wharf." in said.err
    assert "Berg" not in said.out
    assert main(["docs", "add", "mill", "--collection", "*"]) == 2


def test_a_plan_knows_the_documents_of_its_collection_alone(nonet: Nonet) -> None:
    sentence = "Summarize report.txt in one sentence."
    for name in WHO:
        reads = nonet("plan", sentence, "--collection", name)["subtasks"][0]["documents"]
        assert all(document.startswith(f"{name}/") for document in reads)


@pytest.mark.usefixtures("nonet")
def test_a_session_is_kept_to_what_it_was_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = (
        "/only", "/only collection wharf", "/only collection yard since 2024-01-01", TASK, "/docs",
        "/only since off collection mill", TASK, "/set only_until 2023-01-01", TASK, "/only off", "/only",
    )  # fmt: skip
    (given := tmp_path / "said").write_text("\n".join(said) + "\n")
    with given.open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        main(["--plain"])
    shown = capsys.readouterr().out
    parts = shown.split("Only these are searched: ")
    assert "There is no collection wharf" in parts[0]
    assert parts[1].startswith("collection yard, since 2024-01-01.")
    assert ("Otto Lind" in parts[1], "Anna Berg" in parts[1]) == (True, False)
    assert parts[2].startswith("collection mill.")
    before, _, after = parts[2].partition("only_until = 2023-01-01")
    assert ("Anna Berg" in before, "Otto Lind" in parts[2], "Anna Berg" in after) == (True, False, False)
    assert after.count("All documents are searched.") == 2


def vectors_of(collection: str, tmp_path: Path) -> list[tuple[int, bytes]]:
    sql = (
        "SELECT v.rowid, v.codes FROM vectors v JOIN chunks c ON c.seq = v.chunk_seq"
        " JOIN documents d ON d.seq = c.document_seq WHERE d.collection = ?"
    )
    with closing(sqlite3.connect(tmp_path / "here.db")) as connection:
        return connection.execute(sql, (collection,)).fetchall()


def test_vectors_made_again_of_one_collection_leave_the_others_alone(nonet: Nonet, tmp_path: Path) -> None:
    nonet("docs", "embed")
    with closing(sqlite3.connect(tmp_path / "here.db")) as connection, connection:
        connection.execute("UPDATE vectors SET codes = zeroblob(length(codes))")
    mill = vectors_of("mill", tmp_path)
    told = nonet("docs", "embed", "--again", "--collection", "yard")
    assert (told["made"], told["vectors"], told["chunks"]) == (1, 2, 2)
    assert vectors_of("mill", tmp_path) == mill
    assert any(vectors_of("yard", tmp_path)[0][1])


def test_vectors_of_another_model_are_made_again_for_all_or_not_at_all(nonet: Nonet, tmp_path: Path) -> None:
    nonet("docs", "embed")
    with closing(sqlite3.connect(tmp_path / "here.db")) as connection, connection:
        connection.execute("UPDATE vector_space SET model = 'older@1'")
    before = [vectors_of(name, tmp_path) for name in WHO]
    told = nonet("docs", "embed", "--again", "--collection", "yard", status=3)
    assert "vectors of older@1" in told["error"]["message"]
    assert "nonet docs embed --again" in told["error"]["next_step"]
    assert [vectors_of(name, tmp_path) for name in WHO] == before
    assert nonet("docs", "embed", "--again")["made"] == len(WHO)


@pytest.mark.usefixtures("nonet")
def test_documents_are_added_and_searched_from_python(tmp_path: Path) -> None:
    added = library.add_documents([tmp_path / "mill", tmp_path / "yard"], collection="both")
    assert (sorted(added.added), added.vectors, added.without_vectors) == (["both/report.md", "both/report.txt"], 4, 0)
    assert library.embed_documents(collection="both", again=True).made == len(added.added)
    found = library.search("oak paddles", collection="both", kind="txt", since="2024-01-01")
    assert [hit.document for hit in found.hits] == ["both/report.txt"]
    assert found.method.startswith("words (BM25) and vectors (")
    assert {hit.collection for hit in library.search("oak paddles", words=True).hits} == {"mill", "yard", "both"}
    with pytest.raises(DocumentError, match="There is no collection wharf"):
        library.search("oak paddles", collection="wharf")
    with pytest.raises(DocumentError, match="There is no collection wharf"):
        library.run(TASK, collection="wharf")
    with pytest.raises(UsageError, match="all collections"):
        library.add_documents(tmp_path / "mill", collection="*")
    assert library.run(TASK, collection="yard").citations[0].document == "yard/report.txt"


def test_a_wrong_date_is_refused_wherever_it_stands(nonet: Nonet) -> None:
    assert "is no date" in nonet("run", TASK, "--since", "soon", status=2)["error"]["message"]
    Path("nonet.toml").write_text('only_since = "soon"\n')
    assert "is no date" in nonet("run", TASK, status=2)["error"]["message"]
    Path("nonet.toml").write_text("only_since = 2024-06-01\n")
    assert read(nonet("run", TASK)) == {"yard/report.txt"}
