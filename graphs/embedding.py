"""Vectors for the chunks of the store: made in small batches, each kept at once, so that nothing is made twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nonet.errors import ModelNotFoundError
from nonet.graphs.reranking import Reranker
from nonet.specialists.ranking import title
from nonet.store import Filter, PendingChunk, Store

if TYPE_CHECKING:
    from nonet.runtimes import ModelInfo
    from nonet.runtimes.scheduler import Scheduler
    from nonet.settings import Settings

Vectors = tuple[tuple[float, ...], ...]
OnProgress = Callable[[int, int, str], None]
"""Called with chunks done, chunks in all, and the name of the document at work."""

_BATCH = 32
"""Chunks a call: about a second of MiniLM on one core, and as much is lost by an interrupt."""
_DIGEST_CHARACTERS = 12
SOON_MADE = 2_000
"""Chunks whose vectors are made as they are added: two or three minutes of MiniLM on one core."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """What makes vectors."""

    space: str
    """Names the model and its weights: vectors of two spaces are never compared."""
    embed: Callable[[Sequence[str]], Awaitable[Vectors | None]]
    """Unit vectors; None where the model has gone."""


def space_of(model: str, digest: str) -> str:
    """The name of a model's vectors: other weights under the same name are another space."""
    return f"{model}@{digest.removeprefix('sha256:')[:_DIGEST_CHARACTERS]}" if digest else model


@dataclass(frozen=True, slots=True)
class Models:
    """What an installed runtime serves, for commands that need no session."""

    settings: Settings
    runtime_name: str
    installed: Sequence[ModelInfo]
    scheduler: Scheduler

    def embedder(self) -> Embedder:
        """The embedding model of the settings. Raises ModelNotFoundError where there is none."""
        from nonet.graphs.ladders import DEFAULT_EMBEDDER, choose_embedder  # noqa: PLC0415

        model = choose_embedder(self.settings, self.installed)
        if model is None:
            raise ModelNotFoundError(
                f"The {self.runtime_name} runtime has no model that makes vectors.",
                next_step=f"Fetch one with `nonet models pull {DEFAULT_EMBEDDER}`.",
            )

        async def embed(texts: Sequence[str]) -> Vectors | None:
            return (await self.scheduler.embed(model, texts)).vectors if texts else ()

        digest = next((each.digest for each in self.installed if each.name == model), "")
        return Embedder(space_of(model, digest), embed)

    def reranker(self, model: str) -> Reranker:
        """A chat model that judges passages. Raises ModelNotFoundError where it is not installed."""
        if model not in {each.name for each in self.installed}:
            raise ModelNotFoundError(
                f"The model {model!r} is not installed.", next_step=f"Fetch it with `nonet models pull {model}`."
            )
        return Reranker(model, self.scheduler.chat)


@asynccontextmanager
async def open_models(settings: Settings, store: Store | None = None) -> AsyncIterator[Models]:
    """The models of the settings' runtime, asked nothing twice whose answer the store keeps.

    Raises:
        RuntimeUnavailableError: no runtime answers.
    """
    from nonet.graphs.choice import choose_runtime  # noqa: PLC0415 - loads the HTTP client
    from nonet.graphs.scheduling import make_once, take_in_all  # noqa: PLC0415
    from nonet.runtimes.scheduler import Scheduler  # noqa: PLC0415

    chosen = await choose_runtime(settings)
    runtime, scheduler = chosen.runtime, Scheduler()
    try:
        models = await runtime.models()
        scheduler.once = make_once(settings, models, store) if store is not None else None
        take_in_all(scheduler, chosen, models)
        yield Models(settings, runtime.name, models, scheduler)
    finally:
        await scheduler.aclose()
        await runtime.aclose()


@asynccontextmanager
async def open_embedder(settings: Settings) -> AsyncIterator[Embedder]:
    """The embedding model of the settings, for commands that need no other model.

    Raises:
        RuntimeUnavailableError: no runtime answers.
        ModelNotFoundError: the runtime has no model that embeds.
    """
    async with open_models(settings) as models:
        yield models.embedder()


async def embed_pending(
    store: Store,
    embedder: Embedder,
    where: Filter,
    on_progress: OnProgress | None = None,
) -> int:
    """Give every chunk that has none its vector; how many were made. Interrupted, it goes on where it stopped.

    Raises:
        StoreError: the database has vectors of another model.
    """
    total = store.vectors.pending_count(where)
    done = 0
    while chunks := store.vectors.pending(_BATCH, where):
        if on_progress is not None:
            on_progress(done, total, chunks[0].document)
        vectors = await embedder.embed([embedded_text(chunk) for chunk in chunks])
        if vectors is None:
            break
        store.vectors.put(embedder.space, [(chunk.seq, vector) for chunk, vector in zip(chunks, vectors, strict=True)])
        done += len(chunks)
    if on_progress is not None:
        on_progress(done, total, "")
    if done:
        store.vectors.tidy()
    return done


def embedded_text(chunk: PendingChunk) -> str:
    """What the vector of a chunk is made of: what it is about stands in front, as many chunks do not say it."""
    about = ", ".join(part for part in (title(chunk.document), chunk.heading) if part)
    return f"{about}: {chunk.text}"
