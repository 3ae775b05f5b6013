"""What a run may spend: of the run and not of the process, stopped with what is missing, raised by a resume."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember, echo
from hypothesis import given
from hypothesis import strategies as st

from nonet.agents.plan import Plan, Subtask
from nonet.errors import BudgetSpentError, PlanError
from nonet.graphs.ask import ask_specialist
from nonet.graphs.budget import Budget, Limits
from nonet.graphs.context import Decision
from nonet.graphs.events import CallFinished, Event, RunStarted
from nonet.graphs.records import result_of_run
from nonet.graphs.result import RunUsage
from nonet.graphs.run import drive_plan, resume_run, run_task
from nonet.graphs.session import Session
from nonet.runtimes import Usage
from nonet.schema_run import RunOut
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome


def chain(length: int) -> Plan:
    subtasks = [
        Subtask(id=f"s{at}", specialist="a", instruction=f"s{at}", inputs=(f"s{at - 1}",) if at > 1 else ())
        for at in range(1, length + 1)
    ]
    return Plan(planner="user", subtasks=tuple(subtasks))


async def opened(db: Path, member: StaffMember | None = None, **settings: Any) -> Session:
    staff = member or StaffMember("a")
    return await Session.open(Settings(runtime="scripted", db=db, **settings), specialists={staff.name: staff})


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_a_resume_goes_on_with_the_budget_of_the_run(db: Path) -> None:
    async with await opened(db, max_calls=2) as session:
        first = await drive_plan(session, "task", chain(4), ())
    assert (first.status, first.usage.calls) == ("failed", 2)
    assert [subtask.verdict is None for subtask in first.subtasks] == [False, False, True, True]
    assert len(first.missing) == 2
    async with await opened(db) as session:  # the limit is the run's: these settings have none
        again = await resume_run(session, first.run)
        assert (again.status, again.usage.calls) == ("failed", 2)
        raised = await resume_run(session, first.run, limits=Limits(max_calls=3))
        assert (raised.status, raised.usage.calls) == ("failed", 3)
        done = await resume_run(session, first.run, limits=Limits(max_calls=10))
        assert (done.status, done.usage.calls) == ("done", 4)
        assert done.budget == Limits(max_calls=10)
        assert result_of_run(session.store.runs.get(first.run)).budget == Limits(max_calls=10)


async def test_tokens_stop_the_run_before_the_next_call(db: Path) -> None:
    async with await opened(db, max_tokens=1) as session:
        result = await drive_plan(session, "task", chain(3), ())
    assert (result.status, result.usage.calls) == ("failed", 1)
    assert any("of the 1 tokens" in note for note in result.notes)
    assert len(result.missing) == 2


async def test_a_call_that_was_counted_is_not_thrown_away_when_the_next_one_may_not_be_made(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        outcome = await echo(assignment, desk)
        await asyncio.sleep(0.05)
        return outcome

    both = Plan(
        planner="user",
        subtasks=tuple(Subtask(id=f"s{at}", specialist="a", instruction=f"s{at}") for at in (1, 2)),
    )
    async with await opened(db, StaffMember("a", work), max_calls=1) as session:
        result = await drive_plan(session, "task", both, ())
    assert (result.status, result.usage.calls) == ("failed", 1)
    assert [subtask.verdict is None for subtask in result.subtasks] == [False, True]
    assert result.usage.completion_tokens > 0
    assert len(result.missing) == 1


async def test_seconds_stop_a_call_that_hangs(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction == "s2":
            await asyncio.Event().wait()
        return await echo(assignment, desk)

    async with await opened(db, StaffMember("a", work), max_seconds=0.2) as session:
        async with asyncio.timeout(20):
            result = await drive_plan(session, "task", chain(2), ())
        kept = session.store.runs.get(result.run)
    assert result.status == kept.status == "failed"
    assert any("0.2 seconds" in note for note in result.notes)


def test_the_time_a_person_takes_is_not_the_run_s() -> None:
    clock = [0.0]
    budget = Budget(Limits(max_seconds=10.0), clock=lambda: clock[0])
    clock[0] = 4.0
    with budget.paused():
        clock[0] = 104.0
    assert budget.seconds == 4.0
    budget.take_call()
    clock[0] = 111.0
    with pytest.raises(BudgetSpentError, match="10 seconds"):
        budget.take_call()


async def test_a_person_who_thinks_long_does_not_end_the_run() -> None:
    budget = Budget(Limits(max_seconds=1.0))
    async with budget.deadline():
        with budget.paused():
            await asyncio.sleep(1.1)


async def test_the_budget_is_told_and_printed(db: Path) -> None:
    events: list[Event] = []
    async with await opened(db, max_calls=7, max_seconds=900.0) as session:
        result = await drive_plan(session, "task", chain(2), (), on_event=events.append)
    started = next(event for event in events if isinstance(event, RunStarted))
    assert started.budget == Limits(max_calls=7, max_seconds=900.0)
    assert [event.usage.calls for event in events if isinstance(event, CallFinished)] == [1, 2]
    printed = RunOut.model_validate(json.loads(json.dumps(result.to_json())))
    assert printed.budget is not None
    assert (printed.budget.max_calls, printed.budget.max_tokens) == (7, None)
    assert printed.usage.joules is None


async def test_joules_that_are_not_known_are_said_to_bind_nothing(db: Path) -> None:
    async with await opened(db, max_joules=1.0) as session:
        session.energy = None
        result = await drive_plan(session, "task", chain(2), ())
    assert result.status == "done"
    assert any("joules" in note for note in result.notes)


async def test_a_plan_that_is_too_deep_is_refused(db: Path) -> None:
    async with await opened(db, max_depth=2) as session:
        with pytest.raises(PlanError, match="build on one another"):
            await resume_run(session, await _waiting(db), decision=Decision("edit", chain(3)))


async def _waiting(db: Path) -> str:
    async with await opened(db) as session:
        return (await run_task(session, "do something", wants_approval=True)).run


@given(
    st.integers(1, 20),
    st.lists(st.integers(0, 400), max_size=30),
    st.integers(0, 20),
    st.integers(1, 5000),
)
def test_no_budget_is_ever_passed(most_calls: int, calls: list[int], before: int, most_tokens: int) -> None:
    """Calls to the letter; tokens by no more than the call that passed them."""
    budget = Budget(Limits(most_calls, most_tokens), RunUsage(calls=before), clock=lambda: 0.0)
    used = 0
    for tokens in calls:
        try:
            budget.take_call()
        except BudgetSpentError:
            assert before + budget.calls >= most_calls or used >= most_tokens
            break
        assert used < most_tokens
        used += tokens
        budget.add(Usage(prompt_tokens=tokens))
    assert budget.calls <= max(0, most_calls - before)


async def test_asking_one_specialist_shows_its_budget_and_what_is_missing(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await echo(assignment, desk)
        return await echo(assignment, desk)

    async with await opened(db, StaffMember("a", work), max_calls=1) as session:
        result = await ask_specialist(session, "a", "Do it.")
    assert result.budget == Limits(max_calls=1)
    assert result.usage.calls == 1
    assert len(result.missing) == 1
    assert any("1 calls" in note for note in result.notes)
