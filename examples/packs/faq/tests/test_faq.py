"""Answers are an entry's own words, or that there is none; the model chooses among few, and code ranks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.desk import EMBED_MODEL, FakeDesk
from nonet_faq import FaqSpecialist, read_entries

import nonet
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Verdict

FAQ = (Path(__file__).parent / "faq.md").read_text("utf-8")


def answering(choice: str) -> ScriptedRuntime:
    return ScriptedRuntime(lambda _request: json.dumps({"entry": choice}))


async def ask(question: str, choice: str, *, embed: bool = False) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(answering(choice), embed_model=EMBED_MODEL if embed else None)
    return await FaqSpecialist().work(Assignment(question, (Source("faq.md", FAQ),)), desk), desk


@pytest.mark.parametrize(
    "text",
    [
        "# Shop\n\n## Do you ship?\nYes, daily.\n\n## When?\nOn Mondays.\n",
        "Q: Do you ship?\nA: Yes, daily.\n\nQ: When?\nA: On Mondays.\n",
        "Do you ship abroad?\nYes, daily.\n\nWhen do you open?\nOn Mondays.\n",
    ],
)
def test_the_usual_forms_are_read_with_their_places(text: str) -> None:
    entries = read_entries("faq.txt", text)
    assert [entry.answer for entry in entries] == ["Yes, daily.", "On Mondays."]
    assert all(text[entry.start : entry.end] == entry.answer for entry in entries)


async def test_the_answer_is_the_entry_word_for_word() -> None:
    outcome, desk = await ask("What does shipping cost?", "1")
    assert outcome.text == "Shipping costs 4.90 euros. From 60 euros on it is free."
    assert outcome.verdict is Verdict.VERIFIED
    [citation] = outcome.citations
    assert FAQ[citation.start : citation.end] == citation.quote == outcome.text
    [request] = desk.requests
    assert request.schema is not None
    choices = request.schema["properties"]["entry"]["enum"]
    assert len(choices) <= 5
    assert choices[-1] == "none"


async def test_a_choice_that_the_ranking_does_not_bear_out_stays_unverified() -> None:
    outcome, _ = await ask("What does shipping cost?", "2", embed=True)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "only the 2. nearest entry" in outcome.evidence[1].detail


async def test_what_is_not_there_is_said_so() -> None:
    declined, _ = await ask("Do you sell gift cards?", "none")
    assert declined.text.startswith("Please contact our support")
    assert (declined.verdict, declined.data) == (Verdict.UNVERIFIED, {"found": False})
    far, idle = await ask("Qwx zyv?", "1")
    assert (far.data, idle.requests) == ({"found": False}, [])
    empty = FakeDesk(answering("1"))
    none = await FaqSpecialist().work(Assignment("How?", (Source("a.md", "Just prose."),)), empty)
    assert (none.verdict, empty.requests) == (Verdict.FAILED, [])


async def test_a_batch_of_questions_is_a_run_with_a_citation(tmp_path: Path) -> None:
    faq = tmp_path / "faq.md"
    faq.write_text(FAQ, encoding="utf-8")
    chosen = nonet.Settings(runtime="scripted", db=tmp_path / "a.db")
    async with await nonet.Session.open(chosen, own=[FaqSpecialist()]) as session:
        plan = await nonet.plan_task(session, "A customer asks whether they can return an item.", documents=[faq])
        assert [each.specialist for each in plan.subtasks] == ["faq"]
        answer = await nonet.ask_specialist(session, "faq", "How can I pay?", inputs=[faq])
    assert [each.document for each in answer.citations] == ["faq.md"]
    assert answer.output in FAQ
