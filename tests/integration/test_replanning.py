"""Plans of which a part failed: a revised remainder, at most so often, with what was finished kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember, echo

from nonet.agents.plan import Plan, Routing, Subtask
from nonet.agents.protocol import SoFar
from nonet.errors import RuntimeUnavailableError
from nonet.graphs.ask import ask_specialist
from nonet.graphs.context import Decision
from nonet.graphs.documents import add_documents
from nonet.graphs.events import Event, Notice, PlanReady
from nonet.graphs.run import drive_plan, resume_run, run_task
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict

NAMES = ("retrieval", "summarization", "general")
BOTH = Plan(
    planner="rules",
    subtasks=(
        Subtask(id="s1", specialist="retrieval", instruction="Find the height of the mast"),
        Subtask(id="s2", specialist="retrieval", instruction="Find the length of the hull"),
        Subtask(id="s3", specialist="summarization", instruction="Sum up both", inputs=("s1", "s2")),
    ),
)
TASK = "Find the height of the mast and the length of the hull, then sum up both."


class Staff:
    """Specialists of which some instructions fail."""

    def __init__(self, fails: Callable[[str, Assignment], bool]) -> None:
        self.ran: list[str] = []
        self._fails = fails
        self.members = {name: StaffMember(name, self._work_of(name)) for name in NAMES}

    def _work_of(self, name: str) -> Callable[[Assignment, Desk], Any]:
        async def work(assignment: Assignment, desk: Desk) -> Outcome:
            self.ran.append(f"{name}: {assignment.instruction}")
            if self._fails(name, assignment):
                return Outcome("", Verdict.FAILED, (Evidence("search", passed=False, detail="nothing matches"),))
            return await echo(assignment, desk)

        return work


def hull_fails(_name: str, assignment: Assignment) -> bool:
    return "hull" in assignment.instruction


async def opened(db: Path, staff: Staff, **settings: Any) -> Session:
    """With one document in the collection, so that there is something to search."""
    session = await Session.open(Settings(runtime="scripted", db=db, **settings), specialists=staff.members)
    note = db.with_name("note.md")
    note.write_text("The mast is 30 m high.", encoding="utf-8")
    add_documents(session.store, [note])
    return session


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def test_what_is_left_goes_on_and_what_failed_is_named(db: Path) -> None:
    staff, events = Staff(hull_fails), list[Event]()
    async with await opened(db, staff) as session:
        result = await drive_plan(session, TASK, BOTH, (), on_event=events.append)
        kept = session.store.runs.get(result.run)
    assert staff.ran == [f"retrieval: {each.instruction}" for each in BOTH.subtasks[:2]] + [
        "summarization: Sum up both"
    ]
    assert result.usage.calls == 2
    assert [(each.id, each.verdict) for each in result.subtasks] == [
        ("s1", Verdict.UNVERIFIED),
        ("s3", Verdict.UNVERIFIED),
    ]
    assert (result.status, result.verdict) == ("failed", Verdict.FAILED)  # a part of the request was not done
    assert any("s2 (retrieval) failed and was left out" in each for each in result.missing)
    assert "Find the length of the hull" in result.answer
    assert [plan.revision for plan in kept.plans] == [1, 2]
    assert [event.revision for event in events if isinstance(event, PlanReady)] == [1, 2]
    assert any(isinstance(event, Notice) and event.kind == "replan" for event in events)


async def test_a_question_whose_first_step_finds_nothing_is_asked_as_a_whole(db: Path) -> None:
    async def work(assignment: Assignment, desk: Desk) -> Outcome:
        if assignment.instruction.startswith("Who is the spouse"):
            return await echo(assignment, desk)
        return Outcome("I did not find it.", Verdict.UNVERIFIED, data={"found": False})

    members = {**Staff(hull_fails).members, "retrieval": StaffMember("retrieval", work)}
    events: list[Event] = []
    async with await Session.open(Settings(runtime="scripted", db=db), specialists=members) as session:
        note = db.with_name("note.md")
        note.write_text("The mast is 30 m high.", encoding="utf-8")
        add_documents(session.store, [note])
        question = "Who is the spouse of the director of Jump for Glory?"
        result = await run_task(session, question, on_event=events.append)
        alone = await ask_specialist(session, "retrieval", "How high is the hull?")
    assert [len(event.plan.subtasks) for event in events if isinstance(event, PlanReady)] == [2, 1]
    assert (result.status, result.subtasks[0].instruction) == ("done", question)
    assert alone.verdict is Verdict.UNVERIFIED  # nothing was to be built on it, so that is the answer


async def test_no_replans_are_made_where_none_are_allowed(db: Path) -> None:
    staff = Staff(hull_fails)
    async with await opened(db, staff, max_replans=0) as session:
        result = await drive_plan(session, TASK, BOTH, ())
    assert len(staff.ran) == 2
    assert [each.verdict for each in result.subtasks] == [Verdict.UNVERIFIED, Verdict.FAILED, Verdict.FAILED]


async def test_an_unsure_choice_gives_way_and_the_rest_is_not_run_again(db: Path) -> None:
    unsure = Routing(method="lexical", sure=False)
    plan = Plan(
        planner="rules",
        subtasks=(
            Subtask(id="s1", specialist="general", instruction="Tell me a joke"),
            Subtask(id="s2", specialist="summarization", instruction="Find who built the pump", routing=unsure),
            Subtask(id="s3", specialist="retrieval", instruction="Find out why it is red"),
        ),
    )
    staff = Staff(lambda name, assignment: name == "summarization" or "red" in assignment.instruction)
    examples = {
        "retrieval": ("Find who founded the observatory.", "Find who made the valve."),
        "summarization": ("Sum up the report.",),
        "general": ("Tell me a joke.",),
    }
    for name, member in staff.members.items():
        member.examples = examples[name]
    async with await opened(db, staff) as session:
        result = await drive_plan(session, "task", plan, ())
    assert staff.ran == [
        "general: Tell me a joke",
        "summarization: Find who built the pump",
        "retrieval: Find out why it is red",
        "retrieval: Find who built the pump",
    ]
    assert [(each.id, each.specialist) for each in result.subtasks] == [
        ("s1", "general"),
        ("s4", "retrieval"),
        ("s3", "retrieval"),
    ]
    assert result.status == "failed"
    assert len(result.missing) == 1


class Stubborn:
    """A planner whose revision is always the same."""

    name = "stubborn"

    def __init__(self, revision: Plan) -> None:
        self.revision = revision
        self.asked: list[SoFar] = []

    async def plan(self, *_: object, **__: object) -> Plan:
        return BOTH

    async def revise(self, _task: str, so_far: SoFar, **_: object) -> Plan | None:
        self.asked.append(so_far)
        return self.revision


@pytest.mark.parametrize("ids", [("s1", "s2", "s3"), ("s1", "s7", "s9")])
async def test_a_plan_that_repeats_itself_stops(db: Path, ids: tuple[str, str, str]) -> None:
    staff = Staff(hull_fails)
    new_ids = dict(zip(("s1", "s2", "s3"), ids, strict=True))
    same = Plan(
        planner="rules",
        subtasks=tuple(
            each.model_copy(update={"id": new_ids[each.id], "inputs": tuple(new_ids[name] for name in each.inputs)})
            for each in BOTH.subtasks
        ),
    )
    async with await opened(db, staff, max_replans=50) as session:
        planner: Any = Stubborn(same)
        session.own_planner = planner
        result = await drive_plan(session, TASK, BOTH, ())
    assert len(planner.asked) == 1
    assert planner.asked[0].failed == {"s2": ("search",)}
    assert planner.asked[0].finished == {"s1"}
    assert len(staff.ran) == 2
    assert any("repeats" in note for note in result.notes)


async def test_a_revision_that_cannot_run_is_not_run(db: Path) -> None:
    staff = Staff(hull_fails)
    wrong = Plan(planner="rules", subtasks=(Subtask(id="s4", specialist="nobody", instruction="x"),))
    async with await opened(db, staff) as session:
        planner: Any = Stubborn(wrong)
        session.own_planner = planner
        result = await drive_plan(session, TASK, BOTH, ())
    assert result.status == "failed"
    assert any("nobody" in note for note in result.notes)


async def test_a_run_that_stops_after_a_revision_goes_on_with_it(db: Path) -> None:
    away = True

    def fails(name: str, assignment: Assignment) -> bool:
        if name == "summarization" and away:
            raise RuntimeUnavailableError("The server went away.")
        return hull_fails(name, assignment)

    staff = Staff(fails)
    async with await opened(db, staff) as session:
        with pytest.raises(RuntimeUnavailableError):
            await drive_plan(session, TASK, BOTH, ())
    away = False
    async with await opened(db, staff) as session:
        result = await resume_run(session, "last")
        kept = session.store.runs.get("last")
    assert staff.ran.count("retrieval: Find the height of the mast") == 1
    assert staff.ran.count("retrieval: Find the length of the hull") == 1
    assert [each.id for each in result.subtasks] == ["s1", "s3"]
    assert any("s2 (retrieval) failed and was left out" in each for each in result.missing)
    assert len(kept.plans) == 2


async def test_a_plan_that_was_given_is_run_as_it_is(db: Path) -> None:
    """Who asks one specialist gets that one's answer, or its failure."""
    staff = Staff(lambda name, _: name == "retrieval")
    async with await Session.open(Settings(runtime="scripted", db=db), specialists=staff.members) as session:
        result = await ask_specialist(session, "retrieval", "In which year was the bridge opened?")
    assert result.specialist == "retrieval"
    assert result.verdict is Verdict.FAILED
    assert len(staff.ran) == 1


class TestApproval:
    async def test_a_revision_is_asked_about_too(self, db: Path) -> None:
        staff, asked = Staff(hull_fails), list[Plan]()

        async def approve(plan: Plan) -> Decision:
            asked.append(plan)
            return Decision("edit", BOTH) if len(asked) == 1 else Decision("refuse")

        async with await opened(db, staff) as session:
            result = await run_task(session, TASK, wants_approval=True, approve=approve)
        assert len(asked) == 2
        assert [each.id for each in asked[1].subtasks] == ["s1", "s3"]
        assert len(staff.ran) == 2  # the revision was refused: nothing of it ran
        assert result.status == "failed"
        assert [each.verdict for each in result.subtasks] == [Verdict.UNVERIFIED, Verdict.FAILED, Verdict.FAILED]
        assert "Find the height" in result.answer or result.missing

    async def test_a_revision_waits_across_a_restart(self, db: Path) -> None:
        staff, asked = Staff(hull_fails), list[Plan]()

        async with await opened(db, staff) as session:
            first = await run_task(session, TASK, wants_approval=True)
        async with await opened(db, staff) as session:
            waiting = await resume_run(session, first.run, decision=Decision("edit", BOTH))
        assert waiting.status == "waiting"
        async with await opened(db, staff) as session:
            result = await resume_run(session, first.run, decision=Decision("accept"))
        assert [each.id for each in result.subtasks] == ["s1", "s3"]
        assert staff.ran.count("retrieval: Find the height of the mast") == 1
        assert result.status == "failed"
        assert asked == []
