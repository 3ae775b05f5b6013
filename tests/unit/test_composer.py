"""The answer, and what it is worth."""

from __future__ import annotations

import pytest

from nonet.agents.composer import SubtaskText, compose
from nonet.agents.plan import Plan, Subtask
from nonet.agents.reviewer import review
from nonet.specialists import Citation, Verdict

VERIFIED, UNVERIFIED, FAILED = Verdict.VERIFIED, Verdict.UNVERIFIED, Verdict.FAILED
QUOTE = Citation("a.md", "It rained.", 0, 10)

ONE = Plan(planner="rules", subtasks=(Subtask(id="s1", specialist="code", instruction="write it"),))
CHAIN = Plan(
    planner="rules",
    subtasks=(
        Subtask(id="s1", specialist="retrieval", instruction="find it"),
        Subtask(id="s2", specialist="code", instruction="write it", inputs=("s1",)),
    ),
)
PAIR = Plan(
    planner="rules",
    subtasks=(
        Subtask(id="s1", specialist="retrieval", instruction="find the date, quickly"),
        Subtask(id="s2", specialist="code", instruction="# write\nit"),
    ),
)


def test_one_leaf_is_the_answer_as_it_is() -> None:
    composition = compose("t", ONE, {"s1": SubtaskText("def f(): ...", VERIFIED)})
    assert composition.answer == "def f(): ..."


def test_of_a_chain_the_leaf_answers_and_all_are_cited() -> None:
    results = {"s1": SubtaskText("It rained.", VERIFIED, (QUOTE, QUOTE)), "s2": SubtaskText("code", VERIFIED, (QUOTE,))}
    composition = compose("t", CHAIN, results)
    assert composition.answer == "code"
    assert composition.citations == (QUOTE,)


def test_a_question_of_the_user_is_answered_also_where_another_part_builds_on_it() -> None:
    task = "How much is the late fee, and write a function that returns it."
    asked = CHAIN.model_copy(
        update={
            "subtasks": (
                Subtask(id="s1", specialist="retrieval", instruction="How much is the late fee"),
                Subtask(id="s2", specialist="code", instruction="write a function that returns it", inputs=("s1",)),
            )
        }
    )
    results = {"s1": SubtaskText("25 pounds", VERIFIED), "s2": SubtaskText("code", VERIFIED)}
    assert compose(task, asked, results).answer == (
        "## 1. How much is the late fee\n\n25 pounds\n\n## 2. Write a function that returns it\n\ncode"
    )
    assert compose("What is due?", asked, results).answer == "code", "what a planner asks on the way is no answer"


def test_several_leaves_are_sections_in_plan_order() -> None:
    results = {"s1": SubtaskText("1931", VERIFIED), "s2": SubtaskText("code", UNVERIFIED)}
    assert compose("t", PAIR, results).answer == "## 1. Find the date, quickly\n\n1931\n\n## 2. Write it\n\ncode"


def test_what_failed_is_named() -> None:
    answer = compose("t", PAIR, {"s1": SubtaskText("", FAILED)}).answer
    assert "s1 (retrieval) failed and gave nothing" in answer
    assert "s2 (code) was not run" in answer
    behind = compose("t", CHAIN, {"s1": SubtaskText("?", FAILED), "s2": SubtaskText("code", UNVERIFIED)}).answer
    assert behind.startswith("code")
    assert "s1 (retrieval), which this builds on, failed" in behind
    wrong = compose("t", ONE, {"s1": SubtaskText("def f(", FAILED)}).answer
    assert "failed its checks" in wrong
    assert "def f(" in wrong


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (VERIFIED, VERIFIED, VERIFIED),
        (UNVERIFIED, VERIFIED, UNVERIFIED),
        (VERIFIED, UNVERIFIED, UNVERIFIED),
        (FAILED, VERIFIED, UNVERIFIED),
        (VERIFIED, FAILED, FAILED),
    ],
)
def test_the_verdict_of_a_chain(first: Verdict, second: Verdict, wanted: Verdict) -> None:
    result = review(CHAIN, {"s1": SubtaskText("a", first), "s2": SubtaskText("b", second)})
    assert result.verdict is wanted
    assert bool(result.missing) == (FAILED in {first, second})


def test_what_was_not_run_is_missing() -> None:
    result = review(PAIR, {"s1": SubtaskText("a", VERIFIED)})
    assert result.verdict is FAILED
    assert result.missing == ("s2 (code) was not run: # write it",)
    assert review(PAIR, {}).verdict is FAILED
