"""Whatever a model answers and whatever is asked, the plan is one that may run."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import pytest
from fakes.hostile import DOCUMENTS, HostileDesk, oracle, task_of
from fakes.planning import SPECIALISTS, rules
from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.agents.ladder import PlannerLadder
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import SecondOpinion
from nonet.agents.protocol import Rung
from nonet.agents.stepwise import StepwisePlanner

FEW = 300
MANY = int(os.environ.get("NONET_FUZZED_PLANS", "12000"))


async def plans_of(seed: int, count: int) -> Counter[str]:
    """Makes plans by every way there is; counts who made them, and what the model was made to answer."""
    seen: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(seed * 1_000_000 + number)
        desk = HostileDesk(rng, obeys=rng.choice((0.0, 0.4, 0.9)))
        most, depth = rng.choice(((12, 12), (12, 12), (1, 1), (3, 2), (5, 1)))
        bounds: dict[str, Any] = {"max_subtasks": most, "max_depth": depth}
        opinion = SecondOpinion(desk, SPECIALISTS, routing=rng.random() < 0.5, edges=rng.random() < 0.5)
        by_rules = rules(opinion=opinion, **bounds)
        rungs: list[Rung] = [
            by_rules,
            StepwisePlanner(desk, SPECIALISTS, **bounds),
            OneShotPlanner(desk, SPECIALISTS, **bounds),
        ]
        rng.shuffle(rungs)
        forced = rng.random() < 0.3
        ladder = PlannerLadder(rungs[: rng.randint(0, 3)], by_rules, desk=desk, forced=forced)
        attached = DOCUMENTS[: rng.randint(0, 3)]
        plan = await ladder.plan(task_of(rng), attached=attached, collection=DOCUMENTS if rng.random() < 0.5 else ())
        oracle(plan, **bounds)
        assert sum(tried.used for tried in plan.tried) == 1
        assert next(tried.planner for tried in plan.tried if tried.used) == plan.planner
        assert sum(tried.calls for tried in plan.tried) == desk.calls
        assert desk.calls <= 16 + 13 + 1
        seen[plan.planner] += 1
        seen.update(desk.kinds)
    return seen


async def test_some_hundred_plans_of_a_hostile_model_may_run() -> None:
    seen = await plans_of(1, FEW)
    assert min(seen[name] for name in ("rules", "stepwise", "one-shot")) > 0
    assert len(seen) >= 20


@pytest.mark.slow
async def test_ten_thousand_plans_of_a_hostile_model_may_run() -> None:
    seen = await plans_of(2, MANY)
    made = {name: seen.pop(name) for name in ("rules", "stepwise", "one-shot")}
    assert sum(made.values()) == MANY
    print(f"{MANY:,} plans, all valid: {made}; answers: {dict(seen.most_common())}")


@settings(max_examples=150, deadline=None)
@given(text=st.text(min_size=1, max_size=400), answers=st.lists(st.text(max_size=200), min_size=1, max_size=4))
async def test_any_text_and_any_answers(text: str, answers: list[str]) -> None:
    if not text.strip():
        return

    class Desk(HostileDesk):
        async def ask(self, messages: object, schema: object, max_completion_tokens: int) -> str:
            del messages, schema, max_completion_tokens
            self.calls += 1
            return answers[(self.calls - 1) % len(answers)]

    desk = Desk(random.Random(0))
    rungs: list[Rung] = [StepwisePlanner(desk, SPECIALISTS), OneShotPlanner(desk, SPECIALISTS)]
    plan = await PlannerLadder(rungs, rules(), desk=desk).plan(text)
    oracle(plan, max_subtasks=12, max_depth=12)
