"""`nonet docs search` with a chat model that judges what was found, against a server that has one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.beside import beside
from fakes.ollama import FakeOllama

from nonet.cli import main

JUDGE = "qwen2.5-coder:0.5b"
NOTES = ("The pump stands in bay 3.", "A boat needs water under it.", "The pump of the boat was out for a night.")
Search = Callable[..., Any]


@pytest.fixture
def fake() -> Iterator[FakeOllama]:
    with beside(FakeOllama([("Query:", "Yes")])) as server:
        yield server


@pytest.fixture
def search(
    fake: FakeOllama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Search:
    """Searches three notes that have vectors; gives the object that was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    for name, value in {"DB": "here.db", "RUNTIME": "ollama", "OLLAMA_HOST": fake.url}.items():
        monkeypatch.setenv(f"NONET_{name}", value)
    (notes := tmp_path / "notes").mkdir()
    for number, note in enumerate(NOTES):
        (notes / f"{number}.txt").write_text(note)
    assert main(["docs", "add", str(notes), "--embed", "--quiet"]) == 0
    capsys.readouterr()

    def run(query: str, *options: str) -> Any:
        main(["docs", "search", query, "--json", *options])
        return json.loads(capsys.readouterr().out)

    return run


def judged(fake: FakeOllama) -> int:
    """Chats so far."""
    return fake.counts.calls["/api/chat"]


def test_the_same_passages_are_judged_once_for_a_query(fake: FakeOllama, search: Search) -> None:
    first = search("pump", "--rerank", JUDGE)
    asked = judged(fake)
    assert (asked, first["method"].endswith(f"; reranked by {JUDGE}")) == (len(NOTES), True)
    assert (search("pump", "--rerank", JUDGE), judged(fake)) == (first, asked)
    search("boat", "--rerank", JUDGE)
    assert judged(fake) == asked + len(NOTES), "another query is another question"


def test_a_setting_names_the_judge_and_a_search_can_do_without(
    fake: FakeOllama, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NONET_RERANK_MODEL", JUDGE)
    assert search("pump")["method"].endswith(f"; reranked by {JUDGE}")
    for off in (("--no-rerank",), ("--rerank", "")):
        assert search("pump", *off)["method"].endswith("fused by rank")
    monkeypatch.setenv("NONET_RERANK_MODEL", "no-such-model")
    found = search("pump")
    assert found["method"].endswith("fused by rank; not reranked: The model 'no-such-model' is not installed")
    assert len(found["results"]) == len(NOTES)
    assert "not installed" in search("pump", "--rerank", "no-such-model")["error"]["message"]
    monkeypatch.setenv("NONET_OLLAMA_HOST", "127.0.0.1:9")
    found = search("pump")
    assert found["method"].startswith("words (BM25); no vectors: No Ollama server answers")
    assert "; not reranked: No Ollama server answers" in found["method"]
    assert found["results"]
    assert judged(fake) == len(NOTES)


def test_without_the_embedding_model_what_the_words_found_is_judged(fake: FakeOllama, search: Search) -> None:
    del fake.models["all-minilm:l6-v2"]
    plain, reranked = search("pump"), search("pump", "--rerank", JUDGE)
    why_not = "no vectors: The ollama runtime has no model that makes vectors"
    assert plain["method"] == f"words (BM25); {why_not}"
    assert reranked["method"] == f"words (BM25); reranked by {JUDGE}; {why_not}"
    assert {hit["document"] for hit in reranked["results"]} == {hit["document"] for hit in plain["results"]}
