"""Follow-ups and what a session remembers: which earlier text is meant, by rules; and references in a task."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.specialists import StaffMember
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.errors import DocumentError
from nonet.graphs.followups import choose, read_follow_up, resolve
from nonet.graphs.memory import MOST_ARTIFACTS, MOST_FACTS, Memory
from nonet.graphs.mentions import read_mentions, text_of
from nonet.graphs.result import RunResult, SubtaskResult
from nonet.graphs.run import resume_run, run_task
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Assignment, Citation, Desk, Outcome, Verdict
from nonet.store import Store

CODE = "```python\ndef double(x):\n    return x * 2\n```"
SUMMARY = "The miller replaced two paddles. The roof needs slates. No grain was lost. The stream was measured."


def part(number: int, specialist: str, text: str, asked: str = "do it") -> SubtaskResult:
    cited = (Citation("a.md", text, 0, len(text)),) if specialist == "retrieval" else ()
    return SubtaskResult(f"s{number}", specialist, asked, (), Verdict.VERIFIED, 1, "tiny", text=text, citations=cited)


def ran(run: str, *parts: SubtaskResult) -> RunResult:
    return RunResult(run, "the task", "done", Verdict.VERIFIED, "the answer", None, parts)


@pytest.fixture
def memory() -> Memory:
    """A summary, then a function: the function is the last."""
    kept = Memory()
    kept.note(ran("aaaa", part(1, "summarization", SUMMARY, "Summarize report.md")))
    kept.note(ran("bbbb", part(1, "code", CODE, "Write a Python function double(x).")))
    return kept


@pytest.mark.parametrize(
    ("said", "wish", "meant", "specialist", "words"),
    [
        ("shorten the summary", "shorten", "@aaaa.s1", "summarization", "in 2 sentences"),
        ("Please shorten that summary to one sentence.", "shorten", "@aaaa.s1", "summarization", "one sentence"),
        ("shorten that", "shorten", "@bbbb.s1", "code", "shorter"),
        ("now in Rust", "port", "@bbbb.s1", "code", "into Rust"),
        ("Same in JavaScript, please", "port", "@bbbb.s1", "code", "into JavaScript"),
        ("translate it into C++", "port", "@bbbb.s1", "code", "into C++"),
        ("in German", "translate", "@aaaa.s1", "general", "into German"),
        ("explain it", "explain", "@bbbb.s1", "general", "explain it"),
        ("add type hints to it", "change", "@bbbb.s1", "code", "add type hints"),
        ("make it shorter", "shorten", "@bbbb.s1", "code", "shorter"),
        ("what did your last answer leave out?", "other", "@bbbb.s1", None, "leave out"),
    ],
)
async def test_a_follow_up_finds_its_text(  # noqa: PLR0917
    memory: Memory, said: str, wish: str, meant: str, specialist: str | None, words: str
) -> None:
    found = read_follow_up(said, memory)
    assert found is not None
    assert (found.wish, found.candidates[-1].name) == (wish, meant)
    resolved = resolve(found, found.candidates[-1], SUMMARY)
    assert resolved.specialist == specialist
    assert words in resolved.instruction


@pytest.mark.parametrize(
    "said",
    [
        "Write a Python function is_leap(year) and test it.",
        "Summarize report.md in two sentences.",
        "Who replaced the paddles?",
        "Shorten @aaaa.s1",
        "Add 2 and 3.",
        "Explain photosynthesis.",
        "Find the serial number of the pump, then write a function that returns it.",
        "Summarize the report in one sentence.",
    ],
)
def test_a_request_that_stands_alone_is_no_follow_up(memory: Memory, said: str) -> None:
    assert read_follow_up(said, memory) is None


def test_nothing_is_a_follow_up_where_nothing_was_made() -> None:
    assert read_follow_up("shorten that", Memory()) is None


def test_the_whole_answer_is_meant_where_it_has_several_parts(memory: Memory) -> None:
    memory.note(ran("cccc", part(1, "retrieval", "HL-3318-M", "Which pump?"), part(2, "summarization", SUMMARY)))
    found = read_follow_up("shorten that", memory)
    assert found is not None
    assert [each.name for each in found.candidates] == ["@cccc"]
    found = read_follow_up("shorten s2", memory)
    assert found is None or found.candidates[0].name == "@cccc.s2"


async def test_a_model_chooses_only_among_the_candidates(memory: Memory, tmp_path: Path) -> None:
    memory.note(ran("cccc", part(1, "summarization", SUMMARY, "Sum up a.md"), part(2, "summarization", "b", "b.md")))
    found = read_follow_up("shorten the summary", memory)
    assert found is not None
    assert len(found.candidates) == 2
    async with await Session.open(Settings(runtime="scripted", db=tmp_path / "a.db")) as session:
        chosen = await choose(session, found, memory)
        assert chosen in found.candidates


def test_the_memory_is_bounded_whatever_is_made() -> None:
    kept = Memory()
    for number in range(100):
        code = "\n".join(f"def f{number}_{each}(): pass" for each in range(5))
        kept.note(ran(f"r{number:03}", part(1, "code", code, "x" * 5000), part(2, "retrieval", "found", "y" * 5000)))
    assert (len(kept.artifacts), len(kept.facts)) == (MOST_ARTIFACTS, MOST_FACTS)
    assert len(str(kept.to_json())) < 40_000
    assert Memory.of(kept.to_json()) == kept
    assert len(kept.summary(500)) <= 500
    assert "r099" in kept.summary(500)
    kept.forget("r099")
    assert "r099" not in str(kept.to_json())


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_asked(said: str) -> None:
    kept = Memory()
    kept.note(ran("bbbb", part(1, "code", CODE)))
    found = read_follow_up(said, kept)
    assert found is None or found.candidates


async def test_references_are_read_and_resolved_by_the_run(tmp_path: Path) -> None:
    notes = tmp_path / "my notes.md"
    notes.write_text("The pump has the number HL-3318-M.\n")

    async def tell(assignment: Assignment, _desk: Desk) -> Outcome:
        read = "|".join(f"{source.kind}:{source.text}" for source in assignment.sources)
        return Outcome(f"<{assignment.instruction}>{read}", Verdict.UNVERIFIED)

    staff = {"general": StaffMember("general", tell)}
    async with await Session.open(Settings(runtime="scripted", db=tmp_path / "a.db"), specialists=staff) as session:
        first = await run_task(session, "Say hello to the pump")
        said = f'Compare @{first.run[:4]} with @"{notes}", @property and @last.s1. See @missing.md'
        found = read_mentions(session.store, said, last=[first.run])
        assert found.task == (f"Compare @{first.run} with my notes.md, @property and @{first.run}.s1. See @missing.md")
        assert (found.paths, found.unknown) == ((notes,), ("missing.md",))
        assert found.artifacts == (f"@{first.run}", f"@{first.run}.s1")
        second = await run_task(session, "Compare them", artifacts=[f"@{first.run[:4]}.s1"])
        assert f"artifact:{first.answer}" in second.answer
        again = await resume_run(session, second.run)
        assert again.answer == second.answer
        with pytest.raises(DocumentError, match="no finished part s9"):
            await run_task(session, "Compare them", artifacts=[f"@{first.run}.s9"])


def test_a_reference_to_a_run_that_is_gone_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store, pytest.raises(DocumentError, match="names no run"):
        text_of(store, "@zzzz")
