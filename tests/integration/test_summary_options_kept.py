"""Options of a summary on their way: from Python, through plans, runs that go on, workflows and queues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.specialists import StaffMember

import nonet
from nonet.agents.plan import Plan
from nonet.errors import RuntimeUnavailableError, UsageError, WorkflowError
from nonet.graphs.batch_work import Work
from nonet.graphs.workflow.files import definition_of
from nonet.runtimes import ChatRequest
from nonet.runtimes.scripted import ScriptedRuntime

OPTIONS = nonet.SummaryOptions(sentences=1, language="German")
REPORT = "The mill wheel turned all winter. The miller replaced two oak paddles on 3 March. No grain was lost."


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "report.md").write_text(REPORT)
    return {"runtime": "scripted", "db": tmp_path / "nonet.db"}


async def opened(settings: dict[str, Any], *staff: StaffMember) -> nonet.Session:
    own = {member.name: member for member in staff} or None
    return await nonet.Session.open(nonet.Settings(**settings), specialists=own)


async def test_one_specialist_is_asked_with_options(settings: dict[str, Any], tmp_path: Path) -> None:
    inputs = [tmp_path / "report.md"]
    async with await opened(settings) as session:
        result = await nonet.ask_specialist(
            session, "summarization", "Sum it up.", inputs=inputs, options=nonet.SummaryOptions(bullets=2)
        )
        assert result.output.count("- ") == len(result.output.splitlines()) == 2
        with pytest.raises(UsageError, match="bullets is for the summarization specialist, not for 'code'"):
            await nonet.ask_specialist(session, "code", "Write f(x).", options=nonet.SummaryOptions(bullets=2))


async def test_a_run_that_goes_on_has_the_same_options(settings: dict[str, Any], tmp_path: Path) -> None:
    def gone(_: ChatRequest) -> str:
        raise RuntimeUnavailableError("The server is gone.")

    async with await opened(settings) as session:
        assert isinstance(session.runtime, ScriptedRuntime)
        session.runtime._respond = gone
        with pytest.raises(RuntimeUnavailableError):
            await nonet.ask_specialist(
                session, "summarization", "Sum it up.", inputs=[tmp_path / "report.md"], options=OPTIONS
            )
    member = StaffMember("summarization")
    async with await opened(settings, member) as session:
        [run] = session.store.runs.list()
        await nonet.resume_run(session, run.id)
        assert [each.options for each in member.seen] == [OPTIONS]
        forked = await nonet.fork_run(session, run.id)
    assert forked.plan is not None
    assert forked.plan.subtasks[0].options == OPTIONS
    assert len(member.seen) == 1, "what was finished under the same options stands"


def test_a_plan_of_the_time_before_there_were_options_still_opens() -> None:
    kept = '{"planner":"user","subtasks":[{"id":"s1","specialist":"summarization","instruction":"Sum up."}]}'
    assert Plan.model_validate_json(kept).subtasks[0].options is None
    before = '{"keep": false, "task": "Sum up {document}.", "workflow": "summarization"}'
    assert Work.of(before) == Work("summarization", "Sum up {document}.")
    assert Work.of(before).to_json() == before


def test_a_step_of_a_workflow_takes_options(settings: dict[str, Any]) -> None:
    flow = nonet.Workflow("short")
    bullets = nonet.SummaryOptions(bullets=2)
    flow.add("summary", specialist="summarization", instruction="Sum up.", reads=["log"], options=bullets)
    result = flow.run({"log": REPORT}, **settings)
    assert [line[:2] for line in result.output.splitlines()] == ["- ", "- "]


def test_a_workflow_file_holds_options() -> None:
    written = "name: short\ninputs: {log: str}\nsteps:\n  summary:\n    specialist: summarization\n"
    written += "    instruction: Sum up.\n    reads: [log]\n    options: {sentences: 1, language: german}\n"
    definition, _, _ = definition_of(written, "short.yaml")
    assert definition.steps[0].options == OPTIONS
    flow = nonet.Workflow("short")
    flow.add("summary", specialist="summarization", instruction="Sum up.", reads=["log"], options=OPTIONS)
    again, _, _ = definition_of(flow.to_yaml(), "short.yaml")
    assert again.steps[0].options == OPTIONS
    with pytest.raises(WorkflowError, match=r"options.form: should be .* not .poem. .short.yaml:8"):
        definition_of(written.replace("sentences: 1", "form: poem"), "short.yaml")


def test_a_step_of_another_specialist_takes_none() -> None:
    flow = nonet.Workflow("short")
    with pytest.raises(WorkflowError, match="sentences, language are for the summarization specialist, not for 'code'"):
        flow.add("code", specialist="code", instruction="Write f(x).", options=OPTIONS)


def test_a_queue_takes_options(settings: dict[str, Any]) -> None:
    bullets = nonet.SummaryOptions(bullets=2)
    with nonet.Queue("inbox", **settings) as queue:
        with pytest.raises(UsageError, match="not for 'supervisor'"):
            queue.add_texts({"a": REPORT}, options=bullets)
        added = queue.add_texts({"a": REPORT}, workflow="summarization", task="Sum up.", options=bullets)
        again = queue.add_texts({"a": REPORT}, workflow="summarization", task="Sum up.", options=bullets)
        assert (added.jobs, again.jobs) == (1, 0)
        queue.run()
        [job] = queue.results()
        assert job.status == "done"
        assert [line[:2] for line in job.output.splitlines()] == ["- ", "- "]
