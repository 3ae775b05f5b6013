"""Identical deterministic calls are made once: those under way are shared, those that were answered are kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from nonet.runtimes.protocol import OnText
from nonet.runtimes.types import ChatRequest, ChatResponse, Trip, Usage


class ResponseCache(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> ChatResponse | None:
        """The answer to the call of that key, if it is kept."""
        ...

    def put(self, key: str, response: ChatResponse) -> None:
        """Keep an answer."""


@dataclass(slots=True)
class OnceCounts:
    """What was not asked of a model."""

    shared: int = 0
    """Calls that got the answer of another that was under way."""
    cached: int = 0
    """Calls whose answer was kept."""


class Once:
    """Answers each deterministic call once.

    Args:
        versions: of the models, by name (ModelInfo.version); calls to others are never shared.
        cache: None: only calls under way are shared.
    """

    def __init__(self, versions: Mapping[str, str], cache: ResponseCache | None = None) -> None:
        self.counts = OnceCounts()
        self._versions = versions
        self._cache = cache
        self._under_way: dict[tuple[str, int], asyncio.Future[ChatResponse | None]] = {}

    def key(self, request: ChatRequest) -> str | None:
        """What names the call: SHA-256 of all its answer depends on. None: it samples, or its model is not known."""
        version = self._versions.get(request.model)
        if request.temperature or not version:
            return None
        parts = [
            *(request.model, version, request.schema, request.max_completion_tokens, request.seed, request.stop),
            *(request.certainty, request.think),
            [(message.role, message.content) for message in request.messages],
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    async def answer(
        self, key: str, ask: Callable[[], Awaitable[ChatResponse]], on_text: OnText | None, priority: int = 0
    ) -> ChatResponse:
        """The answer of that key: kept, under way, or asked for now. Raises as `ask`.

        Args:
            key: as `key` gives it.
            ask: makes the call.
            on_text: shown the answer.
            priority: only a call of the same one is shared: who waits does not wait for a batch's turn.
        """
        place = (key, priority)
        while (under_way := self._under_way.get(place)) is not None:
            shared = await asyncio.shield(under_way)
            if shared is not None:  # else that call failed or was cancelled: this one takes its place
                self.counts.shared += 1
                return _again(shared, "shared", on_text)
        kept = self._cache.get(key) if self._cache is not None else None
        if kept is not None:
            self.counts.cached += 1
            return _again(kept, "cache", on_text)
        ours = self._under_way[place] = asyncio.get_running_loop().create_future()
        response: ChatResponse | None = None
        try:
            response = await ask()
        finally:
            del self._under_way[place]
            ours.set_result(response)
        if self._cache is not None:
            self._cache.put(key, response)
        return response


def _again(response: ChatResponse, origin: str, on_text: OnText | None) -> ChatResponse:
    """An answer that cost this call nothing."""
    if on_text is not None:
        on_text(response.text)
    return replace(response, usage=Usage(), trip=Trip(origin=origin))
