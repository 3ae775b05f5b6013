"""What a summary stands on, and what it leaves out."""

from __future__ import annotations

import pytest
from fakes.desk import FakeDesk

from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, Verdict
from nonet.specialists.coverage import cover, sections_of
from nonet.specialists.material import read_material
from nonet.specialists.summarization import SummarizationSpecialist

REPORT = (
    "Preface by the council.\n\n"
    "# Dam\n\nThe Kesh dam was finished in 1961 after nine years of work.\n\n"
    "# Flood\n\nIn 1987 a flood damaged the northern wall. Repairs cost 12,500,000 crowns.\n\n"
    "# Fishing\n\nFishing in the lake is allowed from May to August.\n"
)


def source(text: str = REPORT) -> Source:
    return Source("report.md", text)


async def sum_up(answer: str, *sources: Source, instruction: str = "Summarize the report.") -> Outcome:
    desk = FakeDesk(ScriptedRuntime(lambda _: answer))
    return await SummarizationSpecialist().work(Assignment(instruction, sources or (source(),)), desk)


def test_sections_are_those_of_the_text_and_cover_it() -> None:
    found = sections_of(source())
    assert [section.heading for section in found] == ["Preface by the council.", "Dam", "Flood", "Fishing"]
    assert "".join(REPORT[section.start : section.end] for section in found) == REPORT
    plain = "\n\n".join(f"Paragraph {n} speaks. " + "It goes on and on. " * 20 for n in range(30))
    pieces = sections_of(source(plain))
    assert len(pieces) > 2
    assert pieces[0].heading == "Paragraph 0 speaks. It goes on and on."
    assert "".join(plain[piece.start : piece.end] for piece in pieces) == plain


def test_a_comment_in_a_block_of_code_is_no_section() -> None:
    text = "# Use\n\nRun it.\n\n```sh\n# make it first\nmake\n```\n\n~~~\n# nor this\n~~~\n\n# Trouble\n\nIt stops.\n"
    assert [section.heading for section in sections_of(source(text))] == ["Use", "Trouble"]


def test_every_sentence_has_its_place_or_none() -> None:
    material = read_material(Assignment("Summarize it.", (source(),)))
    report = cover("A flood damaged the wall in 1987. Wonderful holidays await everybody.", material)
    flood, holidays = report.basis
    assert REPORT[flood.start : flood.end] == "In 1987 a flood damaged the northern wall."
    assert (flood.source, flood.flagged) == ("report.md", False)
    assert (holidays.source, holidays.section) == ("", None)
    assert [section.heading for section in report.used] == ["Flood"]
    assert [section.heading for section in report.left_out] == ["Preface by the council.", "Dam", "Fishing"]


async def test_the_report_is_part_of_the_outcome() -> None:
    outcome = await sum_up("The Kesh dam was finished in 1961. A flood damaged the northern wall in 1987.")
    assert outcome.verdict is Verdict.VERIFIED
    said = next(item for item in outcome.evidence if item.kind == "sections")
    assert said.detail == "it stands on 2 of 4 sections; left out: Preface by the council., Fishing"
    coverage = outcome.data["coverage"]
    assert [place["heading"] for place in coverage["used"]] == ["Dam", "Flood"]
    assert [each["missing"] for each in coverage["sentences"]] == [[], []]
    assert outcome.data["partials"] == []


async def test_a_sentence_with_a_number_or_name_of_its_own_is_flagged() -> None:
    outcome = await sum_up(
        "The Kesh dam was finished in 1961. A flood damaged the wall of Professor Lindqvist in 1988."
    )
    assert outcome.verdict is Verdict.UNVERIFIED
    flagged = [each for each in outcome.data["coverage"]["sentences"] if each["missing"]]
    assert [each["missing"] for each in flagged] == [["1988", "lindqvist", "professor"]]


async def test_a_summary_that_is_mostly_made_up_gives_way_to_the_extract() -> None:
    outcome = await sum_up("The Kesh dam was finished in 1962. It was damaged by Professor Lindqvist.")
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "1961" in outcome.text
    assert "1962" not in outcome.text
    kinds = {item.kind: item for item in outcome.evidence}
    assert "most of the answer's sentences" in kinds["support"].detail
    assert kinds["extract"].detail.endswith("sentences of the text stand in for a summary")
    assert outcome.citations


async def test_the_parts_of_a_long_text_are_told_with_their_places() -> None:
    text = "\n\n".join(f"In {1900 + n} the council of Kesh met {n + 40} times about the dam." for n in range(120))
    desk = FakeDesk(ScriptedRuntime(lambda _: "The council of Kesh met about the dam.", context_tokens=600))
    desk.window_tokens = 600
    outcome = await SummarizationSpecialist().work(Assignment("Summarize it.", (source(text),)), desk)
    partials = outcome.data["partials"]
    assert len(partials) == outcome.data["chunks"] > 1
    assert [part["start"] for part in partials] == sorted(part["start"] for part in partials)
    assert (partials[0]["start"], partials[-1]["end"]) == (0, len(text))
    assert all(part["text"] for part in partials)


_NOTES = (
    "Ana reported that the Lisbon shop sold 412 bicycles in February. Chidi wants to move the summer sale from June to "
    "May. It was agreed to decide on 2 April."
)


@pytest.mark.parametrize(
    ("summary", "loose"),
    [
        ("The Lisbon shop sold 412 bicycles in February.", 0),
        ("The Lisbon shop sold 412 bicycles, and Chidi wants to move the summer sale.", 0),
        ("A meeting to discuss the Lisbon shop's sales and plans for the summer sale is postponed.", 1),
        ("Chidi agreed to sell bicycles in Lisbon in May.", 1),
        ("It does.", 0),
    ],
)
def test_a_sentence_that_no_one_place_says_is_loose(summary: str, loose: int) -> None:
    report = cover(summary, read_material(Assignment("Sum it up.", (Source("notes.txt", _NOTES),))))
    assert len(report.loose) == loose
