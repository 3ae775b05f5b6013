"""What a user may change about a plan, and how the prompt talks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pytest

from nonet.agents.plan import Plan, Subtask
from nonet.approval import EditError, asker, edited
from nonet.live import QuietView

SPECIALISTS = dict.fromkeys(("code", "retrieval", "summarization", "general"))
NAMES = frozenset(SPECIALISTS)
PLAN = Plan(
    planner="rules",
    subtasks=(
        Subtask(id="s1", specialist="retrieval", instruction="find it"),
        Subtask(id="s2", specialist="summarization", instruction="shorten it", inputs=("s1",)),
        Subtask(id="s3", specialist="code", instruction="write it", inputs=("s2", "s1")),
    ),
)


def test_dropping_hands_the_inputs_on() -> None:
    plan = edited(PLAN, "drop s2", NAMES, 12)
    assert [each.id for each in plan.subtasks] == ["s1", "s3"]
    assert plan.subtask("s3").inputs == ("s1",)
    assert plan.planner == "user"


def test_rerouting_and_rewording() -> None:
    plan = edited(edited(PLAN, "reroute s3 general", NAMES, 12), "reword  s3  say it plainly", NAMES, 12)
    assert (plan.subtask("s3").specialist, plan.subtask("s3").instruction) == ("general", "say it plainly")


def test_adding_a_subtask_and_what_it_reads() -> None:
    plan = edited(PLAN, "add general Is it any good? <- s3, notes.md", NAMES, 12)
    added = plan.subtasks[-1]
    assert (added.id, added.specialist, added.instruction) == ("s4", "general", "Is it any good?")
    assert (added.inputs, added.documents) == (("s3",), ("notes.md",))
    assert edited(PLAN, "add code write more", NAMES, 12).subtasks[-1].inputs == ()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("add", "wants a specialist"),
        ("add code", "what it should do"),
        ("add poet write", "'poet', which does not exist"),
        ("add code write it <- s2, s2", "names an input twice"),
        ("explode", "not understood"),
        ("drop s9", "There is no subtask 's9'; there are s1, s2, s3"),
        ("drop", "There is no subtask ''"),
        ("reroute s1 poet", "'poet', which does not exist"),
        ("reroute s1", "wants a specialist"),
        ("reword s1  ", "wants a text"),
    ],
)
def test_a_wrong_change_is_explained(command: str, says: str) -> None:
    with pytest.raises(EditError, match=says):
        edited(PLAN, command, NAMES, 12)


def test_the_last_subtask_cannot_be_dropped() -> None:
    one = Plan(planner="rules", subtasks=(Subtask(id="s1", specialist="code", instruction="x"),))
    with pytest.raises(EditError, match="could not run"):
        edited(one, "drop s1", NAMES, 12)


def typing(lines: Iterable[str]) -> Callable[[], Awaitable[str]]:
    """A user who types these lines and then ends the input."""
    left = iter(lines)

    async def read() -> str:
        return next(left, "")

    return read


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["\n"], "accept"),
        (["accept\n"], "accept"),
        (["nonsense\n", "y\n"], "accept"),
        (["refuse\n"], "refuse"),
        ([], "refuse"),
        (["drop s2\n", "accept\n"], "edit"),
        (["drop s2\n", "n\n"], "refuse"),
    ],
)
async def test_the_conversation(lines: list[str], kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    decision = await asker(QuietView(), SPECIALISTS, 12, typing(lines))(PLAN)
    assert decision.kind == kind
    assert (decision.plan is not None) == (kind == "edit")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "find it" in captured.err
