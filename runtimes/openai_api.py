"""Models behind an OpenAI-compatible endpoint (`/chat/completions`): the last rung of a ladder, where configured.

Over aiohttp, which is there: the official client takes half a second to import and brings nothing that one POST needs.
Redirects are not followed, so that the key goes to the configured host only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    CallTimeoutError,
    ContextOverflowError,
    IncompleteAnswerError,
    RuntimeBusyError,
    RuntimeUnavailableError,
)
from nonet.runtimes.certainty import Certainty
from nonet.runtimes.ollama_errors import TransientError
from nonet.runtimes.ollama_host import is_loopback
from nonet.runtimes.ollama_retry import persistently
from nonet.runtimes.protocol import OnText
from nonet.runtimes.schema import check_answer, encode_schema
from nonet.runtimes.token_bound import token_bound
from nonet.runtimes.types import ChatRequest, ChatResponse, EmbedResponse, Finish, Message, ModelInfo, TokenCount, Usage

_MESSAGE_TOKENS: Final = 8
_TEMPLATE_TOKENS: Final = 32
_COUNTED_SHARE: Final = 0.9
_MOST_BYTES: Final = 8 * 1024 * 1024
_MOST_SHOWN: Final = 200
_RETRIES: Final = 2
_NO_ACCESS: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)
_REDIRECTS: Final = range(300, 400)


class OpenAiRuntime:
    """Implements `Runtime` for the chat models of one endpoint.

    Args:
        url: up to `/chat/completions`, as "https://api.example.com/v1".
        key: sent as a bearer token; empty: none.
        context_tokens: the window to count on, prompt and answer together.
        connect_timeout_seconds: for the connection.
        answer_timeout_seconds: for the whole answer.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        context_tokens: int = 8192,
        connect_timeout_seconds: float = 5.0,
        answer_timeout_seconds: float = 300.0,
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._context_tokens = context_tokens
        self._connect_seconds = connect_timeout_seconds
        self._answer_seconds = answer_timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Always `openai`."""
        return "openai"

    async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
        """As Runtime.chat; the answer is shown when it is whole."""
        started = time.perf_counter()
        schema = None if request.schema is None else encode_schema(request.schema)
        body = json.dumps(_body(request)).encode()
        answer = await persistently(lambda: self._posted(body), _RETRIES)
        least = sum(len(message.content.split()) for message in request.messages)
        response = self._response(request, answer, least, time.perf_counter() - started)
        if schema is not None:
            check_answer(response.text, schema, cut=response.finish is Finish.LENGTH)
        if on_text is not None:
            on_text(response.text)
        return response

    async def embed(self, model: str, texts: Sequence[str]) -> EmbedResponse:
        """Always raises BadRequestError: documents are embedded on this machine."""
        del texts
        raise BadRequestError(f"{model} is configured to chat only.", next_step="Embed with a local model.")

    async def models(self) -> tuple[ModelInfo, ...]:
        """None: only what is configured is asked."""
        return ()

    async def describe(self, model: str) -> ModelInfo:
        """As it is configured."""
        return ModelInfo(model, self._context_tokens)

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCount:
        """An upper bound for a vocabulary that is not known."""
        del model
        tokens = sum(token_bound(message.content, byte_level=False) for message in messages)
        return TokenCount(tokens + _TEMPLATE_TOKENS + _MESSAGE_TOKENS * len(messages), exact=False)

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _posted(self, body: bytes) -> Mapping[str, Any]:
        session = self._session or self._open()
        try:
            async with session.post(f"{self.url}/chat/completions", data=body, allow_redirects=False) as reply:
                data = await reply.content.read(_MOST_BYTES)
                status = reply.status
        except TimeoutError as error:
            raise CallTimeoutError(
                f"{self.url} gave no answer within {self._answer_seconds:g} seconds.",
                next_step="Raise first_token_timeout_seconds, or take the remote model out of the settings.",
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = " ".join((str(error) or type(error).__name__).split())[:_MOST_SHOWN]
            raise TransientError(
                RuntimeUnavailableError(f"{self.url} cannot be reached: {why}.", next_step="Check its address.")
            ) from error
        answer = _object(data)
        if status != HTTPStatus.OK:
            raise self._refusal(status, answer)
        return answer

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._answer_seconds, sock_connect=self._connect_seconds),
            headers={"Content-Type": "application/json", **self._headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not is_loopback(self.url),
        )
        return self._session

    def _refusal(self, status: int, answer: Mapping[str, Any]) -> Exception:
        error = answer.get("error")
        error = error if isinstance(error, dict) else {"message": error}
        said = " ".join(str(error.get("message") or "it gave no reason").split())[:_MOST_SHOWN]
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError(RuntimeBusyError(f"{self.url} is busy ({status}): {said}", next_step="Try later."))
        if "context_length" in str(error.get("code")) or "context length" in said.lower():
            return ContextOverflowError(
                f"The prompt does not fit the window of the model at {self.url}: {said}",
                window_tokens=self._context_tokens,
                kept="Nothing was cut.",
                next_step="Shorten the request.",
            )
        refused = AccessRefusedError if status in _NO_ACCESS or status in _REDIRECTS else BadRequestError
        return refused(
            f"{self.url} refused the request ({status}): {said}",
            next_step="Check the address, the key and the name of the model in the settings.",
        )

    def _response(self, request: ChatRequest, answer: Mapping[str, Any], least: int, seconds: float) -> ChatResponse:
        try:
            choice = answer["choices"][0]
            text, reason = choice["message"]["content"], choice.get("finish_reason") or "stop"
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise IncompleteAnswerError(
                f"What {self.url} answered cannot be understood: {str(dict(answer))[:_MOST_SHOWN]}",
                next_step="Check that it is an OpenAI-compatible endpoint.",
            ) from error
        if reason not in ("stop", "length"):
            raise IncompleteAnswerError(f"The answer ended for another reason: {str(reason)[:60]}.", partial=text or "")
        if not isinstance(text, str) or not text.strip():
            raise IncompleteAnswerError("The remote model gave an empty answer.", next_step="Reword the request.")
        counted = answer.get("usage")
        counted = counted if isinstance(counted, dict) else {}
        prompt, completion = (_whole(counted.get(key)) for key in ("prompt_tokens", "completion_tokens"))
        if 0 < prompt < least * _COUNTED_SHARE:  # as for Ollama: a vocabulary has a token a word at least
            raise ContextOverflowError(
                f"{self.url} read {prompt} tokens of a prompt of at least {least}.", prompt_tokens=least
            )
        certainty = Certainty()
        certainty.add((choice.get("logprobs") or {}).get("content"))
        details = counted.get("prompt_tokens_details")
        cached = _whole(details.get("cached_tokens")) if isinstance(details, dict) else 0
        usage = Usage(prompt, completion, seconds, cached_tokens=cached)
        return ChatResponse(text, request.model, Finish(reason), usage, certainty=certainty.mean())


def _body(request: ChatRequest) -> dict[str, Any]:
    if not request.messages:
        raise BadRequestError("A chat needs at least one message.", next_step="Give the request a message.")
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if request.max_completion_tokens is not None:
        body["max_tokens"] = request.max_completion_tokens
    if request.certainty:
        body["logprobs"] = True
    if request.stop:
        body["stop"] = list(request.stop)
    if request.schema is not None:
        named = {"name": "answer", "schema": dict(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"error": data[:_MOST_SHOWN].decode("utf-8", "replace")}


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
