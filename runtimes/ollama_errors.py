"""What an Ollama server's refusals mean.

The server words errors in four ways: `{"error": "text"}`, the same with a second JSON document inside the text (its
model runner's own error), a plain text page (405, unknown paths), and nothing at all (403). The same texts come as an
HTTP status or, when an answer had begun, as a line of a stream under status 200.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    CallError,
    ContextOverflowError,
    IncompleteAnswerError,
    ModelNotFoundError,
    NonetError,
    RuntimeBusyError,
    RuntimeUnavailableError,
    ServerLostError,
)

_TOKENS_OF_WINDOW = re.compile(r"\((\d+) tokens\)[^(]*\((\d+) tokens\)")
_OVERFLOWS = ("exceeds the available context size", "longer than the context length", "exceeds the context length")
_RUNNER_DIED = (
    "error was encountered while running the model",
    "runner process has terminated",
    "runner process no longer running",
)
_NO_MEMORY = ("requires more system memory", "unable to allocate", "out of memory")
_REFUSED_AT_500 = ("invalid format", "option ", "not supported", "does not support")
_MOST_SHOWN = 300
_REDIRECTS = range(300, 400)
_NO_ACCESS = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)
"""Statuses that are of the server or of what stands before it, not of the model or the request."""
_NO_STATUS = 200
_WRONG_SERVER = "Check that OLLAMA_HOST points to an Ollama server of version 0.6 or later."
_ADVICE: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "Ollama answers to local names only: address it as 127.0.0.1, or set OLLAMA_ORIGINS there.",
    HTTPStatus.UNAUTHORIZED: "Give the server's key in OLLAMA_API_KEY.",
    HTTPStatus.NOT_FOUND: _WRONG_SERVER,
    HTTPStatus.METHOD_NOT_ALLOWED: _WRONG_SERVER,
    HTTPStatus.NOT_IMPLEMENTED: "The model makes no embeddings: choose an embedding model, such as all-minilm.",
}


class TransientError(Exception):
    """A failure that asking again may mend; `error` is what the caller sees when it does not."""

    def __init__(self, error: NonetError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, for the wording of its errors."""

    url: str
    model: str = ""
    window_tokens: int = 0


def raise_refusal(call: Call, status: int, body: bytes | str, partial: str = "") -> None:
    """Raise what a response means.

    Args:
        call: what was asked.
        status: the HTTP status; 200 for an error line within a stream.
        body: the response's body, or the text of the error line.
        partial: what had arrived of the answer.

    Raises:
        TransientError: it may go well the next time.
        NonetError: as the tree in nonet.errors says.
    """
    text, inner = _message(body)
    lower = text.lower()
    if inner.get("type") == "exceed_context_size_error" or any(phrase in lower for phrase in _OVERFLOWS):
        raise _overflow(call, text, inner)
    if status == HTTPStatus.SERVICE_UNAVAILABLE or "server busy" in lower:
        raise TransientError(_busy(call, text))
    if any(phrase in lower for phrase in _RUNNER_DIED):
        raise TransientError(_runner_died(call, text, partial))
    if status == HTTPStatus.NOT_FOUND and call.model and "not found" in lower and "page not found" not in lower:
        raise model_not_found(call)
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}:
        raise TransientError(unavailable(call, f"a proxy before it answered {status}"))
    if any(phrase in lower for phrase in _NO_MEMORY):
        raise CallError(
            f"The Ollama server has not enough memory for {call.model or 'the model'}: {text}",
            next_step="Choose a smaller model or a smaller context window, or stop other models (ollama stop NAME).",
        )
    if status == _NO_STATUS:
        raise IncompleteAnswerError(f"The Ollama server broke off its answer: {text}", partial=partial)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and not lower.startswith(_REFUSED_AT_500):
        raise CallError(
            f"The Ollama server failed ({status}): {text}",
            next_step="Look at its log (ollama serve, or journalctl -u ollama).",
        )
    refused = AccessRefusedError if status in _REDIRECTS or status in _NO_ACCESS else BadRequestError
    raise refused(
        f"The Ollama server refused the request ({status}): {text}",
        next_step=_advice(call, status, lower),
    )


def model_not_found(call: Call) -> ModelNotFoundError:
    """The model is not on the server; how to get it."""
    return ModelNotFoundError(
        f"The Ollama server at {call.url} does not have the model {call.model!r}.",
        next_step=f"Get it with: ollama pull {call.model} (or: nonet models pull {call.model}).",
    )


def unavailable(call: Call, why: str) -> RuntimeUnavailableError:
    """Nobody answers at the address."""
    return RuntimeUnavailableError(
        f"No Ollama server answers at {call.url}: {why}.",
        next_step=(
            "Start it with: ollama serve (or set OLLAMA_HOST to where it is). Without a server, nonet runs models by "
            "itself: pip install 'nonet[embedded]', then --runtime embedded."
        ),
    )


def dropped(call: Call, partial: str, why: str) -> TransientError:
    """The connection broke after the request was sent."""
    return TransientError(
        ServerLostError(
            f"The Ollama server at {call.url} closed the connection before its answer was whole: {why}.",
            partial=partial,
            next_step="Try again; if it happens again, look at the server's log.",
        )
    )


def not_understood(call: Call, what: str, partial: str = "") -> IncompleteAnswerError:
    """Something answers that does not speak as Ollama does."""
    return IncompleteAnswerError(
        f"What {call.url} answered cannot be understood: {what}.",
        partial=partial,
        next_step="Check that OLLAMA_HOST points to an Ollama server and that nothing between changes its answers.",
    )


def _message(body: bytes | str) -> tuple[str, dict[str, Any]]:
    """The words of an error and, where the runner gave one, its own error object."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    inner: dict[str, Any] = {}
    for _ in range(3):  # the body, the text inside it, the object inside that
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        error = value.get("error", value.get("message"))
        if isinstance(error, dict):
            inner = error
            error = error.get("message")
        if not isinstance(error, str):
            break
        text = error
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MOST_SHOWN]).split())
    words = words or "it gave no reason"
    return (words.rstrip(".") + "." if len(words) <= _MOST_SHOWN else words[:_MOST_SHOWN] + "..."), inner


def _overflow(call: Call, text: str, inner: dict[str, Any]) -> ContextOverflowError:
    prompt, window = _whole(inner.get("n_prompt_tokens")), _whole(inner.get("n_ctx"))
    if not prompt and (found := _TOKENS_OF_WINDOW.search(text)):
        prompt, window = int(found[1][:12]), int(found[2][:12])
    return context_overflow(call, prompt, window or call.window_tokens)


def context_overflow(call: Call, prompt_tokens: int, window_tokens: int, how: str = "") -> ContextOverflowError:
    """The prompt does not fit. Token counts of 0 are unknown."""
    size = f" of {how}{prompt_tokens} tokens" if prompt_tokens else ""
    window = f" of {window_tokens} tokens" if window_tokens else ""
    return ContextOverflowError(
        f"The prompt{size} does not fit the window{window} of {call.model or 'the model'}.",
        prompt_tokens=prompt_tokens,
        window_tokens=window_tokens,
        kept="Nothing was cut.",
        next_step="Shorten the prompt or raise the window (context_tokens).",
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _busy(call: Call, text: str) -> RuntimeBusyError:
    return RuntimeBusyError(
        f"The Ollama server at {call.url} is busy: {text}",
        next_step="Wait until it has loaded its model, run fewer tasks at once, or raise OLLAMA_MAX_QUEUE.",
    )


def _runner_died(call: Call, text: str, partial: str) -> IncompleteAnswerError:
    return IncompleteAnswerError(
        f"The process that ran {call.model or 'the model'} in the Ollama server died: {text}",
        partial=partial,
        next_step="Try again; if it dies again, the machine may be short of memory: choose a smaller model or window.",
    )


def _advice(call: Call, status: int, lower: str) -> str:
    if status in _REDIRECTS:
        return "Redirects are not followed: point OLLAMA_HOST to the server itself."
    if "does not support chat" in lower:
        return f"{call.model} makes embeddings only: choose another model to chat with."
    if "does not support embed" in lower:
        return f"{call.model} makes no embeddings: choose an embedding model, such as all-minilm."
    return _ADVICE.get(status, "Asking again would give the same answer: change the request.")
