"""Keeps the answers of deterministic calls in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nonet.errors import StoreError
from nonet.runtimes import ChatResponse, Finish

if TYPE_CHECKING:
    from nonet.store import Store


@dataclass(frozen=True, slots=True)
class StoreCache:
    """Implements nonet.runtimes.once.ResponseCache. A cache that cannot be read gives nothing.

    Args:
        store: where they are kept.
        most_bytes: what was used longest ago goes where they take more.
    """

    store: Store
    most_bytes: int

    def get(self, key: str) -> ChatResponse | None:
        try:
            kept = self.store.responses.get(key)
        except StoreError:
            return None
        if kept is None:
            return None
        text, model, finish, thinking, certainty = json.loads(kept)
        return ChatResponse(text, model, Finish(finish), thinking=thinking, certainty=certainty)

    def put(self, key: str, response: ChatResponse) -> None:
        kept = json.dumps([response.text, response.model, str(response.finish), response.thinking, response.certainty])
        self.store.responses.put(key, response.model, kept, self.most_bytes)
