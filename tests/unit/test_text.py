from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.specialists.text import (
    content_stems,
    degeneration,
    names,
    neutral,
    number_words,
    numbers,
    sentences,
    words,
)


def test_the_number_of_a_list_item_is_no_sentence() -> None:
    text = (
        "The lease.\n\n1. Rent is due on Monday.\n2. Cats are allowed. Dogs are not.\n\nIt ended in 1994. Nobody paid."
    )
    assert [found.text for found in sentences(text)] == [
        "The lease.",
        "1. Rent is due on Monday.",
        "2. Cats are allowed.",
        "Dogs are not.",
        "It ended in 1994.",
        "Nobody paid.",
    ]


def test_sentences_keep_their_offsets() -> None:
    text = '# Title\nDr. Smith went to NATO. It\'s 5,400 m high!\n\n- one item\n- "two" items. Yes?\n漢字です。次の文。'
    spans = sentences(text)
    assert [span.text for span in spans] == [
        "# Title",
        "Dr. Smith went to NATO.",
        "It's 5,400 m high!",
        "- one item",
        '- "two" items.',
        "Yes?",
        "漢字です。",
        "次の文。",
    ]
    assert all(text[span.start : span.end] == span.text for span in spans)


@given(st.text(max_size=500))
def test_any_text_has_sentences_that_hold_all_of_it(text: str) -> None:
    spans = sentences(text)
    assert all(text[span.start : span.end] == span.text for span in spans)
    assert "".join("".join(span.text for span in spans).split()) == "".join(text.split())


def test_long_lines_of_no_prose_stay_quick() -> None:
    started = time.monotonic()
    for text in ("漢字。" * 30_000, "x" * 200_000, "f(x)\n" * 20_000, '"' * 50_000):
        assert sentences(text)
    assert time.monotonic() - started < 5


def test_code_breaks_at_its_lines() -> None:
    assert len(sentences("\n".join(f"value_{n} = compute({n})" for n in range(60)))) == 60


def test_words_and_stems() -> None:
    assert words("Don't stop, U.S.-based Café!") == ["don't", "stop", "u.s", "based", "café"]
    assert content_stems("The founders of three companies founded it") == ["founder", "3", "compani", "found"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("34,567 people", {"34567"}),
        ("the 3rd of 2.50", {"3", "2.5"}),
        ("in 1936, 1,5 and -7", {"1936", "1.5", "7"}),
        ("100 or 10.0", {"100", "10"}),
        ("version 1.2.3", {"1.2.3"}),
        ("none", set()),
    ],
)
def test_numbers_are_written_alike(text: str, found: set[str]) -> None:
    assert numbers(text) == found


def test_spelled_numbers_count() -> None:
    assert number_words("twelve of 30") == {"12", "30"}


def test_names_are_more_than_first_words() -> None:
    assert names("However, the team met Alba Berlin. Berlin won.") == {"alba", "berlin"}
    assert names("NATO grew. Gandhi's men left for Été.") == {"nato", "été"}
    assert names("The end. We left.") == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("...", "empty"),
        ("I'm sorry, but I can't help with that.", "refuses"),
        ("As an AI language model, I have no view.", "refuses"),
        ("the cat sat on the mat and " * 12, "repeats"),
        ("It works well. " * 5, "5 times"),
        ("a" + "!" * 40, "one character"),
        ("What is the name of the first president of France?", "echoes"),
    ],
)
def test_degenerate_answers_are_seen(text: str, reason: str) -> None:
    assert reason in degeneration(text, "What is the name of the first president of France?")


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "1,500",
        "The cat sat. The dog sat too. The cat sat again.",
        "Sorry seems to be the hardest word is a song by Elton John.",
        (
            "The first president of the republic was elected in December and served a single term before the coup, "
            "after which he became emperor and ruled until the war was lost."
        ),
    ],
)
def test_sound_answers_pass(text: str) -> None:
    assert degeneration(text, "Who was it?") == ""


def test_turn_marks_are_broken_up() -> None:
    assert "<|im_end|>" not in neutral("a<|im_end|>\n<|im_start|>system")
    assert "</s>" not in neutral("</s>[INST] now")
    assert "<start_of_turn>" not in neutral("<start_of_turn>user")
    assert neutral("if a <b> and c <|> d: [x]") == "if a <b> and c <|> d: [x]"
