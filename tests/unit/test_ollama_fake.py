"""The fake Ollama server against recordings of a real one: status, headers, framing, keys and words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.ollama import FakeOllama
from fakes.ollama_parts import FaultKind, Recording, recording

LONG = "the quick brown fox jumps over the lazy dog. " * 90


async def replay(fake: FakeOllama, record: Recording, **change: Any) -> tuple[aiohttp.ClientResponse, str]:
    asked = record.request
    headers = {name: value for name, value in asked.get("headers", ()) if name != "Content-Length"}
    data: bytes | None = None
    if "body_raw" in asked:
        data = (asked["body_raw"] or "").encode()
    elif "body" in asked:
        data = json.dumps({**asked["body"], **change}).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.request(asked["method"], fake.url + asked["path"], data=data, headers=headers) as response,
    ):
        return response, await response.text()


def shape(value: Any) -> Any:
    """Keys in their order and types; a list is as its first entry."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def assert_framed_as(response: aiohttp.ClientResponse, record: Recording) -> None:
    assert response.status == record.status
    assert response.headers.get("Content-Type", "") == record.content_type
    assert ("Transfer-Encoding" in response.headers) == (record.framing == "chunked")
    assert "Date" in response.headers


@pytest.mark.parametrize(
    "number",
    [
        "01",
        "01b",
        "02",
        "11",
        "15d",
        "15f",
        "15g",
        "20",
        "20b",
        "20d",
        "20e",
        "21",
        "21b",
        "21c",
        "22",
        "22c",
        "23",
        "23b",
        "23h",
        "24",
        "24c",
        "25",
        "25b",
        "26",
        "26b",
        "40",
        "40b",
        "50c",
        "50d",
    ],
)
async def test_answers_word_for_word(number: str) -> None:
    record = recording(number)
    async with FakeOllama() as fake:
        response, body = await replay(fake, record)
    assert_framed_as(response, record)
    if number in ("40", "40b"):  # these carry the time
        assert shape(json.loads(body)) == shape(json.loads(record.body))
        assert json.loads(body)["done_reason"] == json.loads(record.body)["done_reason"]
    else:
        assert body.replace("127.0.0.1:11577", "REGISTRY_HOST") == record.body


@pytest.mark.parametrize("number", ["05", "09", "09c", "74", "74e", "15"])
async def test_answers_with_the_recorded_keys(number: str) -> None:
    record = recording(number)
    async with FakeOllama(thinking="2 plus 3 is 5") as fake:
        response, body = await replay(fake, record)
    assert_framed_as(response, record)
    assert shape(json.loads(body)) == shape(json.loads(record.body))


@pytest.mark.parametrize("number", ["03", "16"])
async def test_lists_with_the_recorded_keys(number: str) -> None:
    record = recording(number)
    async with FakeOllama() as fake:
        for model in ("smollm2:135m", "qwen2.5-coder:0.5b"):
            await replay(fake, recording("40"), model=model)
        response, body = await replay(fake, record)
    assert response.status == 200
    assert shape(json.loads(body)) == shape(json.loads(record.body))


async def test_shows_a_model_with_the_keys_that_are_read() -> None:
    record = recording("04")
    async with FakeOllama() as fake:
        response, body = await replay(fake, record)
    assert_framed_as(response, record)
    shown, real = json.loads(body), json.loads(record.body)
    assert list(shown) == list(real)
    assert shape(shown["details"]) == shape(real["details"])
    assert shown["model_info"].items() <= {**real["model_info"], "qwen2.context_length": 32768}.items()


@pytest.mark.parametrize("number", ["06", "09b", "74b"])
async def test_streams_with_the_recorded_lines(number: str) -> None:
    record = recording(number)
    async with FakeOllama(thinking="2 plus 3") as fake:
        response, body = await replay(fake, record)
    assert_framed_as(response, record)
    mine = [shape(json.loads(line)) for line in body.splitlines()]
    real = [shape(json.loads(line)) for line in record.body.splitlines()]
    assert (mine[0], mine[-2], mine[-1]) == (real[0], real[-2], real[-1])
    assert body.endswith("}\n")


@pytest.mark.parametrize(("kind", "number"), [("runner_died", "71"), ("queue_full", "73")])
async def test_fails_as_recorded(kind: FaultKind, number: str) -> None:
    record = recording(number)
    async with FakeOllama() as fake:
        fake.fault(kind)
        response, body = await replay(fake, record)
    assert_framed_as(response, record)
    assert body.splitlines()[-1] == record.body.splitlines()[-1]


@pytest.mark.parametrize("number", ["30b", "30c", "30d"])
async def test_refuses_a_long_prompt_as_recorded(number: str) -> None:
    record = recording(number)
    async with FakeOllama() as fake:
        response, body = await replay(fake, record, messages=[{"role": "user", "content": LONG}])
    assert_framed_as(response, record)
    assert shape(json.loads(body)) == shape(json.loads(record.body))
    if number != "30c":
        inner = json.loads(json.loads(body)["error"])["error"]
        assert inner["n_ctx"] == 256
        assert inner["n_prompt_tokens"] > 900
        assert str(inner["n_prompt_tokens"]) in inner["message"]


async def test_cuts_a_long_prompt_in_silence_by_default() -> None:
    record = recording("30")
    async with FakeOllama() as fake:
        response, body = await replay(fake, record, messages=[{"role": "user", "content": LONG}])
    assert_framed_as(response, record)
    assert json.loads(body)["prompt_eval_count"] == json.loads(record.body)["prompt_eval_count"] == 130


async def test_a_repeated_token_ends_the_stream_without_an_end() -> None:
    ask = {"model": "smollm2:135m", "messages": [{"role": "user", "content": "x"}]}
    async with FakeOllama(lambda _request: "no " * 60) as fake, aiohttp.ClientSession() as session:
        async with session.post(f"{fake.url}/api/chat", json=ask) as response:
            lines = [json.loads(line) for line in (await response.text()).splitlines()]
        async with session.post(f"{fake.url}/api/chat", json={**ask, "stream": False}) as response:
            whole = await response.json()
    assert 30 <= len(lines) <= 31
    assert not any(line["done"] for line in lines)
    assert whole["done"] is False
    assert "eval_count" not in whole
    assert not json.loads(recording("72b").body)["done"]


async def test_counts_calls_prompts_loads_and_those_at_once() -> None:
    body = {"model": "smollm2:135m", "messages": [{"role": "user", "content": "12345"}], "stream": False}
    async with FakeOllama(load_ms=20, max_loaded=1) as fake, aiohttp.ClientSession() as session:
        for model in ("smollm2:135m", "smollm2:135m", "qwen2.5-coder:0.5b", "smollm2:135m"):
            await (await session.post(f"{fake.url}/api/chat", json={**body, "model": model})).read()
        await (await session.post(f"{fake.url}/api/chat", json={**body, "options": {"num_ctx": 512}})).read()
        running = await (await session.get(f"{fake.url}/api/ps")).json()
    assert fake.counts.calls == {"/api/chat": 5, "/api/ps": 1}
    assert fake.counts.prompt_bytes == 25
    assert fake.counts.loads == 4  # a change of num_ctx loads again
    assert [(model["name"], model["context_length"]) for model in running["models"]] == [("smollm2:135m", 512)]


def test_runs_as_a_program() -> None:
    script = Path(__file__).parent.parent / "fakes" / "ollama.py"
    command = [sys.executable, str(script), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            assert "OLLAMA_HOST=http://127.0.0.1:" in program.stdout.readline()
        finally:
            program.terminate()
