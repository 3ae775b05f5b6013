"""What goes to llama.cpp's chat completions and what comes back, in OpenAI's form with llama.cpp's additions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nonet.errors import BadRequestError, CallError, ContextOverflowError
from nonet.runtimes.certainty import Certainty
from nonet.runtimes.llama_server import Chunk
from nonet.runtimes.types import ChatRequest, Usage


@dataclass(slots=True)
class Answer:
    """An answer as its pieces come in."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    certainty: Certainty = field(default_factory=Certainty)

    def add(self, chunk: Chunk) -> str:
        """Take a piece; the text in it, often empty."""
        if "error" in chunk:
            raise _call_error(chunk["error"])
        self.usage = chunk.get("usage") or self.usage
        self.timings = chunk.get("timings") or self.timings
        piece = ""
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta", {})
            self.certainty.add((choice.get("logprobs") or {}).get("content"))
            piece = delta.get("content") or ""
            self.text.append(piece)
            self.thinking.append(delta.get("reasoning_content") or "")
            self.finish = choice.get("finish_reason") or self.finish
        return piece

    def cost(self, seconds: float, load_seconds: float) -> Usage:
        """What the call cost, as llama.cpp counted it."""
        return Usage(
            prompt_tokens=self.usage.get("prompt_tokens", 0),
            completion_tokens=self.usage.get("completion_tokens", 0),
            seconds=seconds,
            load_seconds=load_seconds,
            prompt_seconds=self.timings.get("prompt_ms", 0.0) / 1e3,
            generation_seconds=self.timings.get("predicted_ms", 0.0) / 1e3,
            cached_tokens=int(self.timings.get("cache_n", 0)),
        )


def request_body(request: ChatRequest) -> dict[str, Any]:
    """The request as llama.cpp takes it. Raises BadRequestError where there is nothing to answer."""
    if not request.messages:
        raise BadRequestError("The request has no messages.")
    body: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if request.max_completion_tokens is not None:
        body["max_tokens"] = request.max_completion_tokens
    if request.stop:
        body["stop"] = list(request.stop)
    if request.certainty:
        body["logprobs"] = True
    if request.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"schema": dict(request.schema)}}
    return body


def _call_error(error: Mapping[str, Any]) -> CallError:
    if error.get("type") == "exceed_context_size_error":
        prompt, window = int(error.get("n_prompt_tokens", 0)), int(error.get("n_ctx", 0))
        return ContextOverflowError(
            f"The prompt has {prompt} tokens and the window {window}.",
            prompt_tokens=prompt,
            window_tokens=window,
            kept="Nothing was cut.",
            next_step="Shorten the prompt or raise context_tokens.",
        )
    return BadRequestError(f"llama.cpp refused the request: {error.get('message', error)}")
