"""A fake Ollama server: a real one on a loopback port, that answers as the recordings in wire/ do.

    async with FakeOllama([("sky", "It is blue.")]) as fake:
        runtime = OllamaRuntime(fake.url)
        fake.fault("runner_died", after=2)

For a person: `python tests/fakes/ollama.py --port 11500`, then OLLAMA_HOST=127.0.0.1:11500.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # this folder is first on the path then, and its ollama.py would hide the package
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import argparse
import asyncio
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from fakes.bare_http import Connection, Reply, Request, go_json
from fakes.ollama_chat import (
    Chat,
    Generation,
    RefusedError,
    check_format,
    decoded,
    ending,
    find_model,
    generate,
    judged,
    line,
    read_prompt_tokens,
    refusal_of,
    refused_as,
)
from fakes.ollama_engine import Engine
from fakes.ollama_parts import LIBRARY, MODELS, Counts, FakeModel, Fault, FaultKind, recording
from fakes.ollama_stream import Pace, Stream, pulled
from nonet.runtimes.scripted_answers import Script, responder, split_tokens, word_vector

_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
_METHODS = {"/api/version": "GET", "/api/tags": "GET", "/api/ps": "GET", "/": "GET"}


class FakeOllama:
    """The server.

    Args:
        script: what models answer, as for ScriptedRuntime; without one, something sensible from the prompt.
        models: what it has.
        thinking: what models with that capability write before their answers.
        latency_ms: before the first token.
        token_ms: between tokens.
        load_ms: for loading a model.
        parallel: calls of one model at once (OLLAMA_NUM_PARALLEL).
        max_queue: calls that may wait while a model is loading.
        max_loaded: models in memory.
        pieces_a_line: tokens in one line of a stream.
        cuts: as old servers, know neither `truncate` nor `shift` and cut long prompts in silence.
        prefix: a path before every address, as behind a proxy.
        port: 0: any.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        models: Sequence[FakeModel] = MODELS,
        thinking: str = "",
        latency_ms: float = 0.0,
        token_ms: float = 0.0,
        load_ms: float = 0.0,
        parallel: int = 4,
        max_queue: int = 512,
        max_loaded: int = 3,
        pieces_a_line: int = 1,
        cuts: bool = False,
        prefix: str = "",
        port: int = 0,
    ) -> None:
        self.models = {model.name: model for model in models}
        self.counts = Counts()
        self.engine = Engine(
            self.counts, load_ms=load_ms, parallel=parallel, max_queue=max_queue, max_loaded=max_loaded
        )
        self._respond = responder(script)
        self._thinking = thinking
        self._latency_ms = latency_ms
        self._pace = Pace(pieces_a_line, latency_ms / 1e3, token_ms / 1e3)
        self._cuts = cuts
        self._prefix = prefix
        self._port = port
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._prefix}"

    def fault(self, kind: FaultKind, *, times: int = 1, path: str = "/api/chat", **more: Any) -> None:
        """Misbehave in the calls to come; `more` as in `Fault`."""
        self._faults.append(Fault(kind, times, path, **more))

    def behave(self) -> None:
        """No more faults."""
        self._faults.clear()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._connections), "127.0.0.1", self._port
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    def _connection(self) -> Connection:
        return Connection(self._handle, self._connections)

    async def serve_forever(self) -> None:
        """Until cancelled."""
        assert self._server is not None
        await self._server.serve_forever()

    async def _handle(self, request: Request, reply: Reply) -> None:
        try:
            await self._route(request, reply)
        except RefusedError as refused:
            reply.send(refused.status, refused.body, refused.content_type, chunked=refused.chunked)
        except asyncio.CancelledError:
            self.counts.disconnects += 1
            raise

    async def _route(self, request: Request, reply: Reply) -> None:
        path = request.path.removeprefix(self._prefix)
        self.counts.calls[path] += 1
        self.counts.keys.add(request.headers.get("authorization", ""))
        if not _is_local(request.headers):
            raise refused_as("26")
        fault = self._due(path, request.body)
        if fault is not None and await self._instead(fault, reply):
            return
        answer = {
            "/": self._root,
            "/api/version": self._version,
            "/api/tags": self._tags,
            "/api/ps": self._ps,
            "/api/show": self._show,
            "/api/chat": self._chat,
            "/api/embed": self._embed,
            "/api/pull": self._pull,
        }.get(path)
        if answer is None:
            raise refused_as("25b")
        if request.method not in (_METHODS.get(path, "POST"), "HEAD"):
            record = recording("25")
            reply.send(record.status, record.body, record.content_type)
            return
        await answer(request, reply, fault)

    def _due(self, path: str, body: bytes) -> Fault | None:
        for fault in self._faults:
            if fault.path == path and fault.times > 0 and fault.contains.encode() in body:
                fault.times -= 1
                return fault
        return None

    async def _instead(self, fault: Fault, reply: Reply) -> bool:
        """The faults that come before any answer; False where there is an answer to come."""
        refused = refusal_of(fault)
        if refused is not None:
            raise refused
        if fault.kind == "redirect":
            reply.send(307, b"", "text/plain", (("Location", fault.data.decode()),))
        elif fault.kind == "reset":
            reply.reset()
        elif fault.kind == "hang_up":
            reply.hang_up()
        elif fault.kind == "garbage_http":
            reply.raw(fault.data)
        else:
            if fault.kind == "slow_first_token":
                await asyncio.sleep(fault.seconds)
            return False
        return True

    async def _root(self, _request: Request, reply: Reply, _fault: Fault | None) -> None:
        record = recording("01")
        reply.send(record.status, record.body, record.content_type)

    async def _version(self, _request: Request, reply: Reply, fault: Fault | None) -> None:
        record = recording("02")
        reply.send(record.status, _body(fault, record.body), record.content_type)

    async def _tags(self, _request: Request, reply: Reply, fault: Fault | None) -> None:
        body = go_json({"models": [model.listed() for model in self.models.values()]})
        reply.send(200, _body(fault, body))

    async def _ps(self, _request: Request, reply: Reply, fault: Fault | None) -> None:
        running = [
            {
                "name": runner.model.name,
                "model": runner.model.name,
                "size": runner.model.size,
                "digest": runner.model.digest,
                "details": runner.model.details(),
                "expires_at": _expiry(runner.expires_s),
                "size_vram": 0,
                "context_length": runner.options[0],
            }
            for runner in reversed(self.engine.loaded.values())
        ]
        reply.send(200, _body(fault, go_json({"models": running})))

    async def _show(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        model = find_model(self.models, decoded(request.body), "20d")
        reply.send(200, _body(fault, go_json(model.shown())))

    async def _chat(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        body = decoded(request.body)
        chat = judged(self.models, {**body, "truncate": True, "shift": True} if self._cuts else body)
        self._remember(body, sum(len(message.content.encode("utf-8", "replace")) for message in chat.messages))
        if not chat.messages:
            await self._load_only(chat, reply)
            return
        check_format(chat)
        async with self.engine.slot(chat.model, chat.runner, body.get("keep_alive")) as load_ns:
            prompt_tokens = read_prompt_tokens(chat)
            await asyncio.sleep(self._latency_ms / 1e3)
            made = generate(chat, self._respond(chat.request()), self._thinking, prompt_tokens)
            if chat.stream:
                await Stream(chat, made, load_ns, reply, fault, self._pace).write()
            else:
                self._whole(chat, made, load_ns, reply)

    async def _load_only(self, chat: Chat, reply: Reply) -> None:
        unload = chat.body.get("keep_alive") == 0
        if unload:
            self.engine.unload(chat.model.name)
        else:
            async with self.engine.slot(chat.model, chat.runner, chat.body.get("keep_alive")):
                pass
        reply.send(200, line(chat.model.name, done=True, done_reason="unload" if unload else "load"))

    def _whole(self, chat: Chat, made: Generation, load_ns: int, reply: Reply) -> None:
        """The answer of a chat that is not streamed. Faults within answers are for streams, which nonet asks for."""
        thinking = "".join(made.thinking) or None
        last = ending(made, len(made.pieces), load_ns, 1_000_000, self._pace.prompt_ns) if made.reason else {}
        reply.send(200, line(chat.model.name, "".join(made.pieces), thinking, **last))

    async def _embed(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        body = decoded(request.body)
        model = find_model(self.models, body, "20e")
        given = body.get("input", "")
        texts: list[str] = given if isinstance(given, list) else [given]
        self._remember(body, sum(len(text.encode("utf-8", "replace")) for text in texts))
        if "embedding" not in model.capabilities:
            raise refused_as("15d")
        counts = [len(split_tokens(text)) for text in texts]
        if body.get("truncate") is False and max(counts, default=0) > model.context:
            raise refused_as("15e")
        if not texts:
            reply.send(200, go_json({"model": model.name, "embeddings": []}))
            return
        runner = (int((body.get("options") or {}).get("num_ctx", model.context)), None, True)
        async with self.engine.slot(model, runner, body.get("keep_alive")) as load_ns:
            vectors = [_dense(text) for text in texts]
        if fault is not None and fault.kind == "many_vectors":
            vectors.append(vectors[0])
        durations = {"total_duration": load_ns + 1_000_000, "load_duration": load_ns or 690_000}
        whole = go_json({"model": model.name, "embeddings": vectors, **durations, "prompt_eval_count": sum(counts)})
        reply.send(200, _body(fault, whole))

    async def _pull(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        body = decoded(request.body)
        stream = body.get("stream", True)
        model = next((model for model in (*LIBRARY, *MODELS) if model.name == body.get("model")), None)
        if model is None and not stream:
            raise refused_as("50d")
        lines = [recording("50c").body] if model is None else pulled(model, fault)
        reply.start(200, "application/x-ndjson")
        for text in lines:
            reply.chunk(text)
            await asyncio.sleep(self._pace.token_seconds)
        reply.finish()
        if model is not None and fault is None:
            self.models[model.name] = model

    def _remember(self, body: dict[str, Any], prompt_bytes: int) -> None:
        self.counts.prompt_bytes += prompt_bytes
        self.counts.bodies.append(body)


def _body(fault: Fault | None, whole: str) -> bytes | str:
    return fault.data if fault is not None and fault.kind == "garbage" else whole


def _expiry(at_s: float) -> str:
    """As the server words it, to the nanosecond."""
    far = datetime(2318, 1, 1, tzinfo=UTC)  # what it says of a model that is kept for ever
    at = far if math.isinf(at_s) else datetime.fromtimestamp(at_s, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _dense(text: str) -> list[float]:
    """A vector of words without zeros, as models make them."""
    vector = [value + 0.01 for value in word_vector(text)]
    length = math.hypot(*vector)
    return [round(value / length, 8) for value in vector]


def _is_local(headers: dict[str, str]) -> bool:
    host = headers.get("host", "").rsplit(":", 1)[0].strip("[]")
    origin = headers.get("origin", "")
    return (not host or host in _LOCAL or host.endswith((".local", ".localhost", ".internal"))) and (
        not origin or any(name in origin for name in _LOCAL)
    )


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A fake Ollama server.")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before the first token")
    parser.add_argument("--token-ms", type=float, default=0.0, help="between tokens")
    parser.add_argument("--load-ms", type=float, default=0.0, help="for loading a model")
    parser.add_argument("--parallel", type=int, default=4, help="calls of one model at once")
    options = vars(parser.parse_args())
    async with FakeOllama(**options) as fake:
        print(f"A fake Ollama server: OLLAMA_HOST={fake.url}", flush=True)
        await fake.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except KeyboardInterrupt:
        print(json.dumps({"stopped": True}))
