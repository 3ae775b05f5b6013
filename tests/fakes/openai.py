"""A fake OpenAI-compatible endpoint: a real server on a loopback port that keeps what it was sent.

async with FakeOpenAi(lambda messages: "42") as fake:
    runtime = OpenAiRuntime(fake.url, key="k")
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from fakes.bare_http import Connection, Reply, Request

Answer = Callable[[list[dict[str, str]]], str]


class FakeOpenAi:
    """The server.

    Args:
        answer: what the model says to the messages.
        key: which it wants; empty: none.
    """

    def __init__(self, answer: Answer, *, key: str = "") -> None:
        self._answer = answer
        self._key = key
        self._replies: list[tuple[int, bytes]] = []
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.bodies: list[Mapping[str, Any]] = []
        """What was asked."""
        self.keys: list[str] = []
        """The authorization of every request."""

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Its address, up to /chat/completions."""
        return f"http://127.0.0.1:{self.port}/v1"

    def reply(self, status: int, body: object) -> None:
        """Answer the next request with this instead; bytes go as they are."""
        self._replies.append((status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._handle, self._connections), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    async def _handle(self, request: Request, reply: Reply) -> None:
        if request.path != "/v1/chat/completions":
            return reply.send(404, '{"error": {"message": "no such address"}}')
        self.keys.append(request.headers.get("authorization", ""))
        if self._key and self.keys[-1] != f"Bearer {self._key}":
            return reply.send(401, '{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}')
        body = json.loads(request.body)
        self.bodies.append(body)
        if self._replies:
            return reply.send(*self._replies.pop(0))
        text = self._answer(body["messages"])
        words = sum(len(message["content"].split()) for message in body["messages"])
        usage = {"prompt_tokens": words + 8, "completion_tokens": len(text.split())}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return reply.send(200, json.dumps({"model": body["model"], "choices": [choice], "usage": usage}))
