"""Prompts are counted before they are sent, and what the server says it read is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

from nonet.graphs.ask import ask_specialist
from nonet.graphs.session import Session
from nonet.runtimes.ollama import OllamaRuntime
from nonet.settings import Settings
from nonet.specialists import Verdict


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"runtime": "ollama", "db": tmp_path / "nonet.db", "max_attempts": 1}


async def test_a_server_that_cuts_in_silence_is_found_out(settings: dict[str, object]) -> None:
    """Text without spaces has few words to tell a cut by: what was learned of the counts does."""
    async with FakeOllama(lambda _: "Good.", cuts=True) as fake:
        chosen = Settings(ollama_host=fake.url, model="qwen2.5-coder:0.5b", context_tokens=2048, **settings)  # type: ignore[arg-type]
        async with await Session.open(chosen) as session:
            for number in range(6):
                text = "a+b;" * (60 + number)
                assert (await ask_specialist(session, "general", text)).verdict is Verdict.UNVERIFIED
            assert isinstance(session.runtime, OllamaRuntime)
            session.runtime.set_windows({"qwen2.5-coder:0.5b": 256})  # the server has less than it says
            result = await ask_specialist(session, "general", "a+b;" * 300)
    assert result.verdict is Verdict.FAILED
    assert "it was not read as it is" in result.evidence[0].detail


async def test_what_does_not_fit_is_refused_before_it_is_sent(settings: dict[str, object]) -> None:
    async with FakeOllama(lambda _: "Good.") as fake:
        chosen = Settings(ollama_host=fake.url, model="qwen2.5-coder:0.5b", context_tokens=512, **settings)  # type: ignore[arg-type]
        async with await Session.open(chosen) as session:
            result = await ask_specialist(session, "general", "What is in it? " + "stone " * 700)
    assert result.verdict is Verdict.FAILED
    assert result.evidence[0].kind == "context"
    assert fake.counts.calls["/api/chat"] == 0
