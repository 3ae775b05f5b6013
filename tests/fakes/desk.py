"""A desk for tests: any runtime behind it, and documents held in memory to search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nonet.runtimes import ChatRequest, ChatResponse, Message, OnText, Runtime
from nonet.specialists import Passage, Sandbox, Searcher

CHAT_MODEL = "smollm2:135m"
EMBED_MODEL = "all-minilm:l6-v2"


@dataclass
class FakeDesk:
    """Implements nonet.specialists.Desk; `requests` keeps what was asked."""

    runtime: Runtime
    model: str = CHAT_MODEL
    window_tokens: int = 4096
    searcher: Searcher | None = None
    sandbox: Sandbox | None = None
    embed_model: str | None = None
    requests: list[ChatRequest] = field(default_factory=list)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_completion_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> ChatResponse:
        request = ChatRequest(
            model=self.model,
            messages=tuple(messages),
            schema=schema,
            max_completion_tokens=max_completion_tokens,
            temperature=temperature,
            seed=seed,
        )
        self.requests.append(request)
        return await self.runtime.chat(request, on_text)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        return (await self.runtime.count_tokens(self.model, messages)).tokens

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        if self.embed_model is None:
            return None
        return (await self.runtime.embed(self.embed_model, texts)).vectors

    @property
    def prompts(self) -> list[str]:
        """The user message of every call, in order."""
        return [request.messages[-1].content for request in self.requests]


@dataclass
class MemorySearcher:
    """Finds paragraphs by the words they share with the query; keeps the queries."""

    documents: Mapping[str, str]
    queries: list[str] = field(default_factory=list)
    broad: list[bool] = field(default_factory=list)
    rounds: int = 1
    lacking: str = ""

    async def search(self, query: str, limit: int, *, broad: bool = False) -> Sequence[Passage]:
        self.queries.append(query)
        self.broad.append(broad)
        wanted = {word.strip(".,?!\"'") for word in query.casefold().split() if len(word) > 3}
        found: list[Passage] = []
        for name, text in self.documents.items():
            start = 0
            for number, paragraph in enumerate(text.split("\n\n")):
                words = [word.strip(".,?!\"'") for word in paragraph.casefold().split()]
                if score := sum(word in wanted for word in words):
                    found.append(Passage(name, number, float(score), start, start + len(paragraph), paragraph))
                start += len(paragraph) + 2
        return sorted(found, key=lambda passage: -passage.score)[:limit]
