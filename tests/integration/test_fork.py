"""Forks: what stands is taken over, what is named is done again; larger models; and runs as documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.specialists import StaffMember

from nonet.agents.plan import Plan, Subtask
from nonet.errors import ModelNotFoundError, PlanError, UsageError
from nonet.export import exported
from nonet.graphs.fork import fork_run, retry_bigger
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome, Verdict

PLAN = Plan(
    planner="user",
    subtasks=(
        Subtask(id="s1", specialist="one", instruction="first"),
        Subtask(id="s2", specialist="two", instruction="second"),
        Subtask(id="s3", specialist="two", instruction="third", inputs=("s1",)),
    ),
)


@pytest.fixture
def staff() -> dict[str, StaffMember]:
    async def sure(assignment: Assignment, _desk: Desk) -> Outcome:
        return Outcome(f"<{assignment.instruction}>", Verdict.VERIFIED)

    async def unsure(assignment: Assignment, desk: Desk) -> Outcome:
        return Outcome(f"{assignment.instruction} by {desk.model}", Verdict.UNVERIFIED)

    return {"one": StaffMember("one", sure), "two": StaffMember("two", unsure)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(runtime="scripted", db=tmp_path / "nonet.db")


async def test_a_fork_repeats_only_what_it_must(settings: Settings, staff: dict[str, StaffMember]) -> None:
    async with await Session.open(settings, specialists=staff) as session:
        first = await drive_plan(session, "three parts", PLAN, ())
        done = len(staff["one"].seen), len(staff["two"].seen)
        assert done == (1, 2)
        fork = await fork_run(session, first.run, again=["s2"])
        assert (len(staff["one"].seen), len(staff["two"].seen)) == (1, 3)
        assert (fork.status, fork.task, fork.answer) == ("done", first.task, first.answer)
        assert fork.run != first.run
        await fork_run(session, first.run, again=["s1"])
        assert (len(staff["one"].seen), len(staff["two"].seen)) == (2, 4), "s3 reads s1"
        second = PLAN.subtasks[1].model_copy(update={"instruction": "otherwise"})
        changed = PLAN.model_copy(update={"subtasks": (PLAN.subtasks[0], second, PLAN.subtasks[2])})
        other = await fork_run(session, first.run, plan=changed)
        assert "otherwise" in other.answer
        assert (len(staff["one"].seen), len(staff["two"].seen)) == (2, 5)
        stored = session.store.runs.get(fork.run)
        assert {each.id for each in stored.subtasks} == {"s1", "s2", "s3"}
        with pytest.raises(PlanError, match="no part s9"):
            await fork_run(session, first.run, again=["s9"])


async def test_a_retry_by_larger_models_begins_above_the_one_that_did_it(
    settings: Settings, staff: dict[str, StaffMember]
) -> None:
    async with await Session.open(settings, specialists=staff) as session:
        first = await drive_plan(session, "three parts", PLAN, ())
        used = {part.model for part in first.subtasks}
        ladder = session.ladders["two"]
        assert used == {ladder[0]}
        again = await retry_bigger(session, first.run)
        models = {part.id: part.model for part in again.subtasks}
        assert models == {"s1": ladder[0], "s2": ladder[1], "s3": ladder[1]}, "what is verified stands"
        assert session.ladders["two"] == ladder, "the next task begins at the smallest again"
        last = await retry_bigger(session, again.run) if len(ladder) > 2 else again
        with pytest.raises(ModelNotFoundError, match="no larger model"):
            await retry_bigger(session, last.run)


async def test_an_export_shows_what_was_said_and_obeys_none_of_it(settings: Settings) -> None:
    async def hostile(_assignment: Assignment, _desk: Desk) -> Outcome:
        text = "<script>alert(1)</script> \x1b[31m[x](javascript:alert(1)) ![p](http://example.org/p.png)\n\n"
        return Outcome(f"{text}```python\na < b\n```", Verdict.UNVERIFIED)

    async with await Session.open(settings, specialists={"one": StaffMember("one", hostile)}) as session:
        plan = Plan(planner="user", subtasks=(Subtask(id="s1", specialist="one", instruction="go"),))
        result = await drive_plan(session, "do | it <b>now</b>", plan, ())
    page = exported([result], "html", title="A & B")
    assert "<title>A &amp; B</title>" in page
    assert "<script" not in page
    assert "\x1b" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page
    assert '<code class="language-python">a &lt; b' in page
    text = exported([result], "md")
    assert "## do \\| it \\<b\\>now\\</b\\>" in text
    assert "\x1b" not in text
    assert json.loads(exported([result], "json"))["runs"][0]["run"] == result.run
    with pytest.raises(UsageError, match="no format"):
        exported([result], "pdf")
