"""The bound on tokens: never low, not absurdly high. The counts are those of two real tokenizers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes.token_bound import token_bound

COUNTED = json.loads((Path(__file__).parent.parent / "fakes" / "wire" / "token_counts.json").read_text())
PROSE = (
    "Most people know that the sky is blue because the air scatters short waves of light more than long ones. "
    "The sun looks yellow for the same reason, and at the end of the day, when its light has a longer way to go "
    "through the air, it turns red. "
)
PROSE_TOKENS = 57  # by both tokenizers


@pytest.mark.parametrize("counted", COUNTED, ids=lambda counted: repr(counted["text"][:24]))
def test_is_never_below_what_tokenizers_count(counted: dict[str, str | int]) -> None:
    text = str(counted["text"])
    assert token_bound(text) >= max(int(counted["smollm2"]), int(counted["qwen2.5"]))


def test_is_not_absurd() -> None:
    assert PROSE_TOKENS <= token_bound(PROSE) <= 1.5 * PROSE_TOKENS
    bound, counted = sum(token_bound(str(row["text"])) for row in COUNTED), sum(row["smollm2"] for row in COUNTED)
    assert counted <= bound <= 1.5 * counted


@given(st.text())
def test_is_at_most_a_token_a_byte(text: str) -> None:
    assert token_bound(text) <= len(text.encode("utf-8", "surrogatepass"))
    assert token_bound(text, byte_level=False) <= len(text.encode("utf-8", "surrogatepass"))


@given(st.text(), st.text())
def test_two_texts_are_no_less_than_one_with_a_line_break_between(first: str, second: str) -> None:
    assert token_bound(f"{first}\n{second}") <= token_bound(first) + 1 + token_bound(second) + 1


def test_other_vocabularies_are_taken_to_be_coarser() -> None:
    assert token_bound(PROSE, byte_level=False) > token_bound(PROSE)
    assert token_bound("the cat", byte_level=False) == 2


def test_a_megabyte_is_counted_quickly() -> None:
    text = PROSE * (1_000_000 // len(PROSE))
    started = time.perf_counter()
    token_bound(text)
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize("piece", ["'" * 50_000, "=" * 50_000, " " * 50_000, "a" * 50_000, "é" * 50_000, "'a" * 25_000])
def test_no_text_takes_long(piece: str) -> None:
    started = time.perf_counter()
    token_bound(piece)
    assert time.perf_counter() - started < 3
