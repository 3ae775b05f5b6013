"""How likely a model finds a text: what its perplexity is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class TextScore:
    """How likely a text is, token by token."""

    tokens: int
    """Those that were scored: all but the first of each window, which nothing comes before."""
    nats: float
    """Minus the sum of the natural logarithms of their probabilities."""


@runtime_checkable
class ScoresText(Protocol):
    """A runtime that tells the probabilities of a given text; Ollama's API does not."""

    async def score_text(self, model: str, text: str) -> TextScore:
        """How likely the model finds the text. Raises as Runtime.chat."""
        ...


def score_tokens(
    tokens: Sequence[int], window_tokens: int, logprob: Callable[[Sequence[int], int], float], stop: Event
) -> TextScore:
    """Walk through the tokens in windows that do not overlap; ends early, with what it has, when `stop` is set.

    Args:
        tokens: of the whole text.
        window_tokens: how many the model sees at once.
        logprob: of a token after those before it in its window.
        stop: looked at before every token.
    """
    scored, nats = 0, 0.0
    for start in range(0, len(tokens), window_tokens):
        window = tokens[start : start + window_tokens]
        for place in range(1, len(window)):
            if stop.is_set():
                return TextScore(scored, nats)
            nats -= logprob(window[:place], window[place])
            scored += 1
    return TextScore(scored, nats)
