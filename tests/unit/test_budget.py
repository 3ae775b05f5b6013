from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.errors import ContextOverflowError
from nonet.runtimes import Message
from nonet.specialists.budget import Part, batches, covered, fit, prompt_room, split_tokens


@dataclass
class Scale:
    """Counts a token a character."""

    window_tokens: int
    counted: int = 0

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        self.counted += 1
        return sum(len(message.content) for message in messages)


def build(texts: Sequence[str]) -> list[Message]:
    return [Message("user", "".join(texts))]


async def test_everything_goes_in_with_one_count() -> None:
    scale = Scale(100)
    fitted = await fit([Part("a" * 10, 0), Part("b" * 20, 1)], build, scale, 40)
    assert (fitted.tokens, fitted.kept, fitted.dropped, scale.counted) == (30, (0, 1), (), 1)


async def test_the_least_important_stays_out() -> None:
    parts = [Part("a" * 30, 2), Part("b" * 10, 0), Part("c" * 30, 1), Part("d" * 30, 3)]
    fitted = await fit(parts, build, Scale(100), 20)
    assert (fitted.kept, fitted.dropped) == ((0, 1, 2), (3,))
    assert fitted.messages[0].content == "a" * 30 + "b" * 10 + "c" * 30


async def test_what_must_go_in_and_does_not_fit_is_an_error() -> None:
    with pytest.raises(ContextOverflowError) as caught:
        await fit([Part("a" * 99, 0), Part("b", 1)], build, Scale(100), 10)
    assert (caught.value.prompt_tokens, caught.value.window_tokens) == (99, 100)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), max_size=12), st.integers(60, 200))
async def test_what_goes_in_fits_and_nothing_more_would(sizes: list[tuple[int, int]], window: int) -> None:
    parts = [Part("x" * size, priority) for size, priority in sizes]
    fitted = await fit(parts, build, Scale(window), 20)
    assert fitted.tokens <= prompt_room(window, 20)
    assert sorted([*fitted.kept, *fitted.dropped]) == list(range(len(parts)))
    if fitted.dropped:
        following = min(fitted.dropped, key=lambda at: (parts[at].priority, at))
        assert fitted.tokens + len(parts[following].text) > prompt_room(window, 20)


async def words_of(text: str) -> int:
    return len(text.split())


@given(st.lists(st.sampled_from(["alpha", "be", "gamma\n\n", "delta.", "e" * 30]), max_size=200), st.integers(1, 40))
async def test_pieces_fit_and_cover(pieces: list[str], limit: int) -> None:
    text = " ".join(pieces)
    spans = await split_tokens(text, limit, words_of)
    assert covered(spans) == len(text)
    for start, end in spans:
        assert len(text[start:end].split()) <= limit


async def test_dense_text_is_split_again() -> None:
    async def dense_at_the_end(text: str) -> int:
        return len(text) + 9 * text.count("x")

    text = "a " * 40_000 + "x" * 500
    spans = await split_tokens(text, 1_000, dense_at_the_end)
    assert covered(spans) == len(text)
    for start, end in spans:
        assert await dense_at_the_end(text[start:end]) <= 1_000


async def test_no_room_at_all_is_an_error() -> None:
    with pytest.raises(ContextOverflowError):
        await split_tokens("some text", 0, words_of)

    async def heavy(text: str) -> int:
        return 10 * len(text)

    with pytest.raises(ContextOverflowError, match="One character"):
        await split_tokens("some text", 5, heavy)


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(1, 60))
def test_batches_keep_order_and_room(sizes: list[int], room: int) -> None:
    groups = batches(sizes, room)
    assert [at for group in groups for at in group] == list(range(len(sizes)))
    assert all(sum(sizes[at] for at in group) <= room or len(group) == 1 for group in groups)
