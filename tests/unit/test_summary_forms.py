"""Summaries in other forms: options read from the request, tables, comparisons, timelines, other languages."""

from __future__ import annotations

import pytest
from fakes.desk import FakeDesk

from nonet.runtimes import ChatRequest
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source, SummaryOptions, Verdict
from nonet.specialists.dates import day_first, first_date
from nonet.specialists.forms import Manner, read_manner
from nonet.specialists.summarization import SummarizationSpecialist

DAM = (
    "# Dam\n\nThe Kesh dam was finished on 3 May 1961 after nine years of work.\n\n"
    "# Flood\n\nIn 1987 a flood damaged the northern wall. Work on the dam began in June 1952.\n"
)
MILL = "The mill of Tom Abbot was sold to the council on 1977-02-11. It grinds rye."


@pytest.mark.parametrize(
    ("request_", "documents", "options"),
    [
        ("Summarize the report.", 1, Manner()),
        ("Summarize the abstract in one sentence.", 1, Manner()),
        ("Sum it up as a table.", 1, Manner("table")),
        ("Write an abstract of the report.", 1, Manner("abstract")),
        ("Make a timeline of the events.", 1, Manner("timeline")),
        ("Compare the two reports.", 2, Manner("comparison")),
        ("Compare this with nothing.", 1, Manner()),
        ("Summarize it in German, in plain words.", 1, Manner(style="plain", language="German")),
        ("Sum it up for experts.", 1, Manner(style="technical")),
        ("A formal summary, please.", 1, Manner(style="formal")),
    ],
)
def test_options_are_read_from_the_request(request_: str, documents: int, options: Manner) -> None:
    assert read_manner(request_, documents=documents) == options


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 3 May 1688 it opened", "1688-05-03"),
        ("on May 3rd, 1688", "1688-05-03"),
        ("since 2024-05-07", "2024-05-07"),
        ("in June 1952", "1952-06"),
        ("in 1987 a flood", "1987"),
        ("it cost 1,987 crowns and weighs 1987 kg", None),
        ("12.1987 and $1987", None),
        ("no date", None),
        ("am 07.05.2024 geliefert", "2024-05-07"),
        ("am 7. 5. 2024 geliefert", "2024-05-07"),
        ("on 12/24/2023 it froze", "2023-12-24"),
        ("on 24/12/2023 it froze", "2023-12-24"),
        ("at 2024-05-07T12:30 it rose", "2024-05-07"),
        ("on 2024/5/7", "2024-05-07"),
        ("on 03/03/2024", "2024-03-03"),
        ("on 03/05/2024", "03/05/2024"),
        ("version 1.10.2024.5 of 31.02.2023", None),
        ("on 3 May 2020, until 2021-01-01", "2020-05-03"),
    ],
)
def test_dates_are_found_in_prose(text: str, date: str | None) -> None:
    found = first_date(text)
    assert (found.written if found else None) == date


def test_an_ambiguous_date_is_read_as_the_others_of_its_text() -> None:
    assert day_first("Built 24/12/2023, sold 03/05/2024.") is True
    assert day_first("Built 12/24/2023, sold 03/05/2024.") is False
    assert day_first("Built 12/24/2023, sold 24/12/2023.") is None
    found = first_date("sold 03/05/2024", day_first=True)
    assert found is not None
    assert (found.written, found.date) == ("2024-05-03", (2024, 5, 3))


def answer(request: ChatRequest) -> str:
    text = request.messages[-1].content
    if "Tom Abbot" in text:
        return "Tom Abbot's mill was sold to the council in 1977."
    return "A flood damaged the northern wall in 1987." if "flood" in text else "The Kesh dam was finished in 1961."


async def sum_up(instruction: str, *sources: Source) -> tuple[Outcome, FakeDesk]:
    desk = FakeDesk(ScriptedRuntime(answer))
    return await SummarizationSpecialist().work(Assignment(instruction, sources), desk), desk


async def test_a_timeline_is_the_texts_own_words_in_order_and_asks_no_model() -> None:
    outcome, desk = await sum_up("Give me a timeline.", Source("dam.md", DAM), Source("mill.txt", MILL))
    assert outcome.text.splitlines() == [
        "- 1952-06: Work on the dam began in June 1952. (dam.md)",
        "- 1961-05-03: The Kesh dam was finished on 3 May 1961 after nine years of work. (dam.md)",
        "- 1977-02-11: The mill of Tom Abbot was sold to the council on 1977-02-11. (mill.txt)",
        "- 1987: In 1987 a flood damaged the northern wall. (dam.md)",
    ]
    assert (outcome.verdict, desk.requests) == (Verdict.VERIFIED, [])
    for citation in outcome.citations:
        text = DAM if citation.document == "dam.md" else MILL
        assert text[citation.start : citation.end] == citation.quote


LOG = """# Machines

On 07.05.2024 the boiler was repaired by Brandt Heating. It was inspected again on 09.05.2024.
The pump was repaired on 12.03.2024. The lift was oiled on 01.02.2024. The boiler got a new valve on 24.12.2023.

# Boiler house

A lamp was renewed on 02.01.2023.
"""


async def test_a_timeline_with_a_focus_keeps_what_speaks_of_it_and_counts_the_rest() -> None:
    outcome, desk = await sum_up("Timeline of the boiler repairs.", Source("log.md", LOG))
    assert [line[:12] for line in outcome.text.splitlines()] == ["- 2024-05-07", "- 2024-05-09"]
    [focus] = [item for item in outcome.evidence if item.kind == "focus"]
    rest = "; 4 other dated sentences are left out, 3 of which speak of a part of it"
    assert focus.detail == f"they speak of \u201cboiler repairs\u201d{rest}"
    assert (outcome.verdict, desk.requests) == (Verdict.VERIFIED, [])


@pytest.mark.parametrize(
    ("request_", "kind", "said"),
    [
        ("Timeline of the boiler repairs in German.", "language", "asked for in German, given in English"),
        ("Timeline of the sprinkler.", "focus", "no dated sentence speaks of \u201csprinkler\u201d: all are listed"),
        ("Timeline of boiler explosions.", "focus", "none speaks of more than a part of \u201cboiler explosions\u201d"),
        ("A timeline in plain words.", "options", "none was put into a plain style"),
    ],
)
async def test_what_a_timeline_cannot_give_is_told_and_not_verified(request_: str, kind: str, said: str) -> None:
    outcome, _ = await sum_up(request_, Source("log.md", LOG))
    assert said in " ".join(item.detail for item in outcome.evidence if item.kind == kind)
    assert outcome.verdict is Verdict.UNVERIFIED


async def test_a_timeline_goes_by_its_options() -> None:
    options = SummaryOptions(form="timeline", focus="the boiler", bullets=2)
    desk = FakeDesk(ScriptedRuntime(answer))
    outcome = await SummarizationSpecialist().work(
        Assignment("Sum it up.", (Source("log.md", LOG),), options=options), desk
    )
    assert [line[:12] for line in outcome.text.splitlines()] == ["- 2024-05-07", "- 2024-05-09"]
    assert "verbatim; 2 more are left out" in outcome.evidence[0].detail
    assert "\u201cboiler\u201d; 2 other dated sentences are left out" in outcome.evidence[1].detail


async def test_a_timeline_in_the_language_of_its_text_is_verified() -> None:
    outcome, _ = await sum_up("A timeline in English, of all events.", Source("log.md", LOG))
    assert (len(outcome.text.splitlines()), outcome.verdict) == (6, Verdict.VERIFIED)


@pytest.mark.parametrize(
    ("also", "lines", "verdict"),
    [
        ("It froze on 24/12/2023.", ["- 2023-12-24", "- 2024-05-03", "- 2024-06-01"], Verdict.VERIFIED),
        ("It froze on 12/24/2023.", ["- 2023-12-24", "- 2024-03-05", "- 2024-06-01"], Verdict.VERIFIED),
        ("It froze.", ["- 03/05/2024", "- 2024-06-01"], Verdict.UNVERIFIED),
    ],
)
async def test_an_ambiguous_date_goes_by_the_others_or_is_told(also: str, lines: list[str], verdict: Verdict) -> None:
    text = f"The mill was sold on 03/05/2024. {also} It was painted on 1 June 2024."
    outcome, _ = await sum_up("Give me a timeline.", Source("mill.txt", text))
    assert [line.partition(": ")[0] for line in outcome.text.splitlines()] == lines
    assert outcome.verdict is verdict
    assert any("03/05/2024; put in order by the year alone" in item.detail for item in outcome.evidence) == (
        verdict is Verdict.UNVERIFIED
    )


async def test_a_summary_in_another_language_than_was_asked_for_is_not_verified() -> None:
    desk = FakeDesk(ScriptedRuntime(lambda _: "The Kesh dam was finished on 3 May 1961 after nine years of work."))
    outcome = await SummarizationSpecialist().work(Assignment("Sum it up in German.", (Source("dam.md", DAM),)), desk)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert outcome.evidence[-1].kind == "language"


async def test_without_dates_a_timeline_is_a_summary() -> None:
    outcome, desk = await sum_up(
        "Give me a timeline.", Source("a.txt", "The flood came. The northern wall was damaged.")
    )
    assert len(desk.requests) == 1
    assert outcome.text
    assert outcome.evidence[0].detail.startswith("no timeline: fewer than two sentences of the text have a date")


async def test_a_table_has_a_row_a_section_and_a_call_a_row() -> None:
    outcome, desk = await sum_up("Summarize it as a table.", Source("dam.md", DAM))
    assert outcome.text.splitlines() == [
        "| section | what it says |",
        "| --- | --- |",
        "| Dam | The Kesh dam was finished in 1961. |",
        "| Flood | A flood damaged the northern wall in 1987. |",
    ]
    assert (outcome.verdict, len(desk.requests)) == (Verdict.VERIFIED, 2)


@pytest.mark.parametrize(
    ("request_", "rows", "asked"),
    [
        ("Sum it up as a table, two sentences a row.", ["One. Two.", "One. Two."], "Summarize in 2 sentences."),
        ("Sum it up as a table in four words.", ["One. Two.", "One. Two."], "Summarize in at most 2 words."),
        ("A table of the dam, two sentences in each row.", ["One. Two.", "One. Two."], "this request: the dam"),
    ],
)
async def test_a_row_has_the_length_that_is_asked_for(request_: str, rows: list[str], asked: str) -> None:
    text = "# One\n\nThe dam is one. The dam is two. The dam is three.\n\n# Two\n\nThe dam is one. The dam is two.\n"
    desk = FakeDesk(ScriptedRuntime(lambda _: "One. Two. Three."))
    outcome = await SummarizationSpecialist().work(Assignment(request_, (Source("a.md", text),)), desk)
    assert [line.split("|")[2].strip() for line in outcome.text.splitlines()[2:]] == rows
    assert asked in desk.prompts[0]


async def test_a_comparison_tells_what_each_has_alone() -> None:
    outcome, _ = await sum_up("Compare the documents.", Source("dam.md", DAM), Source("mill.txt", MILL))
    head, _line, dam, mill = outcome.text.splitlines()
    assert head == "| document | what it says | only here |"
    assert dam.startswith("| dam.md | A flood damaged the northern wall in 1987. |")
    assert "1961" in dam
    assert mill.startswith("| mill.txt | Tom Abbot's mill was sold to the council in 1977. |")
    assert "Abbot" in mill.split("|")[3]


async def only_here(text: str, other: str = "Nothing of the kind.") -> list[str]:
    """What a comparison says that a document has alone."""
    desk = FakeDesk(ScriptedRuntime(lambda _: "Something."))
    sources = (Source("a.txt", text), Source("b.txt", other))
    outcome = await SummarizationSpecialist().work(Assignment("Compare the documents.", sources), desk)
    row = next(line for line in outcome.text.splitlines() if line.startswith("| a.txt |"))
    return row.split("|")[3].strip().split(", ")


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("The pump HL-3318-M stands in Kesh.", ["HL-3318-M", "Kesh"]),
        ("It needs version v2.1.3 or 1.2.3-rc1 since 2024-05-07.", ["1.2.3-rc1", "2024-05-07", "v2.1.3"]),
        ("Set max_calls and LOG_Level for requests.Session here.", ["LOG_Level", "max_calls", "requests.Session"]),
        ("See https://example.com/Guide/Intro?page=2. Then rest.", ["https://example.com/Guide/Intro?page=2"]),
        ("Call `open` or `nonet run --docs Big` in /usr/Local/bin.", ["/usr/Local/bin", "open"]),
        ("So they paid Jean-Paul O'Brien-Smith of AT&T.", ["AT&T", "Jean-Paul", "O'Brien-Smith"]),
        ("Kesh-based firms and well-known ones write C++ at 10:30.", ["10:30", "C++"]),
        ("It says\n\n```python\nclass Pump(Base):\n    Size = 12\n```\n\nand Orrin.", ["Orrin"]),
        (f"The digest is sha256:{'Ab1' * 20}, says Orrin.", ["Orrin"]),
        ("_Then came_ __init__ and, f\u00fcr-den-Kurort, a f\u00fcr-\u00e4ltere.", ["__init__", "f\u00fcr-den-Kurort"]),
        ("She paid 90,000.50 crowns to Abbot's mill.", ["90000.5", "Abbot"]),
    ],
)
async def test_an_identifier_is_shown_whole_or_not_at_all(text: str, alone: list[str]) -> None:
    assert sorted(await only_here(text)) == alone


async def test_what_another_document_says_in_another_form_is_not_said_alone() -> None:
    text = "In 2024 the pump of Kesh and the Mill had the number HL-3318-M."
    assert await only_here(text, "The kesh-based mill, hl-3318-m, on 2024-05-07.") == [""]


async def test_what_is_said_most_often_comes_first() -> None:
    assert await only_here("So HL-3 and Abbot met. Then Abbot left. And HL-2 and HL-2 and HL-2.") == [
        "HL-2",
        "Abbot",
        "HL-3",
    ]


async def test_a_row_quotes_only_what_is_in_its_part() -> None:
    row = "A flood damaged the \u201esmart\u201c northern wall in 1987."
    desk = FakeDesk(
        ScriptedRuntime(lambda request: row if "flood" in request.messages[-1].content else answer(request))
    )
    outcome = await SummarizationSpecialist().work(Assignment("As a table.", (Source("dam.md", DAM),)), desk)
    assert "| Flood | A flood damaged the smart northern wall in 1987. |" in outcome.text
    assert outcome.verdict is Verdict.UNVERIFIED
    assert [item.detail for item in outcome.evidence if item.kind == "quote"] == [
        "Flood: the quote \u201csmart\u201d is nowhere in what was read; its quotation marks were dropped"
    ]


async def test_a_row_that_is_made_up_is_told() -> None:
    desk = FakeDesk(ScriptedRuntime(lambda _: "The Kesh dam was finished by Professor Lindqvist after work."))
    outcome = await SummarizationSpecialist().work(Assignment("As a table.", (Source("dam.md", DAM),)), desk)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert "not in its part: lindqvist" in " ".join(item.detail for item in outcome.evidence)


def contract(party: str, weeks: int) -> str:
    clauses = [f"Clause {n}. {party} delivers goods of the kind that annex {n} lists to the store." for n in range(160)]
    clauses[90] = f"Clause 90. The notice period for {party} is {weeks} weeks to the end of a quarter."
    return "\n\n".join(clauses)


async def compared(instruction: str, answer: str) -> tuple[Outcome, FakeDesk, str, str]:
    one, two = contract("Anker", 6), contract("Brandt", 12)
    desk = FakeDesk(ScriptedRuntime(lambda _: answer), window_tokens=1200)
    assignment = Assignment(instruction, (Source("a.txt", one), Source("b.txt", two)))
    return await SummarizationSpecialist().work(assignment, desk), desk, one, two


async def test_rows_that_read_only_what_speaks_of_the_question_say_so_and_prove_nothing() -> None:
    outcome, desk, one, two = await compared(
        "Compare the contracts on the notice period.", "The notice period is to the end of a quarter."
    )
    assert (outcome.verdict, len(desk.requests)) == (Verdict.UNVERIFIED, 2)
    coverage = next(item for item in outcome.evidence if item.kind == "coverage")
    assert coverage.passed is None
    assert coverage.detail.startswith("2 rows; for each only what speaks of the question was read, together ")
    assert coverage.detail.endswith(f"% of {len(one) + len(two):,} characters; the rest was not read")
    whole = f"a.txt:\n\n{one}\n\nb.txt:\n\n{two}"
    for start, end in outcome.data["read"]:
        assert any(whole[start:end].strip() in prompt for prompt in desk.prompts)
    assert 0 < sum(end - start for start, end in outcome.data["read"]) < len(whole) / 2
    assert [whole[part["start"] : part["end"]].count("notice period") for part in outcome.data["partials"]] == [1, 1]


async def test_the_pieces_of_long_rows_are_told_with_their_places_among_all_texts() -> None:
    outcome, desk, one, two = await compared("Compare the contracts.", "It delivers goods to the store.")
    coverage = next(item for item in outcome.evidence if item.kind == "coverage")
    assert coverage.passed is True
    sections = next(item for item in outcome.evidence if item.kind == "sections")
    assert (sections.passed, "; left out: Clause " in sections.detail) == (None, True)
    assert coverage.detail == f"2 rows, which together read 100% of {len(one) + len(two):,} characters"
    partials = outcome.data["partials"]
    assert len(partials) == outcome.data["chunks"] == len(desk.requests) - 2 > 2
    whole = f"a.txt:\n\n{one}\n\nb.txt:\n\n{two}"
    assert "".join(whole[part["start"] : part["end"]] for part in partials) == one + two


async def test_a_number_of_another_rows_text_is_flagged_and_a_row_in_another_language_is_not_compared() -> None:
    sources = (Source("dam.md", DAM), Source("mill.txt", MILL))
    desk = FakeDesk(ScriptedRuntime(lambda _: "The Kesh dam was finished in 1977."))
    outcome = await SummarizationSpecialist().work(Assignment("Compare the documents.", sources), desk)
    assert [each["missing"] for each in outcome.data["coverage"]["sentences"]] == [["1977"], []]
    german = "Der Damm von Kesh wurde 1961 fertig, und eine Flut hat im Jahr 1987 die Mauer im Norden beschädigt."
    desk = FakeDesk(ScriptedRuntime(lambda _: german))
    outcome = await SummarizationSpecialist().work(Assignment("As a table, in German.", sources[:1]), desk)
    assert german in outcome.text
    assert outcome.verdict is Verdict.UNVERIFIED
    assert any(item.detail == "in German it cannot be compared with the text" for item in outcome.evidence)
    assert not any("few of its words" in item.detail for item in outcome.evidence)


async def test_another_language_is_asked_for_and_not_taken_for_nonsense() -> None:
    german = "Der Kesh-Damm wurde 1961 fertig. Eine Flut hat 1987 die Mauer beschädigt."
    desk = FakeDesk(ScriptedRuntime(lambda _: german))
    outcome = await SummarizationSpecialist().work(
        Assignment("Summarize the report in German, in plain words.", (Source("dam.md", DAM),)), desk
    )
    assert (outcome.text, outcome.verdict) == (german, Verdict.UNVERIFIED)
    assert "in plain words that anybody understands, in German." in desk.prompts[0]
    assert any(item.detail == "in German it cannot be compared with the text" for item in outcome.evidence)
