"""The Ollama runtime: chats over a thin HTTP client, the rest through the official package.

What it does that a plain client does not: the window is the same in every call of a model (another one reloads the
model, 1 to 5 seconds), nothing is cut or shifted in silence, an answer counts only with its end, and JSON is checked.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from nonet.errors import BadRequestError, CallError, ModelNotFoundError, NonetError
from nonet.runtimes.ollama_answer import LOADED_ALREADY_SECONDS, Answer
from nonet.runtimes.ollama_errors import Call, TransientError, context_overflow, not_understood, raise_refusal
from nonet.runtimes.ollama_facts import ModelFacts, json_object, read_facts
from nonet.runtimes.ollama_host import server_url
from nonet.runtimes.ollama_retry import persistently
from nonet.runtimes.ollama_wire import OllamaWire, Timeouts
from nonet.runtimes.protocol import OnText
from nonet.runtimes.schema import check_answer, encode_schema
from nonet.runtimes.token_bound import prompt_bound
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Finish, Message, ModelInfo, TokenCount, Usage

if TYPE_CHECKING:
    from nonet.runtimes.ollama_client import Listed, OllamaClient, OnProgress

T = TypeVar("T")

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_TEXTS_A_CALL = 128
_UNIT_TOLERANCE = 1e-3


class OllamaRuntime:
    """Models of one Ollama server.

    Args:
        host: as OLLAMA_HOST is written; None reads OLLAMA_HOST.
        context_tokens: the window every model is served with, unless it was made for less.
        context_by_model: other windows, by model name.
        connect_timeout_seconds: for the connection.
        first_token_timeout_seconds: until an answer begins: queueing, loading the model, reading the prompt.
        stall_timeout_seconds: between two pieces of an answer.
        retries: how often what may mend is tried again: no connection, a full queue, a runner that died.
        keep_alive: how long the server keeps a model loaded, as "10m" or seconds; None: its default.
        num_thread: threads of a model; None: its default. A change reloads the model.
        key: sent as a bearer token; empty: none; None: OLLAMA_API_KEY.

    Raises:
        SettingsError: `host` cannot be read.
    """

    def __init__(
        self,
        host: str | None = None,
        *,
        context_tokens: int = 4096,
        context_by_model: Mapping[str, int] | None = None,
        connect_timeout_seconds: float = 5.0,
        first_token_timeout_seconds: float = 300.0,
        stall_timeout_seconds: float = 60.0,
        retries: int = 3,
        keep_alive: float | str | None = None,
        num_thread: int | None = None,
        key: str | None = None,
    ) -> None:
        self.url = server_url(host)
        self._context_tokens = context_tokens
        self._context_by_model = dict(context_by_model or {})
        self._timeouts = Timeouts(connect_timeout_seconds, first_token_timeout_seconds, stall_timeout_seconds)
        self._retries = retries
        self._keep_alive = keep_alive
        self._keep_alive_of: dict[str, float | str] = {}
        self._num_thread = num_thread
        self._wire = OllamaWire(self.url, self._timeouts, _key_header(key))
        self._client: OllamaClient | None = None
        self._facts: dict[str, tuple[ModelFacts, str]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    @property
    def name(self) -> str:
        """Always `ollama`."""
        return "ollama"

    def set_windows(self, windows: Mapping[str, int]) -> None:
        """Windows by model, before the first call: a change reloads a model."""
        self._context_by_model.update(windows)

    async def probe(self) -> str | None:
        """The server's version, or None when none answers within the connect time-out."""
        call = Call(self.url)
        try:
            status, body = await self._wire.fetch(call, "/api/version", first_seconds=self._timeouts.connect)
            version = json_object(call, body).get("version") if status == HTTPStatus.OK else None
        except (NonetError, TransientError):
            return None
        return version if isinstance(version, str) else None

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """As Runtime.chat. A model that can think is told not to where a schema is asked for: see `_body`."""
        started = time.perf_counter()
        facts = await self._known(request.model)
        call = Call(self.url, request.model, self._window(request.model, facts))
        schema = None if request.schema is None else encode_schema(request.schema)
        body = self._body(request, call, facts, schema)
        least = sum(len(message.content.split()) for message in request.messages)
        if least > call.window_tokens:
            raise context_overflow(call, least, call.window_tokens, "at least ")
        shown = ""

        async def attempt() -> ChatResponse:
            nonlocal shown
            answer = Answer(call, on_text, shown, least)
            try:
                status, refusal = await self._wire.stream(call, "/api/chat", body, answer.take, partial=answer.so_far)
            finally:
                shown = answer.shown
            if status != HTTPStatus.OK:
                raise_refusal(call, status, refusal)
            return answer.response(time.perf_counter() - started)

        response = await self._persistently(attempt)
        if schema is not None:
            check_answer(response.text, schema, cut=response.finish is Finish.LENGTH)
        return response

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """As Runtime.embed, at most 128 texts a request."""
        if not texts:
            return EmbedResponse(())
        started = time.perf_counter()
        facts = await self._known(model)
        call = Call(self.url, model, self._window(model, facts))
        vectors: list[tuple[float, ...]] = []
        tokens = load_nanoseconds = 0
        for start in range(0, len(texts), _TEXTS_A_CALL):
            batch = texts[start : start + _TEXTS_A_CALL]
            keep_alive = self._keep_alive_of.get(model, self._keep_alive)
            asked = partial(self._official().embed, call, batch, self._options(call), keep_alive)
            given = await self._persistently(asked)
            if len(given.vectors) != len(batch):
                raise not_understood(call, f"{len(given.vectors)} vectors for {len(batch)} texts")
            vectors += [_unit(call, vector) for vector in given.vectors]
            tokens += given.prompt_tokens
            load_nanoseconds += given.load_nanoseconds
        load = load_nanoseconds / 1e9
        seconds = time.perf_counter() - started
        return EmbedResponse(tuple(vectors), Usage(tokens, 0, seconds, load if load > LOADED_ALREADY_SECONDS else 0.0))

    async def models(self) -> tuple[ModelInfo, ...]:
        """What is installed, by name."""
        listed, loaded = await self._persistently(self._official().list), await self.loaded()
        described = await asyncio.gather(*(self._describe(entry, loaded) for entry in listed))
        return tuple(sorted((info for info in described if info is not None), key=lambda info: info.name))

    async def describe(self, model: str) -> ModelInfo:
        """One model. Raises ModelNotFoundError."""
        listed, loaded = await self._persistently(self._official().list), await self.loaded()
        same = {model, f"{model}:latest"}
        entry = next((entry for entry in listed if entry.name in same), None)
        facts = await self._known(model, entry.digest if entry else "")
        return facts.info(
            entry.name if entry else model,
            window=self._window(model, facts),
            size_bytes=entry.size_bytes if entry else 0,
            loaded=not same.isdisjoint(loaded),
            version=entry.digest if entry else "",
        )

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """An upper bound: the server has no tokenizer to ask (nonet.runtimes.token_bound says why it holds)."""
        facts = await self._known(model)
        return TokenCount(prompt_bound(messages, facts.preset, byte_level=facts.byte_level), exact=False)

    async def loaded(self) -> tuple[str, ...]:
        """Names of the models in the server's memory."""
        running = json_object(Call(self.url), await self.memory()).get("models")
        names = [entry.get("name") for entry in running if isinstance(entry, dict)] if isinstance(running, list) else []
        return tuple(name for name in names if isinstance(name, str))

    async def memory(self) -> bytes:
        """What the server says of the models in its memory, as JSON."""
        return await self._fetched(Call(self.url), "/api/ps")

    def keep(self, model: str, seconds: float | None) -> None:
        """Let the server keep the model so long after each call from now on; None: as long as it was told at first."""
        if seconds is None:
            self._keep_alive_of.pop(model, None)
        else:
            self._keep_alive_of[model] = f"{seconds:.0f}s"

    async def release(self, model: str) -> None:
        """Let the server take a model out of its memory, unless a call of it is at work."""
        body = _encode({"model": model, "messages": [], "keep_alive": 0, "stream": False}).encode()
        await self._fetched(Call(self.url, model), "/api/chat", body)

    async def pull(self, model: str, on_progress: OnProgress | None = None) -> None:
        """Let the server fetch a model.

        Args:
            model: its name in Ollama's library.
            on_progress: takes what is being done, the bytes that are there, the bytes there will be (0: unknown).

        Raises:
            ModelDownloadError: the server could not.
            RuntimeUnavailableError: no server.
        """
        await self._official().pull(model, on_progress)
        self._facts.pop(model, None)

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        await self._wire.aclose()
        if client is not None:
            await client.aclose()

    def _body(self, request: ChatRequest, call: Call, facts: ModelFacts, schema: str | None) -> bytes:
        """The request as JSON.

        Unless the request says otherwise, `think` is false where a schema is asked for: a thinking model writes freely
        first and applies the schema in a second pass, or never, when its thinking does not end (the answer is then
        empty, its reason still "stop").
        """
        if not request.messages:
            raise BadRequestError("A chat needs at least one message.", next_step="Give the request a message.")
        options: dict[str, object] = {
            **self._options(call),
            "temperature": request.temperature,
            "seed": request.seed,
            "num_predict": request.max_completion_tokens or call.window_tokens,
        }
        if request.stop:
            options["stop"] = request.stop
        fields: dict[str, object] = {"model": request.model, "stream": True, "truncate": False, "shift": False}
        keep_alive = self._keep_alive_of.get(request.model, self._keep_alive)
        if keep_alive is not None:
            fields["keep_alive"] = keep_alive
        if request.certainty:
            fields["logprobs"] = True
        think = False if request.think is None and schema is not None else request.think
        if think is not None and facts.thinks:
            fields["think"] = think
        fields["options"] = options
        fields["messages"] = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            text = _encode(fields)
        except ValueError as error:
            raise BadRequestError(f"The request cannot be written as JSON: {error}.") from error
        if schema is not None:
            text = f'{text[:-1]},"format":{schema}}}'
        return text.encode("ascii")

    def _options(self, call: Call) -> dict[str, int]:
        """What belongs to the loaded model, the same in every call: a change reloads it."""
        options = {"num_ctx": call.window_tokens}
        if self._num_thread is not None:
            options["num_thread"] = self._num_thread
        return options

    def _window(self, model: str, facts: ModelFacts) -> int:
        wanted = self._context_by_model.get(model, self._context_tokens)
        return min(wanted, facts.most_context_tokens or wanted)

    async def _known(self, model: str, manifest: str = "") -> ModelFacts:
        """What the server says of a model: asked once, and again when its manifest is another one."""
        facts = self._remembered(model, manifest)
        if facts is None:
            async with self._asking.setdefault(model, asyncio.Lock()):
                facts = self._remembered(model, manifest)
                if facts is None:
                    call = Call(self.url, model)
                    facts = read_facts(call, await self._fetched(call, "/api/show", _encode({"model": model}).encode()))
                    self._facts[model] = (facts, manifest)
        return facts

    def _remembered(self, model: str, manifest: str) -> ModelFacts | None:
        facts, seen = self._facts.get(model, (None, ""))
        if facts is not None and manifest != seen and manifest:
            if seen:
                return None
            self._facts[model] = (facts, manifest)
        return facts

    async def _describe(self, listed: Listed, loaded: Sequence[str]) -> ModelInfo | None:
        is_loaded = listed.name in loaded
        try:
            facts = await self._known(listed.name, listed.digest)
        except ModelNotFoundError:
            return None  # removed since it was listed
        except CallError:  # a model the server cannot read: it is there, and that is all there is to say
            return ModelInfo(listed.name, self._context_tokens, listed.size_bytes, frozenset(), loaded=is_loaded)
        window = self._window(listed.name, facts)
        return facts.info(
            listed.name, window=window, size_bytes=listed.size_bytes, loaded=is_loaded, version=listed.digest
        )

    async def _fetched(self, call: Call, path: str, body: bytes | None = None) -> bytes:
        async def attempt() -> bytes:
            status, answer = await self._wire.fetch(call, path, body)
            if status != HTTPStatus.OK:
                raise_refusal(call, status, answer)
            return answer

        return await self._persistently(attempt)

    async def _persistently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await persistently(attempt, self._retries)

    def _official(self) -> OllamaClient:
        if self._client is None:
            from nonet.runtimes.ollama_client import OllamaClient  # noqa: PLC0415 - 0.4 s that a chat does not need

            self._client = OllamaClient(
                self.url,
                connect_timeout_seconds=self._timeouts.connect,
                read_timeout_seconds=self._timeouts.first,
            )
        return self._client


def _key_header(key: str | None) -> dict[str, str]:
    """The server's key, as the `ollama` package sends it, to the configured host only."""
    key = os.environ.get("OLLAMA_API_KEY", "") if key is None else key
    return {"Authorization": f"Bearer {key}"} if key else {}


def _unit(call: Call, vector: tuple[float, ...]) -> tuple[float, ...]:
    """Of length 1. The server normalizes; older versions did not."""
    length = math.hypot(*vector)
    if not math.isfinite(length) or not length:
        raise not_understood(call, "a vector without a direction")
    return vector if abs(length - 1.0) < _UNIT_TOLERANCE else tuple(value / length for value in vector)
