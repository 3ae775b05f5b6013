"""Windows: from the model, the memory and the measured speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama

from nonet.graphs.session import Session
from nonet.graphs.windows import Reading, choose_windows
from nonet.runtimes import ModelInfo
from nonet.settings import Settings

GIGABYTE = 2**30
CODER = ModelInfo("coder", 4096, 400_000_000, most_context_tokens=32_768, kv_bytes_per_token=12_288)


def chosen(
    model: ModelInfo, *, speed: float = 0.0, refused: int = 0, memory: int = 16 * GIGABYTE, **settings: Any
) -> int:
    measured = {model.name: Reading(speed, refused)} if speed or refused else {}
    return choose_windows(Settings(**settings), [model], measured, memory=memory)[model.name]


def test_the_usual_window_where_nothing_was_measured() -> None:
    assert chosen(CODER) == 4096


@pytest.mark.parametrize(("speed", "tokens"), [(1000.0, 8192), (100.0, 4096), (20.0, 2048), (2.0, 1024)])
def test_a_window_is_no_larger_than_can_be_read_in_time(speed: float, tokens: int) -> None:
    assert chosen(CODER, speed=speed) == tokens


def test_a_window_is_no_larger_than_memory_allows() -> None:
    large = ModelInfo("large", 4096, 4 * GIGABYTE, most_context_tokens=32_768, kv_bytes_per_token=524_288)
    assert chosen(large, memory=16 * GIGABYTE) == 4096
    assert chosen(large, memory=9 * GIGABYTE) == 2048
    assert chosen(large, memory=2 * GIGABYTE) == 1024
    assert chosen(large, memory=0) == 4096  # of another machine: not known


def test_a_window_is_no_larger_than_the_model_s_own() -> None:
    small = ModelInfo("small", 2048, most_context_tokens=2048)
    assert chosen(small, speed=5000.0) == 2048


@pytest.mark.parametrize(("refused", "tokens"), [(4064, 2048), (2032, 1024), (8160, 4096)])
def test_a_window_is_smaller_than_what_the_server_was_seen_to_refuse(refused: int, tokens: int) -> None:
    assert chosen(CODER, speed=1000.0, refused=refused) == tokens


def test_what_is_set_is_taken() -> None:
    assert chosen(CODER, speed=1.0, memory=1, context_tokens=6000) == 6000


async def test_the_window_of_a_slow_model_goes_to_the_server(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        settings = Settings(runtime="ollama", ollama_host=fake.url, db=tmp_path / "nonet.db")
        async with await Session.open(settings) as session:
            model = session.ladders["code"][0]
            assert await session.window_tokens(model) == 4096
            info = await session.runtime.describe(model)
            profile = json.dumps({"prompt_tokens_per_second": 14.0})
            session.store.models.save_profile("ollama", model, info.digest, profile)
        async with await Session.open(settings) as session:
            assert await session.window_tokens(model) == 2048
