"""Texts that wait to be embedded by the same model go in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from nonet.runtimes.lines import Priority
from nonet.runtimes.types import EmbedResponse

MOST_TEXTS = 128
"""In one request of several callers; one caller may bring more."""

Take = Callable[[], Sequence[str]]
"""Gives the texts, when the request's turn has come: until then more may join."""
Send = Callable[[str, Priority, Take], Awaitable[EmbedResponse]]


@dataclass(slots=True, eq=False)
class _Batch:
    texts: list[str] = field(default_factory=list)
    callers: int = 0
    closed: bool = False
    sending: asyncio.Task[EmbedResponse] | None = None

    def take(self) -> Sequence[str]:
        self.closed = True
        return self.texts


class EmbedBatches:
    """Joins the requests of several callers while they wait for their turn.

    Args:
        send: waits for a turn and makes the request.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open: dict[tuple[str, Priority], _Batch] = {}

    async def embed(self, model: str, texts: Sequence[str], priority: Priority) -> EmbedResponse:
        """One vector a text. The usage is that of the whole request, for whoever was first in it."""
        key = (model, priority)
        batch = self._open.get(key)
        if batch is None or batch.closed or len(batch.texts) + len(texts) > MOST_TEXTS:
            batch = self._open[key] = _Batch()
            batch.sending = asyncio.create_task(self._sent(key, batch))
            batch.sending.add_done_callback(lambda task: task.cancelled() or task.exception())  # callers may be gone
        first = len(batch.texts)
        batch.texts += texts
        batch.callers += 1
        assert batch.sending is not None
        try:
            whole = await asyncio.shield(batch.sending)
        except asyncio.CancelledError:
            batch.callers -= 1
            if not batch.callers:
                batch.sending.cancel()
            raise
        vectors = whole.vectors[first : first + len(texts)]
        return EmbedResponse(vectors, whole.usage, whole.trip) if not first else EmbedResponse(vectors)

    async def _sent(self, key: tuple[str, Priority], batch: _Batch) -> EmbedResponse:
        try:
            return await self._send(*key, batch.take)
        finally:
            batch.closed = True
            if self._open.get(key) is batch:
                del self._open[key]
