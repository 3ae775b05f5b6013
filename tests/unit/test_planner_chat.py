"""Requests as people type them: told before they are asked, in small letters, short, with the order turned round."""

from __future__ import annotations

import pytest

from nonet.agents.documents import DocumentInfo
from nonet.agents.planner import RulePlanner
from nonet.agents.router import Router
from nonet.specialists.general import GeneralSpecialist

NAMES = ("code", "general", "retrieval", "summarization")
PLANNER = RulePlanner(
    Router({name: GeneralSpecialist.examples if name == "general" else () for name in NAMES}), memory=True
)


def docs(*names: str) -> list[DocumentInfo]:
    return [DocumentInfo(name) for name in names]


async def shape(request: str, attached: str = "", collection: str = "") -> list[tuple[str, ...]]:
    plan = await PLANNER.plan(request, attached=docs(*attached.split()), collection=docs(*collection.split()))
    return [(subtask.specialist, *subtask.inputs) for subtask in plan.subtasks]


@pytest.mark.parametrize(
    "request_",
    [
        "I'm moving house in May. The agreement is attached. Which clause covers pets?",
        "My neighbour has sent a long letter about the hedge. When does he want it cut?",
        "If the policy covers hail, quote me the sentence.",
    ],
)
async def test_what_is_told_before_a_question_is_no_work(request_: str) -> None:
    assert await shape(request_, "letter.txt") == [("retrieval",)]


async def test_the_work_may_be_told_after_before() -> None:
    assert await shape(
        "before you write the backup script, look up in the wiki where the disks are", "", "wiki.md"
    ) == [
        ("retrieval",),
        ("code", "s1"),
    ]


async def test_a_look_up_asked_last_comes_first() -> None:
    request = "I want a function toll(weight) but it has to use the tariff from the handbook, so look that up first"
    assert await shape(request, "", "handbook.md") == [("retrieval",), ("code", "s1")]


async def test_what_was_found_told_anew_is_work_of_its_own() -> None:
    request = "Find the rule on draws in chess.txt, explain it in one sentence"
    assert await shape(request, "", "chess.txt") == [("retrieval",), ("summarization", "s1")]


async def test_a_function_is_made_of_what_was_found_and_not_of_its_summary() -> None:
    request = "find the clause on leave, sum it up in a line, and give me a python function days(years) that follows it"
    assert await shape(request, "", "handbook.md") == [("retrieval",), ("summarization", "s1"), ("code", "s1")]


async def test_a_question_after_a_summary_is_asked_of_the_document() -> None:
    assert await shape("pls shorten the study, no time today. also who paid for it?", "study.pdf") == [
        ("summarization",),
        ("retrieval",),
    ]


async def test_a_question_of_each_document_before_what_is_made_of_both() -> None:
    request = "what does the guide say on frost, and what does the almanac say on hail? put it in one short paragraph"
    assert await shape(request, "", "guide.md almanac.md") == [
        ("retrieval",),
        ("retrieval",),
        ("summarization", "s1", "s2"),
    ]


async def test_two_questions_and_nothing_more_are_one_look_up() -> None:
    request = "what does the guide say on frost, and what does the almanac say on hail?"
    assert await shape(request, "", "guide.md almanac.md") == [("retrieval",)]


async def test_names_as_they_are_typed() -> None:
    request = "chapter 1 in two sentences and chapter 2 in three sentences, pls"
    plan = await PLANNER.plan(request, attached=docs("chapter1.txt", "chapter2.txt", "chapter3.txt"))
    assert [subtask.documents for subtask in plan.subtasks] == [("chapter1.txt",), ("chapter2.txt",)]


@pytest.mark.parametrize("request_", ["forget it", "say something kind about rain"])
async def test_what_no_word_assigns_to_anybody_goes_to_the_model_itself(request_: str) -> None:
    assert await shape(request_) == [("general",)]


async def test_a_noun_that_could_be_an_order_is_none() -> None:
    assert len(await shape("sort a list of tuples by date then name, one liner please")) == 1


async def test_what_a_document_gives_is_found_before_code_is_made_of_it() -> None:
    request = "if the manual gives a width for the shelf, make me a python constant of it"
    assert await shape(request, "", "manual.pdf") == [("retrieval",), ("code", "s1")]


async def test_a_question_and_where_its_answer_is_are_one_look_up() -> None:
    request = "How do I leave the choir? Look it up in the bylaws and draft a brief letter that follows the procedure."
    assert await shape(request, "", "bylaws.md") == [("retrieval",), ("summarization", "s1")]


async def test_what_follows_a_question_still_says_what_is_wanted() -> None:
    request = "do the two posters say the same thing? just the differences, in a short list"
    assert await shape(request, "poster1.txt poster2.txt") == [("summarization",)]
