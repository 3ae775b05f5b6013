from __future__ import annotations

import pytest

from nonet.specialists import Passage
from nonet.specialists.proof import Proof, prove
from nonet.specialists.questions import read_question
from nonet.specialists.ranking import rank_sentences

TEXTS = {
    "Kesh dam.md": (
        "The dam was finished in 1961. The northern wall was damaged by a flood in 1987. "
        "Repairs were paid by the Lindqvist Foundation (LF)."
    ),
    "Maria Lindqvist.md": "Maria Lindqvist founded the observatory. She was born in Uppsala and died in Kesh.",
    "Engines.md": "The firm built 3 engines in 1911, 14 in 1912, 60 in 1913 and 200 in 1914.",
    "Wars.md": "The treaty ended the war. The war began on 8 August 1945 with the invasion of Manchuria.",
}
PASSAGES = [Passage(name, 0, 1.0, 0, len(text), text) for name, text in TEXTS.items()]


def check(question: str, answer: str) -> Proof:
    asked = read_question(question)
    return prove(asked, answer, PASSAGES, rank_sentences(asked.query, PASSAGES))


@pytest.mark.parametrize(
    ("question", "answer", "quote"),
    [
        ("When was the Kesh dam finished?", "1961", "The dam was finished in 1961."),
        ("In which city was Maria Lindqvist born?", "Uppsala", "She was born in Uppsala and died in Kesh."),
        ("Who paid the repairs?", "The Lindqvist Foundation.", "Repairs were paid by the Lindqvist Foundation (LF)."),
        ("What damaged the northern wall?", "a flood", "The northern wall was damaged by a flood in 1987."),
    ],
)
def test_one_sentence_that_fits_best_proves(question: str, answer: str, quote: str) -> None:
    proof = check(question, answer)
    assert proof.evidence.passed is True
    assert [item.text for item in proof.carriers] == [quote]


@pytest.mark.parametrize(
    ("question", "answer", "passed", "detail"),
    [
        ("When was the Kesh dam finished?", "1962", False, "not in the documents found: 1962"),
        ("When was the Kesh dam finished?", "1987", False, "another sentence fits the question better"),
        ("When was the Kesh dam finished?", "by a flood", False, "a number or date is asked for"),
        ("Who paid the repairs?", "in a northern way", False, "way"),
        ("What city was flooded?", "the observatory", False, "a name is asked for"),
        ("What is the acronym of the foundation that paid the repairs?", "Lindqvist", False, "an acronym is asked for"),
        ("Was the Kesh dam finished?", "Yes, it was finished.", None, "yes"),
        ("How many engines did the firm build?", "60", None, "several numbers"),
        ("When did Stalin order the invasion of Manchuria?", "8 August 1945", False, "do not speak of: stalin"),
        ("Who founded the observatory?", "Maria Lindqvist in 1961", None, "no single sentence"),
        ("When was it?", "Was it?", None, "adds no word"),
        ("Who was the spouse of Maria Lindqvist?", "the observatory of Uppsala", None, "no single sentence"),
        ("Who is the successor of Maria Lindqvist?", "Kesh", None, "do not tell the relation"),
        ("What was it that ended the long war?", "The treaty", None, "names nobody and nothing"),
    ],
)
def test_less_does_not(question: str, answer: str, passed: bool | None, detail: str) -> None:  # noqa: FBT001
    proof = check(question, answer)
    assert proof.evidence.passed is not True
    if detail != "yes":
        assert (proof.evidence.passed, detail in proof.evidence.detail) == (passed, True), proof.evidence.detail


def test_nothing_to_search_in_proves_nothing() -> None:
    question = read_question("Who was it?")
    proof = prove(question, "Maria", [], [])
    assert (proof.carriers, proof.evidence.passed) == ((), False)
