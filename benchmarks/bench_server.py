"""A scripted model server for benchmarks: Ollama's chat API, N slots then first come first served, fixed latency.

    python benchmarks/bench_server.py --port 11500 --slots 8

It answers by the role in the system prompt (ROLE=planner, code, retrieval, summarization, aggregator) and counts the
calls, the bytes of prompt it was sent and the seconds its slots were held, so that libraries can be compared on the
same job and its own slowness told from theirs. GET /_stats, POST /_reset, POST /_config {"latency_ms": 50}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

KINDS = ("code", "retrieval", "summarization")
WORDS = [f"word{number}" for number in range(39)]
ANSWERS = {kind: " ".join([f"[result:{kind}]", *WORDS]) for kind in KINDS}
FINAL = " ".join(["[final]", *WORDS])
ROLE = re.compile(r"ROLE=(\w+)")
CREATED = "2026-01-01T00:00:00.000000Z"
DETAILS = {"format": "gguf", "family": "fake", "parameter_size": "1B", "quantization_level": "Q4_0"}
SHOW = {
    "template": "{{ .Prompt }}",
    "details": DETAILS,
    "model_info": {"general.architecture": "fake", "fake.context_length": 32768},
    "capabilities": ["completion"],
}
MODEL = {"name": "fake:latest", "model": "fake:latest", "size": 1, "digest": "0" * 64, "details": DETAILS}
PLAN = {
    "subtasks": [
        {"id": "s0", "agent": "code", "task": "Do the code part.", "deps": []},
        {"id": "s1", "agent": "retrieval", "task": "Do the retrieval part.", "deps": []},
        {"id": "s2", "agent": "summarization", "task": "Do the summarization part.", "deps": ["s0", "s1"]},
    ]
}


class Slots:
    """N calls at once, the others wait in order."""

    def __init__(self, slots: int) -> None:
        self.slots, self.busy, self.waiting = slots, 0, deque[asyncio.Future[None]]()
        self.latency_ms = 0.0
        self.reset()

    def reset(self) -> None:
        self.calls = self.prompt_bytes = self.most_busy = 0
        self.held_s = 0.0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        if self.busy < self.slots:
            self.busy += 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
        self.most_busy = max(self.most_busy, self.busy)
        taken = time.perf_counter()
        try:
            yield
        finally:
            self.held_s += time.perf_counter() - taken
            while self.waiting:
                turn = self.waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    break
            else:
                self.busy -= 1


class Server:
    """HTTP/1.1 with keep-alive, as little of it as the job needs: this process must not be what is measured."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, _, rest = head.partition(b"\r\n")
                path = line.split(b" ")[1].decode()
                length = re.search(rb"(?i)content-length: *(\d+)", rest)
                body = await reader.readexactly(int(length[1])) if length else b""
                await self.answer(path, json.loads(body) if body else {}, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        slots = self.slots
        if path == "/api/chat":
            await self.chat(body, writer)
        elif path == "/_stats":
            stats = {"calls": slots.calls, "prompt_bytes": slots.prompt_bytes, "most_busy": slots.most_busy}
            self.send({**stats, "slots": slots.slots, "held_s": slots.held_s}, writer)
        elif path == "/_reset":
            slots.reset()
            self.send({}, writer)
        elif path == "/_config":
            slots.latency_ms = float(body["latency_ms"])
            self.send({}, writer)
        else:
            replies = {
                "/api/version": {"version": "0.32.15"},
                "/api/tags": {"models": [MODEL]},
                "/api/ps": {"models": [MODEL]},
                "/api/show": SHOW,
            }
            self.send(replies.get(path, {}), writer)

    async def chat(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        texts = [message["content"] for message in body["messages"]]
        found = ROLE.search(texts[0])
        role = found[1] if found else "aggregator"
        text = json.dumps(PLAN) if role == "planner" else ANSWERS.get(role, FINAL)
        prompt_bytes = sum(len(part.encode()) for part in texts)
        async with self.slots.one():
            if self.slots.latency_ms:
                await asyncio.sleep(self.slots.latency_ms / 1e3)
            self.slots.calls += 1
            self.slots.prompt_bytes += prompt_bytes
            head = {"model": body["model"], "created_at": CREATED}
            done = {
                **head,
                "done": True,
                "done_reason": "stop",
                "total_duration": 1000,
                "load_duration": 1,
                "prompt_eval_count": max(1, prompt_bytes // 4),
                "prompt_eval_duration": 1,
                "eval_count": 40,
                "eval_duration": 1,
            }
            if body.get("stream", True):
                piece = {**head, "message": {"role": "assistant", "content": text}, "done": False}
                last = {**done, "message": {"role": "assistant", "content": ""}}
                lines = [json.dumps(item).encode() + b"\n" for item in (piece, last)]
                chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in lines)
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
                    + chunks
                    + b"0\r\n\r\n"
                )
            else:
                self.send({**done, "message": {"role": "assistant", "content": text}}, writer)

    def send(self, reply: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        data = json.dumps(reply).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data)
        writer.write(head + data)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=11500)
    parser.add_argument("--slots", type=int, default=8)
    options = parser.parse_args()
    server = await asyncio.start_server(Server(Slots(options.slots)).serve, "127.0.0.1", options.port, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    print(f"listening on {port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
