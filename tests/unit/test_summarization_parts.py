from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.specialists import Assignment, Source
from nonet.specialists.extract import extract
from nonet.specialists.length import LengthWish, enforce, read_wish
from nonet.specialists.material import read_material
from nonet.specialists.support import faithfulness
from nonet.specialists.text import content_stems, sentences, words


@pytest.mark.parametrize(
    ("request_text", "wish"),
    [
        ("Summarize it.", LengthWish()),
        ("in two sentences", LengthWish(sentences=2)),
        ("a one-sentence summary", LengthWish(sentences=1)),
        ("in one or two sentences", LengthWish(sentences=2)),
        ("in 2-3 sentences", LengthWish(sentences=3)),
        ("in at most three sentences", LengthWish(sentences=3)),
        ("three short bullet points", LengthWish(bullets=3)),
        ("the five key points", LengthWish(bullets=5)),
        ("as bullet points", LengthWish(bullets=0)),
        ("one short paragraph", LengthWish(paragraphs=1)),
        ("no more than 50 words", LengthWish(words=50)),
        ("a 100-word summary", LengthWish(words=100)),
        ("a single sentence of at most 20 words", LengthWish(sentences=1, words=20)),
        ("TL;DR", LengthWish(sentences=1)),
        ("in 1,200 words", LengthWish(words=1200)),
        ("in a hundred words", LengthWish(words=100)),
        ("in two hundred and fifty words", LengthWish(words=250)),
        ("in twenty-five words", LengthWish(words=25)),
        ("in 0 sentences", LengthWish(sentences=1, corrected="0 sentences cannot be: read as 1")),
        ("in -5 sentences", LengthWish(sentences=5, corrected="-5 sentences cannot be: read as 5")),
        ("in 2.5 paragraphs", LengthWish(paragraphs=3, corrected="2.5 paragraphs cannot be: read as 3")),
        ("as zero bullet points", LengthWish(bullets=1, corrected="zero bullets cannot be: read as 1")),
        ("in 10 000 words", LengthWish(words=9999, corrected="10 000 words cannot be: read as 9999")),
        (
            f"in {'9' * 400} words",
            LengthWish(words=9999, corrected=f"{'9' * 20} words cannot be: read as 9999"),
        ),
        ("in one thousand two hundred words", LengthWish(words=1200)),
        ("a two-hundred-word summary", LengthWish(words=200)),
        ("in twenty-five to thirty words", LengthWish(words=30)),
        ("Explain the 0.5 point rise.", LengthWish()),
        ("What are the main points?", LengthWish()),
        ("the sentence on page 3", LengthWish()),
    ],
)
def test_wishes_are_read(request_text: str, wish: LengthWish) -> None:
    assert read_wish(request_text) == wish


def test_wishes_are_worded_for_the_prompt() -> None:
    assert LengthWish().phrase == "in 2 or 3 sentences"
    assert LengthWish(sentences=1, words=20).phrase == "in one sentence, in at most 20 words"
    assert LengthWish(bullets=0).phrase == "as short bullet points"
    assert LengthWish(paragraphs=2).phrase == "in 2 paragraphs"
    assert not LengthWish().stated
    assert LengthWish(bullets=0).stated


@given(
    st.lists(st.sampled_from(["One is here.", "- a point", "Two\nlines.", "\n\n", "1. first", "word"]), max_size=20),
    st.integers(1, 5),
    st.integers(3, 40),
)
def test_what_was_asked_for_is_kept(pieces: list[str], most: int, limit: int) -> None:
    text = "\n".join(pieces)
    assert (
        len(sentences(enforce(text, LengthWish(sentences=most)).text)) <= max(most, 1) or "- " in text or "1. " in text
    )
    bullets = enforce(text, LengthWish(bullets=most)).text
    assert len(bullets.splitlines()) <= most
    assert all(line.startswith("- ") for line in bullets.splitlines())
    short = enforce(text, LengthWish(words=limit))
    if any(item.passed is False for item in short.evidence):
        assert len(words(short.text)) > limit
    else:
        assert len(words(short.text)) <= limit
    assert set(words(enforce(text, LengthWish(paragraphs=1)).text)) == set(words(text)) or "- " in text or "1. " in text


def test_paragraphs_beyond_the_wish_flow_into_the_last() -> None:
    assert enforce("One.\n\nTwo.\n\nThree.", LengthWish(paragraphs=2)).text == "One.\n\nTwo. Three."


TEXT = (
    "Tidal power uses the movement of sea water. A tidal power plant needs a basin and turbines. My aunt likes tea. "
    "Turbines of tidal power plants turn when the water of the basin flows. The weather was fine."
)


def test_an_extract_is_central_and_in_order() -> None:
    spans = extract(TEXT, most_sentences=2)
    assert all(TEXT[span.start : span.end] == span.text for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    assert not {"My aunt likes tea.", "The weather was fine."} & {span.text for span in spans}


def test_an_extract_speaks_of_what_was_asked() -> None:
    assert [span.text for span in extract(TEXT, focus=content_stems("aunt tea"), most_sentences=1)] == [
        "My aunt likes tea."
    ]


@given(st.text(max_size=400), st.integers(1, 4), st.integers(1, 40))
def test_any_text_is_extracted_within_its_bounds(text: str, most: int, limit: int) -> None:
    spans = extract(text, most_sentences=most, most_words=limit)
    assert len(spans) <= most
    assert bool(spans) == bool(sentences(text))
    assert len(spans) <= 1 or sum(len(words(span.text)) for span in spans) <= limit


def test_the_focus_is_what_goes_beyond_a_summary() -> None:
    source = Source("report.md", "Some text.")
    assert read_material(Assignment("Summarize the report in two sentences.", (source,))).focus == frozenset()
    assert read_material(Assignment("What did the committee decide?", (source,))).focus == {"committe", "decid"}


def test_faithfulness_names_what_is_missing() -> None:
    found = faithfulness("Kesh paid 12 to Ranulf.", "The town of Kesh paid twelve crowns to the duke.")
    assert found.missing_numbers == ()
    assert found.missing_names == ("ranulf",)
    assert faithfulness("It cost 13.", "It cost 12.").missing_numbers == ("13",)
    assert faithfulness("", "x").overlap == 1.0
