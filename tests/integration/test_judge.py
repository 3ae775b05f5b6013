"""A model as a judge: last, only where it was measured to be one, and only where its word can change something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.specialists import StaffMember, Work

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.result import RunResult
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict

SMALL, LARGE = "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"


async def plain(assignment: Assignment, desk: Desk) -> Outcome:
    text = (await desk.chat([Message("user", assignment.instruction)])).text
    return Outcome(text, Verdict.UNVERIFIED)


def script(request: ChatRequest) -> str:
    """The small model answers wrongly and judges rightly."""
    if request.schema is not None:
        return json.dumps({"right": "no" if "Lyon" in request.messages[-1].content else "yes"})
    return "Lyon." if request.model == SMALL else "Paris."


async def run_one(
    db: Path,
    *,
    right: int,
    name: str = "a",
    work: Work = plain,
    ladder: tuple[str, ...] = (SMALL, LARGE),
    **settings: int,
) -> tuple[RunResult, list[ChatRequest]]:
    chosen = Settings(runtime="scripted", db=db, models={name: list(ladder)}, **settings)  # type: ignore[arg-type]
    staff = {name: StaffMember(name, work)}
    async with await Session.open(chosen, specialists=staff) as session:
        info = await session.runtime.describe(SMALL)
        profile = json.dumps({"judge_right": right, "judge_asked": 12})
        session.store.models.save_profile("scripted", SMALL, info.digest, profile)
    async with await Session.open(chosen, specialists=staff) as session:
        runtime = ScriptedRuntime(script)
        await session.scheduler.aclose()
        session.runtime, session.scheduler = runtime, Scheduler(runtime)
        subtask = Subtask(id="s1", specialist=name, instruction="What is the capital of France?")
        result = await drive_plan(session, "task", Plan(planner="user", subtasks=(subtask,)), ())
        return result, list(runtime.requests)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_a_judge_that_was_measured_sends_a_wrong_answer_up(db: Path) -> None:
    result, asked = await run_one(db, right=11)
    assert [(request.model, request.schema is not None) for request in asked] == [
        (SMALL, False),
        (SMALL, True),
        (LARGE, False),
    ]  # the last rung is judged by nobody: there is nowhere to climb to
    assert result.subtasks[0].text == "Paris."
    assert result.usage.calls == 3
    assert any("did not pass" in note for note in result.notes)


async def test_a_model_that_judges_like_a_coin_is_not_asked(db: Path) -> None:
    result, asked = await run_one(db, right=9)
    assert [request.model for request in asked] == [SMALL]
    assert result.subtasks[0].text == "Lyon."


async def test_nobody_is_asked_where_nothing_larger_is_there(db: Path) -> None:
    _, asked = await run_one(db, right=12, ladder=(SMALL,))
    assert len(asked) == 1


async def test_what_is_proved_or_doubted_needs_no_judge(db: Path) -> None:
    async def proved(assignment: Assignment, desk: Desk) -> Outcome:
        await plain(assignment, desk)
        return Outcome("It is.", Verdict.VERIFIED, (Evidence("tests", passed=True, detail="1 of 1"),))

    _, asked = await run_one(db, right=12, work=proved)
    assert len(asked) == 1
    _, asked = await run_one(db.with_name("other.db"), right=12, name="retrieval")
    assert len(asked) == 1


async def test_a_budget_without_a_call_for_the_judge_keeps_the_answer(db: Path) -> None:
    result, asked = await run_one(db, right=12, max_calls=1)
    assert len(asked) == 1
    assert result.status == "done"
    assert result.subtasks[0].evidence[-1].kind == "judge"
    assert result.subtasks[0].evidence[-1].passed is None
