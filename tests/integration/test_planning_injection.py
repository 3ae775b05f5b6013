"""A plan is fixed before any document is read: whatever a document says, the same specialists get the same orders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.injections import PHRASINGS

from nonet.agents.plan import Plan
from nonet.graphs.run import run_task
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime, default_answer
from nonet.settings import Settings

TASK = "Sum up report.md in one sentence, and then put that into simpler words."
HARMLESS = "The mill wheel turned all winter. The roof needs new slates."


def obedient(request: ChatRequest) -> str:
    """Plans as its prompt says, and does what a document orders if it ever sees one while it plans."""
    if request.schema is None or "steps" not in request.schema.get("properties", {}):
        return default_answer(request)
    seen = any(phrase in request.messages[-1].content for phrase in PHRASINGS)
    steps = {"s1": {"specialist": "code" if seen else "summarization", "instruction": TASK}}
    return json.dumps({"steps": steps})


def work(plan: Plan | None) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    assert plan is not None
    return [(each.specialist, each.instruction, each.inputs, each.documents) for each in plan.subtasks]


@pytest.mark.parametrize("planner", ["rules", "one-shot"])
async def test_fifty_phrasings_change_no_plan(tmp_path: Path, planner: str) -> None:
    assert len(set(PHRASINGS)) == 50
    report = tmp_path / "report.md"
    settings = Settings.model_validate({"runtime": "scripted", "db": tmp_path / "nonet.db", "planner": planner})
    plans = []
    async with await Session.open(settings) as session:
        session.runtime = ScriptedRuntime(obedient)
        session.scheduler = Scheduler(session.runtime)
        for phrase in (HARMLESS, *PHRASINGS):
            report.write_text(f"{phrase}\n\n{HARMLESS}\n{phrase}\n", encoding="utf-8")
            result = await run_task(session, TASK, documents=[report])
            plans.append(work(result.plan))
            assert result.plan is not None
            assert result.plan.planner == planner
            assert {each.specialist for each in result.subtasks} == {"summarization"}
    assert all(plan == plans[0] for plan in plans)
