"""The store as the searcher: words, vectors, the two fused, and what is said where vectors are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from nonet.errors import CallTimeoutError
from nonet.graphs.broadening import expanded, moved
from nonet.graphs.embedding import Embedder, embed_pending, embedded_text, space_of
from nonet.graphs.reranking import Reranker
from nonet.graphs.searching import StoreSearcher, find, find_reranked
from nonet.runtimes import ChatRequest, ChatResponse
from nonet.specialists.ranking import spread, summed_scores
from nonet.store import Filter, NewDocument, PendingChunk, Store

TOPICS = ("pump", "water", "boat", "lamp")
MEANT = {"bilge": "pump", "vessel": "boat", "lantern": "lamp"}


class TopicEmbedder:
    """A vector of topics, in which another word for one is the same."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        self.texts += texts
        return tuple(self._vector(text.casefold()) for text in texts)

    def _vector(self, text: str) -> tuple[float, ...]:
        for word, topic in MEANT.items():
            text = text.replace(word, topic)
        return tuple(1.0 if topic in text else 0.01 for topic in TOPICS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "nonet.db") as store:
        store.documents.add_many(
            [
                NewDocument("a", "The pump stands in bay 3."),
                NewDocument("b", "A boat needs water under it."),
                NewDocument("c", "The lamp was out for a night."),
            ]
        )
        yield store


async def test_by_words_alone_where_there_is_no_embedder(store: Store) -> None:
    found = await find(store, "the pump", 3, Filter(), None)
    assert ([hit.document for hit in found.hits][:1], found.method) == (["a"], "words (BM25)")


async def test_missing_vectors_are_said_or_made_where_they_are_few(store: Store) -> None:
    embedder = Embedder("topics@1", TopicEmbedder())
    found = await find(store, "bilge", 3, Filter(), embedder)
    assert (list(found.hits), found.method) == ([], "words (BM25); 3 chunks have no vectors yet: nonet docs embed")
    searcher = StoreSearcher(store, embedder=embedder)
    passages = await searcher.search("bilge", 3)
    assert passages[0].document == "a"
    assert passages[0].cosine == pytest.approx(1.0, abs=0.01)
    assert store.vectors.state().done == 3


async def test_words_and_vectors_are_fused(store: Store) -> None:
    embedder = Embedder("topics@1", TopicEmbedder())
    await embed_pending(store, embedder, Filter())
    found = await find(store, "a vessel for the night", 3, Filter(), embedder)
    assert {hit.document for hit in found.hits[:2]} == {"b", "c"}, "one by its meaning, one by its words"
    assert found.method == "words (BM25) and vectors (topics), fused by rank"
    broad = await find(store, "a vessel for the night", 3, Filter(), embedder, broad=True)
    assert broad.method.endswith("asked again with what the first hits share")
    assert {hit.document for hit in broad.hits} == {"a", "b", "c"}


async def test_vectors_of_another_model_are_not_searched(store: Store) -> None:
    await embed_pending(store, Embedder("topics@1", TopicEmbedder()), Filter())
    found = await find(store, "bilge pump", 3, Filter(), Embedder("topics@2", TopicEmbedder()))
    assert "the vectors are of topics@1: nonet docs embed --again makes those of topics@2" in found.method
    assert [hit.document for hit in found.hits] == ["a"]


async def test_embedding_goes_on_where_it_stopped(store: Store) -> None:
    store.documents.add(NewDocument("big", "x" * 70, chunks=[(at, at + 1) for at in range(70)]))
    inner = TopicEmbedder()

    async def until_tired(texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        if len(inner.texts) > 30:
            raise KeyboardInterrupt
        return await inner(texts)

    with pytest.raises(KeyboardInterrupt):
        await embed_pending(store, Embedder("topics@1", until_tired), Filter())
    kept = store.vectors.state().done
    assert 0 < kept < 73
    seen: list[tuple[int, int]] = []
    made = await embed_pending(
        store, Embedder("topics@1", inner), Filter(), lambda done, total, _name: seen.append((done, total))
    )
    assert kept + made == 73
    assert seen[-1] == (made, made)
    assert len(inner.texts) == 73


def test_what_a_chunk_is_about_stands_in_front_of_it() -> None:
    assert embedded_text(PendingChunk(1, "web/user_guide.md", "Setup > Linux", "Run it.")) == (
        "user guide, Setup > Linux: Run it."
    )
    assert space_of("minilm", "sha256:0123456789abcdef") == "minilm@0123456789ab"
    assert space_of("minilm", "") == "minilm"


def test_a_passage_among_good_ones_rises_above_one_that_stands_alone() -> None:
    scores = [0.9, 0.8, 0.3, 0.5, 0.1]
    alike = [[0.9 if {row, column} <= {0, 1, 2} else 0.1 for column in range(5)] for row in range(5)]
    shared = spread(scores, alike)
    assert shared[2] > shared[3] > shared[4]
    assert shared[0] > shared[3]
    assert spread([], []) == []


def test_a_broad_question_takes_words_and_direction_from_its_first_hits(store: Store) -> None:
    store.documents.add_many(
        [NewDocument(f"n{number}", f"The common words of every day, number {number}.") for number in range(8)]
    )
    hits = store.documents.search("pump", 5)
    again = expanded(store, "pump", hits)
    assert again.split()[0] == "pump"
    assert {"stands", "bay"} <= set(again.split())
    assert store.documents.frequencies(["common", "day", "zebra"]) == {"common": 8, "day": 8, "zebra": 0}
    assert moved(store, (1.0, 0.0), hits) == (1.0, 0.0), "no vectors, no move"
    [chunk, *_] = store.vectors.pending(1)
    store.vectors.put("m", [(chunk.seq, (0.0, 2.0))])
    assert moved(store, (1.0, 0.0), hits) == pytest.approx((0.6, 0.4))
    store.documents.add(NewDocument("d", "The pump hums."))
    [last] = store.documents.search("hums", 1)
    store.vectors.put("m", [(last.seq, (2.0, 0.0))])
    ahead = moved(store, (1.0, 0.0), [last, *hits])
    behind = moved(store, (1.0, 0.0), [*hits, last])
    assert ahead[0] > behind[0], "the first of them lends most"
    assert ahead == pytest.approx((0.6 + 0.4 * 2 / 5**0.5, 0.4 / 5**0.5))


def test_scores_are_added_and_what_a_list_lacks_has_at_most_its_last() -> None:
    summed = dict(summed_scores([[("a", 8.0), ("b", 6.0)], [("b", 0.8), ("c", 0.4)]], depth=2))
    assert summed == pytest.approx({"a": 0.75, "b": 0.875, "c": 0.625})
    assert summed_scores([[], [("a", 0.0)]], depth=2) == [("a", 0.0)]
    assert summed_scores([], depth=2) == []


def judging(*relevant: str, certainty: float | None = 0.9) -> Reranker:
    """Says yes to passages with one of the words."""

    async def chat(request: ChatRequest) -> ChatResponse:
        passage = request.messages[-1].content.partition("Passage: ")[2].partition("Does the passage")[0]
        return ChatResponse("Yes" if any(word in passage for word in relevant) else "no", "judge", certainty=certainty)

    return Reranker("judge", chat)


@pytest.mark.parametrize("certainty", [0.9, 0.4, None])
async def test_a_model_moves_up_what_it_says_yes_to(store: Store, certainty: float | None) -> None:
    plain = await find(store, "the pump, a boat and the lamp", 3, Filter(), None)
    last = plain.hits[-1]
    judge = judging(last.text, certainty=certainty)
    found = await find_reranked(store, "the pump, a boat and the lamp", 3, Filter(), None, reranker=judge)
    assert found.method == "words (BM25); reranked by judge"
    places = [[hit.document for hit in each.hits].index(last.document) for each in (plain, found)]
    assert places[1] < places[0]
    assert {hit.document for hit in found.hits} == {hit.document for hit in plain.hits}
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


async def test_where_the_model_fails_the_order_stays_and_it_is_said(store: Store) -> None:
    async def chat(_request: ChatRequest) -> ChatResponse:
        raise CallTimeoutError("The server took too long.")

    plain = await find(store, "the pump in the night", 3, Filter(), None)
    found = await find_reranked(store, "the pump in the night", 3, Filter(), None, reranker=Reranker("judge", chat))
    assert [hit.seq for hit in found.hits] == [hit.seq for hit in plain.hits]
    assert found.method == "words (BM25); not reranked: The server took too long."
