"""What the gate makes of an answer's quotes: right ones stay as they are, others go or become what is there."""

from __future__ import annotations

import pytest

from nonet.specialists import Passage
from nonet.specialists.quote_gate import Gated, gate_passages

SURPRISED = "We were very surprised by all the results, said Tom."


def gated(answer: str, *texts: str) -> Gated:
    passages = [Passage(f"{at}.md", at, 1.0, 0, len(text), text) for at, text in enumerate(texts)]
    result = gate_passages(answer, passages, "What is said?")
    for citation in result.citations:
        assert texts[citation.chunk or 0][citation.start : citation.end] == citation.quote
    return result


@pytest.mark.parametrize(
    ("quote", "text", "cited"),
    [
        ("very surprised ... the results.", SURPRISED, "very surprised by all the results"),
        ("very surprised\u2026 the results", SURPRISED, "very surprised by all the results"),
        ("very surprised [...] all the results", SURPRISED, "very surprised by all the results"),
        ("very surprised . . . said Tom", SURPRISED, "very surprised by all the results, said Tom"),
        ("[They] were very surprised by all the results", SURPRISED, "were very surprised by all the results"),
        ("were [quite] surprised by all the results", SURPRISED, "were very surprised by all the results"),
        ("[V]ery surprised by all the results", SURPRISED, "very surprised by all the results"),
        (
            "The pump failed... The valve broke.",
            "The pump failed. ... The valve broke.",
            "The pump failed. ... The valve broke",
        ),
        (
            "The wall ... the gate ... the mill",
            f"The wall. {'It is old. ' * 60}The wall, the gate and the mill.",
            "The wall, the gate and the mill",
        ),
        ("Don't go there now!", "Don't go there now, he said.", "Don't go there now"),
        ("Is it safe there?", "He asked: is it safe there. Nobody knew.", "is it safe there"),
    ],
)
def test_what_a_quote_leaves_out_puts_in_or_ends_with(quote: str, text: str, cited: str) -> None:
    answer = f'It says "{quote}" of that.'
    result = gated(answer, text)
    assert (result.text, result.sound) == (answer, True)
    assert [each.quote for each in result.citations] == [cited]


@pytest.mark.parametrize(
    "quote",
    [
        "all the results ... very surprised",
        "very surprised ... the failures",
        "very [pleased] by all the failures",
        "were very surprised by [12] of the results",
        "were [not a little] surprised by all the results",
    ],
)
def test_a_piece_that_is_elsewhere_or_nowhere_is_no_quote(quote: str) -> None:
    assert not gated(f'It says "{quote}".', SURPRISED).sound


def test_pieces_far_apart_are_no_quote() -> None:
    text = f"The wall is old. {'The river is wide. ' * 60}The gate is new."
    assert not gated('"The wall ... is new."', text).sound
    assert not gated('"The wall ... is new."', text[:40], text[-40:]).sound


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("surprised [...] by the results.", SURPRISED),
        ("We were surprised by the results", SURPRISED),
        ("The pump failed and then the valve broke.", "The pump failed. Then the valve broke."),
    ],
)
def test_a_part_is_not_replaced_by_a_whole_nor_a_whole_by_a_part(quote: str, text: str) -> None:
    result = gated(f'Tom was "{quote}"', text)
    assert (result.text, result.unmarked) == (f"Tom was {quote}", (quote,))


def test_a_slip_is_replaced_by_the_sentence() -> None:
    result = gated('He said "It was closed in 1990 for some repairs".', "It closed in 1990 for repairs.")
    assert result.text == 'He said "It closed in 1990 for repairs.".'
    assert result.replaced == ("It was closed in 1990 for some repairs",)


@pytest.mark.parametrize("quote", ["the pump was replaced in May", "the pump ... replaced in May"])
def test_a_word_divided_at_the_end_of_a_line_is_whole(quote: str) -> None:
    text = "In all, the pump was re-\nplaced in May 1990."
    result = gated(f'It says "{quote}".', text)
    assert (result.text, result.sound) == (f'It says "{quote}".', True)
    assert [each.quote for each in result.citations] == ["the pump was re-\nplaced in May"]


def test_a_hyphen_of_its_own_may_stand_at_the_end_of_a_line() -> None:
    text = "It is a well-\nknown mill of the town, with 10-\n12 wheels."
    assert gated('It is "a well-known mill of the town".', text).sound
    assert not gated('It has "1012 wheels".', text).sound
