"""The supervisor graph: plan, approve, execute, review, replan where something failed, compose.

LangGraph holds the control flow; its state carries ids and verdicts, never content. The store is the truth: each node
first looks whether its work is there already, so a run that was killed anywhere can start again from the top and
repeats nothing that was finished. A checkpoint is only needed where a run waits for a person, so only a run with
approval gets one.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read by langgraph when it is imported

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from nonet.graphs import steps
from nonet.graphs.context import RunContext
from nonet.graphs.replanning import replan
from nonet.graphs.steps import RunState

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph


async def make_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:
    """Plan, unless the run has a plan."""
    await steps.plan(runtime.context)
    return {"run": state["run"], "revised": bool(runtime.context.earlier)}


async def ask_user(state: RunState) -> RunState:
    """Stop here until the user has decided; works across a restart."""
    return {"decision": str(interrupt({"run": state["run"]}))}


async def execute_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Run what is not finished."""
    await steps.work(runtime.context)
    return {}


# The nodes and choices that wait for nothing are async as well: LangGraph gives any other a thread of its own.
async def review_results(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Decide what was proved, and what is missing."""
    return steps.judge(runtime.context)


async def revise_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Plan what is left anew, where there is something new to try."""
    if not await replan(runtime.context):
        return {"next": "compose"}
    return {"next": "execute", "revised": True}


async def compose_answer(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Put the answer together from the artifacts."""
    steps.finish(runtime.context)
    return {}


def build(checkpointer: BaseCheckpointSaver[Any] | None = None) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph, with the approval step when there is a checkpointer to wait with."""
    graph = StateGraph(RunState, context_schema=RunContext)
    graph.add_node("plan", make_plan)
    graph.add_node("execute", execute_plan)
    graph.add_node("review", review_results)
    graph.add_node("replan", revise_plan)
    graph.add_node("compose", compose_answer)
    graph.add_edge(START, "plan")
    if checkpointer is None:
        graph.add_edge("plan", "execute")
    else:
        graph.add_node("approve", ask_user)
        graph.add_edge("plan", "approve")
        graph.add_conditional_edges("approve", _decided, {"accept": "execute", "refuse": END, "keep": "compose"})
    graph.add_edge("execute", "review")
    graph.add_conditional_edges("review", _next, {"replan": "replan", "compose": "compose"})
    again = "execute" if checkpointer is None else "approve"
    graph.add_conditional_edges("replan", _next, {"execute": again, "compose": "compose"})
    graph.add_edge("compose", END)
    return graph.compile(checkpointer=checkpointer)


async def _next(state: RunState) -> str:
    return state["next"]


async def _decided(state: RunState) -> str:
    """A first plan that is refused ends the run; a refused revision leaves what was finished."""
    return "keep" if state["decision"] == "refuse" and state.get("revised") else state["decision"]


@cache
def built() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph without approval, compiled once a process."""
    return build()


def mermaid() -> str:
    """The graph with every step, as Mermaid text."""
    from langgraph.checkpoint.memory import InMemorySaver  # noqa: PLC0415  only for the picture

    return build(InMemorySaver()).get_graph().draw_mermaid()
