"""What models are asked when their planning is measured: requests of our own, with the plans that they should get.

Half are worded plainly, half as people talk. The rules were not made with them in sight and must never be: what they
score here is what a model has to beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

C, R, S, G = "code", "retrieval", "summarization", "general"


@dataclass(frozen=True, slots=True)
class PlanItem:
    """A request and the plan it should get."""

    request: str
    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    documents: tuple[str, ...] = ()
    """Names of what is attached."""


@dataclass(frozen=True, slots=True)
class ReadsItem:
    """A step, the steps before it, and those it needs."""

    instruction: str
    earlier: tuple[str, ...]
    reads: tuple[int, ...]


CHOICE_ITEMS: Final = (
    ("Write a Python function that reverses a list.", C),
    ("How are you this morning?", G),
    ("In which year was the bridge opened, according to the report?", R),
    ("Shorten this article to three sentences.", S),
    ("Fix the bug in this JavaScript loop.", C),
    ("Find in the manual which voltage the pump needs.", R),
    ("Tell me a riddle about the moon.", G),
    ("Give me the key points of this meeting transcript.", S),
    ("A class that models a chess board, with tests.", C),
    ("What do our letters say about the price of wool?", R),
)

READS_ITEMS: Final = (
    ReadsItem("Write a function that returns the height.", ("Find the height of the tower.", "Tell a joke."), (0,)),
    ReadsItem("Translate 'good evening' into French.", ("Find the height of the tower.", "Sum up the letter."), ()),
    ReadsItem("Compare the two summaries.", ("Sum up the first letter.", "Sum up the second letter."), (0, 1)),
    ReadsItem(
        "Sum up the passage about the storm.", ("Write a sorting function.", "Find the passage on storms."), (1,)
    ),
    ReadsItem("Explain how that function works.", ("Write a sorting function.", "Find the oldest house."), (0,)),
    ReadsItem("Find out when the mill burnt down.", ("Write a function for areas.", "Sum up the memo."), ()),
    ReadsItem("Add both numbers.", ("Find the number of sheep.", "Find the number of goats."), (0, 1)),
    ReadsItem("Put the answer into one sentence.", ("Write a parser.", "Find out who founded the club."), (1,)),
)

PLAN_ITEMS: Final = (
    PlanItem("Write a Python function that counts the vowels of a word.", (C,)),
    PlanItem(
        "The visitors' book must say how many people came in June. Get me that figure, then I need a little Python "
        "routine that checks a guess against it.",
        (R, C),
        ((0, 1),),
    ),
    PlanItem("Sum up the attached memo in three sentences.", (S,), (), ("memo.txt",)),
    PlanItem(
        "This interview is far too long for the newsletter, two lines would do. By the way, a class that models a bank "
        "account in Python would also come in handy.",
        (S, C),
        (),
        ("interview.txt",),
    ),
    PlanItem(
        "Find out in the archive who built the lighthouse, and then write a function `builder()` that returns that.",
        (R, C),
        ((0, 1),),
    ),
    PlanItem(
        "I wonder whether the notes mention the fire. Whatever turns up, cut it down to one sentence for the mayor.",
        (R, S),
        ((0, 1),),
    ),
    PlanItem("What is 14 times 23?", (G,)),
    PlanItem(
        "Two texts, one job: what each says in a line, please, and below that one line on where they disagree.",
        (S, S, S),
        ((0, 2), (1, 2)),
        ("offer.txt", "reply.txt"),
    ),
    PlanItem("Look up the rainfall of May in the station log and sum it up in a sentence.", (R, S), ((0, 1),)),
    PlanItem("Got a name for a grey cat?", (G,)),
    PlanItem(
        "Condense a.txt to a line and b.txt to a line, then write a paragraph that compares the two.",
        (S, S, S),
        ((0, 2), (1, 2)),
        ("a.txt", "b.txt"),
    ),
    PlanItem("`is_prime(n)`, in Python, quick one; and if you can, a docstring.", (C,)),
    PlanItem("Give me a function that sorts words by length. Then find in the log when the pump failed.", (C, R)),
    PlanItem(
        "Somebody in the minutes promised money for the roof; who, and how much? I want that answer turned into a "
        "one-line reminder.",
        (R, S),
        ((0, 1),),
    ),
)
