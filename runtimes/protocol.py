"""The one interface to models. Ollama, embedded llama.cpp and the scripted runtime all pass tests/contracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Message, ModelInfo, TokenCount

OnText = Callable[[str], None]
"""Called with each piece of an answer as it arrives, on the event loop's thread."""


class Runtime(Protocol):
    """Serves models. Safe to call from many tasks of one event loop at once; cancelling a task cancels its call."""

    @property
    def name(self) -> str:
        """One of `ollama`, `embedded` and `scripted`."""

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """Answer, whole. With `on_text` the pieces are shown as they come; a retry never shows a piece twice.

        Raises:
            ModelNotFoundError: the model is not there; the message says how to get it.
            ContextOverflowError: the prompt does not fit; nothing was cut.
            IncompleteAnswerError: the answer has no end, is empty, or breaks the schema.
            CallTimeoutError, RuntimeBusyError, BadRequestError, RuntimeUnavailableError: as they say.
        """
        ...

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """One unit vector a text. Raises as `chat`; an empty sequence gives no vectors."""
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """What is installed here, by name."""
        ...

    async def describe(self, model: str) -> ModelInfo:
        """One model. Raises ModelNotFoundError."""
        ...

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """Tokens of the prompt as the model would see it, template included; never too low."""
        ...

    async def aclose(self) -> None:
        """Give back connections, threads and memory; calling it twice is fine."""
        ...
