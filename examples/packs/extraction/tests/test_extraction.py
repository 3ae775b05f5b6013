"""Classes and fields named by the request, under a schema, each value held against the text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.desk import FakeDesk
from nonet_extraction import Classification, Extraction, Extractor, source_checks
from nonet_extraction.requests import classes_of, fields_of
from pydantic import BaseModel

import nonet
from nonet.runtimes import ChatRequest
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Specialist, Verdict

LETTER = """Hartmann Garden Supplies

Date: 12 September 2024
Invoice number: HG-20417

I bought two rain barrels. One leaks. I paid 1,138.40 euros in total. Answer by 30 September.
E-mail: tom.avery@mail.example
"""


async def work(specialist: Specialist, instruction: str, said: object) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(ScriptedRuntime(lambda _request: json.dumps(said)))
    return await specialist.work(Assignment(instruction, (Source("letter.txt", LETTER),)), desk), desk


@pytest.mark.parametrize(
    ("request_", "classes"),
    [
        ("Classify the letter as complaint, order or question.", ("complaint", "order", "question")),
        ("Is this review positive or negative?", ("positive", "negative")),
        ("Sort these mails into billing, delivery and other.", ("billing", "delivery", "other")),
        ("Label it. Labels: spam, not spam", ("spam", "not spam")),
        ("Decide whether it is urgent or can wait.", ("urgent", "can wait")),
        ("Tag the article with one of: politics, sport, science.", ("politics", "sport", "science")),
        ("Which kind of ticket is it (hardware/software/network)?", ("hardware", "software", "network")),
        ("Classify the letter.", ()),
    ],
)
def test_classes_are_read_from_the_request(request_: str, classes: tuple[str, ...]) -> None:
    assert classes_of(request_) == classes


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        ("Extract the invoice number, the date and the total from letter.txt.", ("invoice number", "date", "total")),
        ("Get the sender's name and the deadline from this e-mail.", ("sender's name", "deadline")),
        ("Pull out name, phone, e-mail.", ("name", "phone", "e-mail")),
        ("List the start date and end date of the contract", ("start date", "end date")),
        ("Hello there.", ()),
    ],
)
def test_fields_are_read_from_the_request(request_: str, fields: tuple[str, ...]) -> None:
    assert fields_of(request_) == fields


async def test_a_class_cites_a_sentence_and_is_never_called_proved() -> None:
    asked = "Classify the letter as complaint, order or question."
    outcome, desk = await work(Classification(), asked, {"because": "4", "label": "complaint"})
    assert outcome.verdict is Verdict.UNVERIFIED
    assert outcome.data["output"] == {"label": "complaint", "because": "One leaks."}
    [citation] = outcome.citations
    assert LETTER[citation.start : citation.end] == "One leaks."
    [request] = desk.requests
    assert request.schema is not None
    assert request.schema["properties"]["label"]["enum"] == ["complaint", "order", "question"]
    assert "[4] One leaks." in request.messages[-1].content
    nothing, idle = await work(Classification(), "Classify the letter.", {})
    assert (nothing.verdict, idle.requests) == (Verdict.FAILED, [])
    assert "the request names no classes" in nothing.evidence[0].detail


FIELDS = "Extract the invoice number, the date, the total and the e-mail from the letter."
RIGHT = {
    "invoice_number": "HG-20417",
    "date": "12 September 2024",
    "total": "1,138.40 euros",
    "e_mail": "tom.avery@mail.example",
}


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({}, Verdict.VERIFIED, "invoice number: 'HG-20417' stands there"),
        ({"date": "13 September 2024"}, Verdict.FAILED, "date: '13 September 2024' is not in the text"),
        ({"date": None}, Verdict.UNVERIFIED, "date: not found"),
        ({"e_mail": "Hartmann"}, Verdict.FAILED, "e mail: 'Hartmann' is no e-mail address"),
        ({"total": "rain barrels"}, Verdict.FAILED, "total: 'rain barrels' is no amount"),
        ({"date": "30 September"}, Verdict.UNVERIFIED, "date: '30 September' stands where nothing speaks of date"),
    ],
)
async def test_every_value_is_held_against_the_text(change: Mapping[str, Any], verdict: Verdict, words: str) -> None:
    outcome, _ = await work(Extraction(), FIELDS, {**RIGHT, **change})
    assert words in [item.detail for item in outcome.evidence]
    assert outcome.verdict is verdict


async def test_a_text_that_no_window_holds_is_read_in_pieces() -> None:
    def say(request: ChatRequest) -> str:
        has = "HG-20417" in request.messages[-1].content
        return json.dumps({"invoice_number": "HG-20417" if has else None})

    desk = FakeDesk(ScriptedRuntime(say), window_tokens=700)
    text = "The pump is old and it is heavy. " * 90 + "\n\nInvoice number: HG-20417\n\n" + "The gate is shut. " * 60
    asked = Assignment("Extract the invoice number from long.txt.", (Source("long.txt", text),))
    outcome = await Extraction().work(asked, desk)
    assert outcome.data["output"] == {"invoice_number": "HG-20417"}
    assert outcome.verdict is Verdict.VERIFIED
    assert len(desk.requests) > 2


class Bill(BaseModel):
    """Takes the bill out of a letter."""

    number: str
    total: float
    items: list[str]


async def test_a_model_of_your_own_is_filled_and_checked() -> None:
    bills = Extractor("bills", Bill, ["Read the bill."])
    assert bills.description == "Takes the bill out of a letter."
    said = {"number": "HG-20417", "total": 1138.4, "items": ["rain barrels"]}
    outcome, _ = await work(bills, "Read the bill.", said)
    checks = {item.detail: item.passed for item in outcome.evidence}
    assert checks["total: '1138.4' stands there"] is True
    assert checks["items: 'rain barrels' stands where nothing speaks of items"] is None
    wrong = source_checks(Bill(number="HG-20417", total=1138.5, items=[]), Assignment("", (Source("l", LETTER),)))
    assert [item.passed for item in wrong] == [True, False]


async def test_the_planner_finds_both(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(LETTER, encoding="utf-8")
    chosen = nonet.Settings(runtime="scripted", db=tmp_path / "a.db")
    async with await nonet.Session.open(chosen, own=[Classification(), Extraction()]) as session:
        for request, name in ((FIELDS, "extraction"), ("Classify letter.txt as complaint or order.", "classification")):
            plan = await nonet.plan_task(session, request, documents=[letter])
            assert [each.specialist for each in plan.subtasks] == [name]
