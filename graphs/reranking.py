"""Asks a chat model which of the first passages speak to a query, and mixes that with the order they were found in.

One short call a passage, answered by a word; how sure the model is of it makes the order, where the runtime tells
(Nogueira et al. 2020 rank by the probability of "true" in the same way). A small model's opinion is mixed in by
reciprocal rank and does not replace what words and vectors found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nonet.errors import CallError
from nonet.runtimes import ChatRequest, ChatResponse
from nonet.specialists.ranking import fused_scores, title
from nonet.specialists.templates import render

if TYPE_CHECKING:
    from nonet.store import Hit

RERANKED = 10
"""Passages that are judged, a call each; those behind them stay where they are."""
_RRF_K = 10
OnJudged = Callable[[int, int, str], None]
"""Called with passages judged, passages in all, and the name of the document at work."""


@dataclass(frozen=True, slots=True)
class Reranker:
    """Who judges."""

    model: str
    chat: Callable[[ChatRequest], Awaitable[ChatResponse]]


async def reranked(
    query: str, hits: Sequence[Hit], reranker: Reranker, on_judged: OnJudged | None = None
) -> tuple[list[Hit], str]:
    """The hits in their new order, their scores with it, and by which method.

    A call that fails leaves the order that words and vectors gave, and the method says so.
    """
    first, rest = list(hits[:RERANKED]), list(hits[RERANKED:])
    relevance: list[float] = []
    try:
        for number, hit in enumerate(first):
            if on_judged is not None:
                on_judged(number, len(first), hit.document)
            relevance.append(await _relevance(query, hit, reranker))
    except CallError as error:
        return list(hits), f"not reranked: {error.message}"
    if on_judged is not None:
        on_judged(len(first), len(first), "")
    by_model = sorted(range(len(first)), key=lambda place: -relevance[place])
    order = fused_scores([list(range(len(first))), by_model], k=_RRF_K)
    return [*(replace(first[place], score=score) for place, score in order), *rest], f"reranked by {reranker.model}"


async def _relevance(query: str, hit: Hit, reranker: Reranker) -> float:
    """How sure the model is of yes: above 0 where it says so, below where it says no. Raises CallError.

    A word's probability is often below a half, as "Yes", "yes" and others share it: one minus that of "No" says nothing
    of yes.
    """
    about = ", ".join(part for part in (title(hit.document), hit.heading) if part)
    messages = render("rerank", query=query, passage=f"{about}: {hit.text}")
    response = await reranker.chat(ChatRequest(reranker.model, messages, max_completion_tokens=1, certainty=True))
    word = response.text.strip().casefold()
    certainty = 1.0 if response.certainty is None else response.certainty
    if word.startswith("yes"):
        return certainty
    return -certainty if word.startswith("no") else 0.0
