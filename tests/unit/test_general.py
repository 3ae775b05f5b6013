"""The specialist for what needs none."""

from __future__ import annotations

import pytest
from fakes.desk import FakeDesk

from nonet.errors import ContextOverflowError
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Evidence, Outcome, Source, Verdict
from nonet.specialists.general import GeneralSpecialist


async def ask(answer: str, assignment: Assignment) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(ScriptedRuntime(lambda _: answer))
    return await GeneralSpecialist().work(assignment, desk), desk


async def test_answers_in_one_call_and_proves_nothing() -> None:
    outcome, desk = await ask("It is 42.", Assignment("What is 6 times 7?"))
    assert (outcome.text, outcome.verdict) == ("It is 42.", Verdict.UNVERIFIED)
    assert desk.prompts == ["What is 6 times 7?"]


async def test_reads_what_it_is_given() -> None:
    _, desk = await ask("Yes.", Assignment("Is that right?", (Source("s1", "The moon is green.", "artifact"),)))
    assert desk.prompts == ["s1:\nThe moon is green.\n\nIs that right?"]


LETTER = Source("letter.md", "The council wrote: the dam is safe until May. Its wall was smart.")


async def test_what_it_says_of_a_text_quotes_only_what_is_there() -> None:
    said = "It says \u201cthe dam is safe until May\u201d, and \u201cthe wall will fall\u201d, a \u201csmart\u201d one."
    outcome, _ = await ask(said, Assignment("What does the letter say?", (LETTER,)))
    assert outcome.text == said.replace("\u201cthe wall will fall\u201d", "the wall will fall")
    assert [item.detail for item in outcome.evidence if item.kind == "quote"] == [
        "the quote \u201cthe wall will fall\u201d is nowhere in what was read; its quotation marks were dropped"
    ]
    assert [(cited.document, cited.quote) for cited in outcome.citations] == [
        ("letter.md", "the dam is safe until May")
    ]


@pytest.mark.parametrize(
    ("request_", "told"),
    [("Write a reply to the letter.", True), ("Translate the letter, would you, into German?", False)],
)
async def test_what_it_makes_of_a_text_keeps_its_own_quotes(request_: str, *, told: bool) -> None:
    said = "You wrote \u201cthe dam is unsafe until May\u201d."
    outcome, _ = await ask(said, Assignment(request_, (LETTER,)))
    assert (outcome.text, outcome.citations) == (said, ())
    assert any("is not in what was read" in item.detail for item in outcome.evidence) is told


async def test_may_answer_a_greeting_with_the_same_words() -> None:
    outcome, _ = await ask("Hello!", Assignment("Hello!"))
    assert outcome.verdict is Verdict.UNVERIFIED


@pytest.mark.parametrize("answer", ["a" * 500, "yes and no " * 200])
async def test_a_loop_fails(answer: str) -> None:
    outcome, _ = await ask(answer, Assignment("Tell me a joke."))
    assert outcome.verdict is Verdict.FAILED
    assert outcome.evidence[0].kind == "degeneration"


async def test_a_repair_that_does_not_fit_is_asked_anew() -> None:
    desk = FakeDesk(ScriptedRuntime(lambda _: "Four."), window_tokens=80)
    doubt = Evidence("arithmetic", passed=False, detail="2 + 2 = 5 is wrong, it is 4")
    again = Assignment("What is 2 and 2?", feedback=(doubt,), previous="five " * 60, attempt=2)
    assert (await GeneralSpecialist().work(again, desk)).text == "Four."
    assert desk.prompts == ["What is 2 and 2?"]
    with pytest.raises(ContextOverflowError):
        await GeneralSpecialist().work(Assignment("word " * 90), desk)
