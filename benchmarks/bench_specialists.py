"""What the quality benchmarks of retrieval and summarization share: a desk, a runtime, a collection in a store."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nonet.graphs.searching import StoreSearcher
from nonet.runtimes import ChatRequest, ChatResponse, Finish, Message, OnText, Runtime, Usage
from nonet.specialists import Sandbox, Searcher
from nonet.specialists.budget import split_chars
from nonet.specialists.ingest import CHUNK_CHARS, CHUNK_OVERLAP_CHARS
from nonet.store import NewDocument, Store


@dataclass
class BenchDesk:
    """Implements nonet.specialists.Desk over a runtime; counts its calls and keeps vectors it has made."""

    runtime: Runtime
    model: str
    window_tokens: int
    searcher: Searcher | None = None
    embed_model: str | None = None
    sandbox: Sandbox | None = None
    cache: Path | None = None
    """Where answers are kept, so that a run that was stopped goes on, and what is made of them is scored anew."""
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    vectors: dict[str, tuple[float, ...]] = field(default_factory=dict)

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
        request = ChatRequest(self.model, tuple(messages), schema, max_completion_tokens, temperature, seed)
        response = await self._kept(request, on_text)
        self.calls += 1
        self.usage += response.usage
        return response

    async def _kept(self, request: ChatRequest, on_text: OnText | None) -> ChatResponse:
        if self.cache is None:
            return await self.runtime.chat(request, on_text)
        path = self.cache / f"{_key(request)}.json"
        if not path.exists():
            started = time.monotonic()
            response = await self.runtime.chat(request, on_text)
            kept = {"text": response.text, "finish": str(response.finish), "s": time.monotonic() - started}
            kept |= {"p": response.usage.prompt_tokens, "c": response.usage.completion_tokens}
            path.write_text(json.dumps(kept), "utf-8")
        kept = json.loads(path.read_text("utf-8"))
        usage = Usage(kept["p"], kept["c"], kept["s"])
        return ChatResponse(kept["text"], request.model, Finish(kept["finish"]), usage)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        return (await self.runtime.count_tokens(self.model, messages)).tokens

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        if self.embed_model is None:
            return None
        new = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        made = (await self.runtime.embed(self.embed_model, new)).vectors if new else ()
        self.vectors.update(zip(new, made, strict=True))
        return tuple(self.vectors[text] for text in texts)


def _key(request: ChatRequest) -> str:
    messages = [[message.role, message.content] for message in request.messages]
    seed = request.seed if request.temperature else 0
    asked = [Path(request.model).name, messages, request.temperature, seed, request.max_completion_tokens]
    asked.append(request.schema)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that both benchmarks take."""
    parser.add_argument("--runtime", choices=("embedded", "ollama", "scripted"), default="embedded")
    parser.add_argument("--model", default="", help="a name, or the path of a GGUF file")
    parser.add_argument("--embed-model", default=None, help="as --model, to rerank by vectors")
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--verbose", action="store_true")


def open_runtime(options: argparse.Namespace) -> Runtime:
    if options.runtime == "ollama":
        from nonet.runtimes.ollama import OllamaRuntime

        return OllamaRuntime(context_tokens=options.window)
    if options.runtime == "scripted":
        from nonet.runtimes.scripted import ScriptedRuntime

        return ScriptedRuntime(context_tokens=options.window)
    from nonet.runtimes.embedded import EmbeddedRuntime

    return EmbeddedRuntime(context_tokens=options.window, threads=options.threads)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def open_collection(documents: Mapping[str, str], folder: Path) -> StoreSearcher:
    """The documents, chunked as ingestion does it, in a fresh store."""
    store = Store.open(folder / "bench.db")
    store.documents.add_many(
        [
            NewDocument(
                name=name,
                text=text,
                media_type="text/plain",
                path="",
                chunks=tuple(split_chars(text, CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS)),
                size_bytes=len(text.encode()),
            )
            for name, text in documents.items()
        ]
    )
    return StoreSearcher(store)
