"""What calls cost and what was saved, kept with the run: answers from the cache, hosts, swaps, and measured loads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes.ollama import FakeOllama

from nonet.graphs.run import run_task
from nonet.graphs.session import Session
from nonet.settings import Settings

TASK = "Write a Python function double(x) that returns twice x, then explain what a queue is."
SMALL, CODER = "smollm2:135m", "qwen2.5-coder:0.5b"


@asynccontextmanager
async def session_on(fake: FakeOllama, path: Path, **more: Any) -> AsyncIterator[Session]:
    settings = Settings(runtime="ollama", ollama_host=fake.url, db=path, embed_model=None, **more)
    async with await Session.open(settings) as session:
        yield session


async def test_the_same_task_again_asks_no_model_and_says_so(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        async with session_on(fake, tmp_path / "nonet.db") as session:
            first = await run_task(session, TASK)
        asked = fake.counts.calls["/api/chat"]
        async with session_on(fake, tmp_path / "nonet.db") as session:
            again = await run_task(session, TASK)
            calls = session.store.runs.get(again.run).calls
            counts = session.store.responses.counts()
        assert fake.counts.calls["/api/chat"] == asked > 0
        assert again.answer == first.answer
        assert {call.origin for call in calls} == {"cache"}
        assert again.usage.completion_tokens == 0
        assert counts.hits == len(calls)


async def test_the_cache_can_be_turned_off(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        for _ in range(2):
            async with session_on(fake, tmp_path / "nonet.db", response_cache_megabytes=0) as session:
                result = await run_task(session, TASK)
                assert {call.origin for call in session.store.runs.get(result.run).calls} == {""}
                assert session.store.responses.counts().responses == 0


async def test_a_model_that_was_made_anew_under_its_name_is_asked_again(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        async with session_on(fake, tmp_path / "nonet.db") as session:
            await run_task(session, TASK)
        asked = fake.counts.calls["/api/chat"]
        fake.models = {
            name: type(model)(**{**_fields(model), "modelfile_extra": "SYSTEM other"})
            for name, model in fake.models.items()
        }
        async with session_on(fake, tmp_path / "nonet.db") as session:
            await run_task(session, TASK)
        assert fake.counts.calls["/api/chat"] == 2 * asked


def _fields(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


async def test_a_call_says_where_it_ran_and_what_it_took(tmp_path: Path) -> None:
    async with FakeOllama(load_ms=60, latency_ms=20, max_loaded=1) as fake:
        ladders = {"code": [CODER], "general": [SMALL], "retrieval": [SMALL], "summarization": [SMALL]}
        notes = tmp_path / "notes.md"
        notes.write_text("# Queues\n\nA queue hands out what came first. It is fair to all who wait.\n")
        async with session_on(fake, tmp_path / "nonet.db", max_loaded_models=1, models=ladders) as session:
            task = "Write a Python function double(x) that returns twice x, then summarize notes.md."
            result = await run_task(session, task, documents=[notes])
            calls = session.store.runs.get(result.run).calls
            assert {call.host for call in calls} == {fake.url.removeprefix("http://")}
            assert all(call.prompt_seconds >= 0.02 for call in calls)
            assert {call.model for call in calls if call.load_seconds > 0} == {CODER, SMALL}
            assert [call.swapped_out for call in calls if call.swapped_out] in ([CODER], [SMALL])
            assert result.usage.swaps == 1
        async with session_on(fake, tmp_path / "nonet.db", max_loaded_models=1, models=ladders) as session:
            [host] = session.scheduler.policy.board.hosts.values()
            assert host.load_seconds.keys() == {CODER, SMALL}  # measured before, and known from the start
            assert all(seconds >= 0.06 for seconds in host.load_seconds.values())
