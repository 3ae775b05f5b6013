"""Pieces of any length, and checks that see a wrong language, lost numbers and names, and what was left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.desk import FakeDesk
from hypothesis import given, settings
from hypothesis import strategies as st
from nonet_translation import TranslationSpecialist, translation_checks
from nonet_translation.request import sources_of, target_language

import nonet
from nonet.runtimes import ChatRequest
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Verdict

TEXT = (
    "The new pump was delivered on 12 March and weighs 48 kg. Mr. Hartmann from Thornbury comes at 9:30 and will look"
    " at it. The repair costs 1,350.50 euros."
)
GOOD = (
    "Die neue Pumpe wurde am 12. März geliefert und wiegt 48 kg. Herr Hartmann aus Thornbury kommt um 9:30 Uhr und wird"
    " sie ansehen. Die Reparatur kostet 1.350,50 Euro."
)
HALF = (
    "Die neue Pumpe was delivered am 12. März und weighs 48 kg. Mr. Hartmann aus Thornbury kommt um 9:30 und will look."
    " Die repair kostet 1.350,50 euros."
)


async def translate(
    answer: str, *, text: str = TEXT, asked: str = "Translate it into German."
) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(ScriptedRuntime(lambda _request: answer))
    return await TranslationSpecialist().work(Assignment(asked, (Source("a.txt", text),)), desk), desk


async def test_a_good_translation_passes_all_checks_and_is_not_called_proved() -> None:
    outcome, desk = await translate(GOOD)
    assert outcome.text == GOOD
    assert outcome.verdict is Verdict.UNVERIFIED
    passed = {item.kind for item in outcome.evidence if item.passed}
    assert passed == {"language", "numbers", "names", "length", "untranslated"}
    assert outcome.evidence[-1].detail == "nobody compared the meaning"
    assert len(desk.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (TEXT, "language", "it is in English, not in German"),
        (GOOD.replace("48", "84"), "numbers", "not in the translation: 48"),
        (GOOD.replace("Hartmann", "Bauer"), "names", "not in the translation: hartmann"),
        (GOOD[:60], "length", "out of proportion"),
        (GOOD + " " + TEXT[TEXT.index("Mr.") :], "untranslated", "left as it was: Mr. Hartmann from Thornbury"),
        (HALF, "untranslated", "English words are left: delivered, euros"),
        ("die " * 80, "degeneration", "repeats itself"),
    ],
)
async def test_what_is_wrong_is_found(answer: str, kind: str, words: str) -> None:
    outcome, _ = await translate(answer)
    assert outcome.verdict is Verdict.FAILED
    assert any(item.kind == kind and item.passed is False and words in item.detail for item in outcome.evidence)


async def test_a_long_text_goes_in_pieces_and_keeps_its_paragraphs() -> None:
    paragraphs = [
        f"Paragraph {n} tells of pump {n}. " + "It stands in the yard and is not in use. " * 12 for n in range(9)
    ]

    def same(request: ChatRequest) -> str:
        return request.messages[-1].content.partition(":\n\n")[2].replace("It", "Sie").replace("is", "ist")

    desk = FakeDesk(ScriptedRuntime(same), window_tokens=1024)
    text = "\n\n".join(paragraph.strip() for paragraph in paragraphs)
    outcome = await TranslationSpecialist().work(Assignment("Translate it into German.", (Source("a", text),)), desk)
    assert len(desk.requests) >= 5
    assert outcome.text.count("\n\n") == 8
    assert all(f"pump {n}" in outcome.text for n in range(9))


@pytest.mark.parametrize(
    ("asked", "language", "text"),
    [
        ("Translate 'the train is late' into Dutch.", "Dutch", "the train is late"),
        ("translate to french: Where is the station?", "French", "Where is the station?"),
        ('How do you say "good morning" in Spanish?', "Spanish", "good morning"),
        ("Translate the attached letter.", None, None),
    ],
)
def test_the_request_may_hold_the_text(asked: str, language: str | None, text: str | None) -> None:
    assert target_language(asked) == language
    assert [source.text for source in sources_of(Assignment(asked))] == ([] if text is None else [text])


async def test_without_a_language_or_a_text_nobody_is_asked() -> None:
    outcome, desk = await translate(GOOD, asked="Translate it.")
    assert (outcome.verdict, desk.requests) == (Verdict.FAILED, [])
    assert "names no language" in outcome.evidence[0].detail


async def test_the_planner_finds_it(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(TEXT, encoding="utf-8")
    chosen = nonet.Settings(runtime="scripted", db=tmp_path / "a.db")
    async with await nonet.Session.open(chosen, own=[TranslationSpecialist()]) as session:
        plan = await nonet.plan_task(session, "Translate letter.txt into French.", documents=[letter])
    assert [(each.specialist, each.documents) for each in plan.subtasks] == [("translation", ("letter.txt",))]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=150), st.text(max_size=150))
def test_any_two_texts_can_be_checked(text: str, translation: str) -> None:
    assert list(translation_checks(text, translation, "German"))[-1].passed is None
