"""One GGUF chat model in this process: what it answers, and how long its prompts are. Every call blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nonet.errors import BadRequestError
from nonet.runtimes.gguf import read_token_types
from nonet.runtimes.llama_engine import EngineOptions, LlamaEngine
from nonet.runtimes.llama_marks import Marks

BATCH_TOKENS: Final = 128
_FORCE: Final = 1000.0

Chunk = Mapping[str, Any]
"""One piece of an answer, in OpenAI's streaming form."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a model is served."""

    window_tokens: int
    """A slot's window, prompt and answer together."""
    slots: int
    """Calls that are computed together, by continuous batching."""
    threads: int
    reuse_prompts: bool = False
    """Keep a prompt's computation for the next that begins alike. Faster, but rounding then depends on what came
    before, so that a repeated request may get another answer."""


class LlamaServer:
    """A loaded model. Safe to call from many threads; `close` only when no call is under way."""

    def __init__(self, path: Path, options: ServerOptions) -> None:
        """Load a model; blocks, and raises, as `LlamaEngine`."""
        self._options = options
        self._marks = Marks(read_token_types(path))
        self._engine = LlamaEngine(
            path, EngineOptions(options.window_tokens, options.slots, options.threads, batch_tokens=BATCH_TOKENS)
        )

    def chat(self, body: Mapping[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Answer in pieces until the end, or until `on_chunk` returns True, which it may also do within the prompt.

        Args:
            body: as OpenAI's chat completions; marks of the model's template in its messages are broken up.
            on_chunk: called on this thread with each piece; an error comes as one piece with the key "error".

        Raises:
            BadRequestError: llama.cpp refuses the request, such as a schema it does not know.
        """
        request = {
            **body,
            "messages": self._safe(body["messages"]),
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
            "cache_prompt": self._options.reuse_prompts,
        }
        try:
            self._engine.server.handle_chat_completions(request, on_chunk)
        except (ValueError, TypeError, RuntimeError) as error:
            raise BadRequestError(
                f"llama.cpp refused the request: {error}", next_step="Correct the messages or the schema."
            ) from error

    def count(self, messages: list[dict[str, str]]) -> int:
        """Tokens of the prompt, template included; needs no slot.

        Raises:
            BadRequestError: the model's template refuses the messages.
            RuntimeUnavailableError: the listener does not answer.
        """
        answer = self._engine.post("/v1/chat/completions/input_tokens", {"messages": self._safe(messages)})
        if "input_tokens" not in answer:
            raise BadRequestError(f"The model cannot take these messages: {answer.get('error', {}).get('message')}.")
        return int(answer["input_tokens"])

    def tokenize(self, text: str) -> list[int]:
        """The text's tokens, with what the model wants at the beginning of every text; marks in it are broken up.

        Raises:
            RuntimeUnavailableError: the listener does not answer.
        """
        body = {"content": self._marks.break_up(text), "add_special": True}
        return list(self._engine.post("/tokenize", body)["tokens"])

    def logprob(self, before: Sequence[int], token: int) -> float:
        """The natural logarithm of the token's probability after the tokens before it; needs a slot.

        The token is forced by a bias that no other outweighs; the probability that comes with it is the one before any
        bias. What was computed for the last call is used where the tokens begin alike.

        Raises:
            BadRequestError: llama.cpp refuses, as where there are more tokens than the window has room for.
            RuntimeUnavailableError: the listener does not answer.
        """
        body = {
            "prompt": list(before),
            "n_predict": 1,
            "n_probs": 1,
            "logit_bias": [[token, _FORCE]],
            "temperature": 0,
            "samplers": ["temperature"],
            "cache_prompt": True,
        }
        answer = self._engine.post("/completion", body)
        for told in answer.get("completion_probabilities", ()):
            if told["id"] == token:
                return float(told["logprob"])
        raise BadRequestError(f"llama.cpp did not score a token: {answer.get('error', {}).get('message')}.")

    def _safe(self, messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """The messages with the model's own marks broken up in what they say (`llama_marks`)."""
        return [{**message, "content": self._marks.break_up(message["content"])} for message in messages]

    def close(self) -> None:
        """Unload the model; calling it twice is fine."""
        self._engine.close()
