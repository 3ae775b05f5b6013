"""How long a plan takes beside its critical path, on a clock that only the model's answers move."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fakes.delays import DelayedRuntime, PretendedClock
from fakes.specialists import StaffMember
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.runtimes import Message
from nonet.runtimes.scheduler import Scheduler
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome, Verdict

Steps = dict[str, tuple[float, tuple[str, ...]]]


async def one_call(assignment: Assignment, desk: Desk) -> Outcome:
    await desk.chat([Message("user", assignment.instruction)])
    return Outcome("It is done.", Verdict.UNVERIFIED)


async def makespan(db: Path, steps: Steps) -> float:
    """Seconds of the pretended clock that the plan takes."""
    clock = PretendedClock()
    runtime = DelayedRuntime(clock.sleep)
    plan = Plan(
        planner="user",
        subtasks=tuple(
            Subtask(id=name, specialist="a", instruction=f"{name} takes {seconds} seconds", inputs=inputs)
            for name, (seconds, inputs) in steps.items()
        ),
    )
    chosen = Settings(runtime="scripted", db=db, max_subtasks=40, max_depth=40)
    async with await Session.open(chosen, specialists={"a": StaffMember("a", one_call)}) as session:
        await session.scheduler.aclose()
        session.runtime, session.scheduler = runtime, Scheduler(runtime, slots=40)
        result = await clock.run(drive_plan(session, "task", plan, ()))
    assert result.status == "done"
    return clock.now


def critical_path(steps: Steps) -> float:
    ends: dict[str, float] = {}
    for name, (seconds, inputs) in steps.items():
        ends[name] = seconds + max((ends[each] for each in inputs), default=0.0)
    return max(ends.values())


async def test_a_slow_branch_holds_no_chain_back(tmp_path: Path) -> None:
    steps: Steps = {"s1": (10.0, ()), "s2": (3.0, ()), "s3": (3.0, ("s2",)), "s4": (3.0, ("s3",))}
    assert await makespan(tmp_path / "nonet.db", steps) == critical_path(steps) == 10.0
    joined: Steps = {**steps, "s5": (2.0, ("s1", "s4")), "s6": (2.5, ("s4",))}
    assert await makespan(tmp_path / "joined.db", joined) == critical_path(joined) == 12.0


@st.composite
def plans(draw: st.DrawFn) -> Steps:
    steps: Steps = {}
    for number in range(1, draw(st.integers(1, 9)) + 1):
        inputs = draw(st.sets(st.sampled_from(sorted(steps)), max_size=3)) if steps else set()
        steps[f"s{number}"] = (float(draw(st.integers(1, 20))), tuple(sorted(inputs)))
    return steps


@settings(max_examples=15, deadline=None)
@given(plans())
async def test_every_plan_takes_its_critical_path(steps: Steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert await makespan(Path(folder) / "nonet.db", steps) == critical_path(steps)
