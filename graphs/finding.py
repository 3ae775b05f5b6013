"""What `nonet docs` and Python do beside adding: search, and make vectors, by the models that the settings name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nonet.errors import ResourceError
from nonet.graphs.embedding import SOON_MADE, embed_pending, open_embedder, open_models
from nonet.graphs.scope import scope_of
from nonet.graphs.searching import Found, find, find_reranked
from nonet.store import Filter, Store

if TYPE_CHECKING:
    from nonet.graphs.embedding import OnProgress
    from nonet.graphs.reranking import OnJudged
    from nonet.settings import Settings


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What `embed_documents` did, and how far the vectors of the database are."""

    model: str
    """Whose vectors they are, with the beginning of the digest of its weights."""
    made: int
    """Now."""
    vectors: int
    """In all."""
    chunks: int
    """In all; those without a vector are found by words alone."""


def why_not_now(store: Store, *, embed: bool | None) -> str:
    """Why the vectors that are missing are not made while documents are added; "" where they are.

    Args:
        embed: make them; None: unless they are very many.
    """
    pending = store.vectors.pending_count()
    if not pending or embed is False:
        return "make them with: nonet docs embed"
    if embed is None and pending > SOON_MADE:
        return "to make so many takes a while: nonet docs embed"
    return ""


async def embed_missing(
    store: Store,
    settings: Settings,
    *,
    collection: str | None = None,
    again: bool = False,
    on_progress: OnProgress | None = None,
) -> EmbedReport:
    """Make the vectors that are missing, of one collection or of all. Args and errors as `embed_documents`."""
    where = Filter(collection=collection)
    async with open_embedder(settings) as embedder:
        if again:
            if collection is not None:  # those of the other collections stay, and must be of the same model
                store.vectors.expect(embedder.space)
            store.vectors.clear(where)
        store.vectors.expect(embedder.space)
        made = await embed_pending(store, embedder, where, on_progress)
    state = store.vectors.state()
    return EmbedReport(embedder.space, made, state.done, state.chunks)


async def find_in(
    store: Store,
    settings: Settings,
    query: str,
    limit: int,
    *,
    broad: bool = False,
    words: bool = False,
    rerank: str | None = None,
    on_judged: OnJudged | None = None,
) -> Found:
    """Search what the settings keep searches to; where a model cannot be had, without it, and it says so.

    Args:
        words: by words alone, even where there are vectors.
        rerank: a chat model that judges what was found; "": none; None: that of the settings, if it can be had.

    Raises:
        ResourceError: the model that `rerank` names cannot be had.
    """
    asked = _Asked(store, settings, query, limit, broad=broad)
    no_vectors = not store.vectors.state().model
    told = "no vectors were made: nonet docs embed" if no_vectors and not words else ""
    by_words = words or no_vectors
    if judge := settings.rerank_model if rerank is None else rerank:
        try:
            return _telling(await asked.reranked(judge, by_words=by_words, on_judged=on_judged), told)
        except ResourceError as error:
            if rerank:
                raise
            told = f"not reranked: {_short(error)}{f'; {told}' if told else ''}"
    return _telling(asked.by_words() if by_words else await asked.by_both(), told)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search."""

    store: Store
    settings: Settings
    query: str
    limit: int
    broad: bool

    def by_words(self) -> Found:
        hits = self.store.documents.search(self.query, self.limit, where=scope_of(self.settings))
        return Found(hits, "words (BM25)")

    async def by_both(self) -> Found:
        """By vectors too; where the model that made them cannot be had, by words, and it says so."""
        where = scope_of(self.settings)
        try:
            async with open_embedder(self.settings) as embedder:
                return await find(self.store, self.query, self.limit, where, embedder, broad=self.broad)
        except ResourceError as error:
            return _telling(self.by_words(), f"no vectors: {_short(error)}")

    async def reranked(self, judge: str, *, by_words: bool, on_judged: OnJudged | None) -> Found:
        """In the order that a chat model gives what was found. Raises ResourceError where it cannot be had."""
        where = scope_of(self.settings)
        async with open_models(self.settings, self.store) as models:
            reranker, told = models.reranker(judge), ""
            try:
                embedder = None if by_words else models.embedder()
            except ResourceError as error:
                embedder, told = None, f"no vectors: {_short(error)}"
            found = await find_reranked(
                self.store,
                self.query,
                self.limit,
                where,
                embedder,
                reranker=reranker,
                broad=self.broad,
                on_judged=on_judged,
            )
            return _telling(found, told)


def _short(error: ResourceError) -> str:
    return error.message.rstrip(".")


def _telling(found: Found, told: str) -> Found:
    """With what was missing."""
    return replace(found, method=f"{found.method}; {told}", lacking=told) if told else found
