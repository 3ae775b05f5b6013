"""The store as the searcher that retrieval asks for: by words, by vectors where there are any, the two fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nonet.graphs.broadening import FEEDBACK, expanded, moved
from nonet.graphs.embedding import Embedder, embed_pending
from nonet.graphs.ladders import DEFAULT_EMBEDDER
from nonet.graphs.reranking import RERANKED, OnJudged, Reranker, reranked
from nonet.specialists import Passage
from nonet.specialists.ranking import fused_scores, spread, summed_scores
from nonet.store import Filter, Hit, Store

_DEPTH = 50
"""Hits of each ranking that are fused."""
_RRF_K = 10
"""The paper's 60 lets two middling ranks win over one first rank. With 10, all passages that MuSiQue's questions need
are among the first five for .30 instead of .22 of them, and the other sets gain or stay."""
_BROAD_DEPTH = 100
"""Hits of each ranking of a broad search, whose scores are added: those of a list's end stand for what it lacks."""
_EMBEDDED_AT_ONCE = 64
"""Chunks that a search makes vectors for itself: seconds of MiniLM on one core. More are left to `docs embed`."""
NO_EMBEDDER = f"no model makes vectors here: nonet models pull {DEFAULT_EMBEDDER}, then nonet docs embed"


@dataclass(slots=True)
class StoreSearcher:
    """Implements nonet.specialists.Searcher over the documents of one run, or over all of them."""

    store: Store
    documents: tuple[str, ...] | None = None
    """None: all that are in `where`."""
    embedder: Embedder | None = None
    where: Filter = field(default_factory=Filter)
    """Does not matter where documents are named: those are read, whatever they are."""
    rounds: int = 1
    lacking: str = ""
    """Of the last search; those of one run search the same documents, so that it is the same for all of them."""

    async def search(self, query: str, limit: int, *, broad: bool = False) -> Sequence[Passage]:
        found = await find(self.store, query, limit, self._filter(), self.embedder, broad=broad, embed_some=True)
        self.lacking = found.lacking
        cosines = found.cosines
        return [
            Passage(hit.document, hit.chunk, hit.score, hit.start, hit.end, hit.text, cosines.get(hit.seq), hit.page)
            for hit in found.hits
        ]

    def _filter(self) -> Filter:
        return self.where if self.documents is None else Filter(documents=self.documents)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and by which method."""

    hits: Sequence[Hit]
    method: str
    """Such as "words (BM25)" or "words (BM25) and vectors (all-minilm:l6-v2)", with what was missing."""
    cosines: dict[int, float] = field(default_factory=dict)
    """Of the hits that the vectors found, by the number of the chunk."""
    lacking: str = ""
    """Why vectors were not searched, and what to do about it; empty where they were."""


async def find_reranked(
    store: Store,
    query: str,
    limit: int,
    where: Filter,
    embedder: Embedder | None,
    *,
    reranker: Reranker,
    broad: bool = False,
    on_judged: OnJudged | None = None,
) -> Found:
    """As `find`, with the first passages put into a new order by a chat model."""
    found = await find(store, query, max(limit, RERANKED), where, embedder, broad=broad)
    hits, how = await reranked(query, found.hits, reranker, on_judged)
    return replace(found, hits=hits[:limit], method=f"{found.method}; {how}" if hits else found.method)


async def find(
    store: Store,
    query: str,
    limit: int,
    where: Filter,
    embedder: Embedder | None,
    *,
    broad: bool = False,
    embed_some: bool = False,
) -> Found:
    """The best chunks for a query, best first.

    Args:
        store: where they are.
        query: any text.
        limit: at most so many.
        where: which documents.
        embedder: None: by words alone.
        broad: many passages on one subject are wanted, not the one that holds a fact; needs vectors.
        embed_some: make the vectors that are missing if they are few.

    Raises:
        StoreError: the database cannot be read.
    """
    by_words = store.documents.search(query, max(limit, _DEPTH), where=where)
    if embedder is None:
        return Found(by_words[:limit], "words (BM25)", lacking=NO_EMBEDDER)
    why_not = await _unready(store, where, embedder, embed_some=embed_some)
    vectors = None if why_not else await embedder.embed([query])
    if not vectors:
        why_not = why_not or NO_EMBEDDER
        return Found(by_words[:limit], f"words (BM25); {why_not}", lacking=why_not)
    by_vectors = store.vectors.nearest(embedder.space, vectors[0], max(limit, _DEPTH), where)
    hits = {hit.seq: hit for hit in (*by_words, *by_vectors)}
    order = fused_scores([[hit.seq for hit in by_words], [hit.seq for hit in by_vectors]], k=_RRF_K)
    cosines = {hit.seq: hit.score for hit in by_vectors}
    if broad:
        depth, first = max(limit, _BROAD_DEPTH), [hits[seq] for seq, _ in order[:FEEDBACK]]
        by_words = store.documents.search(expanded(store, query, first), depth, where=where)
        by_vectors = store.vectors.nearest(embedder.space, moved(store, vectors[0], first), depth, where)
        hits = {hit.seq: hit for hit in (*by_words, *by_vectors)}
        order = _shared(store, summed_scores([_scores(by_words), _scores(by_vectors)], depth))
    fused = [replace(hits[seq], score=score) for seq, score in order[:limit]]
    how = "fused by score, asked again with what the first hits share" if broad else "fused by rank"
    return Found(fused, f"words (BM25) and vectors ({embedder.space.partition('@')[0]}), {how}", cosines)


def _scores(hits: Sequence[Hit]) -> list[tuple[int, float]]:
    """A cosine below 0 says no less than one of 0."""
    return [(hit.seq, max(0.0, hit.score)) for hit in hits]


def _shared(store: Store, order: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The first so many in the order of their shared scores, the others behind them as they were."""
    first, rest = order[:_DEPTH], order[_DEPTH:]
    scores = spread([score for _, score in first], store.vectors.alike([seq for seq, _ in first]))
    again = sorted(zip([seq for seq, _ in first], scores, strict=True), key=lambda entry: -entry[1])
    return [*again, *((seq, 0.0) for seq, _ in rest)]


async def _unready(store: Store, where: Filter, embedder: Embedder, *, embed_some: bool) -> str:
    """Why vectors cannot be searched; "" where they can."""
    state = store.vectors.state()
    if state.model not in ("", embedder.space):
        return f"the vectors are of {state.model}: nonet docs embed --again makes those of {embedder.space}"
    pending = store.vectors.pending_count(where)
    if pending and embed_some and pending <= _EMBEDDED_AT_ONCE:
        await embed_pending(store, embedder, where)
        pending = store.vectors.pending_count(where)
    return f"{pending:,} chunks have no vectors yet: nonet docs embed" if pending else ""
