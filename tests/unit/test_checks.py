"""The checks that every specialist shares, and the score they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes import Finish
from nonet.specialists import Evidence, Outcome, Verdict
from nonet.specialists.checks import (
    arithmetic_check,
    degeneration_check,
    ending_check,
    json_check,
    language_check,
    length_check,
    words_check,
)
from nonet.specialists.confidence import USUAL_BAR, confidence
from nonet.specialists.language import language_of

ENGLISH = "What is the capital of the country and how many people live in it?"
GERMAN = "Die Hauptstadt ist Berlin, und in der Stadt leben mehr als drei Millionen Menschen mit ihren Familien."


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("3 x 4 = 12, so she has 12.", True),
        ("3 * 4 = 13, so she has 13.", False),
        ("$5 + $6 = $11 and 11 - 1 = 10", True),
        ("He pays 2 + 3 * 4 = 20 dollars.", False),
        ("2 + 3 * 4 = 14", True),
        ("1,200 / 7 = 171.43", True),
        ("1,200 / 7 = 171.53", False),
        ("10 / 3 = 3.33", True),
        ("0.33-0.2=0.133333", True),
        ("8 + 3 * 8 = $8 + $24 = $32", True),
        ("20% * 50 = 10", True),
        ("It has no sums.", None),
        ("12 times 7 is equal to 72.", False),
        ("12 times 7 is 84, and 84 plus 16 makes 100.", True),
        ("It is 5 minutes, and 3 times a day is 9 in all.", None),
        ("5 / 0 = 7", None),
        ("x = 3 and 2^4 = 16", None),
        ("on 2024-05-07 = the day", None),
    ],
)
def test_sums_that_are_written_out_are_done_again(*, answer: str, passed: bool | None) -> None:
    found = arithmetic_check(answer)
    assert (found.passed if found is not None else None) is passed


def test_a_wrong_sum_says_what_it_is() -> None:
    found = arithmetic_check("So 3 x 4 = 13.")
    assert found is not None
    assert found.detail == "3 x 4 = 13 is wrong, it is 12"


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 1000))
def test_a_right_sum_is_never_called_wrong(left: int, right: int, off: int) -> None:
    good, bad = (
        arithmetic_check(f"{left} + {right} = {left + right}"),
        arithmetic_check(f"{left} * 3 = {left * 3 + off}"),
    )
    assert good is not None
    assert good.passed is True
    assert bad is not None
    assert bad.passed is False


def test_the_language_of_the_answer_is_that_of_the_request() -> None:
    found = language_check(ENGLISH, GERMAN)
    assert found is not None
    assert (found.passed, found.detail) == (False, "the request is in English, the answer in German")
    assert language_check(f"Translate it: {ENGLISH}", GERMAN) is None
    assert language_check(ENGLISH, "Berlin, 3,677,472.") is None  # not plain in any
    right = language_check(ENGLISH, "It is the city of Berlin, and the number of people that live in it is known.")
    assert right is not None
    assert right.passed is True


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "English"),
        (GERMAN, "German"),
        ("Quelle est la capitale de la France et combien de gens sont dans la ville ?", "French"),
        ("Wat is de hoofdstad van het land en hoeveel mensen wonen er in de stad?", "Dutch"),
        ("Привет, как твои дела сегодня?", "Cyrillic"),
        ("東京の人口は何人ですか", "East-asian"),
        ("the", None),
        ("```\nder die das und ist nicht\n```", None),
        ("", None),
        ("1234 !!", None),
    ],
)
def test_a_language_is_named_only_where_it_is_plain(text: str, language: str | None) -> None:
    assert language_of(text) == language


@given(st.text(max_size=200))
def test_any_text_can_be_checked(text: str) -> None:
    language_check(text, text)
    arithmetic_check(text)
    degeneration_check(text, text)


def test_cut_and_empty_answers_fail() -> None:
    cut, empty = length_check(Finish.LENGTH), degeneration_check("")
    assert cut is not None
    assert empty is not None
    assert (cut.passed, empty.passed) == (False, False)
    assert length_check(Finish.STOP) is None
    assert degeneration_check("Yes.") is None


@pytest.mark.parametrize("text", ["It ended.", 'He said "no."', "Did it?", "\u6771\u4eac\u3002", "**Bold.**"])
def test_prose_that_ends(text: str) -> None:
    assert ending_check(text) is None


@pytest.mark.parametrize("text", ["The pump has the serial number HL-3", "", "and then,"])
def test_prose_that_breaks_off(text: str) -> None:
    found = ending_check(text)
    assert found is not None
    assert found.passed is None


def test_random_letters_are_no_words() -> None:
    noise = words_check("Tell me about penguins.", "zqxv qwpk vxzt kqjw xvqz jjqx wzkq pqvx tzqk qxwv kzzq vvxq")
    assert noise is not None
    assert noise.passed is False
    for answer in (
        "Penguins are birds that cannot fly, and they live in the south, where they eat fish and krill all day.",
        "zqxv qwpk",
        "Die Pinguine sind Vögel, die nicht fliegen, und sie leben im Süden, wo sie Fische fressen und auch Krill.",
    ):
        assert words_check("Tell me about penguins.", answer) is None


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        ('{"answer": ["x"', True),
        ('[{"a": 1}', True),
        ('{"a": 1} is the object.', False),
        ("[1] says so.", False),
        ("{x}", False),
        ("Yes.", False),
        ("[" * 5000 + '"', True),
    ],
)
def test_json_that_breaks_off(*, answer: str, broken: bool) -> None:
    assert (json_check(answer) is not None) == broken


evidence = st.lists(
    st.sampled_from([True, False, None]).map(lambda passed: Evidence("tests", passed=passed, detail="")), max_size=8
)
certainty = st.one_of(st.none(), st.floats(-1, 2))


@given(evidence, evidence, certainty, certainty)
def test_the_score_keeps_the_order_of_the_verdicts(
    one: list[Evidence], other: list[Evidence], sure: float | None, unsure: float | None
) -> None:
    def score(verdict: Verdict, checks: list[Evidence], given: float | None) -> float:
        return confidence(Outcome("x", verdict, tuple(checks), data={"certainty": given}))

    doubted = [*one, Evidence("tests", passed=False, detail="")]
    clean = [item for item in other if item.passed is not False]
    scores = [
        score(Verdict.FAILED, one, sure),
        score(Verdict.UNVERIFIED, doubted, unsure),
        score(Verdict.UNVERIFIED, clean, sure),
        score(Verdict.VERIFIED, other, unsure),
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)
    assert scores[0] >= 0.0
    assert scores[1] < USUAL_BAR <= scores[2]
    assert scores[3] < 1.0


def test_more_proof_and_more_certainty_raise_the_score() -> None:
    passed, doubt = Evidence("tests", passed=True, detail=""), Evidence("quote", passed=False, detail="")
    few = confidence(Outcome("x", Verdict.VERIFIED, (passed,)))
    many = confidence(Outcome("x", Verdict.VERIFIED, (passed,) * 5))
    assert many > few > confidence(Outcome("x", Verdict.VERIFIED, (passed, doubt)))
    sure = confidence(Outcome("x", Verdict.UNVERIFIED, data={"certainty": 0.9}))
    assert sure > confidence(Outcome("x", Verdict.UNVERIFIED, data={"certainty": 0.4}))
