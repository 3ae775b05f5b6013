"""The scripted runtime: deterministic answers without a model, for tests, documentation and examples.

It keeps every promise of the protocol that a model server keeps (windows, token counts, streaming, schemas, errors),
so that what works with it fails with a model only where the model is at fault.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.errors import BadRequestError, ContextOverflowError, IncompleteAnswerError, ModelNotFoundError, NonetError
from nonet.runtimes.protocol import OnText
from nonet.runtimes.schema import check_answer, encode_schema
from nonet.runtimes.scripted_answers import (
    Rule,
    Script,
    default_answer,
    minimal_instance,
    responder,
    split_tokens,
    word_vector,
)
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Finish, Message, ModelInfo, TokenCount, Usage

__all__ = ["DEFAULT_MODELS", "Fault", "Rule", "Script", "ScriptedRuntime", "default_answer", "minimal_instance"]

DEFAULT_MODELS = ("smollm2:135m", "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b", "all-minilm:l6-v2")
"""Three that chat, one that embeds."""

_MESSAGE_TOKENS = 4
_PROMPT_TOKENS = 2
_EMBEDDERS = ("minilm", "embed", "bge", "bert")


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure to act out.

    Args:
        error: what is raised.
        times: for how many calls.
        after_tokens: of the answer, shown before it fails.
        contains: only for calls whose messages or texts have this in them.
    """

    error: NonetError
    times: int = 1
    after_tokens: int = 0
    contains: str = ""


class ScriptedRuntime:
    """Pretends to serve models.

    Args:
        script: a function from a request to its answer, or rules of (text or pattern, answer or answers in turn); the
            last user message and the system message are searched. Without one, and where no rule fits, an answer is
            made from the prompt (`default_answer`).
        models: names, or ModelInfo to say more; a name with "minilm", "embed", "bge" or "bert" in it embeds.
        latency_seconds: before each answer.
        context_tokens: the window of the models given by name.
        load_seconds: what the first call of each model takes longer.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        models: Sequence[str | ModelInfo] = DEFAULT_MODELS,
        latency_seconds: float = 0.0,
        context_tokens: int = 4096,
        load_seconds: float = 0.0,
    ) -> None:
        self._respond = responder(script)
        self._models = {info.name: info for info in (_model(model, context_tokens) for model in models)}
        self._latency_seconds = latency_seconds
        self._load_seconds = load_seconds
        self._faults: list[Fault] = []
        self.requests: deque[ChatRequest] = deque(maxlen=1000)
        """The last thousand chats that were asked for, in order."""

    @property
    def name(self) -> str:
        """Always `scripted`."""
        return "scripted"

    def fail(self, fault: Fault) -> None:
        """Act out a failure in the calls to come."""
        self._faults.append(fault)

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """As Runtime.chat: shown token by token."""
        started = time.perf_counter()
        self.requests.append(request)
        model = self._find(request.model, "chat")
        if not request.messages:
            raise BadRequestError("A chat needs at least one message.", next_step="Give the request a message.")
        schema = None if request.schema is None else encode_schema(request.schema)
        prompt_tokens = _prompt_tokens(request.messages)
        if prompt_tokens >= model.context_tokens:
            raise _overflow(model, prompt_tokens)
        load_seconds = await self._wait(model)
        room = model.context_tokens - prompt_tokens
        tokens, finish = _ended(self._respond(request), request, room)
        await self._show(tokens, on_text, self._fault(*(message.content for message in request.messages)))
        text = "".join(tokens)
        if not text.strip():
            raise IncompleteAnswerError(
                "The script gave an empty answer.", partial=text, next_step="Change the script."
            )
        if schema is not None:
            check_answer(text, schema, cut=finish is Finish.LENGTH)
        usage = Usage(prompt_tokens, len(tokens), time.perf_counter() - started, load_seconds)
        return ChatResponse(text, request.model, finish, usage)

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """As Runtime.embed: hashed bags of words, of 384 numbers."""
        started = time.perf_counter()
        if not texts:
            return EmbedResponse(())
        info = self._find(model, "embed")
        counts = [len(split_tokens(text)) for text in texts]
        if max(counts) > info.context_tokens:
            raise _overflow(info, max(counts))
        load_seconds = await self._wait(info)
        await self._show([], None, self._fault(*texts))
        vectors = tuple(word_vector(text) for text in texts)
        return EmbedResponse(vectors, Usage(sum(counts), 0, time.perf_counter() - started, load_seconds))

    async def models(self) -> tuple[ModelInfo, ...]:
        """What it pretends to have, by name."""
        return tuple(self._models[name] for name in sorted(self._models))

    async def describe(self, model: str) -> ModelInfo:
        """One model. Raises ModelNotFoundError."""
        return self._find(model)

    async def loaded(self) -> tuple[str, ...]:
        """The models that were used."""
        return tuple(name for name, info in self._models.items() if info.loaded)

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """Words and marks, four more a message, two more a prompt; exact, because chats count so too."""
        self._find(model)
        return TokenCount(_prompt_tokens(messages), exact=True)

    async def aclose(self) -> None:
        """Nothing to give back."""

    def _find(self, name: str, capability: str = "") -> ModelInfo:
        info = self._models.get(name)
        if info is None:
            raise ModelNotFoundError(
                f"The scripted runtime has no model {name!r}.",
                next_step=f"It has: {', '.join(sorted(self._models))}.",
            )
        if capability and capability not in info.capabilities:
            raise BadRequestError(
                f"{name} does not {capability}.",
                next_step=f"Choose a model that can: {', '.join(self._able(capability)) or 'there is none'}.",
            )
        return info

    def _able(self, capability: str) -> list[str]:
        return sorted(name for name, info in self._models.items() if capability in info.capabilities)

    async def _wait(self, model: ModelInfo) -> float:
        """Load, then think; gives the seconds of the load."""
        load_seconds = 0.0 if self._models[model.name].loaded else self._load_seconds
        self._models[model.name] = replace(model, loaded=True)
        if self._latency_seconds or load_seconds:
            await asyncio.sleep(self._latency_seconds + load_seconds)
        return load_seconds

    async def _show(self, tokens: Sequence[str], on_text: OnText | None, fault: Fault | None) -> None:
        for token in tokens if fault is None else tokens[: fault.after_tokens]:
            if on_text is not None:
                on_text(token)
                await asyncio.sleep(0)  # a moment in which the call can be cancelled, as between a server's pieces
        if fault is not None:
            raise fault.error

    def _fault(self, *texts: str) -> Fault | None:
        for index, fault in enumerate(self._faults):
            if any(fault.contains in text for text in texts):
                if fault.times > 1:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                else:
                    del self._faults[index]
                return fault
        return None


def _model(model: str | ModelInfo, context_tokens: int) -> ModelInfo:
    if isinstance(model, ModelInfo):
        return model
    capability = "embed" if any(part in model for part in _EMBEDDERS) else "chat"
    return ModelInfo(model, context_tokens, capabilities=frozenset({capability}), family="scripted")


def _prompt_tokens(messages: Sequence[Message]) -> int:
    return _PROMPT_TOKENS + sum(_MESSAGE_TOKENS + len(split_tokens(message.content)) for message in messages)


def _ended(answer: str, request: ChatRequest, room: int) -> tuple[list[str], Finish]:
    """The answer's tokens up to the first stop sequence, and no more than were allowed."""
    ends = [place for stop in request.stop if stop and (place := answer.find(stop)) >= 0]
    tokens = split_tokens(answer[: min(ends, default=len(answer))])
    most = min(request.max_completion_tokens or room, room)
    return (tokens[:most], Finish.LENGTH) if len(tokens) > most else (tokens, Finish.STOP)


def _overflow(model: ModelInfo, tokens: int) -> ContextOverflowError:
    return ContextOverflowError(
        f"The prompt of {tokens} tokens does not fit the window of {model.context_tokens} tokens of {model.name}.",
        prompt_tokens=tokens,
        window_tokens=model.context_tokens,
        kept="Nothing was cut.",
        next_step="Shorten the prompt or raise the window (context_tokens).",
    )
