"""What a type checker and an editor know of workflows; mypy checks this file, and running it checks that it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

from pydantic import BaseModel

import nonet

if TYPE_CHECKING:
    from nonet.graphs.workflow.streaming import StreamEvent


class Ticket(BaseModel):
    product: str


@nonet.step
def lines(log: str, least: int = 0) -> list[str]:
    return [line for line in log.splitlines() if len(line) > least]


@nonet.step
async def count(lines: list[str]) -> int:
    return len(lines)


@nonet.step(each="line in lines", retries=2, timeout_seconds=5.0)
def shout(line: str) -> str:
    return line.upper()


@nonet.step(each="line in lines")
async def length(line: str) -> int:
    return len(line)


@nonet.step(specialist="general")
def plain(log: str) -> str:
    return f"Say {log}"


@nonet.step(specialist="general", returns=Ticket)
def ticket(log: str) -> str:
    return f"Say {log}"


@nonet.step(specialist="general", returns=list[Ticket], name="many")
def several(log: str) -> str:
    return f"Say {log}"


@nonet.step(specialist="general", returns=Ticket, each="line in lines")
def tickets(line: str) -> str:
    return f"Say {line}"


@nonet.step(specialist="summarization", each="line in lines", reads=["line"])
def texts() -> str:
    return "In one sentence."


@nonet.specialist(output=Ticket, examples=["Make a ticket."])
def clerk(assignment: nonet.Assignment) -> str:
    return f"Make a ticket: {assignment.text}"


@nonet.specialist(examples=["Make it a haiku."])
def poet(assignment: nonet.Assignment) -> str:
    return f"Make it a haiku: {assignment.text}"


@nonet.step(specialist=clerk, reads=["log"])
def filed() -> str:
    return "Make a ticket."


@nonet.step(specialist=clerk, reads=["line"], each="line in lines")
def all_filed() -> str:
    return "Make a ticket."


@nonet.step(specialist=poet, reads=["log"])
def sung() -> str:
    return "Make it a haiku."


def test_a_specialist_of_ones_own_brings_its_output_type(tmp_path: Path) -> None:
    flow = nonet.Workflow("own", [lines, filed, all_filed, sung])
    again = flow.add("again", specialist=clerk, instruction="Make a ticket of {log}")
    assert_type(again, nonet.Step[..., str, Ticket])
    result = flow.run({"log": "The pump was replaced."}, runtime="scripted", db=tmp_path / "own.db")
    assert_type(result[filed], Ticket)
    assert_type(result[all_filed], list[Ticket])
    assert_type(result[sung], str)
    assert [type(result[each]) for each in (filed, again, sung)] == [Ticket, Ticket, str]
    assert [type(each) for each in result[all_filed]] == [Ticket]


def test_a_step_called_is_its_function() -> None:
    assert_type(lines("a\nb"), list[str])
    assert_type(lines(log="a", least=3), list[str])
    assert_type(shout("a"), str)
    assert_type(ticket("a"), str)
    waits = count(["a"])
    _ = assert_type(waits, Coroutine[Any, Any, int])
    waits.close()


def test_steps_know_the_type_of_what_they_give(tmp_path: Path) -> None:
    every: list[nonet.Step[..., Any, Any]] = [lines, count, shout, length, plain, ticket, several, tickets, texts]
    flow = nonet.Workflow("flow", every, output=count)
    assert_type(flow, nonet.Workflow[int])
    result = flow.run(
        {"log": "The pump was replaced.\nThe valve leaks."}, runtime="scripted", db=tmp_path / "typing.db"
    )
    assert_type(result, nonet.WorkflowResult[int])
    assert_type(result.output, int)
    assert_type(result[lines], list[str])
    assert_type(result[count], int)
    assert_type(result[shout], list[str])
    assert_type(result[length], list[int])
    assert_type(result[plain], str)
    assert_type(result[ticket], Ticket)
    assert_type(result[several], list[Ticket])
    assert_type(result[tickets], list[Ticket])
    assert_type(result[texts], list[str])
    assert_type(result["lines"], Any)
    assert_type(result.run, str)
    assert_type(result.verdict, nonet.Verdict)
    values = [result.output, *(result[each] for each in every)]
    assert [type(value) for value in values] == [int, list, int, list, list, str, Ticket, list, list, list]


def test_the_builder_knows_the_type_of_what_a_step_gives() -> None:
    flow = nonet.Workflow("flow")
    assert_type(flow, nonet.Workflow[Any])
    said = flow.add("said", specialist="general", instruction="Say {log}")
    assert_type(said, nonet.Step[..., str, str])
    made = flow.add("made", specialist="general", instruction="Say {log}", output=Ticket)
    assert_type(made, nonet.Step[..., str, Ticket])
    sized = flow.add("sized", function=len, arguments={"obj": said}, when="said != ''")
    assert_type(sized, nonet.Step[..., int, int])
    other = nonet.Workflow("other", [lines, count], output=count)
    inner = flow.add("inner", workflow=other)
    assert_type(inner, nonet.Step[..., Any, int])
    assert [each.output.name for each in (said, made, sized, inner)] == ["str", "Ticket", "Any", "int"]


def test_the_ways_to_run_know_the_type_of_the_output() -> None:
    flow = nonet.Workflow("flow", [lines, count], output=count)
    events = flow.stream({"log": "x"})
    later = flow.astream({"log": "x"})
    assert_type(events, Iterator["StreamEvent[int]"])
    assert_type(later, AsyncIterator["StreamEvent[int]"])
    batch = flow.abatch([{"log": "x"}])
    _ = assert_type(batch, Coroutine[Any, Any, list[nonet.WorkflowResult[int]]])
    resumed = flow.aresume("last")
    _ = assert_type(resumed, Coroutine[Any, Any, nonet.WorkflowResult[int]])
    forked = flow.afork("last", again=[lines], inputs={"log": "y"})
    _ = assert_type(forked, Coroutine[Any, Any, nonet.WorkflowResult[int]])
    for coroutine in (batch, resumed, forked):
        coroutine.close()
