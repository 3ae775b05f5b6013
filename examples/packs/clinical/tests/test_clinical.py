"""De-identification: recall on three sets of notes, consistency, and that no model and no answer gets an identifier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.desk import FakeDesk
from hypothesis import given, settings
from hypothesis import strategies as st
from nonet_clinical import ClinicalSpecialist, Pseudonyms, find_identifiers, leak_check

import nonet
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Source, Verdict

HERE = Path(__file__).parent
MARK = re.compile(r"\{([A-Z]+):([^}]*)\}")
NOT_IDENTIFYING = {"the", "of", "dr", "mr", "mrs", "ms", "s"}


def notes(name: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each note, and where its identifiers stand."""
    text = "\n".join(line for line in (HERE / name).read_text("utf-8").splitlines() if not line.startswith("#"))
    for marked in re.split(r"^=== .*\n", text, flags=re.MULTILINE)[1:]:
        plain, spans = "", []
        done = 0
        for match in MARK.finditer(marked):
            plain += marked[done : match.start()]
            spans.append((len(plain), len(plain) + len(match[2])))
            plain += match[2]
            done = match.end()
        yield plain + marked[done:], spans


def measure(name: str) -> tuple[int, int, int]:
    """Identifiers, those of which every word is hidden, and words hidden that identify nobody."""
    marked = hidden = needless = 0
    for note, spans in notes(name):
        covered = {at for each in find_identifiers(note) for at in range(each.start, each.end)}
        inside = {at for start, end in spans for at in range(start, end)}
        words = [match for match in re.finditer(r"\w+", note) if match.group().casefold() not in NOT_IDENTIFYING]
        needless += sum(word.start() in covered and word.start() not in inside for word in words)
        for start, end in spans:
            marked += 1
            hidden += all(word.start() in covered for word in words if start <= word.start() < end)
    return marked, hidden, needless


@pytest.mark.parametrize(
    ("name", "least", "most_needless"),
    [("notes.txt", 103, 12), ("notes_held_out.txt", 53, 8), ("notes_third.txt", 49, 4)],
)
def test_recall_does_not_fall_below_what_the_readme_says(name: str, least: int, most_needless: int) -> None:
    _, hidden, needless = measure(name)
    assert hidden >= least
    assert needless <= most_needless


def test_one_person_has_one_pseudonym_in_all_texts_of_a_task() -> None:
    pseudonyms = Pseudonyms()
    first = pseudonyms.apply("Patient: Maria Keller. Ms. Keller came with her daughter Elena Keller on 2024-02-11.")
    second = pseudonyms.apply("MARIA slept well. Seen again on 2024-02-11.")
    assert first == "Patient: [NAME-1]. [NAME-1] came with her daughter [NAME-2] on [DATE-1]."
    assert second == "[NAME-1] slept well. Seen again on [DATE-1]."
    assert leak_check("[NAME-1] slept well.", pseudonyms).passed is True
    leaked = leak_check("keller slept well.", pseudonyms)
    assert leaked.passed is False
    assert "keller" not in leaked.detail.casefold()


async def test_no_prompt_and_no_answer_has_an_identifier() -> None:
    for name in ("notes.txt", "notes_third.txt"):
        for note, spans in notes(name):
            runtime = ScriptedRuntime()
            desk = FakeDesk(runtime)
            instruction = "Summarize the note in two sentences."
            outcome = await ClinicalSpecialist().work(Assignment(instruction, (Source("Keller.txt", note),)), desk)
            assert outcome.evidence[0].kind == "de-identification"
            said = " ".join([outcome.text, *(part.content for each in desk.requests for part in each.messages)])
            missed = {note[start:end] for start, end in spans if note[start:end] in said}
            assert missed <= {"Interstate 80 near Reno"}  # the one that the rules do not find
            assert "Keller" not in said


async def test_a_summary_that_leaks_is_withheld() -> None:
    desk = FakeDesk(
        ScriptedRuntime(lambda _request: "The patient maria keller was treated for pneumonia and went home.")
    )
    note = "Patient: Maria Keller. She was treated for pneumonia with ceftriaxone and went home after five days."
    outcome = await ClinicalSpecialist().work(Assignment("Summarize it.", (Source("note", note),)), desk)
    assert (outcome.text, outcome.verdict) == ("", Verdict.FAILED)
    assert "withheld" in outcome.evidence[0].detail


async def test_a_run_keeps_pseudonyms_only(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text(next(notes("notes.txt"))[0], encoding="utf-8")
    chosen = nonet.Settings(runtime="scripted", db=tmp_path / "a.db")
    async with await nonet.Session.open(chosen, own=[ClinicalSpecialist()]) as session:
        result = await nonet.run_task(session, "De-identify the note and summarize it.", documents=[note])
    [subtask] = result.subtasks
    assert subtask.specialist == "clinical"
    assert "Keller" not in result.answer
    assert "names" in subtask.evidence[0].detail


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_taken_and_spans_are_verbatim_and_apart(text: str) -> None:
    done = 0
    for each in find_identifiers(text):
        assert each.start >= done
        assert text[each.start : each.end] == each.text
        done = each.end
    Pseudonyms().apply(text)
