"""Workflows as LangGraph graphs, and specialists as nodes and Runnables of others' graphs."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from PIL import Image
from pydantic import BaseModel

import nonet
from nonet.errors import WorkflowFailedError
from nonet.store import Store

TEXT = "The pump was replaced in May. It works well since."


class Size(BaseModel):
    words: int


@nonet.step(specialist="summarization", reads=["text"])
def short() -> str:
    return "In one sentence."


@nonet.step
def words(text: str) -> list[str]:
    return text.split()


@nonet.step(each="word in words")
def lengths(word: str) -> int:
    return len(word)


@nonet.step
async def answer(short: str, lengths: list[int], text: str = "") -> str:
    return f"{short} {sum(lengths)} {len(text)}"


flow = nonet.Workflow("flow", [answer, lengths, words, short], output=answer)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {"runtime": "scripted", "db": tmp_path / "graph.db"}


def test_it_compiles_and_draws() -> None:
    graph = flow.graph
    assert isinstance(graph, CompiledStateGraph)
    picture = graph.get_graph().draw_mermaid()
    assert picture == flow.mermaid()
    for edge in ("words --> lengths;", "short --> answer;", "lengths --> answer;", "answer --> nonet_finish;"):
        assert edge in picture
    assert "each = word in words" in picture


def test_it_is_drawn_without_a_server() -> None:
    image = Image.open(io.BytesIO(flow.png()))
    assert image.format == "PNG"
    width, height = image.size
    shown = {image.getpixel((x, y)) for x in range(0, width, 3) for y in range(0, height, 3)}
    assert {(238, 240, 251), (247, 243, 232)} <= shown, "boxes of steps and of inputs"
    assert height > width / 4, "in rows, each below what it reads"


async def test_it_runs_under_a_checkpointer_and_a_store_and_its_state_has_references(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
        graph = flow.compile(checkpointer=saver, store=InMemoryStore(), **settings)
        config: Any = {"configurable": {"thread_id": "one"}}
        given = await graph.ainvoke({"text": TEXT}, config)
        state = (await graph.aget_state(config)).values
    assert given["output"] == flow.run({"text": TEXT}, **settings).output
    run = given["run"]
    assert {key: value for key, value in state.items() if key.endswith("_ref")} == {
        f"{name}_ref": f"{run}.{name}" for name in ("short", "words", "lengths", "answer")
    }
    with Store.open(settings["db"]) as store:
        kept = store.runs.get(run)
    assert (kept.status, kept.answer) == ("done", given["output"])


def test_it_runs_where_nothing_is_async(settings: dict[str, Any]) -> None:
    graph = flow.compile(**settings)
    assert graph.invoke({"text": TEXT})["output"].endswith("41 50")
    events = [event for mode, event in graph.stream({"text": TEXT}, stream_mode=["custom"]) if mode == "custom"]
    assert {"SubtaskStarted", "SubtaskText", "SubtaskFinished"} <= {type(event).__name__ for event in events}


async def test_an_approval_interrupts_and_another_graph_goes_on(settings: dict[str, Any]) -> None:
    calls: list[str] = []

    def draft(text: str) -> str:
        calls.append("draft")
        return text.upper()

    mail = nonet.Workflow("mail")
    mail.add("draft", function=draft)
    mail.add("size", function=lambda draft: Size(words=len(draft)))
    mail.add("send", function=lambda draft, size: {"sent": draft, "size": size}, approve="Send it?")
    saver = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "one"}}
    stopped = await mail.compile(checkpointer=saver, **settings).ainvoke({"text": "hi"}, config)
    assert stopped["__interrupt__"][0].value == {
        "step": "send",
        "question": "Send it?",
        "inputs": {"draft": "HI", "size": {"words": 2}},
    }
    again = mail.compile(checkpointer=saver, **settings)
    assert (await again.ainvoke(Command(resume=True), config))["output"] == {"sent": "HI", "size": {"words": 2}}
    assert calls == ["draft"]


async def test_a_failed_step_fails_the_graph_and_is_tried_again(settings: dict[str, Any]) -> None:
    tries: list[int] = []

    def flaky(text: str) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return text

    once = nonet.Workflow("once")
    once.add("flaky", function=flaky)
    graph = once.compile(checkpointer=InMemorySaver(), **settings)
    config: Any = {"configurable": {"thread_id": "one"}}
    with pytest.raises(WorkflowFailedError, match="flaky: ValueError: not yet"):
        await graph.ainvoke({"text": "x"}, config)
    assert (await graph.ainvoke(None, config))["output"] == "x"


def test_a_graph_that_another_node_cut_off_goes_on_in_another_event_loop(settings: dict[str, Any]) -> None:
    calls: list[str] = []

    def fails_once(state: Around) -> Around:
        calls.append("node")
        if len(calls) == 1:
            raise ValueError("not ours")
        return {"seen": state["output"]}

    inner = flow.compile(**settings)
    graph = StateGraph(Around)
    graph.add_node("flow", inner)
    graph.add_node("beside", fails_once)
    graph.add_edge(START, "flow")
    graph.add_edge("flow", "beside")
    graph.add_edge("beside", END)
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}
    with pytest.raises(ValueError, match="not ours"):
        asyncio.run(app.ainvoke({"text": TEXT}, config))
    assert asyncio.run(app.ainvoke(None, config))["seen"].endswith("41 50")


class Around(TypedDict, total=False):
    text: str
    output: str
    seen: str


class State(TypedDict, total=False):
    text: str
    short: str
    size: Size


async def test_a_specialist_is_a_node_of_anothers_graph(settings: dict[str, Any]) -> None:
    graph = StateGraph(State)
    shorten = nonet.runnable("summarization", "In one sentence.", reads=["text"], writes="short", **settings)
    measure = nonet.runnable("general", "How many words? {short}", output=Size, writes="size", **settings)
    graph.add_node("shorten", shorten)
    graph.add_node("measure", measure)
    graph.add_edge(START, "shorten")
    graph.add_edge("shorten", "measure")
    graph.add_edge("measure", END)
    state = await graph.compile().ainvoke({"text": TEXT})
    assert state == {"text": TEXT, "short": "The pump was replaced in May.", "size": Size(words=0)}


def test_a_specialist_is_a_runnable(settings: dict[str, Any]) -> None:
    size = nonet.runnable("general", output=Size, **settings)
    chain = ChatPromptTemplate.from_messages([("user", "How many words has {text}?")]) | size | (lambda it: it.words)
    assert chain.invoke({"text": "a text"}) == 0
    assert size.batch(["one", {"instruction": "two"}]) == [Size(words=0), Size(words=0)]
    with pytest.raises(nonet.NonetError, match="It reads instruction, and got word"):
        size.invoke({"word": "three"})


def test_the_langgraph_example_names_a_graph() -> None:
    folder = Path(__file__).parents[2] / "examples" / "langgraph_app"
    named = json.loads((folder / "langgraph.json").read_text())
    path, _, variable = named["graphs"]["triage"].partition(":")
    namespace: dict[str, Any] = {"__name__": "graph", "__file__": str(folder / path)}
    exec(compile((folder / path).read_text(), str(folder / path), "exec"), namespace)
    assert isinstance(namespace[variable], CompiledStateGraph)
