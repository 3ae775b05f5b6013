"""How requests are cut into clauses, and that nothing of them is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, split
from nonet.agents.masking import FILLER, mask


def texts(task: str) -> list[str]:
    return [clause.text for clause in split(task)]


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        (
            "Find the boiling point in the notes, write a Python function that returns it, and sum both up in a line.",
            [
                "Find the boiling point in the notes",
                "write a Python function that returns it",
                "sum both up in a line.",
            ],
        ),
        (
            "First: write a function `f`. It must satisfy f(1) == 2. Second: condense the attached letter.",
            ["write a function `f`. It must satisfy f(1) == 2.", "condense the attached letter."],
        ),
        (
            "1. find the date\n2. implement a stack\n3. recap the report",
            ["find the date", "implement a stack", "recap the report"],
        ),
        (
            "Look it up. From what you find, (1) sum up the evidence and (2) write a function.",
            ["Look it up.", "From what you find, sum up the evidence", "From what you find, write a function."],
        ),
        (
            "Look up the answer to the question below and then write a function.\nQuestion: Who won? In which year?",
            ["Look up the answer to the question below Question: Who won? In which year?", "write a function."],
        ),
        (
            "Give me (a) a one-line summary of the report, (b) a Python function that reverses a list.",
            ["Give me a one-line summary of the report", "Give me a Python function that reverses a list."],
        ),
    ],
)
def test_cuts_where_a_new_request_begins(task: str, wanted: list[str]) -> None:
    assert texts(task) == wanted


@pytest.mark.parametrize(
    "task",
    [
        "Write a function that finds the largest number, sorts the list and returns the summary as a string.",
        "Write a function to look up a word, search the list and return its place.",
        "Implement `f(x)`. It must satisfy f('find it, then summarise it') == 'write a function'. Name the result r.",
        "Summarise what the minutes say about finding an office, writing the tender and looking for staff.",
        "What did Dr. E. B. White say, e.g. about Mr. Smith, and when? Cite the passages that you used.",
        "How many apples are left if I buy 12, give away 5 and then eat 2?",
        'Explain the order "find the file, then write a function, then summarise it".',
        "See https://example.org/find,then/write?and=summarise and tell me what it is about.",
        "Fix this:\n```python\nfind(x)\n# then write a function, and summarise it\n```",
        "Fasse den Bericht zusammen, suche dann das Datum heraus und schreibe eine Funktion.",
        "Résume le rapport, puis écris une fonction et trouve la date.",
        "请总结报告,然后写一个函数。",
        "def add(a, b):\n    '''Add them. Then summarise the report.'''\n    return a + b",
        "Summarise the following text: The king said: find the ring, then write a letter. And summarise it.",
        "...",
        "?",
    ],
)
def test_keeps_one_request_whole(task: str) -> None:
    assert texts(task) == [task]


def test_a_long_text_is_not_searched() -> None:
    task = "Summarise this, then write a function. " * 1_000
    assert len(task) > MAX_SPLIT_CHARACTERS
    assert len(split(task)) == 1


def test_says_what_has_to_be_done_before() -> None:
    first, second = split("Write a Python function `f()`. Before that, look up what it has to return in the notes.")
    assert (first.reversed, second.reversed) == (False, True)


def test_pasted_text_is_no_order() -> None:
    pasted = "The old mill stood by the river. " * 30
    clauses = split(f"Condense this to one line, and write a function `f`.\n\n{pasted}\n\nThen search the archive.")
    assert len(clauses) == 2
    assert "Then search the archive." in clauses[-1].text


words = st.sampled_from(
    [
        "find", "the notes", "and", "then", ",", ";", ".", ":", "summarise", "it", "write a function", "`f(x)`", "(1)",
        "(2)", "1.", "2.", "\n", "\n\n", "- ", "first", "second:", "before that", "from what you find", "each", "both",
        "question:", "this question", "what is", "?", '"', "“", "```", "(", "[", "f(1) == 2", "while someone",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(words, min_size=1, max_size=40).map(" ".join))
def test_every_word_of_a_request_is_in_some_clause(task: str) -> None:
    if not task.strip():
        return
    kept = " ".join(clause.text for clause in split(task)).casefold()
    for word in ("notes", "summarise", "write a function", "`f(x)`", "f(1) == 2", "what is", "this question"):
        assert kept.count(word) >= (1 if word in task.casefold() else 0), word


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_masking_keeps_every_offset(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(mark in {FILLER, sign} for mark, sign in zip(masked, text, strict=True))
