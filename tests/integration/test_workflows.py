"""Workflows that run: on the scripted runtime, through the public API."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Literal, assert_type

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import BaseModel

import nonet
from nonet.errors import ChangedWorkflowError, WorkflowError, WorkflowFailedError
from nonet.graphs.workflow.result import WorkflowResult
from nonet.graphs.workflow.streaming import Done
from nonet.runtimes.scripted import Script, ScriptedRuntime


class Ticket(BaseModel):
    product: str
    urgent: bool


@nonet.step
def lines(log: str) -> list[str]:
    return log.splitlines()


@nonet.step(specialist="general", each="line in lines", returns=Ticket)
def tickets(line: str) -> str:
    return f"Which product, and is it urgent? {line}"


@nonet.step(specialist="summarization", reads=["log"])
def summary() -> str:
    return "Sum up in one sentence."


@nonet.step
async def report(tickets: list[Ticket], summary: str) -> str:
    return f"{len(tickets)} tickets. {summary}"


triage = nonet.Workflow("triage", [report, summary, tickets, lines], output=report)
LOG = "The pump is broken.\nThe valve leaks."


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {"runtime": "scripted", "db": tmp_path / "flows.db"}


async def session_with(script: Script, settings: dict[str, Any]) -> nonet.Session:
    """A session whose models say what the script says."""
    session = await nonet.Session.open(nonet.Settings(**settings))
    runtime = session.runtime
    assert isinstance(runtime, ScriptedRuntime)
    runtime._respond = ScriptedRuntime(script)._respond
    return session


def test_the_whole_from_inputs_to_typed_outputs(settings: dict[str, Any]) -> None:
    result = triage.run({"log": LOG}, **settings)
    assert_type(result, WorkflowResult[str])
    assert_type(result.output, str)
    assert_type(result[tickets], list[Ticket])
    assert_type(result[lines], list[str])
    assert_type(lines("x"), list[str])
    assert_type(tickets("x"), str)
    assert result.status == "done"
    assert result.output.startswith("2 tickets. The pump")
    assert [each.urgent for each in result[tickets]] == [False, False]
    assert result.usage.calls == 3
    assert {each.id: each.specialist for each in result.steps} == {
        "lines": "python",
        "summary": "summarization",
        "tickets": "general",
        "report": "python",
    }


async def test_in_a_running_loop_and_in_threads(settings: dict[str, Any]) -> None:
    """As a notebook and a web server do."""
    here = triage.run({"log": LOG}, **settings)
    there = await asyncio.to_thread(triage.run, {"log": LOG}, **settings)
    async with await nonet.Session.open(nonet.Settings(**settings)) as session:
        many = await asyncio.gather(*(triage.arun({"log": LOG}, session=session) for _ in range(4)))
    assert {each.output for each in (here, there, *many)} == {here.output}


def test_the_stream_ends_with_the_result(settings: dict[str, Any]) -> None:
    events = list(triage.stream({"log": LOG}, **settings))
    names = [type(each).__name__ for each in events]
    assert names[:2] == ["RunStarted", "PlanReady"]
    assert {"SubtaskStarted", "SubtaskText", "SubtaskFinished", "ArtifactKept"} <= set(names)
    assert names[-2:] == ["RunFinished", "Done"]
    last = events[-1]
    assert isinstance(last, Done)
    assert last.result.output.startswith("2 tickets.")


def test_a_batch_keeps_the_order(settings: dict[str, Any]) -> None:
    results = triage.batch(({"log": "\n".join(["A line."] * n)} for n in (1, 2, 3)), at_once=2, **settings)
    assert [len(each[tickets]) for each in results] == [1, 2, 3]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "needs the input 'log' (str). It is read by step 'summary'"),
        ({"log": 3}, "does not fit: it is no str"),
        ({"log": "x", "lgo": 1}, "has no input 'lgo'"),
    ],
)
def test_inputs_are_checked_before_anything_runs(inputs: dict[str, Any], said: str, settings: dict[str, Any]) -> None:
    with pytest.raises(WorkflowError) as caught:
        triage.run(inputs, **settings)
    assert said in str(caught.value)


def test_a_mistyped_name_of_a_step_is_an_input_that_is_missing(settings: dict[str, Any]) -> None:
    flow = nonet.Workflow("typed")
    flow.add("findings", function=len, arguments={"obj": "text"})
    flow.add("report", function=abs, arguments={"x": "finding"})
    with pytest.raises(WorkflowError, match=r"needs the input 'finding'.* If the step 'findings' was meant"):
        flow.run({"text": "x"}, **settings)


def _raises(log: str) -> str:
    raise KeyError(log)


def test_a_step_that_raises_fails_the_run_and_names_the_line(settings: dict[str, Any]) -> None:
    flow = nonet.Workflow("flow")
    flow.add("bad", function=_raises)
    flow.add("after", function=len, arguments={"obj": "bad"})
    flow.add("beside", function=lambda log: log.upper())
    result = flow.run({"log": "x"}, **settings)
    assert result.status == "failed"
    assert result["beside"] == "X"
    place = f"{__file__}:{_raises.__code__.co_firstlineno + 1}"
    assert f"bad: KeyError: 'x' ({place})" in result.ran.missing
    assert "after: not run: it reads bad, which failed" in result.ran.missing
    with pytest.raises(WorkflowFailedError, match="KeyError"):
        _ = result.output


def test_retries_and_time_outs(settings: dict[str, Any]) -> None:
    tries: list[int] = []

    def flaky() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not yet")
        return len(tries)

    async def slow() -> int:
        await asyncio.Event().wait()
        return 1

    flow = nonet.Workflow("flow")
    flow.add("flaky", function=flaky, retries=2)
    flow.add("slow", function=slow, timeout_seconds=0.05)
    result = flow.run(**settings)
    assert result["flaky"] == 3
    assert result.ran.missing == ("slow: it was not done after 0.05 s",)


def test_another_try_of_a_workflow_begins_where_it_failed(settings: dict[str, Any]) -> None:
    calls: list[str] = []

    def first(n: int) -> int:
        calls.append("first")
        return n

    async def second(first: int) -> int:
        calls.append("second")
        if calls.count("second") == 1:
            raise OSError("not yet")
        if calls.count("second") == 2:
            await asyncio.Event().wait()
        return first + 1

    inner = nonet.Workflow("inner", [nonet.step(first), nonet.step(second)])
    flow = nonet.Workflow("flow")
    whole = flow.add("whole", workflow=inner, retries=2, timeout_seconds=0.5)
    result = flow.run({"n": 1}, **settings)
    assert (result[whole], calls) == (2, ["first", "second", "second", "second"])
    assert any("whole is tried again: it was not done after 0.5 s" in note for note in result.notes)


def test_the_database_grows_by_the_same_for_every_step_and_item(settings: dict[str, Any]) -> None:
    async def add(value: int) -> int:
        return value + 1

    wide = nonet.Workflow("wide")
    wide.add("added", function=add, each="item in items", arguments={"value": "item"})

    def chain(length: int) -> nonet.Workflow[Any]:
        flow = nonet.Workflow("chain")
        for number in range(length):
            flow.add(f"s{number}", function=add, arguments={"value": f"s{number - 1}" if number else "start"})
        return flow

    def bytes_of(flow: nonet.Workflow[Any], inputs: dict[str, Any]) -> int:
        before = settings["db"].stat().st_size
        assert flow.run(inputs, **settings).status == "done"
        return int(settings["db"].stat().st_size - before)

    wide.run({"items": [0]}, **settings)
    items = [bytes_of(wide, {"items": list(range(count * 10**4, count * 10**4 + count))}) for count in (200, 800)]
    steps = [bytes_of(chain(count), {"start": count * 10**8}) for count in (20, 80)]
    for few, many in (items, steps):
        assert many < 6 * few, "four times as many; with the square it would be sixteen times"


def test_an_output_of_another_type_fails_its_step(settings: dict[str, Any]) -> None:
    def wrong() -> int:
        return "many"  # type: ignore[return-value]

    flow = nonet.Workflow("flow")
    flow.add("wrong", function=wrong)
    result = flow.run(**settings)
    assert "wrong: wrong returned a str: it is no int" in result.ran.missing[0]


async def test_an_output_that_never_validates_is_tried_again_on_every_model_and_fails(settings: dict[str, Any]) -> None:
    flow = nonet.Workflow("flow")
    flow.add("ticket", specialist="general", instruction="Which product? {log}", output=Ticket)
    async with await session_with(lambda _request: '{"product": 3}', settings) as session:
        result = await flow.arun({"log": LOG}, session=session)
    assert result.status == "failed"
    step = result.steps[0]
    assert step.attempts == 4  # twice on each of two models
    assert "schema" in {each.kind for each in step.evidence}


async def test_a_repair_is_told_what_was_wrong(settings: dict[str, Any]) -> None:
    answers = iter(['{"product": "pump", "urgent": "perhaps"}', '{"product": "pump", "urgent": true}'])
    flow = nonet.Workflow("flow")
    ticket = flow.add("ticket", specialist="general", instruction="Which product? {log}", output=Ticket)
    async with await session_with(lambda _request: next(answers), settings) as session:
        result = await flow.arun({"log": LOG}, session=session)
    assert result[ticket] == Ticket(product="pump", urgent=True)
    assert result.steps[0].attempts == 2


async def test_a_specialist_that_writes_prose_is_put_into_form(settings: dict[str, Any]) -> None:
    def script(request: Any) -> str:
        return '{"product": "pump", "urgent": true}' if request.schema else "The pump is broken."

    flow = nonet.Workflow("flow")
    ticket = flow.add("ticket", specialist="summarization", instruction="Sum up.", reads=["log"], output=Ticket)
    async with await session_with(script, settings) as session:
        result = await flow.arun({"log": LOG}, session=session)
    assert result[ticket].urgent
    assert result.usage.calls == 2


Kind = Literal["refund", "question"]


def _branches(kind: Kind) -> nonet.Workflow[Any]:
    def classify() -> Kind:
        return kind

    def refund(text: str) -> str:
        return f"refunded {text}"

    def answer(text: str) -> str:
        return f"answered {text}"

    def reply(refund: str | None, answer: str | None) -> str:
        return refund or answer or "?"

    flow = nonet.Workflow("branches", output="reply")
    flow.add("kind", function=classify)
    flow.add("refund", function=refund, when="kind == 'refund'")
    flow.add("answer", function=answer, when="kind != 'refund'")
    flow.add("after", function=lambda refund: refund)
    flow.add("reply", function=reply)
    return flow


def test_conditions_choose_a_branch(settings: dict[str, Any]) -> None:
    refunded = _branches("refund").run({"text": "x"}, **settings)
    answered = _branches("question").run({"text": "x"}, **settings)
    assert (refunded.output, answered.output) == ("refunded x", "answered x")
    assert answered["refund"] is None
    assert "refund is skipped: kind == 'refund' is not so" in answered.notes
    assert "after is skipped: it reads refund, which was skipped" in answered.notes


def _better(draft: int) -> int:
    return draft + 1


def test_a_loop_carries_its_output_and_is_bounded(settings: dict[str, Any]) -> None:
    flow = nonet.Workflow("loop")
    polish = flow.add("polish", function=_better, until="polish >= 3", at_most=5, carry="draft")
    assert flow.run({"draft": 0}, **settings)[polish] == 3
    far = flow.run({"draft": -10}, **settings)
    assert far[polish] == -5
    assert "polish: polish >= 3 was not so after 5 rounds; the last one stands" in far.notes


def test_a_workflow_is_a_step_even_for_every_item(settings: dict[str, Any]) -> None:
    inner = nonet.Workflow("inner", output="more")
    inner.add("more", function=_better, arguments={"draft": "n"})
    flow = nonet.Workflow("outer")
    one = flow.add("one", workflow=inner)
    every = flow.add("every", workflow=inner, each="item in items", arguments={"n": "item"})
    rounds = flow.add("rounds", workflow=inner, until="rounds > 4", at_most=9, carry="n")
    result = flow.run({"n": 1, "items": [1, 2, 3]}, **settings)
    assert (result[one], result[every], result[rounds]) == (2, [2, 3, 4], 5)


async def test_failed_items_are_none_where_the_type_says_so(settings: dict[str, Any]) -> None:
    def parse(text: str) -> int | None:
        return int(text)

    flow = nonet.Workflow("flow")
    flow.add("numbers", function=parse, each="text in texts")
    flow.add("sum", function=lambda numbers: sum(filter(None, numbers)))
    result = await flow.arun({"texts": ["1", "x", "3"]}, **settings)
    assert result["numbers"] == [1, None, 3]
    assert result["sum"] == 4
    assert any("numbers[1] failed and is None" in note for note in result.notes)


async def test_a_text_that_may_be_missing_is_asked_for_as_a_text(settings: dict[str, Any]) -> None:
    """None stands for an item that failed; no model is asked to choose it."""
    flow = nonet.Workflow("sums", inputs={"logs": list[str]})
    summed = flow.add(
        "summed",
        specialist="summarization",
        instruction="In one sentence.",
        each="log in logs",
        reads=["log"],
        output=str | None,
    )
    result = await flow.arun({"logs": [LOG, " "]}, **settings)
    assert result[summed] == ["The pump is broken.", None]
    assert result.usage.calls == 1


def test_a_person_is_asked_and_the_run_waits(settings: dict[str, Any]) -> None:
    sent: list[str] = []
    flow = nonet.Workflow("mail")
    flow.add("draft", function=lambda text: text.upper())
    flow.add("send", function=sent.append, arguments={"object": "draft"}, approve="Send it?")

    async def yes(approval: Any) -> bool:
        assert approval.inputs == {"draft": "HI"}
        return True

    async def no(_approval: Any) -> bool:
        return False

    assert flow.run({"text": "hi"}, approve=yes, **settings).status == "done"
    assert flow.run({"text": "hi"}, approve=no, **settings).status == "refused"
    assert sent == ["HI"]
    waiting = flow.run({"text": "later"}, **settings)
    assert waiting.status == "waiting"
    assert waiting.to_json()["waiting"] == [{"step": "send", "question": "Send it?"}]
    with pytest.raises(nonet.NonetError, match="does not wait for an answer to 'draft'"):
        flow.resume(waiting.run, answers={"draft": True}, **settings)
    assert flow.resume(waiting.run, answers=True, **settings).status == "done"
    assert sent == ["HI", "LATER"]


def test_resume_repeats_nothing_and_tries_again_what_failed(settings: dict[str, Any]) -> None:
    calls: list[str] = []

    def first(text: str) -> str:
        calls.append("first")
        return text

    def second(first: str) -> str:
        calls.append("second")
        if len(calls) < 3:
            raise ValueError("no")
        return first + "!"

    flow = nonet.Workflow("flow")
    flow.add("first", function=first)
    flow.add("second", function=second)
    failed = flow.run({"text": "x"}, **settings)
    assert failed.status == "failed"
    done = flow.resume(failed.run, **settings)
    assert (done.run, done.output, calls) == (failed.run, "x!", ["first", "second", "second"])
    assert flow.resume(failed.run, **settings).output == "x!"
    assert len(calls) == 3


def test_a_fork_does_again_what_is_named_and_what_reads_something_else(settings: dict[str, Any]) -> None:
    calls: list[str] = []

    def a(x: int) -> int:
        calls.append("a")
        return x

    def b(y: int) -> int:
        calls.append("b")
        return y

    def c(a: int, b: int) -> int:
        calls.append("c")
        return a + b

    flow = nonet.Workflow("flow", [nonet.step(a), nonet.step(b), nonet.step(c)])
    first = flow.run({"x": 1, "y": 2}, **settings)
    calls.clear()
    assert flow.fork(first.run, inputs={"y": 5}, **settings).output == 6
    assert calls == ["b", "c"]
    calls.clear()
    again = flow.fork(first.run, again=["a"], **settings)
    assert (again.output, calls) == (3, ["a", "c"])
    assert again.run != first.run


def test_a_replay_asks_no_model(settings: dict[str, Any]) -> None:
    first = triage.run({"log": LOG}, **settings)
    again = triage.replay(first.run, **settings)
    assert (again.status, again.usage.calls, again.output) == ("done", 0, first.output)
    with pytest.raises(WorkflowError, match="no step 'x'"):
        triage.fork(first.run, again=["x"], **settings)


def test_a_changed_workflow_is_refused_with_the_difference(settings: dict[str, Any]) -> None:
    def make(suffix: str, *, fails: bool) -> nonet.Workflow[Any]:
        def last(lines: list[str]) -> int:
            if fails:
                raise ValueError("stopped")
            return len(lines)

        flow = nonet.Workflow("flow")
        flow.add("lines", function=lines)
        flow.add("first", specialist="general", instruction=f"Say {{log}}{suffix}")
        flow.add("last", function=last, timeout_seconds=9.0 if fails else 8.0)
        return flow

    before = make("", fails=True).run({"log": LOG}, **settings)
    assert make("", fails=False).resume(before.run, **settings).status == "done"
    stopped = make("", fails=True).run({"log": LOG}, **settings)
    with pytest.raises(ChangedWorkflowError) as caught:
        make("!", fails=False).resume(stopped.run, **settings)
    assert "step first: instruction was 'Say {log}', and is 'Say {log}!'" in str(caught.value)
    forced = make("!", fails=False).resume(stopped.run, force=True, **settings)
    assert forced.status == "done"
    assert forced.usage.calls == 2  # the step that changed was done again
    assert any("goes on with a changed workflow" in note for note in forced.notes)


def test_a_budget_stops_the_run_and_a_resume_goes_on(settings: dict[str, Any]) -> None:
    stopped = triage.run({"log": LOG}, max_calls=1, **settings)
    assert stopped.status == "failed"
    done = triage.resume(stopped.run, max_calls=9, **settings)
    assert done.status == "done"
    assert done.usage.calls == 3


async def test_the_definition_makes_the_same_workflow_again(settings: dict[str, Any]) -> None:
    data = triage.definition.model_dump_json(exclude_defaults=True)
    again = nonet.Workflow.from_definition(type(triage.definition).model_validate_json(data))
    assert again.identity() == triage.identity()
    first = await triage.arun({"log": LOG}, **settings)
    assert (await again.aresume(first.run, **settings)).output == first.output


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edges=st.lists(st.sets(st.integers(0, 6), max_size=3), min_size=1, max_size=7),
    dropped=st.sets(st.integers(0, 6), max_size=2),
    listed=st.sets(st.integers(0, 6), max_size=2),
)
def test_any_graph_gives_what_its_steps_give_one_after_another(
    edges: list[set[int]], dropped: set[int], listed: set[int], settings: dict[str, Any]
) -> None:
    """Whatever reads what, runs together, is skipped or goes through a list."""
    begun: list[str] = []
    flow = nonet.Workflow("graph", description="Steps are added last first: order comes from what they read.")
    expected: dict[str, int | None] = {}
    for number, reads in enumerate(edges):
        sources = [expected[f"s{each}"] for each in sorted(reads) if each < number]
        skipped = number in dropped or None in sources
        expected[f"s{number}"] = None if skipped else 1 + number + sum(each or 0 for each in sources)
    for number, reads in reversed(list(enumerate(edges))):
        names = [f"s{each}" for each in sorted(reads) if each < number]
        _add_sum(flow, number, names, begun, skipped=number in dropped, listed=number in listed)
    result = flow.run({"numbers": [1]}, **settings)
    assert result.status == "done"
    assert {name: result[name] for name in expected} == expected
    for name in begun:
        for source in flow.checked().reads[name]:
            assert source not in begun or begun.index(source) < begun.index(name)


def _add_sum(
    flow: nonet.Workflow[Any], number: int, names: list[str], begun: list[str], *, skipped: bool, listed: bool
) -> None:
    """A step that adds up what it reads; through a list of one it does the same in two steps."""
    name = f"s{number}"
    parameters = ", ".join([*names, "numbers"])
    scope: dict[str, Any] = {"begun": begun}
    given_up = f"{number} + sum(numbers) + sum([{', '.join(names)}])"
    source = f"async def add({parameters}):\n begun.append({name!r})\n return {given_up}"
    exec(source, scope)
    when = "len(numbers) > 1" if skipped else "len(numbers) == 1"
    if not listed:
        flow.add(name, function=scope["add"], when=when)
        return
    arguments: dict[str, str | nonet.Step[..., Any, Any]] = {"n": "n"}
    flow.add(f"{name}_each", function=_same, each="n in numbers", arguments=arguments, when=when)
    flow.add(name, function=scope["add"], arguments={"numbers": f"{name}_each"}, when=when)


async def _same(n: int) -> int:
    return n


def test_stopping_a_stream_leaves_the_run_resumable(settings: dict[str, Any]) -> None:
    gate = threading.Event()

    async def first() -> int:
        return 1

    async def second(first: int) -> int:
        if not gate.is_set():
            await asyncio.Event().wait()
        return first + 1

    flow = nonet.Workflow("flow", [nonet.step(first), nonet.step(second)])
    run = ""
    for event in flow.stream(**settings):
        run = getattr(event, "run", run)
        if getattr(event, "subtask", "") == "second":
            break
    gate.set()
    result = flow.resume(run, **settings)
    assert (result.status, result.output) == ("done", 2)
