"""Models in this process, by llama.cpp: chat models, and all-MiniLM for embeddings. No server, no connection.

Greedy answers repeat to the letter with the defaults (one slot, no reuse of earlier prompts): what is computed in one
batch with other calls, or continued from a kept prompt, is rounded differently (measured: 3 of 10 answers of a 0.5B
model differ between two slots at work and one, 4 to 6 of 10 with kept prompts).
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any, Final

from nonet.errors import (
    BadRequestError,
    IncompleteAnswerError,
    ModelNotFoundError,
    RuntimeUnavailableError,
)
from nonet.runtimes import catalog
from nonet.runtimes.catalog import CatalogEntry
from nonet.runtimes.download import verify
from nonet.runtimes.gguf import GgufHeader, read_header
from nonet.runtimes.llama_engine import INSTALL_HINT
from nonet.runtimes.llama_server import Chunk, LlamaServer, ServerOptions
from nonet.runtimes.llama_wire import Answer, request_body
from nonet.runtimes.machine import compute_threads, give_back_memory, keep_memory_together, memory_bytes
from nonet.runtimes.minilm import MAX_TOKENS, MiniLm
from nonet.runtimes.model_pool import Lease, ModelPool
from nonet.runtimes.protocol import OnText
from nonet.runtimes.schema import check_answer, encode_schema
from nonet.runtimes.scoring import TextScore, score_tokens
from nonet.runtimes.threads import Emit, call, stream
from nonet.runtimes.token_bound import prompt_bound
from nonet.runtimes.types import (
    ChatRequest,
    ChatResponse,
    EmbedResponse,
    Finish,
    Message,
    ModelInfo,
    TokenCount,
    Usage,
)

_MEMORY_SHARE: Final = 0.6
"""Of the machine's memory, what models may take unless told otherwise."""
_SHORT_SHARE: Final = 4
"""A prompt whose bound is at most this part of the window is short."""
_MAX_THREADS: Final = 64
"""Python threads that wait for llama.cpp; they compute nothing."""


class EmbeddedRuntime:
    """Implements `Runtime` in this process; use it from one event loop, and close it.

    Args:
        context_tokens: the window a call is served with, prompt and answer together; never more than the model's own.
        context_tokens_of: other windows, by model.
        slots: calls a model computes together; each has its own window, and its own cache in memory.
        threads: threads a model computes with. None: one less than this process has cores, because llama.cpp's
            threads wait busily for each other, and one that has to share its core slows down all.
        memory_limit_bytes: what loaded models may take together. None: 60 % of the machine's memory.
        most_loaded: chat models that are loaded at once. None: one, or where `memory_limit_bytes` is given, as many as
            fit. With one, the embedding model too is loaded only while it is at work. Loading again takes a second for
            a chat model of 0.5B and a tenth of it for the embedding model.
        models_folder: where downloaded models are. None: the user's cache folder.
        reuse_prompts: keep the computed prompts; faster where prompts begin alike, but answers may vary.
    """

    def __init__(
        self,
        *,
        context_tokens: int = 4096,
        context_tokens_of: Mapping[str, int] | None = None,
        slots: int = 1,
        threads: int | None = None,
        memory_limit_bytes: int | None = None,
        most_loaded: int | None = None,
        models_folder: Path | None = None,
        reuse_prompts: bool = False,
    ) -> None:
        self._context_tokens = context_tokens
        self._context_tokens_of = dict(context_tokens_of or {})
        self._slots = slots
        self._threads = threads or compute_threads()
        self._reuse_prompts = reuse_prompts
        self._most_loaded = most_loaded or (1 if memory_limit_bytes is None else None)
        self._limit_bytes = memory_limit_bytes or int(memory_bytes() * _MEMORY_SHARE)
        self._folder = models_folder
        self._embedders: dict[Path, MiniLm] = {}
        self._stops: set[Event] = set()
        self._closed = False
        self._pool: ModelPool | None = None
        keep_memory_together()
        self._executor = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="nonet-embedded")

    @property
    def name(self) -> str:
        return "embedded"

    def set_windows(self, windows: Mapping[str, int]) -> None:
        """Windows by model, before the first call: a change reloads a model."""
        self._context_tokens_of.update(windows)

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """As `Runtime.chat`; a cancelled call ends within a batch of prompt tokens or one token of the answer."""
        started = time.monotonic()
        body = request_body(request)
        schema_json = None if request.schema is None else encode_schema(request.schema)
        path, header, options = self._chat_model(request.model)
        self._spare_embedder()
        lease = await self._open_pool().take(path, header, options)
        answer = await self._stream(lease, body, on_text)
        text = "".join(answer.text)
        cut = answer.finish == "length"
        if schema_json is not None:
            check_answer(text, schema_json, cut=cut)
        if not text.strip():
            raise IncompleteAnswerError(f"{request.model} gave an empty answer.", next_step="Reword the prompt.")
        usage = answer.cost(time.monotonic() - started, lease.load_seconds)
        finish = Finish.LENGTH if cut else Finish.STOP
        thinking = "".join(answer.thinking)
        return ChatResponse(text, request.model, finish, usage, thinking, answer.certainty.mean())

    async def _stream(self, lease: Lease, body: Mapping[str, Any], on_text: OnText | None) -> Answer:
        answer = Answer()
        stop = Event()
        self._stops.add(stop)

        def work(emit: Emit[Chunk]) -> None:
            lease.server.chat(body, emit)

        def done() -> None:
            self._stops.discard(stop)
            lease.release()

        async with aclosing(stream(self._executor, work, stop=stop, on_done=done)) as chunks:
            async for chunk in chunks:
                piece = answer.add(chunk)
                if piece and on_text is not None:
                    on_text(piece)
        if answer.finish is None:
            raise IncompleteAnswerError("The answer broke off.", partial="".join(answer.text), next_step="Try again.")
        return answer

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """As `Runtime.embed`, by all-MiniLM-L6-v2."""
        started = time.monotonic()
        path = self._path(model)
        entry = catalog.find(model)
        if entry is None or "embed" not in entry.roles:
            raise BadRequestError(f"{model} makes no embeddings.", next_step="Use all-minilm:l6-v2.")
        self._open_pool()
        stop = Event()
        self._stops.add(stop)

        def work() -> tuple[tuple[float, ...], ...]:
            embedder = self._embedders.get(path) or self._embedders.setdefault(path, self._load_embedder(entry, path))
            return embedder.embed(texts, stop=stop.is_set)

        vectors = await call(self._executor, work, stop=stop, on_done=lambda: self._stops.discard(stop))
        if vectors is None:
            raise RuntimeUnavailableError("The embedded runtime was closed during the call.")
        return EmbedResponse(vectors, Usage(seconds=time.monotonic() - started))

    async def models(self) -> tuple[ModelInfo, ...]:
        """What the catalog has on this machine, by name."""
        return tuple(self._info(entry.name) for entry in catalog.installed(self._folder))

    async def describe(self, model: str) -> ModelInfo:
        """One model: a name of the catalog, or the path of a GGUF file. Raises ModelNotFoundError."""
        return self._info(model)

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """Exact, by the model's own template and tokenizer, but for a short prompt to a model that is not loaded.

        When to swap is the scheduler's to say, and a prompt whose bound is far below the window fits anyway.
        """
        path, header, options = self._chat_model(model)
        pool = self._open_pool()
        if path not in pool.servers:
            bound = prompt_bound(messages, byte_level=header.byte_level)
            if bound <= options.window_tokens // _SHORT_SHARE:
                return TokenCount(bound, exact=False)
        lease = await pool.hold(path, header, options)
        wire = [{"role": message.role, "content": message.content} for message in messages]
        tokens = await call(self._executor, lambda: lease.server.count(wire), stop=Event(), on_done=lease.release)
        if tokens is None:
            raise RuntimeUnavailableError("The embedded runtime was closed during the call.")
        return TokenCount(tokens, exact=True)

    async def score_text(self, model: str, text: str) -> TextScore:
        """As ScoresText.score_text; a cancelled call ends within a token."""
        path, header, options = self._chat_model(model)
        lease = await self._open_pool().take(path, header, options)
        stop = Event()
        self._stops.add(stop)

        def work() -> TextScore:
            tokens = lease.server.tokenize(text)
            return score_tokens(tokens, options.window_tokens - 1, lease.server.logprob, stop)

        def done() -> None:
            self._stops.discard(stop)
            lease.release()

        score = await call(self._executor, work, stop=stop, on_done=done)
        if score is None:
            raise RuntimeUnavailableError("The embedded runtime was closed during the call.")
        return score

    async def aclose(self) -> None:
        """End every call, unload every model."""
        self._closed = True
        for stop in tuple(self._stops):
            stop.set()
        if self._pool is not None:
            await self._pool.aclose()
        self._embedders.clear()
        self._executor.shutdown(wait=False)

    def _load_embedder(self, entry: CatalogEntry, path: Path) -> MiniLm:
        return MiniLm(path, is_right=lambda: verify(entry, path.parent), threads=self._threads)

    def _spare_embedder(self) -> None:
        """A chat takes seconds and a lot of memory: none is held beside it for a model that loads in a moment."""
        if self._most_loaded == 1 and self._embedders:
            self._embedders.clear()  # a call at work has it in its own hands
            give_back_memory()

    def _open_pool(self) -> ModelPool:
        if self._closed:
            raise RuntimeUnavailableError("The embedded runtime is closed.")
        if self._pool is None:
            self._pool = ModelPool(self._limit_bytes, self._most_loaded, self._executor)
            # A program may end without aclose: llama.cpp's thread must be gone before the interpreter is.
            weakref.finalize(self, _close_servers, self._pool.servers, self._embedders)
        return self._pool

    def _chat_model(self, model: str) -> tuple[Path, GgufHeader, ServerOptions]:
        path = self._path(model)
        entry = catalog.find(model)
        if entry is not None and "chat" not in entry.roles:
            raise BadRequestError(f"{model} does not chat: it makes embeddings.", next_step="Choose a chat model.")
        if find_spec("xllamacpp") is None:
            raise RuntimeUnavailableError("The embedded runtime is not installed.", next_step=INSTALL_HINT)
        header = read_header(path)
        window = self._window(model, header.context_tokens)
        return path, header, ServerOptions(window, self._slots, self._threads, self._reuse_prompts)

    def _path(self, model: str) -> Path:
        if catalog.find(model) is not None:
            return catalog.path_of(model, self._folder)
        if model.endswith(".gguf") or os.sep in model:
            return Path(model).expanduser().resolve()
        known = ", ".join(entry.name for entry in catalog.ENTRIES)
        raise ModelNotFoundError(
            f"The embedded runtime knows no model called {model!r}.",
            next_step=f"It knows {known}, and any GGUF file by its path: ./model.gguf.",
        )

    def _window(self, model: str, most: int) -> int:
        wanted = self._context_tokens_of.get(model, self._context_tokens)
        return min(wanted, most) if most else wanted

    def _info(self, model: str) -> ModelInfo:
        path = self._path(model)
        entry = catalog.find(model)
        if entry is not None and entry.roles == {"embed"}:
            return ModelInfo(
                entry.name,
                MAX_TOKENS,
                entry.size_bytes,
                entry.roles,
                loaded=path in self._embedders,
                version=entry.sha256,
                digest=entry.sha256,
                family=entry.family,
                parameters=entry.parameters,
                quantization=entry.quantization,
            )
        header = read_header(path)
        return ModelInfo(
            entry.name if entry else model,
            self._window(model, header.context_tokens),
            header.size_bytes,
            loaded=self._pool is not None and path in self._pool.servers,
            version=entry.sha256 if entry else "",
            digest=entry.sha256 if entry else "",
            family=header.architecture,
            parameters=entry.parameters if entry else header.parameters,
            quantization=entry.quantization if entry else header.quantization,
            most_context_tokens=header.context_tokens,
            kv_bytes_per_token=header.kv_bytes_per_token,
        )


def _close_servers(servers: dict[Path, LlamaServer], embedders: dict[Path, MiniLm]) -> None:
    while servers:
        servers.popitem()[1].close()
    embedders.clear()
