"""Dates and numbers of a summary are compared with its text as what they mean, not as how they are written."""

from __future__ import annotations

import pytest
from fakes.desk import FakeDesk
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Verdict
from nonet.specialists.figures import figures_of
from nonet.specialists.stated_dates import dates_in
from nonet.specialists.summarization import SummarizationSpecialist

DAM = (
    "Work on the Kesh dam began on 3 May 1961, and the dam was finished on 12 June 1987. A flood killed three people. "
    "Prices rose by 5 percent that year. The lake holds 3,112,000 litres. The repair cost $4.5 million and took "
    "twenty-one weeks. In winter the lake froze at -7 degrees Celsius. The second wall, sixteen steps high, stands "
    "on one of the banks."
)


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("The dam was finished on 12 May 1987.", ("12 May 1987",)),
        ("The dam was finished on 1987-06-12.", ()),
        ("The dam was finished on June 12th, 1987.", ()),
        ("The dam was finished on 12.06.1987 (06/12/87, 12/6/1987).", ()),
        ("The dam was finished in June 1987, on the 12th.", ()),
        ("The dam was finished in May 1987.", ("May 1987",)),
        ("Work began on 12 June.", ()),
        ("Work began on 4 May.", ("4 May",)),
        ("Work began in 1961.", ()),
        ("Work began in 1962.", ("1962",)),
        ("A flood killed twelve people.", ("twelve",)),
        ("A flood killed 3 people.", ()),
        ("A flood killed 12 people.", ("12",)),
        ("A flood killed three million people.", ()),  # it rounds what the lake holds
        ("A flood killed thirteen million people.", ("thirteen million",)),
        ("The lake holds 3.1 million litres.", ()),
        ("The lake holds 3.2 million litres.", ("3.2 million litres",)),
        ("The lake holds 3112000 liters.", ()),
        ("Prices rose by 5 euros.", ("5 euros",)),
        ("Prices rose by \u20ac5.", ("\u20ac5",)),
        ("Prices rose by five per cent.", ()),
        ("Prices rose by 5.", ()),
        ("The repair cost 4,500,000 dollars.", ()),
        ("The repair cost US$4.5m.", ()),
        ("The repair cost 4.5 million euros.", ("4.5 million euros",)),
        ("The repair took 21 weeks.", ()),
        ("The repair took 21 days.", ("21 days",)),
        ("It froze at minus 7 degrees Celsius.", ()),
        ("It froze at \u22127 \u00b0C.", ()),
        ("It was 7 \u00b0C.", ("7 \u00b0C",)),
        ("Prices rose by -5 percent.", ("-5 percent",)),
        ("It fell to 7 degrees.", ()),
        ("The first of the two, a two-fold and three-quarters wall, is one of sixteen steps.", ()),
        ("One in five of the second half, twice.", ()),
    ],
)
def test_what_the_text_does_not_state_is_missing_and_nothing_else_is(said: str, missing: tuple[str, ...]) -> None:
    assert figures_of(DAM).missing(said) == missing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sales in millions of euros: north 3.2, south 4.1", "The north sold 3.2 million euros."),
        ("The diary of 1961. On 3 May it rained.", "It rained on 3 May 1961."),
        ("The fair ran from 3 to 5 May 1961.", "The fair began on 3 May 1961 and ended on 5 May 1961."),
        ("It rained in May and June 1961.", "It rained in May 1961."),
        ("The war of 1961-63.", "The war ended in 1963."),
        ("It cost 12.500 crowns.", "It cost 12,500 crowns."),
        ("It cost 12 500 000 crowns.", "It cost 12.5 million crowns."),
        ("In nineteen sixty-one there stood two hundred and five mills.", "205 mills stood in 1961."),
        (
            "It was the twenty-first mill, and both stood a decade, a dozen steps high.",
            "The 21st mill: two stood for ten years, twelve steps high.",
        ),
        ("The score is .839 of 1.", "The score is 0.839."),
        ("It rose from 3 to 5 percent.", "It was at 3 percent."),
        ("Am 3. Mai 1961 wurde die M\u00fchle mit dem Haus verkauft, das nicht ist.", "It was sold on 3 May 1961."),
    ],
)
def test_what_is_stated_in_another_way_is_not_held_against_a_summary(text: str, said: str) -> None:
    assert figures_of(text).missing(said) == ()


def test_dates_are_read_in_many_forms_and_words_are_none() -> None:
    text = "May 3rd, 1961; 3.5.61; 03/05/1961; 2024-05-07T12:00; 3-5 May. It may 12 people be, version 1.2.3, 3/4."
    assert [sorted(said.readings) for said in dates_in(text)] == [
        [(1961, 5, 3)],
        [(1961, 5, 3), (2061, 5, 3)],
        [(1961, 3, 5), (1961, 5, 3)],
        [(2024, 5, 7)],
        [(0, 5, 3), (0, 5, 5)],
    ]


@pytest.mark.parametrize(
    ("text", "said", "missing"),
    [
        ("In May 3 people died.", "Three people died in May.", ()),
        ("Three people died in May.", "In May 3 people died.", ()),
        ("Since May 20 people have joined.", "Twenty people have joined since May.", ()),
        ("In March 12 houses burned.", "Twelve houses burned in March.", ()),
        ("By April 10 ships had sailed.", "Ten ships had sailed by April.", ()),
        ("Mr May 3 times asked.", "Mr May asked three times.", ()),
        ("In May 3 % left, and by June 3,200 people.", "Three percent left, and 3200 people.", ()),
        ("In May 3 people died. The pump failed.", "The pump failed on May 3.", ("May 3",)),
        ("The pump failed on May 3. In May two people died.", "In May 3 people died.", ("3",)),
        ("On May 3 people met.", "Three people met on May 3.", ("Three",)),
        ("The May 3 attacks were the worst.", "Three attacks were the worst.", ("Three",)),
        ("Prices have risen since May 3.", "Since May 3 prices have risen.", ()),
        ("Prices have risen since May 3.", "Since May 4 prices have risen.", ("4",)),
    ],
)
def test_a_number_behind_a_month_may_be_a_count_or_a_day(text: str, said: str, missing: tuple[str, ...]) -> None:
    assert figures_of(text).missing(said) == missing


@given(st.text(max_size=60) | st.text("0123456789-., $%mk()|twoandhredilMay3/\u2212", max_size=60))
def test_a_text_states_its_own_figures_whatever_it_is(text: str) -> None:
    figures = figures_of(text)
    assert len(figures.without_dates(text)) == len(text)
    assert all(part.split() for part in figures.missing(f"1234567 {text}"))


async def sum_up(answer: str, text: str = DAM, instruction: str = "Summarize the report.") -> Outcome:
    desk = FakeDesk(ScriptedRuntime(lambda _: answer))
    return await SummarizationSpecialist().work(Assignment(instruction, (Source("dam.md", text),)), desk)


def support(outcome: Outcome) -> str:
    return next(item.detail for item in outcome.evidence if item.kind == "support")


async def test_a_summary_with_a_wrong_date_or_count_is_flagged_at_its_sentence_and_not_verified() -> None:
    sound = "Prices rose by 5 percent that year."
    for wrong, missing in (
        ("The Kesh dam was finished on 12 May 1987.", "12 May 1987"),
        ("A flood killed twelve people.", "twelve"),
    ):
        outcome = await sum_up(f"{sound} {wrong}")
        assert outcome.verdict is Verdict.UNVERIFIED
        assert support(outcome) == f"not in the text: {missing}"
        assert [each["missing"] for each in outcome.data["coverage"]["sentences"]] == [[], [missing]]


async def test_a_month_that_the_text_writes_as_a_number_is_no_name_that_is_missing() -> None:
    outcome = await sum_up("The mill was sold on 11 February 1977.", "The mill was sold on 1977-02-11.")
    assert support(outcome) == "every number and name is in the text"


async def test_names_that_cannot_be_told_are_said_not_to_be_looked_for() -> None:
    chinese = "\u6c34\u575d\u4e8e1961\u5e74\u5efa\u6210\u3002\u6d2a\u6c34\u635f\u574f\u4e86\u5317\u5899\u3002"
    assert support(await sum_up(chinese, chinese * 3)) == (
        "every number is in the text; names in a script without capitals were not looked for"
    )
    outcome = await sum_up("Am 3. Mai 1961 begann der Bau.", instruction="Summarize the report in German.")
    assert support(outcome).endswith("names, which in German may be written otherwise, were not looked for")
