"""Whatever a server sends, only nonet's own errors come out."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from fakes.ollama import FakeOllama
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nonet.errors import NonetError
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.ollama import OllamaRuntime

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "model",
        "message",
        "done",
        "done_reason",
        "error",
        "prompt_eval_count",
        "load_duration",
        "content",
        "thinking",
        "models",
        "name",
        "version",
    ]
)
LINES = st.lists(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=3), max_size=5).map(
        lambda d: json.dumps(d).encode()
    ),
    max_size=4,
)
RAW = st.binary(max_size=80) | st.builds(
    lambda status, headers, body: b"HTTP/1.1 " + status + b"\r\n" + headers + b"\r\n\r\n" + body,
    st.sampled_from([b"200 OK", b"500 x", b"404 x", b"100 Continue", b"999", b"abc", b"204 No Content", b"301 Moved"]),
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: -5",
            b"Content-Length: 99999999999999999999",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip\r\nContent-Length: 9",
            b"Location: http://127.0.0.1:9/\r\nContent-Length: 0",
            b"X: " + b"y" * 20000,
            b"bad header",
        ]
    ),
    st.binary(max_size=60)
    | st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n", b"ffffffffffffffff\r\nx"]),
)


def survives(path: str, kind: Any, data: bytes) -> None:
    """One chat, listing and embedding against a server that answers `data` once."""

    async def run() -> None:
        async with FakeOllama(lambda _request: "one two three four") as fake:
            runtime = OllamaRuntime(
                fake.url, retries=0, first_token_timeout_seconds=1, stall_timeout_seconds=0.3, connect_timeout_seconds=1
            )
            fake.fault(kind, path=path, data=data, after=2)
            with suppress(NonetError):
                if path == "/api/embed":
                    await runtime.embed("all-minilm:l6-v2", ["x"])
                elif path == "/api/tags":
                    await runtime.models()
                else:
                    response = await runtime.chat(ChatRequest("smollm2:135m", (Message("user", "Hello."),)))
                    assert response.text.strip()
            await runtime.aclose()

    asyncio.run(run())


@QUICK
@given(LINES)
@example([b'{"message":{"content":7},"done":true}'])
@example([b'{"done":true,"done_reason":["stop"]}'])
@example([b'{"error":{"error":[]}}'])
@example([b"[" * 100_000])
@example([b'{"done":true,"prompt_eval_count":' + b"9" * 5000 + b"}"])
def test_lines_of_a_stream(lines: list[bytes]) -> None:
    survives("/api/chat", "garbage", b"\n".join(lines))


@QUICK
@given(RAW)
def test_bytes_instead_of_http(data: bytes) -> None:
    survives("/api/chat", "garbage_http", data)


@settings(QUICK, max_examples=12)
@given(RAW | LINES.map(b"\n".join), st.sampled_from(["/api/tags", "/api/embed", "/api/show", "/api/ps"]))
def test_the_other_calls(data: bytes, path: str) -> None:
    survives(path, "garbage_http", data)
    survives(path, "garbage", data)
    survives(path, "error_500", b'{"error":"' + data.hex().encode() + b'"}')
