"""The chunks of a summary end where the structure of the text does, and cost no call more for it."""

from __future__ import annotations

import pytest
from fakes.desk import FakeDesk
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Outcome, Source
from nonet.specialists.budget import split_along, split_chars
from nonet.specialists.structure import cuts_of
from nonet.specialists.summarization import SummarizationSpecialist

SAID = "The council of Kesh spoke of the mill and of the dam in the north, and wrote down what it had decided that day."
HEADED = "\n\n".join(f"## Meeting {n}\n\n{SAID} {SAID}\n\n{SAID} {SAID}\n\n{SAID}" for n in range(24))
PAGES = "\f".join(f"{SAID}\n\n{SAID} {SAID}\n\n{SAID}\n\n{SAID}\n" for _ in range(24))
TALK = "\n".join(
    f"{'Ann' if n % 2 else 'Bob'}: {SAID}" + (f"\n{SAID}\n{SAID}" if n % 5 == 0 else "") for n in range(60)
)
CODE = "\n".join(
    f'def meeting_{n}(council):\n    """{SAID}"""\n\n    # {SAID}\n\n    return council\n\n' for n in range(40)
)


async def sum_up(instruction: str, *sources: Source, window: int = 900) -> tuple[Outcome, FakeDesk]:
    said = "The council of Kesh spoke of the mill and of the dam."
    desk = FakeDesk(ScriptedRuntime(lambda _: said, context_tokens=window), window_tokens=window)
    outcome = await SummarizationSpecialist().work(Assignment(instruction, sources), desk)
    for request in desk.requests:
        assert await desk.count_tokens(request.messages) + (request.max_completion_tokens or 0) <= window
    return outcome, desk


def opens(text: str, outcome: Outcome) -> list[str]:
    """How each chunk but the first begins."""
    read = outcome.data["read"]
    assert "".join(text[start:end] for start, end in read) == text
    return [text[start:end].split("\n", 1)[0].split(" ", 1)[0] for start, end in read[1:]]


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("notes.md", HEADED, {"##"}),
        ("minutes.txt", TALK, {"Ann:", "Bob:"}),
        ("meetings.py", CODE, {"def"}),
    ],
)
async def test_chunks_begin_with_a_section_a_turn_or_a_function(name: str, text: str, first: set[str]) -> None:
    outcome, _ = await sum_up("Summarize it.", Source(name, text))
    found = opens(text, outcome)
    assert len(found) > 2
    assert set(found) <= first


async def test_chunks_begin_with_a_page() -> None:
    outcome, _ = await sum_up("Summarize it.", Source("scan.txt", PAGES))
    starts = [start for start, _ in outcome.data["read"]][1:]
    assert len(starts) > 2
    assert all(PAGES[start - 1] == "\f" for start in starts)


async def test_no_chunk_ends_inside_a_document_where_it_may_end_between_two() -> None:
    sources = [Source(f"{n}.txt", " ".join([SAID] * 6)) for n in range(12)]
    text = "\n\n".join(f"{source.name}:\n\n{source.text}" for source in sources)
    outcome, _ = await sum_up("Sum them up together.", *sources, window=1000)
    assert all(each.endswith(".txt:") for each in opens(text, outcome))


async def test_the_parts_of_a_long_summary_begin_with_a_section_too() -> None:
    _, desk = await sum_up("Summarize it in at most 400 words.", Source("notes.md", HEADED), window=2400)
    assert len(desk.requests) == 5
    assert all(prompt.count(SAID) == 5 * prompt.count("## Meeting") > 0 for prompt in desk.prompts)


def test_a_chunk_does_not_end_with_a_heading_and_a_comment_is_none() -> None:
    text = f"{SAID} {SAID}\n\n# Fishing\n\n{SAID} {SAID}"
    spans = split_along(text, (0, len(text)), (230, 300), cuts_of(text))
    assert [text[start:end].splitlines()[0] for start, end in spans] == [f"{SAID} {SAID}", "# Fishing"]
    assert not text[slice(*split_chars(text, (230, 300))[0])].endswith(SAID)
    assert cuts_of("x = 1\n# a comment\n", "a.py") == []


@given(
    st.text(st.sampled_from("ab .\n#\u6c34"), max_size=300),
    st.integers(1, 40),
    st.integers(0, 40),
    st.sets(st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=12),
)
def test_any_cuts_leave_chunks_that_cover_the_text_and_are_no_more(
    text: str, fewest: int, more: int, cuts: set[tuple[int, int]]
) -> None:
    capacity = (fewest, fewest + more)
    spans = split_along(text, (0, len(text)), capacity, sorted(cuts))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(0 < end - start <= capacity[1] for start, end in spans)
    assert len(spans) <= len(split_chars(text, capacity))
