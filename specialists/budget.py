"""The context budget: what fits into a model's window, and how a long text is cut so that each piece does.

Nothing is cut in silence: `fit` says what it left out, and the spans of `split_*` cover the whole text.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from nonet.errors import ContextOverflowError
from nonet.runtimes import Message

_MARGIN_TOKENS = 8
"""Kept free: some servers count their template's closing marks on top."""
_BLOCK_CHARS = 64_000
"""The splitter's time grows with the square of its input (1 MB: 0.14 s, 10 MB: 21 s), so it is fed blocks."""
_LONGEST_HEADING = 200
_CHARS_PER_TOKEN = 4.0
"""A first guess for prose; every piece is counted before it is used."""

Span = tuple[int, int]
"""Start and end, in characters."""
Cut = tuple[int, int]
"""A place where the structure of a text says that it is best cut, and how strongly: the lower, the stronger."""


class Counter(Protocol):
    """What the budget needs of a desk."""

    @property
    def window_tokens(self) -> int: ...

    async def count_tokens(self, messages: Sequence[Message]) -> int: ...


def prompt_room(window_tokens: int, answer_tokens: int) -> int:
    """Tokens that a prompt may take when `answer_tokens` are kept for the answer; at least 0."""
    return max(0, window_tokens - answer_tokens - _MARGIN_TOKENS)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt that may have to stay out."""

    text: str
    priority: int
    """Lower goes in first; 0 must go in."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What went into a prompt."""

    messages: tuple[Message, ...]
    tokens: int
    kept: tuple[int, ...]
    """Indices of the parts that are in, in their order."""
    dropped: tuple[int, ...]


async def fit(
    parts: Sequence[Part],
    build: Callable[[Sequence[str]], Sequence[Message]],
    counter: Counter,
    answer_tokens: int,
) -> Fit:
    """The prompt with as many parts as fit, taken by priority and shown in their given order.

    Args:
        parts: the pieces; those of one priority go in one by one, in order.
        build: makes the messages out of the texts that are in.
        counter: the desk.
        answer_tokens: kept free for the answer.

    Raises:
        ContextOverflowError: the parts of priority 0 alone do not fit.
    """
    room = prompt_room(counter.window_tokens, answer_tokens)
    order = sorted(range(len(parts)), key=lambda index: (parts[index].priority, index))
    required = sum(part.priority == 0 for part in parts)

    async def attempt(count: int) -> Fit:
        kept = tuple(sorted(order[:count]))
        messages = tuple(build([parts[index].text for index in kept]))
        return Fit(messages, await counter.count_tokens(messages), kept, tuple(sorted(order[count:])))

    best = await attempt(len(parts))
    if best.tokens <= room:
        return best
    low, high = required, len(parts) - 1
    best = await attempt(low)
    if best.tokens > room:
        raise ContextOverflowError(
            f"The prompt takes {best.tokens} tokens and {room} of the window are free for it.",
            prompt_tokens=best.tokens,
            window_tokens=counter.window_tokens,
            next_step="Shorten the request, or take a model with a larger window.",
        )
    while low < high:
        middle = (low + high + 1) // 2
        tried = await attempt(middle)
        if tried.tokens <= room:
            best, low = tried, middle
        else:
            high = middle - 1
    return best


def split_chars(text: str, capacity: Span, *, overlap: int = 0, markdown: bool = False) -> list[Span]:
    """Spans that cover the whole text, each within `capacity` (fewest, most characters) where the text allows it.

    Cuts fall on the largest unit that fits: sections and paragraphs before sentences, sentences before words.
    """
    splitter = _splitter(capacity, overlap, markdown=markdown)
    spans: list[Span] = []
    for block_start, block_end in _blocks(text):
        # The Rust side takes no lone surrogates; "?" keeps every offset.
        block = text[block_start:block_end].encode("utf-8", "replace").decode("utf-8")
        for start, chunk in splitter.chunk_indices(block):
            spans.append((block_start + start, block_start + start + len(chunk)))
    return spans


def split_along(text: str, span: Span, capacity: Span, cuts: Sequence[Cut]) -> list[Span]:
    """Spans as of `split_chars`, which end at the strongest cut that leaves them within `capacity`, the last of those.

    No more of them than `split_chars` would make, as each costs a call.

    Args:
        text: of which a span is split; without a cut in it as `split_chars` would.
        span: what is to be covered.
        capacity: fewest and most characters of each; one that would end with a heading ends before it.
        cuts: of the whole text, in its order.
    """
    (at, end), (fewest, most) = span, capacity
    places = [place for place, _ in cuts]
    plain = [(at + first, at + last) for first, last in split_chars(text[at:end], capacity)]
    if bisect_right(places, at) >= bisect_left(places, end):
        return plain
    spans: list[Span] = []
    while end - at > most:
        within = cuts[bisect_left(places, at + max(1, fewest)) : bisect_right(places, at + most)]
        if within:
            to = min(reversed(within), key=lambda cut: cut[1])[0]
        else:
            to = at + split_chars(text[at : min(end, at + 2 * most)], capacity)[0][1]
            last = places[max(0, bisect_left(places, to) - 1)]
            if at < last and 0 < to - last <= _LONGEST_HEADING and "\n" not in text[last:to].strip():
                to = last
        spans.append((at, to))
        at = to
    spans += [(at, end)] if at < end else []
    return min(spans, plain, key=len)


@functools.lru_cache(maxsize=32)
def _splitter(capacity: Span, overlap: int, *, markdown: bool) -> TextSplitter | MarkdownSplitter:
    """Making one takes longer than cutting a page."""
    make = MarkdownSplitter if markdown else TextSplitter
    return make(capacity, overlap=overlap, trim=False)


def _blocks(text: str) -> Iterator[Span]:
    start = 0
    while len(text) - start > _BLOCK_CHARS:
        # The splitter's time grows with the square of what holds no break at all.
        end = start + _BLOCK_CHARS // 4
        for mark in ("\n\n", "\n", ". ", "。", " "):
            cut = text.rfind(mark, start + _BLOCK_CHARS // 2, start + _BLOCK_CHARS)
            if cut != -1:
                end = cut + len(mark)
                break
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


async def split_tokens(
    text: str, max_tokens: int, count: Callable[[str], Awaitable[int]], cuts: Sequence[Cut] = ()
) -> list[Span]:
    """Spans without overlap that cover the text, each of at most `max_tokens`, along the cuts where they can be.

    Raises:
        ContextOverflowError: a single character takes more than `max_tokens`.
    """
    if max_tokens < 1:
        raise ContextOverflowError(
            f"The window leaves {max_tokens} tokens for the text.", next_step="Take a model with a larger window."
        )
    sample = text[:_BLOCK_CHARS]
    per_token = len(sample) / max(1, await count(sample)) if text else _CHARS_PER_TOKEN
    pending = [(0, len(text))]
    done: list[Span] = []
    while pending:
        start, end = pending.pop(0)
        limit = max(1, int(max_tokens * per_token * 0.95))
        pieces = split_along(text, (start, end), (max(1, limit * 2 // 3), limit), cuts)
        again: list[Span] = []
        for piece in pieces:
            if await count(text[slice(*piece)]) <= max_tokens:
                (again or done).append(piece)
            elif piece[1] - piece[0] == 1:
                raise ContextOverflowError(
                    f"One character takes more than the {max_tokens} tokens that are free.",
                    next_step="Take a model with a larger window.",
                )
            else:
                half = (piece[0] + piece[1]) // 2
                again.extend([(piece[0], half), (half, piece[1])])
        pending = [*again, *pending]
        per_token = max(0.25, per_token / 2) if again else per_token
    return done


def batches(sizes: Sequence[int], room: int) -> list[list[int]]:
    """Indices in order, grouped so that each group's sizes sum to at most `room`; an item above it stands alone."""
    groups: list[list[int]] = []
    total = 0
    for index, size in enumerate(sizes):
        if groups and total + size <= room:
            groups[-1].append(index)
            total += size
        else:
            groups.append([index])
            total = size
    return groups


def covered(spans: Sequence[Span]) -> int:
    """How many characters lie in at least one span."""
    total, reach = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reach))
        reach = max(reach, end)
    return total
