"""Planning within runs: which planner a profile allows, what its calls cost, and that no plan is made twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nonet.errors import ModelNotFoundError
from nonet.graphs.events import Event, PlanReady
from nonet.graphs.measuring import measure_plans
from nonet.graphs.planners import planning_model
from nonet.graphs.run import plan_task, resume_run, run_task
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime, default_answer
from nonet.settings import Settings

SMALL, MIDDLE, LARGE = "smollm2:135m", "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"
TASK = "Frobnicate the gizmo with the widget"
ONE_STEP = json.dumps({"steps": {"s1": {"specialist": "general", "instruction": TASK}}})
TRUSTED = {"won": 5, "lost": 0, "won_unsure": 4, "lost_unsure": 0}
CHOOSES = {"right": 10, "asked": 10, "chance": 0.25}


def is_plan(request: ChatRequest) -> bool:
    return request.schema is not None and "steps" in request.schema.get("properties", {})


def plans(request: ChatRequest) -> str:
    return ONE_STEP if is_plan(request) else default_answer(request)


async def opened(tmp_path: Path, script: Any = plans, **settings: Any) -> Session:
    session = await Session.open(Settings(runtime="scripted", db=tmp_path / "nonet.db", **settings))
    window = session.settings.context_tokens
    session.runtime = ScriptedRuntime(script, context_tokens=window)
    session.scheduler = Scheduler(session.runtime)
    return session


def keep(session: Session, model: str, planning: dict[str, Any], digest: str = "") -> None:
    session.store.models.save_profile("scripted", model, digest, json.dumps({"planning": planning}))


async def test_without_a_profile_no_model_plans(tmp_path: Path) -> None:
    async with await opened(tmp_path) as session:
        assert planning_model(session) is None
        result = await run_task(session, TASK)
        kept = session.store.runs.get(result.run)
    assert result.plan is not None
    assert (result.plan.planner, result.plan.model) == ("rules", "")
    assert not any(call.subtask == "" for call in kept.calls)


async def test_the_model_that_was_measured_best_plans_whatever_its_name(tmp_path: Path) -> None:
    async with await opened(tmp_path) as session:
        keep(session, LARGE, {"routing": CHOOSES})
        keep(session, SMALL, {"routing": CHOOSES, "rungs": {"one-shot": TRUSTED}})
        model = planning_model(session)
        assert model is not None
        assert (model.name, model.trust.before) == (SMALL, ("one-shot",))
        result = await run_task(session, TASK)
    assert result.plan is not None
    assert (result.plan.planner, result.plan.model) == ("one-shot", SMALL)


@pytest.mark.parametrize(
    "planning",
    [
        {},
        {"rungs": {"one-shot": {"won": 4, "lost": 3, "won_unsure": 1, "lost_unsure": 1}}},
        {"routing": {"right": 3, "asked": 10, "chance": 0.25}},
        {"routing": "yes", "rungs": ["one-shot"]},
        {"routing": {"right": "all", "asked": None, "chance": 2}},
    ],
)
async def test_a_profile_that_shows_nothing_allows_nothing(tmp_path: Path, planning: dict[str, Any]) -> None:
    async with await opened(tmp_path) as session:
        keep(session, LARGE, planning)
        plan = await plan_task(session, TASK)
        assert session.runtime.requests == type(session.runtime.requests)(maxlen=1000)  # type: ignore[attr-defined]
    assert (plan.planner, plan.model) == ("rules", "")


async def test_a_profile_of_other_weights_counts_for_nothing(tmp_path: Path) -> None:
    async with await opened(tmp_path) as session:
        keep(session, LARGE, {"rungs": {"one-shot": TRUSTED}}, digest="old")
        session.installed = {**session.installed, LARGE: "new"}
        assert planning_model(session) is None


async def test_where_the_rules_doubt_the_model_that_does_better_there_plans(tmp_path: Path) -> None:
    after = {"won": 3, "lost": 2, "won_unsure": 3, "lost_unsure": 0}
    async with await opened(tmp_path) as session:
        keep(session, LARGE, {"rungs": {"one-shot": after}})
        doubted = await plan_task(session, TASK)
        sure = await plan_task(session, "Write a Python function that reverses a list.")
    assert [(each.planner, each.used) for each in doubted.tried] == [("rules", False), ("one-shot", True)]
    assert [(each.planner, each.used, each.calls) for each in sure.tried] == [("rules", True, 0)]


async def test_calls_for_planning_count_in_the_run_and_are_kept_with_it(tmp_path: Path) -> None:
    async with await opened(tmp_path, planner="one-shot", planner_model=LARGE) as session:
        result = await run_task(session, TASK)
        kept = session.store.runs.get(result.run)
    assert [(call.subtask, call.model) for call in kept.calls if call.subtask == ""] == [("", LARGE)]
    assert result.usage.calls == len(kept.calls) == 2
    assert result.usage.prompt_tokens == sum(call.prompt_tokens for call in kept.calls) > 0


async def test_a_forced_planner_that_fails_is_told_and_the_rules_plan(tmp_path: Path) -> None:
    async with await opened(tmp_path, lambda _request: "no plan", planner="stepwise") as session:
        result = await run_task(session, TASK)
    assert result.plan is not None
    assert result.plan.planner == "rules"
    assert any("stepwise was left" in note for note in result.notes)


async def test_planning_does_not_spend_what_the_work_needs_and_never_ends_the_run(tmp_path: Path) -> None:
    async with await opened(tmp_path, planner="one-shot", max_calls=1) as session:
        keep(session, MIDDLE, {})
        result = await run_task(session, "Write a Python function that reverses a list.")
    assert result.plan is not None
    assert (result.plan.planner, result.usage.calls) == ("rules", 1)
    assert "half are kept for the work" in result.plan.tried[0].why


async def test_a_task_that_does_not_fit_the_window_is_planned_by_rules(tmp_path: Path) -> None:
    async with await opened(tmp_path, planner="one-shot", context_tokens=512) as session:
        plan = await plan_task(session, "Write a function. " + "It must be short. " * 300)
    assert plan.planner == "rules"
    assert plan.tried[0].planner == "one-shot"


async def test_an_unknown_planning_model_is_named(tmp_path: Path) -> None:
    async with await opened(tmp_path, planner_model="llama9") as session:
        with pytest.raises(ModelNotFoundError, match="llama9"):
            await run_task(session, TASK)


async def test_a_run_stopped_between_plan_and_work_does_not_plan_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def script(request: ChatRequest) -> str:
        asked.append("plan" if is_plan(request) else "work")
        return plans(request)

    def stop(event: Event) -> None:
        if isinstance(event, PlanReady):
            work.cancel()

    async with await opened(tmp_path, script, planner="one-shot") as session:
        work = asyncio.ensure_future(run_task(session, TASK, on_event=stop))
        with pytest.raises(asyncio.CancelledError):
            await work
        run = session.store.runs.list(1)[0].id
        result = await resume_run(session, run)
    assert asked == ["plan", "work"]
    assert result.status == "done"
    assert result.plan is not None
    assert result.plan.planner == "one-shot"
    assert result.usage.calls == 2


async def test_a_model_that_knows_all_is_measured_better_than_the_rules() -> None:
    from nonet.agents.measuring_items import CHOICE_ITEMS, PLAN_ITEMS, READS_ITEMS  # noqa: PLC0415
    from nonet.agents.trust import trust_of  # noqa: PLC0415

    def knows(request: ChatRequest) -> str:
        text = request.messages[-1].content
        if "Answer with the letter" in text:
            lines = text.splitlines()
            wanted = next((who for said, who in CHOICE_ITEMS if said in lines[0]), "")
            if not wanted:
                item = next(each for each in READS_ITEMS if each.instruction in lines[0])
                wanted = {0: "nothing", 2: "all"}.get(len(item.reads)) or f"step {item.reads[0] + 1}"
            return json.dumps({"answer": next(line[0] for line in lines if line[1:].startswith(f": {wanted},"))})
        item_ = next(each for each in PLAN_ITEMS if each.request in text)
        if request.schema is not None and "steps" in request.schema.get("properties", {}):
            steps = {
                f"s{number + 1}": {
                    "specialist": name,
                    **({"reads": [f"s{a + 1}" for a, b in item_.edges if b == number]} if number else {}),
                    "instruction": f"{number} {item_.request}"[:200],
                }
                for number, name in enumerate(item_.nodes)
            }
            return json.dumps({"steps": steps})
        return "{}"

    seen: list[tuple[int, int, str]] = []
    profile = await measure_plans(ScriptedRuntime(knows), LARGE, None, lambda *now: seen.append(now))
    trust = trust_of({"planning": profile.to_json()})
    assert trust.routing
    assert trust.edges
    assert trust.before == ("one-shot",)
    assert profile.rungs["one-shot"].lost == 0
    assert profile.rungs["stepwise"].right == 0
    assert seen[-1][2] == "done"


@pytest.mark.parametrize("answer", ['{"answer": "A"}', "no", "{}"])
async def test_a_model_that_guesses_is_found_out_in_a_few_calls(answer: str) -> None:
    from nonet.agents.trust import Trust, trust_of  # noqa: PLC0415

    runtime = ScriptedRuntime(lambda _request: answer)
    profile = await measure_plans(runtime, LARGE, None)
    assert trust_of({"planning": profile.to_json()}) == Trust()
    assert profile.rungs == {}
    assert len(runtime.requests) <= 20
