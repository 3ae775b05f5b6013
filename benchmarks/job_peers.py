"""The same job done three ways, for benchmarks/job.py.

Bare aiohttp, a hand-written LangGraph graph, and nonet; and nonet's calls alone, by bare aiohttp.

The job: a plan, three specialists (the third reads the other two), one answer. The two floors ask a model for the plan
and for the answer, as hand-written graphs do: 5 calls. nonet plans and composes in code: 3 calls, and it is the only
one that keeps what it does (SQLite, synchronous=FULL).
"""

from __future__ import annotations

import json
import operator
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict

BASE = os.environ.get("BENCH_URL", "http://127.0.0.1:11500")
KINDS = ("code", "retrieval", "summarization")
ABOUT = {
    "code": "writes and explains short Python functions",
    "retrieval": "finds the passages of the user's notes that matter",
    "summarization": "summarises text in a few sentences",
}
ROLES = {
    kind: f"ROLE={kind} You are the {kind} specialist: an assistant that {about}. Do only your part, briefly."
    for kind, about in ABOUT.items()
}
PLANNER = (
    "ROLE=planner Split the user's task into subtasks. Each has an id, the agent that does it (code, retrieval or "
    "summarization), its instruction, and the ids it depends on. Answer with JSON only."
)
AGGREGATOR = "ROLE=aggregator Write the final answer to the user's task from the results of the specialists."
PLAN_SCHEMA = {
    "type": "object",
    "required": ["subtasks"],
    "properties": {"subtasks": {"type": "array", "items": {"type": "object"}}},
}


def task_text(number: int) -> str:
    """The task, a little different each time so that nothing can be cached."""
    return (
        f"Job {number}: write a Python function that loads the CSV file described in my notes, find the passages of "
        "the notes that describe its columns, and summarise both in two sentences."
    )


def messages(system: str, user: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def worker_prompt(subtask: dict[str, Any], results: dict[str, str]) -> str:
    text = str(subtask["task"])
    if subtask["deps"]:
        text += "\n\nResults so far:\n" + "\n".join(f"{name}: {results[name]}" for name in subtask["deps"])
    return text


def final_prompt(task: str, results: dict[str, str]) -> str:
    return task + "\n\nResults:\n" + "\n".join(f"{name}: {text}" for name, text in results.items())


class Peer(Protocol):
    async def start(self) -> None: ...
    async def run(self, task: str) -> str: ...
    async def stop(self) -> None: ...


class Aiohttp:
    """The absolute floor: an HTTP client and gather."""

    async def start(self) -> None:
        import aiohttp

        self.session = aiohttp.ClientSession(BASE, connector=aiohttp.TCPConnector(limit=256))

    async def chat(self, prompt: list[dict[str, str]], schema: dict[str, Any] | None = None) -> str:
        body: dict[str, Any] = {"model": "fake", "messages": prompt, "stream": False}
        if schema:
            body["format"] = schema
        async with self.session.post("/api/chat", json=body) as reply:
            return str((await reply.json())["message"]["content"])

    async def run(self, task: str) -> str:
        import asyncio

        subtasks = json.loads(await self.chat(messages(PLANNER, task), PLAN_SCHEMA))["subtasks"]
        results: dict[str, str] = {}
        while len(results) < len(subtasks):
            ready = [s for s in subtasks if s["id"] not in results and all(d in results for d in s["deps"])]
            prompts = [messages(ROLES[s["agent"]], worker_prompt(s, results)) for s in ready]
            texts = await asyncio.gather(*(self.chat(prompt) for prompt in prompts))
            results.update(zip((s["id"] for s in ready), texts, strict=True))
        return await self.chat(messages(AGGREGATOR, final_prompt(task, results)))

    async def stop(self) -> None:
        await self.session.close()


class SameCalls(Aiohttp):
    """The floor for nonet's calls: two specialists side by side, then the third. No plan, no answer, nothing kept."""

    async def run(self, task: str) -> str:
        import asyncio

        prompts = {kind: messages(ROLES[kind], task) for kind in KINDS}
        *first, last = KINDS
        results = dict(zip(first, await asyncio.gather(*(self.chat(prompts[kind]) for kind in first)), strict=True))
        worker = worker_prompt({"task": task, "deps": first}, results)
        return "[final] " + await self.chat(messages(ROLES[last], worker))


class State(TypedDict, total=False):
    task: str
    plan: list[dict[str, Any]]
    results: Annotated[dict[str, str], operator.or_]
    answer: str


class LangGraph:
    """A hand-written StateGraph with the official client and no persistence."""

    async def start(self) -> None:
        from langgraph.graph import END, START, StateGraph
        from langgraph.types import Send
        from ollama import AsyncClient

        client = AsyncClient(host=BASE)

        async def chat(prompt: list[dict[str, str]], schema: dict[str, Any] | None = None) -> str:
            reply = await client.chat(model="fake", messages=prompt, format=schema)
            return reply.message.content or ""

        async def plan(state: State) -> State:
            return {"plan": json.loads(await chat(messages(PLANNER, state["task"]), PLAN_SCHEMA))["subtasks"]}

        async def worker(state: Any) -> State:
            subtask = state["subtask"]
            text = await chat(messages(ROLES[subtask["agent"]], worker_prompt(subtask, state["results"])))
            return {"results": {subtask["id"]: text}}

        async def aggregate(state: State) -> State:
            return {"answer": await chat(messages(AGGREGATOR, final_prompt(state["task"], state["results"])))}

        def collect(_state: State) -> State:
            return {}

        def dispatch(state: State) -> Any:
            results = state.get("results") or {}
            ready = [s for s in state["plan"] if s["id"] not in results and all(d in results for d in s["deps"])]
            if not ready:
                return "aggregate"
            return [Send("worker", {"subtask": s, "results": {d: results[d] for d in s["deps"]}}) for s in ready]

        graph = StateGraph(State)
        graph.add_node("plan", plan)
        graph.add_node("worker", worker)
        graph.add_node("collect", collect)
        graph.add_node("aggregate", aggregate)
        graph.add_edge(START, "plan")
        graph.add_conditional_edges("plan", dispatch, ["worker", "aggregate"])
        graph.add_edge("worker", "collect")
        graph.add_conditional_edges("collect", dispatch, ["worker", "aggregate"])
        graph.add_edge("aggregate", END)
        self.graph = graph.compile()

    async def run(self, task: str) -> str:
        return str((await self.graph.ainvoke({"task": task, "results": {}}))["answer"])

    async def stop(self) -> None: ...


class Nonet:
    """nonet as a user runs it, from planner to store, with the benchmark's own specialists."""

    def __init__(self, runtime: str = "ollama") -> None:
        self.runtime = runtime

    async def start(self) -> None:
        from nonet.graphs.session import Session
        from nonet.settings import Settings

        self.folder = tempfile.TemporaryDirectory(prefix="nonet-bench-")
        settings = Settings(
            runtime=self.runtime,
            ollama_host=BASE,
            slots=64,
            db=Path(self.folder.name) / "nonet.db",
            response_cache_megabytes=0,  # the others have none, and the job is the same in every repetition
        )
        self.session = await Session.open(settings, specialists={kind: PromptSpecialist(kind) for kind in KINDS})

    async def run(self, task: str) -> str:
        from nonet.graphs.run import run_task

        result = await run_task(self.session, task)
        if result.status != "done" or len(result.subtasks) != len(KINDS):
            raise RuntimeError(f"nonet: {result.status} with {len(result.subtasks)} subtasks: {result.missing}")
        return "[final] " + result.answer

    async def stop(self) -> None:
        await self.session.aclose()
        self.folder.cleanup()


class PromptSpecialist:
    """One call with the role as the system prompt: the least a specialist can be."""

    description = "the benchmark's own"

    def __init__(self, name: str) -> None:
        from nonet.specialists.catalog import default_specialists

        self.name = name
        self.examples = default_specialists()[name].examples

    async def work(self, assignment: Any, desk: Any) -> Any:
        from nonet.runtimes import Message
        from nonet.specialists import Outcome, Verdict

        text = assignment.instruction
        if assignment.sources:
            text += "\n\nResults so far:\n" + "\n".join(f"{s.name}: {s.text}" for s in assignment.sources)
        reply = await desk.chat([Message("system", ROLES[self.name]), Message("user", text)])
        return Outcome(reply.text, Verdict.UNVERIFIED)


PEERS: dict[str, type[Peer]] = {
    "aiohttp": Aiohttp,
    "langgraph": LangGraph,
    "nonet's calls": SameCalls,
    "nonet": Nonet,
}
