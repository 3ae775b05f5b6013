"""A workflow as a LangGraph graph: a node a step, an edge for what it reads, references in its state.

The content is in nonet's store, under one run; the state has the run's id and, by step, "run.step". Only the inputs as
they were given, and the output at the end, are content. So a checkpoint stays small whatever the steps write.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read by langgraph when it is imported

from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph

from nonet.graphs.workflow import keeping, sessions
from nonet.graphs.workflow.live import OUTPUT, RUN, LiveRuns, input_keys

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from nonet.graphs.session import Session
    from nonet.graphs.workflow.step import Step
    from nonet.graphs.workflow.workflow import Workflow

BEGIN, FINISH = "nonet_begin", "nonet_finish"
_MORE_STEPS = 25
"""That LangGraph may take beyond one a step, before it stops."""
_POLICIES = ("specialist", "each", "when", "until", "approve")


def compile_workflow(
    workflow: Workflow[Any],
    *,
    session: Session | None,
    settings: Mapping[str, Any],
    checkpointer: Any = None,  # noqa: ANN401  whatever LangGraph takes
    store: Any = None,  # noqa: ANN401
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph. Invoked with the inputs by name, it gives {"run": id, "output": value}.

    Args:
        session: where it runs; without one, a session of the settings that is kept open with its event loop.
    """
    checked = workflow.checked()
    live = LiveRuns(workflow, session, settings)
    names = input_keys(workflow)
    references = dict.fromkeys((ref(name) for name in checked.steps), str)
    inputs = _schema("Inputs", dict.fromkeys(names.values(), Any))
    state = _schema("State", {**dict.fromkeys(names.values(), Any), RUN: str, OUTPUT: Any, **references})
    output = _schema("Output", {RUN: str, OUTPUT: Any})
    graph: Any = StateGraph(state, input_schema=inputs, output_schema=output)
    graph.add_node(BEGIN, _node(live.begin))
    graph.add_edge(START, BEGIN)
    for name, step in checked.steps.items():
        graph.add_node(node_of(name), _node(_performing(live, name)), metadata=_told(step))
        reads = [node_of(each) for each in checked.reads[name]]
        graph.add_edge(reads if len(reads) > 1 else (reads or [BEGIN])[0], node_of(name))
    graph.add_node(FINISH, _node(lambda given: live.finish(given[RUN])))
    leaves = [node_of(each) for each in checked.leaves]
    graph.add_edge(leaves if len(leaves) > 1 else leaves[0], FINISH)
    graph.add_edge(FINISH, END)
    compiled: CompiledStateGraph[Any, Any, Any, Any] = graph.compile(
        checkpointer=checkpointer, store=store, name=workflow.name
    )
    return compiled.with_config(recursion_limit=len(checked.steps) + _MORE_STEPS)


def node_of(step: str) -> str:
    """The node of a step; LangGraph has no node that is called as a key of its state."""
    return f"{step}_step" if step in (RUN, OUTPUT) else step


def ref(name: str) -> str:
    """The key of the state that holds the reference to a step's output."""
    return f"{name}_ref"


def _schema(name: str, keys: Mapping[str, Any]) -> Any:  # noqa: ANN401  a TypedDict that is made at run time
    make: Any = TypedDict
    return make(name, dict(keys), total=False)


def _performing(live: LiveRuns, name: str) -> Callable[[Mapping[str, Any]], Any]:
    async def perform(state: Mapping[str, Any]) -> dict[str, Any]:
        return {ref(name): await live.perform(state[RUN], name)}

    return perform


def _node(work: Callable[[Mapping[str, Any]], Any]) -> RunnableLambda[Any, Any]:
    """A node for `ainvoke` and for `invoke` alike."""

    async def later(state: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return await work(state)

    def now(state: Mapping[str, Any]) -> Any:  # noqa: ANN401
        return sessions.blocking(later(state))

    return RunnableLambda(now, later)


def _told(step: Step[..., Any, Any]) -> dict[str, Any]:
    """What pictures of the graph say of a step."""
    said = {key: getattr(step.definition, key) for key in _POLICIES}
    return {key: value for key, value in said.items() if value is not None} or {"step": keeping.doer(step)}
