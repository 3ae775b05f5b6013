"""Runs through the graph, the executor and the store, on the scripted runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember, echo

from nonet.agents.plan import Plan, Subtask
from nonet.errors import PlanError, RunLeasedError, RunNotFoundError, RuntimeUnavailableError, TaskError, UsageError
from nonet.graphs.ask import ask_specialist
from nonet.graphs.context import Decision
from nonet.graphs.events import Event, Notice, SubtaskFinished
from nonet.graphs.run import drive_plan, resume_run, run_task
from nonet.graphs.session import Session
from nonet.runtimes import Message
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.store import Store

SMALL, LARGE = "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"


async def opened(db: Path, *staff: StaffMember, **settings: Any) -> Session:
    chosen = Settings(runtime="scripted", db=db, **settings)
    return await Session.open(chosen, specialists={member.name: member for member in staff})


def plan_of(*subtasks: tuple[str, str, tuple[str, ...]]) -> Plan:
    """(id, specialist, inputs); the id is the instruction, too."""
    return Plan(
        planner="user",
        subtasks=tuple(
            Subtask(id=name, specialist=specialist, instruction=name, inputs=inputs)
            for name, specialist, inputs in subtasks
        ),
    )


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_nothing_is_built_on_a_search_that_found_nothing(db: Path) -> None:
    async def search(_assignment: Assignment, _desk: Desk) -> Outcome:
        return Outcome("I found nothing.", Verdict.UNVERIFIED, data={"found": False})

    plan = plan_of(("s1", "search", ()), ("s2", "a", ("s1",)), ("s3", "a", ()))
    async with await opened(db, StaffMember("search", search), StaffMember("a")) as session:
        result = await drive_plan(session, "task", plan, ())
    verdicts = {subtask.id: subtask.verdict for subtask in result.subtasks}
    assert (verdicts["s1"], verdicts["s2"], verdicts["s3"]) == (
        Verdict.UNVERIFIED, Verdict.FAILED, Verdict.UNVERIFIED,
    )  # fmt: skip
    [s2] = [subtask for subtask in result.subtasks if subtask.id == "s2"]
    assert s2.evidence[0].detail == "not run: it reads s1, which failed or found nothing"


async def test_inputs_travel_and_nothing_else(db: Path) -> None:
    member = StaffMember("a")
    plan = plan_of(("s1", "a", ()), ("s2", "a", ()), ("s3", "a", ("s1",)))
    async with await opened(db, member) as session:
        result = await drive_plan(session, "task", plan, ())
    texts = {subtask.id: subtask.text for subtask in result.subtasks}
    assert texts == {"s1": "s1", "s2": "s2", "s3": "s3 <s1>"}
    assert result.status == "done"
    assert result.verdict is Verdict.UNVERIFIED
    assert result.usage.calls == 3
    assert result.usage.prompt_tokens > 0


async def test_a_slow_branch_holds_nothing_back(db: Path) -> None:
    slow_may_end = asyncio.Event()
    order: list[str] = []

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction == "s1":
            await slow_may_end.wait()
        order.append(assignment.instruction)
        if assignment.instruction == "s4":
            slow_may_end.set()  # the whole chain beside it has ended first
        return await echo(assignment, desk)

    plan = plan_of(("s1", "a", ()), ("s2", "a", ()), ("s3", "a", ("s2",)), ("s4", "a", ("s3",)), ("s5", "a", ("s1",)))
    async with await opened(db, StaffMember("a", work)) as session:
        async with asyncio.timeout(10):
            await drive_plan(session, "task", plan, ())
    assert order == ["s2", "s3", "s4", "s1", "s5"]


async def test_resume_repeats_nothing_that_was_finished(db: Path) -> None:
    broken = True

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction == "s2" and broken:
            raise RuntimeUnavailableError("The server went away.")
        return await echo(assignment, desk)

    member = StaffMember("a", work)
    plan = plan_of(("s1", "a", ()), ("s2", "a", ("s1",)), ("s3", "a", ("s2",)))
    async with await opened(db, member) as session:
        with pytest.raises(RuntimeUnavailableError):
            await drive_plan(session, "task", plan, ())
        kept = session.store.runs.get("last")
    assert kept.status == "interrupted"
    assert [record.id for record in kept.subtasks] == ["s1"]

    broken = False
    events: list[Event] = []
    async with await opened(db, member) as session:
        result = await resume_run(session, "last", on_event=events.append)
        assert session.store.runs.get(kept.id).status == "done"
    assert [assignment.instruction for assignment in member.seen] == ["s1", "s2", "s2", "s3"]
    assert [event.reused for event in events if isinstance(event, SubtaskFinished)] == [True, False, False]
    assert result.subtasks[2].text == "s3 <s2 <s1>>"
    assert result.usage.calls == 3


async def test_a_cancelled_run_can_be_resumed(db: Path) -> None:
    started = asyncio.Event()
    blocked = True

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction == "s2" and blocked:
            started.set()
            await asyncio.sleep(60)
        return await echo(assignment, desk)

    member = StaffMember("a", work)
    async with await opened(db, member) as session:
        run = asyncio.create_task(drive_plan(session, "task", plan_of(("s1", "a", ()), ("s2", "a", ("s1",))), ()))
        await started.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert session.store.runs.get("last").status == "interrupted"
        blocked = False
        result = await resume_run(session, "last")
    assert result.status == "done"
    assert [assignment.instruction for assignment in member.seen] == ["s1", "s2", "s2"]


async def test_a_done_run_is_shown_not_run_again(db: Path) -> None:
    member = StaffMember("a")
    async with await opened(db, member) as session:
        first = await drive_plan(session, "task", plan_of(("s1", "a", ())), ())
        again = await resume_run(session, first.run)
    assert len(member.seen) == 1
    assert again.answer == first.answer
    assert again.usage.calls == 1
    assert again.subtasks == first.subtasks


def failing(details: Mapping[str, list[str]]) -> StaffMember:
    """Fails with the next detail of the model at work, and passes when there is none left."""
    left = {model: list(each) for model, each in details.items()}

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        todo = left[desk.model]
        if todo:
            return Outcome("draft", Verdict.FAILED, (Evidence("tests", passed=False, detail=todo.pop(0)),))
        return Outcome("good", Verdict.VERIFIED, (Evidence("tests", passed=True, detail="1 of 1"),))

    return StaffMember("a", work)


async def run_one(db: Path, member: StaffMember, **settings: Any) -> Any:
    events: list[Event] = []
    async with await opened(db, member, models={"a": [SMALL, LARGE]}, **{"max_attempts": 2, **settings}) as session:
        result = await drive_plan(session, "task", plan_of(("s1", "a", ())), (), on_event=events.append)
    return result, events


async def test_repair_sees_the_evidence(db: Path) -> None:
    member = failing({SMALL: ["got 3, expected 4"]})
    result, _ = await run_one(db, member)
    assert member.models == [SMALL, SMALL]
    assert member.seen[1].feedback[0].detail == "got 3, expected 4"
    assert member.seen[1].previous == "draft"
    assert result.verdict is Verdict.VERIFIED
    assert result.subtasks[0].attempts == 2
    assert result.usage.escalations == 0


async def test_the_ladder_is_climbed_and_said(db: Path) -> None:
    member = failing({SMALL: ["one", "two", "three"], LARGE: []})
    result, events = await run_one(db, member)
    assert member.models == [SMALL, SMALL, LARGE]
    assert result.subtasks[0].model == LARGE
    assert result.usage.escalations == 1
    assert any(isinstance(event, Notice) and event.kind == "escalation" for event in events)
    assert any(LARGE in note for note in result.notes)


async def test_the_same_result_twice_is_enough(db: Path) -> None:
    member = failing({SMALL: ["same", "same", "same"], LARGE: []})
    await run_one(db, member, max_attempts=5)
    assert member.models == [SMALL, SMALL, LARGE]
    assert [assignment.attempt for assignment in member.seen] == [1, 2, 1]


async def test_doubts_go_to_a_larger_model_and_the_best_stands(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        await desk.chat([Message("user", assignment.instruction)])
        doubt = Evidence("overlap", passed=False, detail="little of it is in the text")
        more = () if desk.model == SMALL else (Evidence("length", passed=False, detail="too long"),)
        return Outcome(desk.model, Verdict.UNVERIFIED, (doubt, *more))

    member = StaffMember("a", work)
    result, _ = await run_one(db, member)
    assert member.models == [SMALL, LARGE]
    assert result.status == "done"
    assert result.subtasks[0].text == SMALL
    assert result.subtasks[0].model == SMALL


async def test_a_failure_without_a_call_is_not_repeated(db: Path) -> None:
    async def work(_assignment: Assignment, _desk: Desk) -> Outcome:
        return Outcome("", Verdict.FAILED, (Evidence("input", passed=False, detail="there is no text to sum up"),))

    member = StaffMember("a", work)
    result, _ = await run_one(db, member)
    assert member.models == [SMALL]
    assert result.status == "failed"
    assert result.usage.escalations == 0


async def test_when_all_rungs_fail_the_run_says_so(db: Path) -> None:
    member = failing({SMALL: ["a", "b"], LARGE: ["c", "d"]})
    result, _ = await run_one(db, member)
    assert result.status == "failed"
    assert result.verdict is Verdict.FAILED
    assert result.missing
    assert len(member.seen) == 4


async def test_nothing_is_built_on_a_failure(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction == "s1":
            return Outcome("wrong", Verdict.FAILED, (Evidence("tests", passed=False, detail="no"),))
        return await echo(assignment, desk)

    member = StaffMember("a", work)
    plan = plan_of(("s1", "a", ()), ("s2", "a", ("s1",)), ("s3", "a", ()))
    async with await opened(db, member) as session:
        result = await drive_plan(session, "task", plan, ())
    verdicts = {subtask.id: subtask.verdict for subtask in result.subtasks}
    assert verdicts == {"s1": Verdict.FAILED, "s2": Verdict.FAILED, "s3": Verdict.UNVERIFIED}
    assert result.subtasks[1].attempts == 0
    assert "s1" in result.subtasks[1].evidence[0].detail
    assert "s3" in result.answer


async def test_a_failed_subtask_is_tried_again_on_resume(db: Path) -> None:
    member = failing({SMALL: ["a", "b"], LARGE: ["c", "d"]})
    async with await opened(db, member, models={"a": [SMALL, LARGE]}, max_attempts=2) as session:
        first = await drive_plan(session, "task", plan_of(("s1", "a", ())), ())
        second = await resume_run(session, first.run)
    assert (first.status, second.status) == ("failed", "done")


async def test_a_budget_stops_the_run_and_says_what_is_missing(db: Path) -> None:
    plan = plan_of(("s1", "a", ()), ("s2", "a", ("s1",)), ("s3", "a", ("s2",)))
    async with await opened(db, StaffMember("a"), max_calls=2) as session:
        result = await drive_plan(session, "task", plan, ())
    assert result.status == "failed"
    assert result.usage.calls == 2
    assert any("2 calls" in note for note in result.notes)
    assert [subtask.verdict for subtask in result.subtasks] == [Verdict.UNVERIFIED, Verdict.UNVERIFIED, None]
    assert result.missing


async def test_no_answer_is_longer_than_the_settings_say(db: Path) -> None:
    async def work(_assignment: Assignment, desk: Desk) -> Outcome:
        prompt = [Message("user", "The cat sat on the mat and slept all day long.")]
        texts = [(await desk.chat(prompt, max_completion_tokens=limit)).text for limit in (None, 9, 2)]
        return Outcome("|".join(texts), Verdict.UNVERIFIED)

    async with await opened(db, StaffMember("a", work), max_completion_tokens=4) as session:
        result = await drive_plan(session, "task", plan_of(("s1", "a", ())), ())
    assert [len(text.split()) for text in result.subtasks[0].text.split("|")] == [4, 4, 2]


async def test_two_cannot_work_on_one_run(db: Path) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        started.set()
        await go_on.wait()
        return await echo(assignment, desk)

    async with await opened(db, StaffMember("a", work)) as session, await opened(db, StaffMember("a")) as other:
        run = asyncio.create_task(drive_plan(session, "task", plan_of(("s1", "a", ())), ()))
        await started.wait()
        await session.store.flush()
        with pytest.raises(RunLeasedError):
            await resume_run(other, "last")
        go_on.set()
        assert (await run).status == "done"


async def test_wrong_requests_are_refused_before_anything_is_stored(db: Path) -> None:
    async with await opened(db, StaffMember("a")) as session:
        with pytest.raises(TaskError, match="empty"):
            await run_task(session, "  \n ")
        with pytest.raises(TaskError, match="--docs"):
            await run_task(session, "x" * 1_000_000)
        with pytest.raises(UsageError, match="There are: a"):
            await ask_specialist(session, "b", "something")
        with pytest.raises(RunNotFoundError):
            await resume_run(session, "nosuchrn")
        assert session.store.runs.list() == []


async def test_asking_one_specialist_is_a_run_of_one_subtask(db: Path, tmp_path: Path) -> None:
    document = tmp_path / "note.txt"
    document.write_text("The pump is blue.")
    async with await opened(db, StaffMember("a")) as session:
        result = await ask_specialist(session, "a", "What colour?", inputs=[document])
        assert session.store.runs.get(result.run).status == "done"
    assert result.output == "What colour? <The pump is blue.>"
    assert result.to_json()["verdict"] == "unverified"


class TestApproval:
    async def waiting(self, db: Path, member: StaffMember) -> str:
        async with await opened(db, member) as session:
            result = await run_task(session, "do something", wants_approval=True)
        assert result.status == "waiting"
        assert result.plan is not None
        assert member.seen == []
        return result.run

    async def test_a_plan_waits_across_a_restart_and_is_accepted(self, db: Path) -> None:
        member = StaffMember("a")
        run = await self.waiting(db, member)
        async with await opened(db, member) as session:
            result = await resume_run(session, run, decision=Decision("accept"))
        assert result.status == "done"
        assert len(member.seen) == 1

    async def test_without_a_decision_it_keeps_waiting(self, db: Path) -> None:
        member = StaffMember("a")
        run = await self.waiting(db, member)
        async with await opened(db, member) as session:
            assert (await resume_run(session, run)).status == "waiting"

    async def test_a_refused_plan_is_not_run(self, db: Path) -> None:
        member = StaffMember("a")
        run = await self.waiting(db, member)
        async with await opened(db, member) as session:
            assert (await resume_run(session, run, decision=Decision("refuse"))).status == "refused"
        assert member.seen == []

    async def test_an_edited_plan_is_the_one_that_runs(self, db: Path) -> None:
        member = StaffMember("a")

        async def approve(plan: Plan) -> Decision:
            assert plan.subtasks
            return Decision("edit", plan_of(("s1", "a", ()), ("s2", "a", ("s1",))))

        async with await opened(db, member) as session:
            result = await run_task(session, "do something", wants_approval=True, approve=approve)
        assert [subtask.id for subtask in result.subtasks] == ["s1", "s2"]
        assert result.status == "done"

    async def test_an_edit_that_cannot_run_is_refused_and_the_run_goes_on_waiting(self, db: Path) -> None:
        member = StaffMember("a")
        run = await self.waiting(db, member)
        async with await opened(db, member) as session:
            with pytest.raises(PlanError, match="nobody"):
                await resume_run(session, run, decision=Decision("edit", plan_of(("s1", "nobody", ()))))
            assert (await resume_run(session, run, decision=Decision("accept"))).status == "done"


async def test_no_tracing_service_is_called(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph brings LangSmith, which sends every step to a server when the environment says so."""
    called: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name, value in {
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_ENDPOINT": f"http://127.0.0.1:{port}",
        "LANGSMITH_API_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    async with server:
        async with await opened(db, StaffMember("a")) as session:
            assert (await drive_plan(session, "task", plan_of(("s1", "a", ())), ())).status == "done"
        await asyncio.sleep(1.0)  # LangSmith sends in batches, from a thread
    assert called == []


async def test_a_subtask_is_told_finished_when_it_is_on_disk(db: Path) -> None:
    seen: list[tuple[str, int]] = []

    def on_event(event: Event) -> None:
        if isinstance(event, SubtaskFinished):
            with Store.open(db) as other:  # another connection sees only what is committed
                seen.append((event.subtask, len(other.runs.get("last").subtasks)))

    async with await opened(db, StaffMember("a")) as session:
        plan = plan_of(("s1", "a", ()), ("s2", "a", ("s1",)))
        await drive_plan(session, "task", plan, (), on_event=on_event)
    assert [name for name, _ in seen] == ["s1", "s2"]
    assert all(count > number for number, (_, count) in enumerate(seen))
