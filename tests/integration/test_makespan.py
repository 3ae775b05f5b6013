"""A plan takes as long as its critical path: nothing waits for more than what it reads, and nothing starts too soon."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from fakes.specialists import StaffMember

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.settings import Settings
from nonet.specialists import Assignment, Desk, Outcome, Verdict


class Clock:
    """Time that passes only when everything that can be at work is at work."""

    def __init__(self, plan: Plan, lasts: dict[str, int]) -> None:
        self.plan, self.lasts = plan, lasts
        self.now = 0
        self.ends: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self._waits: dict[str, asyncio.Event] = {}
        self._begun = asyncio.Condition()

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        del desk
        name = assignment.instruction
        async with self._begun:
            assert all(other in self.done for other in self.plan.subtask(name).inputs), f"{name} started too soon"
            self.ends[name] = self.now + self.lasts[name]
            self._waits[name] = asyncio.Event()
            self._begun.notify_all()
        await self._waits[name].wait()
        return Outcome(name, Verdict.UNVERIFIED)

    async def run(self) -> None:
        """Let the next step end when all that are ready have begun; hangs if one of them never does."""
        while len(self.done) < len(self.plan.subtasks):
            async with self._begun:
                await self._begun.wait_for(self._all_begun)
            name = min(self.ends.keys() - self.done.keys(), key=lambda one: self.ends[one])
            self.now = self.done[name] = self.ends[name]
            self._waits[name].set()

    def _all_begun(self) -> bool:
        """Whether every step that has what it reads is at work or done."""
        ready = {each.id for each in self.plan.subtasks if all(name in self.done for name in each.inputs)}
        return ready <= self.ends.keys()


def drawn(rng: random.Random) -> tuple[Plan, dict[str, int]]:
    """A plan of up to nine steps, each of which reads some of those before it."""
    ids = [f"s{number}" for number in range(1, rng.randint(2, 9) + 1)]
    subtasks = [
        Subtask(
            id=name,
            specialist="clock",
            instruction=name,
            inputs=tuple(sorted(rng.sample(ids[:place], rng.randint(0, min(place, 3))), key=ids.index)),
        )
        for place, name in enumerate(ids)
    ]
    return Plan(planner="user", subtasks=tuple(subtasks)), {name: rng.randint(1, 20) for name in ids}


def critical_path(plan: Plan, lasts: dict[str, int]) -> int:
    ends: dict[str, int] = {}
    for each in plan.subtasks:
        ends[each.id] = lasts[each.id] + max((ends[name] for name in each.inputs), default=0)
    return max(ends.values())


@pytest.mark.parametrize("seed", range(8))
async def test_any_plan_takes_its_critical_path(tmp_path: Path, seed: int) -> None:
    plan, lasts = drawn(random.Random(seed))
    clock = Clock(plan, lasts)
    settings = Settings(runtime="scripted", db=tmp_path / "nonet.db")
    async with await Session.open(settings, specialists={"clock": StaffMember("clock", clock.work)}) as session:
        async with asyncio.timeout(30):
            result, _ = await asyncio.gather(drive_plan(session, "task", plan, ()), clock.run())
    assert result.status == "done"
    assert clock.now == critical_path(plan, lasts)
