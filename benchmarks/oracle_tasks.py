"""Tasks whose steps have answers that code can check, for benchmarks/oracle.py; with right answers and wrong ones.

Of the wrong ones, most can be caught by a check that nonet makes, and some cannot: code that passes the test that is
shown and not the others, another number from the same document, a summary of true sentences that misses the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DOCUMENTS = {
    "pump-log.md": (
        "The old pump in bay 3 was replaced on 7 May 2024 by Ada Lovelace. The new pump has the serial number "
        "HL-3318-M. It holds 12 litres of oil. The pump in bay 4 has the serial number KT-2207-B and holds 19 litres "
        "of oil. Both are checked every second week by the night shift of the plant."
    ),
    "library.md": (
        "The library of Norwick opened in 1931 with 4,200 books. The reading room was added in 1958 by the architect "
        "Ines Moreau. The roof was repaired in 2016 for 88,000 euros. The library lends 310 books on a usual day, and "
        "closes at 19:30 on Fridays."
    ),
    "harvest.md": (
        "The orchard of the Brandt family gave 640 crates of apples in 2022. The pear trees gave 275 crates. Frost "
        "destroyed the cherries on 21 April. The family sold the apples to the cider mill in Tarn for 9,400 euros. The "
        "pears went to the market in Osk."
    ),
}


@dataclass(frozen=True)
class Step:
    """One call's worth of work, and what it is worth."""

    specialist: str
    instruction: str
    """No other step's instruction is part of it."""
    right: str
    wrong: tuple[str, ...]
    tests: tuple[str, ...] = ()
    """Of code: what it must satisfy; the request shows at most the first."""
    wanted: tuple[str, ...] = ()
    """Of text: what it must say."""
    unwanted: tuple[str, ...] = ()
    """And what it must not."""
    documents: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()
    """Places of earlier steps that it reads."""
    follows: str = ""
    """What an earlier step must have said for the right answer to be given: with another one the model, rightly,
    works with what it got, and `instead` comes of it."""
    instead: str = ""


@dataclass(frozen=True)
class Task:
    """Steps that must all be right."""

    kind: str
    steps: tuple[Step, ...]


def _code(body: str) -> str:
    return f"```python\n{body}\n```"


def _function(name: str, says: str, right: str, wrong: Sequence[str], tests: Sequence[str]) -> dict[bool, Step]:
    """The step with its first test shown, and without: {True: ..., False: ...}."""
    plain = f"Write a Python function {name} that {says}."
    answers = (_code(right), tuple(map(_code, wrong)))
    return {
        True: Step("code", f"{plain} It must satisfy {tests[0]}.", *answers, tuple(tests)),
        False: Step("code", f"Give me a Python function {name} that {says}.", *answers, tuple(tests)),
    }


_FUNCTIONS = (
    _function(
        "double(x)",
        "returns twice x",
        "def double(x):\n    return 2 * x",
        ("def double(x):\n    return x * x * x", "def double(x):\n    return x + 2", "def double(x):\n    return 8"),
        ("double(4) == 8", "double(0) == 0", "double(-3) == -6", "double(2.5) == 5.0"),
    ),
    _function(
        "vowels(text)",
        "counts the vowels in a text",
        "def vowels(text):\n    return sum(letter in 'aeiouAEIOU' for letter in text)",
        (
            "def vowels(text):\n    return len(text)",
            "def vowels(text):\n    return text.count('a')",
            "def vowels(text):\n    return sum(letter in 'aeiou' for letter in text)",
        ),
        ("vowels('banjo music') == 4", "vowels('') == 0", "vowels('ALOE') == 3", "vowels('rhythm') == 0"),
    ),
    _function(
        "middle(values)",
        "returns the median of a list of numbers",
        "def middle(values):\n    values = sorted(values)\n    half = len(values) // 2\n"
        "    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2",
        (
            "def middle(values):\n    return sum(values) / len(values)",
            "def middle(values):\n    return values[0]",
            "def middle(values):\n    return sorted(values)[len(values) // 2]",
        ),
        ("middle([9, 1, 4]) == 4", "middle([1, 2, 3, 10]) == 2.5", "middle([7]) == 7", "middle([5, 1]) == 3"),
    ),
    _function(
        "squeeze(text)",
        "puts one space in place of each run of spaces",
        "def squeeze(text):\n    import re\n    return re.sub(' +', ' ', text)",
        (
            "def squeeze(text):\n    return text.replace(' ', '')",
            "def squeeze(text):\n    return text",
            "def squeeze(text):\n    return text.replace('  ', ' ')",
        ),
        ("squeeze('a  b') == 'a b'", "squeeze('a    b') == 'a b'", "squeeze('ab') == 'ab'", "squeeze(' a') == ' a'"),
    ),
)


_NOT_FOUND = ("did not find", "found nothing")
"""An answer that says so, with the nearest sentence beside it, is honest and no success."""


def _question(text: str, right: str, near: str, invented: str) -> Step:
    return Step(
        "retrieval",
        text,
        right,
        (near, invented, f"{invented}, as far as I know"),
        wanted=(right,),
        unwanted=_NOT_FOUND,
    )


_QUESTIONS = (
    _question("What is the serial number of the new pump in bay 3?", "HL-3318-M", "KT-2207-B", "PX-9041-Z"),
    _question("Who added the reading room of the library of Norwick?", "Ines Moreau", "Ada Lovelace", "Karl Benz"),
    _question("For how much was the roof of the library repaired?", "88,000 euros", "9,400 euros", "51,700 euros"),
    _question("How many crates of apples did the Brandt orchard give in 2022?", "640", "275", "813"),
)

_SUMMARIES = tuple(
    Step("summarization", f"Summarize {name} in one sentence.", right, wrong, wanted=wanted, documents=(name,))
    for name, right, wrong, wanted in (
        (
            "pump-log.md",
            "The old pump in bay 3 was replaced on 7 May 2024 by a new one with the serial number HL-3318-M.",
            (
                "The old pump in bay 3 was replaced on 9 June 2021 by a new one with the serial number QQ-1000-X.",
                "Seven engineers of the plant in Rotterdam repaired 41 pumps with parts from Siemens.",
                "Both are checked every second week by the night shift of the plant.",
            ),
            ("HL-3318-M",),
        ),
        (
            "library.md",
            "The library of Norwick opened in 1931, got a reading room in 1958, and its roof was repaired in 2016.",
            (
                "The library of Norwick opened in 1887, and its roof was repaired in 2009 for 12,500 euros.",
                "Mayor Ottokar Feld gave the library of Norwick 77 paintings in 1990.",
                "The library lends 310 books on a usual day, and closes at 19:30 on Fridays.",
            ),
            ("1931", "2016"),
        ),
        (
            "harvest.md",
            "The Brandt orchard gave 640 crates of apples in 2022, sold to the cider mill in Tarn for 9,400 euros.",
            (
                "The Brandt orchard gave 950 crates of apples in 2019, sold for 31,000 euros to a shop in Berlin.",
                "Hail in 2020 destroyed 83 trees of the Schmidt orchard near Hamburg.",
                "The pears went to the market in Osk.",
            ),
            ("640", "Tarn"),
        ),
    )
)

_GENERAL = tuple(
    Step("general", text, right, wrong, wanted=wanted)
    for text, right, wrong, wanted in (
        (
            "Which planet is nearest to the sun?",
            "Mercury is nearest to the sun.",
            ("Venus is nearest to the sun.", "Mars is nearest to the sun."),
            ("Mercury",),
        ),
        (
            "Translate 'good morning' into Spanish.",
            "It is: buenos días.",
            ("It is: buenas noches.", "It is: adiós."),
            ("buenos d",),
        ),
        (
            "Who wrote the play Hamlet?",
            "William Shakespeare wrote it.",
            ("Charles Dickens wrote it.", "Jane Austen wrote it."),
            ("Shakespeare",),
        ),
    )
)

_PRICE = Step(
    "code",
    "Write a Python function total(crates) that multiplies a number of crates with the number of litres that was found "
    "and returns the product. It must satisfy total(0) == 0.",
    _code("def total(crates):\n    return crates * 12"),
    (
        _code("def total(crates):\n    return crates + 12"),
        _code("def total(crates):\n    return 1"),
        _code("def total(crates):\n    return crates * 120"),
    ),
    ("total(0) == 0", "total(1) == 12", "total(5) == 60"),
    inputs=(0,),
    follows="12",
    instead=_code("def total(crates):\n    return crates * 19"),
)
_LITRES = _question("How many litres of oil does the new pump in bay 3 hold?", "12", "19", "37")


def tasks() -> list[Task]:
    """All of them, the same in every run."""
    found = [
        *[Task("code, a test shown", (both[True],)) for both in _FUNCTIONS],
        *[Task("code, no test", (both[False],)) for both in _FUNCTIONS],
        *[Task("question", (step,)) for step in _QUESTIONS],
        *[Task("summary", (step,)) for step in _SUMMARIES],
        *[Task("general, no check", (step,)) for step in _GENERAL],
        Task("question, then code", (_LITRES, _PRICE)),
    ]
    trios = zip(_FUNCTIONS, _QUESTIONS, (*_SUMMARIES, _SUMMARIES[0]), strict=True)
    return [*found, *[Task("code, question, summary", (code[True], asked, told)) for code, asked, told in trios]]
