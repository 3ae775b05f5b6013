"""`nonet doctor --deep` on a server, and what planner and scheduler then make of what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fakes.ollama import FakeOllama
from fakes.ollama_parts import MODELS

from nonet.agents.measuring_items import CHOICE_ITEMS
from nonet.doctor import examine
from nonet.door import open_door
from nonet.graphs.planners import planning_model
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.profile_tasks import ROUTING_ITEMS, SCHEMA_TASKS, WORDS, routing_prompt
from nonet.runtimes.scripted import default_answer
from nonet.settings import Settings

THINKER = "qwen2.5-coder:0.5b-think"
TASKS = {task.prompt: task for task in (*SCHEMA_TASKS, *(routing_prompt(*item) for item in ROUTING_ITEMS))}


def knows(request: ChatRequest) -> str:
    """Right on the tasks that are measured, and on who gets a request."""
    text = request.messages[-1].content
    if text in TASKS:
        return json.dumps(TASKS[text].expected)
    lines = text.splitlines()
    wanted = next((who for said, who in CHOICE_ITEMS if said in lines[0]), None)
    if wanted is not None and "Answer with the letter" in text:
        return json.dumps({"answer": next(line[0] for line in lines if line[1:].startswith(f": {wanted},"))})
    return default_answer(request)


async def test_a_thinking_model_on_a_server(tmp_path: Path) -> None:
    only = [model for model in MODELS if model.name == THINKER]
    async with FakeOllama(knows, models=only, thinking="let me see", load_ms=80, token_ms=1) as fake:
        flags: dict[str, Any] = {
            "runtime": "ollama",
            "ollama_host": fake.url,
            "model": THINKER,
            "db": tmp_path / "nonet.db",
        }
        door = open_door(flags, quiet=True)
        before = OllamaRuntime(fake.url)
        await before.chat(ChatRequest(THINKER, (Message("user", "Load."),)))  # so that it is in the server's memory
        await before.aclose()
        checks, _ = await examine(door, measure=True, deep=True)
        thought = [body for body in fake.counts.bodies if body.get("think")]
        assert len(thought) == len(SCHEMA_TASKS)
        assert all("format" in body for body in thought)
        loads = fake.counts.loads
        async with await Session.open(Settings(**flags)) as session:
            stored = session.store.models.profile("ollama", THINKER)
            board = session.scheduler.policy.board
            loading = {host.load_seconds[THINKER] for host in board.hosts.values()}
            planner = planning_model(session)
    assert loads >= 2  # it was taken out so that loading could be measured
    assert stored is not None
    profile = json.loads(stored.profile_json)
    assert profile["not_measured"] == []
    assert (profile["schema_obedience"], profile["thinking_asked"]) == (1.0, len(SCHEMA_TASKS))
    assert profile["generation_tokens_per_second"] > 0
    assert loading == {profile["load_seconds"]}
    assert profile["load_seconds"] >= 0.08
    assert profile["window_tokens"] == 4096
    assert 3900 < profile["context_read_tokens"] < 4096
    assert planner is not None  # it was seen to choose better than chance
    assert (planner.name, planner.trust.routing) == (THINKER, True)
    names = [check.name for check in checks]
    assert {f"model {THINKER}", f"context {THINKER}", f"planning {THINKER}"} <= set(names)


async def test_thinking_that_never_comes_to_an_answer_shows(tmp_path: Path) -> None:
    only = [model for model in MODELS if model.name == THINKER]
    async with FakeOllama(knows, models=only, thinking="let me see") as fake:
        fake.fault("empty_after_thinking", times=99, contains='"think":true')
        door = open_door({"runtime": "ollama", "ollama_host": fake.url, "db": tmp_path / "nonet.db"}, quiet=True)
        checks, _ = await examine(door, measure=True, deep=True)
    (model,) = [check for check in checks if check.name == f"model {THINKER}"]
    assert "keeps to a JSON schema 100%, and fills it rightly 100%" in model.detail
    assert "while it thinks, it keeps to a schema 0% and fills it rightly 0% of 4" in model.detail


async def test_a_server_that_cuts_prompts_gets_a_smaller_window(tmp_path: Path) -> None:
    only = [model for model in MODELS if model.name == "smollm2:135m"]
    async with FakeOllama(knows, models=only) as fake:
        settings: dict[str, Any] = {"runtime": "ollama", "ollama_host": fake.url, "db": tmp_path / "nonet.db"}
        fake.fault("truncated_prompt", contains=" ".join(WORDS * 60))
        checks, _ = await examine(open_door(settings, quiet=True), measure=True, deep=True)
        (context,) = [check for check in checks if check.name == "context smollm2:135m"]
        assert context.status == "warning"
        assert "did not fit" in context.detail
        async with await Session.open(Settings(**settings)) as session:
            assert await session.window_tokens("smollm2:135m") == 2048
