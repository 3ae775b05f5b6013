"""The ladder of models: what is tried again, what goes up, and where climbing would be of no use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember, Work

from nonet.agents.plan import Plan, Subtask
from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    CallTimeoutError,
    ContextOverflowError,
    NonetError,
    RuntimeBusyError,
    RuntimeUnavailableError,
)
from nonet.graphs.budget import Limits
from nonet.graphs.documents import add_documents
from nonet.graphs.result import RunResult
from nonet.graphs.run import drive_plan, resume_run
from nonet.graphs.session import Session
from nonet.runtimes import Message, ModelInfo
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import Fault, ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.specialists.general import GeneralSpecialist

TINY, SMALL, LARGE = "smollm2:135m", "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"
ONE = Plan(planner="user", subtasks=(Subtask(id="s1", specialist="a", instruction="Do it."),))


async def session_with(db: Path, work: Work, **settings: Any) -> tuple[Session, StaffMember]:
    member = StaffMember("a", work)
    chosen = Settings(**{"runtime": "scripted", "db": db, "models": {"a": [SMALL, LARGE]}, **settings})
    return await Session.open(chosen, specialists={"a": member}), member


async def run_one(db: Path, work: Work, **settings: Any) -> tuple[RunResult, StaffMember]:
    session, member = await session_with(db, work, **settings)
    async with session:
        return await drive_plan(session, "task", ONE, ()), member


def raising(errors: dict[str, NonetError]) -> Work:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if desk.model in errors:
            raise errors[desk.model]
        text = (await desk.chat([Message("user", assignment.instruction)])).text
        return Outcome(text, Verdict.UNVERIFIED)

    return work


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_a_server_that_refuses_us_is_asked_once(db: Path) -> None:
    result, member = await run_one(db, raising({SMALL: AccessRefusedError("403")}))
    assert member.models == [SMALL]
    assert (result.status, result.usage.escalations) == ("failed", 0)


async def test_a_refused_request_goes_to_the_next_model_at_once(db: Path) -> None:
    result, member = await run_one(db, raising({SMALL: BadRequestError("It knows no such schema.")}))
    assert member.models == [SMALL, LARGE]
    assert result.status == "done"


async def test_what_fits_no_window_is_tried_once(db: Path) -> None:
    result, member = await run_one(db, raising({SMALL: ContextOverflowError("Too long.", prompt_tokens=9000)}))
    assert member.models == [SMALL]
    assert result.usage.escalations == 0
    assert any("its window is no larger" in note for note in result.notes)
    assert result.subtasks[0].evidence[0].kind == "context"


async def test_a_time_out_says_nothing_about_a_text(db: Path) -> None:
    result, member = await run_one(db, raising({SMALL: CallTimeoutError("It did not begin.")}), max_attempts=1)
    assert member.models == [SMALL, LARGE]
    assert result.status == "done"
    assert member.seen[1].feedback == ()


async def test_a_server_that_never_answers_costs_three_time_outs_however_long_the_ladder_is(db: Path) -> None:
    silent = raising(dict.fromkeys((TINY, SMALL, LARGE), CallTimeoutError("It did not begin.")))
    result, member = await run_one(db, silent, models={"a": [TINY, SMALL, LARGE]}, max_attempts=2)
    assert member.models == [TINY, TINY, SMALL]
    assert result.status == "failed"
    assert any("run out of time" in note for note in result.notes)


async def test_a_busy_server_is_not_asked_for_a_larger_model(db: Path) -> None:
    result, member = await run_one(db, raising({SMALL: RuntimeBusyError("503")}))
    assert member.models == [SMALL]
    assert result.status == "failed"
    assert any("busy" in note for note in result.notes)


async def test_all_that_was_wrong_goes_up(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        number = len(member.seen)
        return Outcome(f"text {number}", Verdict.FAILED, (Evidence("tests", passed=False, detail=f"wrong {number}"),))

    session, member = await session_with(db, work, max_attempts=2)
    async with session:
        await drive_plan(session, "task", ONE, ())
    assert member.models == [SMALL, SMALL, LARGE, LARGE]
    assert [item.detail for item in member.seen[2].feedback] == ["wrong 2", "wrong 1"]
    assert member.seen[2].previous == "text 2"


async def test_of_equal_results_the_larger_model_s_stands(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        return Outcome(desk.model, Verdict.UNVERIFIED, (Evidence("overlap", passed=False, detail="little"),))

    result, _ = await run_one(db, work)
    assert result.subtasks[0].text == LARGE


async def test_a_bar_that_was_set_sends_plain_answers_up(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        return Outcome(desk.model, Verdict.UNVERIFIED)

    session, member = await session_with(db, work)
    async with session:
        session.bars = {"a": 0.7}
        result = await drive_plan(session, "task", ONE, ())
    assert member.models == [SMALL, LARGE]
    assert result.subtasks[0].text == LARGE


async def test_general_repairs_from_what_was_wrong(db: Path) -> None:
    """A wrong sum goes up with the answer it stands in."""
    runtime = ScriptedRuntime([("did not pass its checks", "2 + 2 = 4, so four."), ("2 and 2", "2 + 2 = 5, so five.")])
    session = await Session.open(
        Settings(runtime="scripted", db=db, models={"general": [SMALL, LARGE]}),
        specialists={"general": GeneralSpecialist()},
    )
    async with session:
        session.runtime, session.scheduler = runtime, Scheduler(runtime)
        plan = Plan(planner="user", subtasks=(Subtask(id="s1", specialist="general", instruction="Add 2 and 2."),))
        result = await drive_plan(session, "task", plan, ())
    assert result.answer == "2 + 2 = 4, so four."
    assert [request.model for request in runtime.requests] == [SMALL, LARGE]
    assert "2 + 2 = 5 is wrong, it is 4" in runtime.requests[1].messages[-1].content


async def test_general_refuses_what_does_not_fit_and_a_larger_window_takes_it(db: Path) -> None:
    models = [ModelInfo("tiny", 64), ModelInfo("wide", 4096)]
    runtime = ScriptedRuntime(models=models)
    session = await Session.open(Settings(runtime="scripted", db=db), specialists={"general": GeneralSpecialist()})
    async with session:
        session.runtime, session.scheduler = runtime, Scheduler(runtime)
        session.ladders = {"general": ("tiny", "wide")}
        question = "Which of these is the longest? " + " ".join(f"word{number}" for number in range(100))
        plan = Plan(planner="user", subtasks=(Subtask(id="s1", specialist="general", instruction=question),))
        result = await drive_plan(session, "task", plan, ())
    assert [request.model for request in runtime.requests] == ["wide"]  # nothing was sent that would not fit
    assert "did not pass" not in runtime.requests[0].messages[-1].content  # that it did not fit is no finding
    assert (result.status, result.usage.calls) == ("done", 1)


async def test_a_call_that_breaks_off_once_is_made_again(db: Path) -> None:
    session, member = await session_with(db, raising({}))
    async with session:
        assert isinstance(session.runtime, ScriptedRuntime)
        session.runtime.fail(Fault(CallTimeoutError("It stalled."), after_tokens=1))
        result = await drive_plan(session, "task", ONE, ())
    assert member.models == [SMALL, SMALL]
    assert (result.status, result.usage.calls) == ("done", 2)


async def test_an_interrupted_ladder_goes_on_where_it_stood(db: Path) -> None:
    """What a model failed at is not asked of it again, unless there is something new."""
    away = True

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if away and len(member.seen) == 2:
            raise RuntimeUnavailableError("The server went away.")
        text = (await desk.chat([Message("user", assignment.instruction)])).text
        if desk.model == LARGE:
            return Outcome(text, Verdict.VERIFIED, (Evidence("tests", passed=True, detail="right"),))
        return Outcome("draft", Verdict.FAILED, (Evidence("tests", passed=False, detail=f"wrong {len(member.seen)}"),))

    session, member = await session_with(db, work, max_attempts=2)
    async with session:
        with pytest.raises(RuntimeUnavailableError):
            await drive_plan(session, "task", ONE, ())
    assert member.models == [SMALL, SMALL]
    away = False
    session, again = await session_with(db, work, max_attempts=2)
    member = again
    async with session:
        result = await resume_run(session, "last")
    assert again.models == [SMALL, LARGE]  # the second attempt of two was cut off; the first is not made again
    assert [item.detail for item in again.seen[0].feedback] == ["wrong 1"]
    assert (result.status, result.usage.calls, result.usage.escalations) == ("done", 3, 1)


async def test_a_doubt_stands_where_no_call_is_left_to_settle_it(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        for _ in range(2):
            await desk.chat([Message("user", assignment.instruction)])
        return Outcome(f"of {desk.model}", Verdict.UNVERIFIED, (Evidence("a", passed=False, detail="a doubt"),))

    for most_calls, models in ((2, [SMALL]), (3, [SMALL, LARGE])):
        result, member = await run_one(db, work, max_calls=most_calls)
        assert (result.status, result.usage.calls, result.missing) == ("done", most_calls, ())
        assert (result.subtasks[0].text, result.verdict) == (f"of {SMALL}", Verdict.UNVERIFIED)
        assert member.models == models, "a model that may not be asked is not begun with"
        assert any(LARGE in note and f"made the {most_calls} calls it may make" in note for note in result.notes)


async def test_what_failed_is_missing_where_no_call_is_left_to_repair_it(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        text = (await desk.chat([Message("user", assignment.instruction)])).text
        return Outcome(text, Verdict.FAILED, (Evidence("a", passed=False, detail="wrong"),))

    result, _ = await run_one(db, work, max_calls=1)
    assert (result.status, result.usage.calls, len(result.missing)) == ("failed", 1, 1)
    assert result.subtasks[0].verdict is None
    session, _ = await session_with(db, work)
    async with session:
        again = await resume_run(session, result.run, limits=Limits(max_calls=2))
    assert again.usage.calls == 2


async def test_a_changed_document_is_new_evidence(db: Path, tmp_path: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        if away and len(member.seen) == 2:
            raise RuntimeUnavailableError("The server went away.")
        return Outcome("draft", Verdict.FAILED, (Evidence("tests", passed=False, detail="wrong"),))

    away = True
    session, member = await session_with(db, work, max_attempts=2)
    async with session:
        with pytest.raises(RuntimeUnavailableError):
            await drive_plan(session, "task", ONE, ())
    away = False
    session, member = await session_with(db, work, max_attempts=2)
    note = tmp_path / "note.md"
    note.write_text("New.", encoding="utf-8")
    async with session:
        add_documents(session.store, [note])
        await resume_run(session, "last")
    assert member.models[:2] == [SMALL, SMALL]


@pytest.mark.parametrize("text", ["", "yes and no " * 200, "I'm sorry, I cannot help with that."])
async def test_a_specialist_without_checks_gets_those_of_any_text(db: Path, text: str) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        return Outcome(text, Verdict.UNVERIFIED)

    result, member = await run_one(db, work)
    assert result.status == "failed"
    assert LARGE in member.models
    assert result.subtasks[0].evidence[0].kind == "degeneration"
