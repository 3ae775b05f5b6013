"""Typed options of a summary: what can be, what excludes what, and how they go together with the words of a request."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.desk import FakeDesk
from pydantic import ValidationError

import nonet
from nonet.errors import UsageError
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source
from nonet.specialists.asked_for import asked_for
from nonet.specialists.forms import Manner
from nonet.specialists.length import LengthWish
from nonet.specialists.material import read_material
from nonet.specialists.summarization import SummarizationSpecialist
from nonet.specialists.summary_options import options_of

TEXT = (
    "The Kesh dam was finished in 1961 after nine years of work. A flood damaged the northern wall in 1987. "
    "The council mended the wall with granite. Trout live in the lake. Boats are let on Sundays."
)


def material(request: str, **options: Any) -> Any:
    return read_material(
        Assignment(request, (Source("dam.md", TEXT),), options=nonet.SummaryOptions(**options) if options else None)
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"words": 0}, "--words should be greater than or equal to 1, not 0"),
        ({"sentences": 10_000}, "--sentences should be less than or equal to 9999, not 10000"),
        ({"form": "poem"}, "--form should be 'prose', 'bullets', 'abstract', 'table', 'comparison' or 'timeline'"),
        ({"style": "rude"}, "--style should be 'plain', 'formal' or 'technical', not 'rude'"),
        ({"language": "Klingon"}, "--language is one of English, German, French"),
        ({"focus": "  "}, "--focus"),
        ({"bullets": 3, "form": "table"}, "Bullets and the form table exclude each other: bullets go with"),
        ({"bullets": 3, "sentences": 2}, "Bullets and sentences exclude each other"),
        ({"paragraphs": 2, "form": "timeline"}, "Paragraphs and the form timeline exclude each other"),
        ({"paragraphs": 2, "bullets": 2}, "Paragraphs and bullets exclude each other"),
        ({"paragraphs": 2, "form": "abstract"}, "an abstract is one paragraph"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_of(given, prefix="--")
    assert said in caught.value.message
    with pytest.raises(ValidationError):
        nonet.SummaryOptions(**given)


def test_options_are_frozen_data_that_come_back_as_they_were() -> None:
    options = nonet.SummaryOptions(form="table", sentences=2, language="german", focus=" the boiler ")
    assert (options.language, options.focus) == ("German", "the boiler")
    assert nonet.SummaryOptions.model_validate_json(options.model_dump_json()) == options
    assert options_of({"words": None, "form": None}) is None


@pytest.mark.parametrize(
    ("request_", "options", "wish", "manner", "notes"),
    [
        ("Sum it up.", {"sentences": 2}, LengthWish(sentences=2), Manner(), 0),
        ("Sum it up.", {"bullets": 3}, LengthWish(bullets=3), Manner(), 0),
        ("Sum it up.", {"form": "bullets"}, LengthWish(bullets=0), Manner("bullets"), 0),
        ("Sum it up.", {"form": "abstract"}, LengthWish(paragraphs=1), Manner("abstract"), 0),
        # What only one of them says is kept.
        ("Sum it up in two sentences.", {"words": 30}, LengthWish(sentences=2, words=30), Manner(), 0),
        ("In German.", {"style": "plain"}, LengthWish(), Manner(style="plain", language="German"), 0),
        ("As a table.", {"sentences": 2}, LengthWish(sentences=2), Manner("table"), 0),
        ("In two sentences.", {"sentences": 2}, LengthWish(sentences=2), Manner(), 0),
        # Where they contradict each other, the options count, and the evidence says so.
        ("In two sentences.", {"sentences": 3}, LengthWish(sentences=3), Manner(), 1),
        ("In two sentences.", {"bullets": 3}, LengthWish(bullets=3), Manner(), 1),
        ("As bullet points.", {"form": "prose"}, LengthWish(), Manner(), 1),
        ("As three bullet points.", {"form": "table"}, LengthWish(), Manner("table"), 1),
        ("A timeline, in German.", {"form": "prose", "language": "French"}, LengthWish(), Manner(language="French"), 2),
        ("In 0 sentences.", {"sentences": 3}, LengthWish(sentences=3), Manner(), 1),
        ("Sum it up.", {"form": "comparison"}, LengthWish(), Manner(), 1),
    ],
)
def test_words_and_options_go_together_and_the_options_count(
    request_: str, options: dict[str, Any], wish: LengthWish, manner: Manner, notes: int
) -> None:
    read = material(request_, **options)
    assert (read.wish, read.options, len(read.notes)) == (wish, manner, notes)


def test_without_options_a_request_is_read_as_ever() -> None:
    read = material("What happened to the wall, in two sentences and three bullet points?")
    assert (read.wish, read.question, read.notes) == (LengthWish(sentences=2, bullets=3), "", ())


async def sum_up(request: str, answer: str, **options: Any) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(ScriptedRuntime(lambda _: answer))
    given = nonet.SummaryOptions(**options)
    return await SummarizationSpecialist().work(
        Assignment(request, (Source("dam.md", TEXT),), options=given), desk
    ), desk


async def test_the_options_go_into_the_prompt_are_enforced_and_overruled_words_are_told() -> None:
    outcome, desk = await sum_up("Sum it up in three sentences.", TEXT.replace("Trout", "Big trout"), sentences=2)
    assert "Summarize in 2 sentences." in desk.prompts[0]
    assert outcome.text == TEXT[: TEXT.index(" The council")]
    told = [item.detail for item in outcome.evidence if item.kind == "options"]
    assert told == ["the request says 3 sentences, the options 2 sentences: the options count"]


async def test_a_question_keeps_its_words_beside_the_options() -> None:
    _, desk = await sum_up(
        "What happened to the northern wall, in three sentences?", "A flood damaged it in 1987.", sentences=1
    )
    wanted = "Summarize in one sentence what the text says about this question: What happened to the northern wall?"
    assert wanted in desk.prompts[0]


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Which technical problems arose?", {"style": "plain"}),
        ("Why was the book translated into French?", {"language": "German"}),
        ("What are the differences between the two pumps?", {"form": "table"}),
        ("How did the comparison with last year turn out?", {"form": "prose"}),
        ("What are the 3 points of contention?", {"sentences": 2}),
    ],
)
def test_what_a_question_is_about_is_no_wish_to_be_cut_out(question: str, options: dict[str, Any]) -> None:
    assert asked_for(question, 2, nonet.SummaryOptions(**options)).request == question


@pytest.mark.parametrize(
    ("request_", "style"),
    [
        ("Summarize the discussion on technical function design.", None),
        ("Summarize the formal complaint.", None),
        ("Summarize it in technical terms.", "technical"),
        ("Give me a formal summary.", "formal"),
        ("Sum it up formally.", "formal"),
        ("Sum it up for engineers.", "technical"),
    ],
)
def test_a_style_is_read_from_a_wish_for_it_alone(request_: str, style: str | None) -> None:
    assert asked_for(request_, 1).manner.style == style


async def test_the_focus_is_what_is_asked_for() -> None:
    outcome, desk = await sum_up("Sum it up.", "A flood damaged the northern wall in 1987.", focus="the wall")
    assert "about this question: What does it say about the wall?" in desk.prompts[0]
    assert not [item for item in outcome.evidence if item.kind == "options"]
    outcome, _ = await sum_up("What of the trout?", "A flood damaged the northern wall in 1987.", focus="the wall")
    assert "the focus \u201cthe wall\u201d counts" in " ".join(item.detail for item in outcome.evidence)
