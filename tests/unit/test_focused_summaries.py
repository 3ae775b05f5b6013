from __future__ import annotations

from fakes.desk import FakeDesk

from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Evidence, Outcome, Source, Verdict
from nonet.specialists.summarization import SummarizationSpecialist

CHATTER = (
    "Well , the weather was {laugh} fine on Sunday and we walked along the river for hours .",
    "Uh , my sister brought the children , and they fed the ducks until it rained .",
)
ANSWER = "Chidi asked for a budget of 4,000 crowns for the lighthouse."
MEETING = "\n".join(
    [f"{'Ann' if n % 2 else 'Bob'}: {CHATTER[n % 2]}" for n in range(60)]
    + [
        "Chidi: Um , the lighthouse needs a budget of 4,000 crowns {vocalsound} this year , I am sure .",
        "Ann: That is more than the bakery got , and the roof there leaks badly too .",
    ]
    + [f"{'Ann' if n % 2 else 'Bob'}: {CHATTER[n % 2]}" for n in range(60)]
    + ["Bob: And the lighthouse stays open on Mondays ."]
)


async def sum_up(
    instruction: str, answer: str = ANSWER, text: str = MEETING, window_tokens: int = 800
) -> tuple[Outcome, FakeDesk]:
    at = FakeDesk(ScriptedRuntime(lambda _: answer, context_tokens=window_tokens), window_tokens=window_tokens)
    outcome = await SummarizationSpecialist().work(Assignment(instruction, (Source("notes.txt", text),)), at)
    return outcome, at


def found(outcome: Outcome, kind: str) -> Evidence:
    return next(item for item in outcome.evidence if item.kind == kind)


async def test_a_question_to_a_long_text_takes_one_call_that_reads_what_speaks_of_it() -> None:
    outcome, at = await sum_up("What budget does the lighthouse need?")
    assert outcome.text == ANSWER
    (prompt,) = at.prompts
    assert "needs a budget of 4,000 crowns" in prompt
    assert "more than the bakery got" in prompt, "what stands beside it is read, too"
    assert prompt.index("[...]") < prompt.index("stays open on Mondays")
    assert await at.count_tokens(at.requests[0].messages) + (at.requests[0].max_completion_tokens or 0) <= 800


async def test_what_was_not_read_is_said_and_leaves_the_summary_unverified() -> None:
    outcome, _ = await sum_up("What budget does the lighthouse need?")
    coverage = found(outcome, "coverage")
    assert coverage.passed is None
    assert "the rest was not read" in coverage.detail
    assert outcome.verdict is Verdict.UNVERIFIED
    read = sum(end - start for start, end in outcome.data["read"])
    assert 0 < read < len(MEETING) / 2


async def test_of_talk_what_lies_between_two_mentions_is_read_and_of_prose_the_other_mentions_are() -> None:
    def turns(of: int, opening: str) -> list[str]:
        return [f"{opening} {CHATTER[n % 2]} {CHATTER[(n + 1) % 2]} {CHATTER[n % 2]}" for n in range(of)]

    between = "Then the wages of the masons come first , and glass is dear ."
    passing = "The lighthouse is white ."
    talked = [
        *[turn for _ in range(4) for turn in (*turns(9, "Ann:"), f"Bob: {passing} {CHATTER[1]} {CHATTER[0]}")],
        *turns(9, "Ann:"),
        f"Bob: The lighthouse needs a budget . {CHATTER[1]} {CHATTER[0]}",
        *turns(1, "Chidi:"),
        f"Ann: {between} {CHATTER[1]} {CHATTER[0]} {CHATTER[1]}",
        *turns(1, "Chidi:"),
        f"Bob: So much for the budget of the lighthouse . {CHATTER[1]} {CHATTER[0]}",
        *turns(9, "Ann:"),
    ]
    _, at = await sum_up("What budget does the lighthouse need?", text="\n".join(talked), window_tokens=1_100)
    assert between in at.prompts[0]
    assert passing not in at.prompts[0]
    written = [turn.partition(": ")[2] for turn in talked]
    _, at = await sum_up("What budget does the lighthouse need?", text="\n".join(written), window_tokens=1_100)
    assert passing in at.prompts[0]


async def test_all_of_it_is_read_where_that_is_asked_or_nothing_in_particular_is() -> None:
    for instruction in ("What does the whole meeting say about the budget?", "Summarize the text.", "Who is Zebulon?"):
        outcome, at = await sum_up(instruction)
        assert found(outcome, "coverage").passed is True, instruction
        assert len(at.requests) > 1


async def test_a_part_that_begins_inside_a_turn_says_who_speaks() -> None:
    speech = " ".join(f"Point {n} is that the harbour of town {n} needs dredging again ." for n in range(40))
    text = f"Ann: Shall we begin ?\nChidi: {speech}\nAnn: {speech}\nBob: Fine by me .\nAnn: Then it is agreed ."
    _, at = await sum_up("What about town 31 and its harbour?", text=text)
    assert "Chidi: Point" in at.prompts[0]


async def test_a_part_that_begins_with_a_turn_names_nobody_else() -> None:
    _, at = await sum_up("What budget does the lighthouse need?")
    assert "Bob: Ann:" not in at.prompts[0]
    assert "Ann: Bob:" not in at.prompts[0]


async def test_an_extract_of_a_transcript_says_who_speaks_and_leaves_sounds_out() -> None:
    outcome, _ = await sum_up("What budget does the lighthouse need? Answer in at most 20 words.", "budget " * 60)
    assert outcome.text == "Chidi: the lighthouse needs a budget of 4,000 crowns this year, I am sure."
    (citation,) = outcome.citations
    assert MEETING[citation.start : citation.end] == citation.quote


STORY = "\n\n".join(
    f"On day {day} of the voyage Mira the captain wrote of storm number {day} and of the {what} that it took. "
    f"The cook sang below until the lamps went out, and nobody slept in the cabins of the ship before the morning came."
    for day, what in enumerate(("anchor", "compass", "mast", "wheel", "lantern", "barrel", "rudder", "flag"), 1)
)
PART = "Mira the captain wrote of a storm, and the crew lost something in it."


async def test_a_long_summary_of_a_long_text_is_made_part_by_part_and_reads_all_that_fits() -> None:
    for instruction, wanted in (
        ("Summarize the story in at most 160 words.", "that sums it up."),
        (
            "What did the captain write of the storms? Answer in at most 160 words.",
            "that answers this question from it: What did the captain write of the storms?",
        ),
        (
            "Tell in about 160 words what the captain wrote of the storms.",
            "that answers this request from it: Tell what the captain wrote of the storms.",
        ),
    ):
        outcome, at = await sum_up(instruction, answer=PART, text=STORY, window_tokens=520)
        assert len(at.prompts) == 2, "as many calls as the summary has parts, and none over their summaries"
        assert all(wanted in prompt for prompt in at.prompts)
        assert outcome.text == f"{PART} {PART}"
        assert found(outcome, "coverage").passed is True
        read = [(part["start"], part["end"]) for part in outcome.data["partials"]]
        assert read[0][0] == 0
        assert read[0][1] == read[1][0]
        assert read[1][1] == len(STORY)


async def test_a_long_answer_from_a_text_that_is_too_long_for_its_parts_reads_what_speaks_of_the_question() -> None:
    outcome, at = await sum_up(
        "What budget does the lighthouse need? Answer in at most 160 words.", text=MEETING * 3, window_tokens=1_000
    )
    assert len(at.prompts) in (2, 3)
    assert any("needs a budget of 4,000 crowns" in prompt for prompt in at.prompts)
    coverage = found(outcome, "coverage")
    assert coverage.passed is None
    assert "the rest was not read" in coverage.detail
    for request in at.requests:
        assert await at.count_tokens(request.messages) + (request.max_completion_tokens or 0) <= 1_000


async def test_a_part_of_a_long_summary_that_the_model_spoils_is_extracted() -> None:
    outcome, _ = await sum_up("Summarize the story in at most 160 words.", "Zork " * 40, STORY, window_tokens=520)
    assert all(part["extracted"] for part in outcome.data["partials"])
    assert "2 of the parts had to be extracted" in found(outcome, "degeneration").detail
    assert "Mira the captain wrote" in outcome.text


async def test_parts_in_another_language_are_kept_and_prove_nothing() -> None:
    german = "Die Kapitaenin Mira schrieb jeden Tag von einem Sturm, und die Mannschaft verlor dabei etwas."
    outcome, _ = await sum_up("Summarize the story in German in at most 160 words.", german, STORY, window_tokens=520)
    assert outcome.text == f"{german} {german}"
    assert outcome.verdict is Verdict.UNVERIFIED
    spoilt, _ = await sum_up("Summarize the story in German in at most 160 words.", "Zork " * 40, STORY, 520)
    assert "Mira the captain wrote" in spoilt.text
    assert spoilt.verdict is Verdict.UNVERIFIED


async def test_what_is_cut_from_parts_is_told_and_the_longest_part_gives_first() -> None:
    long = " ".join(paragraph.partition(" The cook")[0] for paragraph in STORY.split("\n\n")[:5])
    outcome, _ = await sum_up("Summarize the story in at most 120 words.", long, STORY, window_tokens=520)
    assert [note.detail for note in outcome.evidence if note.kind == "length"] == [
        "of 2 of 2 parts, sentences were left out to keep within 120 words"
    ]
    assert [len(part["text"].split()) for part in outcome.data["partials"]] == [42, 63]
    assert "storm number 1" in outcome.text


async def test_a_text_without_spaces_whose_pieces_do_not_fit_is_summed_up_by_chunks() -> None:
    text = "\u6d77\u4e0a\u7684\u66b4\u98ce\u96e8\u5f88\u5927\u3002" * 500
    outcome, at = await sum_up("Summarize the story in at most 240 words.", PART, text, window_tokens=600)
    for request in at.requests:
        assert await at.count_tokens(request.messages) + (request.max_completion_tokens or 0) <= 600
    assert found(outcome, "coverage").passed is True


async def test_a_summary_of_paragraphs_is_not_made_in_parts() -> None:
    _, at = await sum_up("Summarize the story in 2 paragraphs of at most 160 words.", PART, STORY, window_tokens=520)
    assert "one paragraph" not in "".join(at.prompts)
