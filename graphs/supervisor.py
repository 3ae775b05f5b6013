"""The supervisor graph: plan, approve, execute, review, replan where something failed, compose.

LangGraph holds the control flow; its state carries ids and verdicts, never content. The store is the truth: each node
first looks whether its work is there already, so a run that was killed anywhere can start again from the top and
repeats nothing that was finished. A checkpoint is only needed where a run waits for a person, so only a run with
approval gets one.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read by langgraph when it is imported

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from nonet.agents.composer import compose
from nonet.agents.reviewer import left_out, review
from nonet.graphs.context import RunContext
from nonet.graphs.events import PlanReady
from nonet.graphs.executor import execute
from nonet.graphs.planners import planner_for
from nonet.graphs.planning import check_plan
from nonet.graphs.records import outcomes_of
from nonet.graphs.replanning import replan

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph


class RunState(TypedDict, total=False):
    """What travels between nodes: references and decisions."""

    run: str
    decision: str
    """What the user said of the plan: "accept" or "refuse"."""
    verdict: str
    missing: list[str]
    next: str
    """Where a review or a revision leads: "replan", "execute" or "compose"."""
    revised: bool
    """The plan is a revision: refusing it leaves what was finished."""


async def make_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:
    """Plan before any document is read; a run that has a plan keeps it."""
    context = runtime.context
    if context.plan is None:
        session = context.session
        planner = planner_for(session, context)
        plan = await planner.plan(context.task, attached=context.attached, collection=context.collection)
        check_plan(plan, session)
        context.plan = plan
        status = "proposed" if context.wants_approval else "accepted"
        session.store.runs.save_plan(context.lease, plan.model_dump_json(), plan.planner, status)
        if plan.model:  # a plan that cost calls is not made twice, whatever happens to this process
            await session.store.runs.flush(context.lease)
    if context.wants_approval:
        context.turn.end()
    else:
        context.turn.end_soon()
    context.emit(PlanReady(context.run, context.plan, len(context.earlier) + 1))
    return {"run": state["run"], "revised": bool(context.earlier)}


async def ask_user(state: RunState) -> RunState:
    """Stop here until the user has decided; works across a restart."""
    return {"decision": str(interrupt({"run": state["run"]}))}


async def execute_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Run what is not finished."""
    context = runtime.context
    await execute(context, context.accepted_plan())
    return {}


# The nodes that wait for nothing are async as well: LangGraph gives any other a thread of its own.
async def review_results(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Decide what was proved, and what is missing."""
    context = runtime.context
    reviewed = review(context.accepted_plan(), outcomes_of(context.records), context.earlier)
    following = "replan" if reviewed.missing else "compose"
    return {"verdict": str(reviewed.verdict), "missing": list(reviewed.missing), "next": following}


async def revise_plan(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Plan what is left anew, where there is something new to try."""
    if not await replan(runtime.context):
        return {"next": "compose"}
    return {"next": "execute", "revised": True}


async def compose_answer(state: RunState, *, runtime: Runtime[RunContext]) -> RunState:  # noqa: ARG001  LangGraph passes it by name
    """Put the answer together from the artifacts."""
    context = runtime.context
    plan = context.accepted_plan()
    lost = left_out([*context.earlier, plan])
    context.composition = compose(context.task, plan, outcomes_of(context.records), lost)
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


def _next(state: RunState) -> str:
    return state["next"]


def _decided(state: RunState) -> str:
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
