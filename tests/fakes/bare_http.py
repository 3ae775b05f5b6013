"""As much of an HTTP/1.1 server as a fake needs to misbehave: it owns the bytes, and sees a client leave at once."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_BUFFERED_BYTES = 2048
"""Go's server counts the length of a body that fits its buffer, and sends a larger one in chunks."""
_HTML_SAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its header names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, "Reply"], Awaitable[None]]


def go_json(value: Any) -> str:
    """JSON as Go's encoder writes it: compact, UTF-8, with <, > and & escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_HTML_SAFE)


class Reply:
    """Writes one response."""

    def __init__(self, transport: asyncio.Transport, *, head_only: bool) -> None:
        self._transport = transport
        self._head_only = head_only
        self.started = False

    def send(
        self,
        status: int,
        body: bytes | str,
        content_type: str = "application/json; charset=utf-8",
        extra: tuple[tuple[str, str], ...] = (),
        *,
        chunked: bool | None = None,
    ) -> None:
        """A whole response, with a length or in chunks as a Go server would choose."""
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if chunked or (chunked is None and len(data) >= _BUFFERED_BYTES):
            self.start(status, content_type)
            self.chunk(data)
            self.finish()
            return
        self._head(status, content_type, (*extra, ("Content-Length", str(len(data)))))
        self._transport.write(b"" if self._head_only else data)

    def start(self, status: int, content_type: str) -> None:
        """Headers of a response in chunks."""
        self._head(status, content_type, (("Transfer-Encoding", "chunked"),))

    def chunk(self, data: bytes | str) -> None:
        """One chunk."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        if raw:
            self._transport.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def finish(self) -> None:
        """The end of the chunks."""
        self._transport.write(b"0\r\n\r\n")

    def raw(self, data: bytes) -> None:
        """Bytes that need not be HTTP, then the end of the connection."""
        self._transport.write(data)
        self._transport.close()

    def hang_up(self) -> None:
        """End the connection in the middle, politely (FIN)."""
        self._transport.close()

    def reset(self) -> None:
        """End the connection with a reset (RST)."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _head(self, status: int, content_type: str, extra: tuple[tuple[str, str], ...]) -> None:
        self.started = True
        headers = [("Content-Type", content_type)] if content_type else []
        headers += [("Date", formatdate(usegmt=True)), *extra]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._transport.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode("latin-1"))


class Connection(asyncio.Protocol):
    """Serves the requests of one connection in turn; a client that leaves cancels what runs for it."""

    def __init__(self, handler: Handler, open_ones: set[Connection]) -> None:
        self._handler = handler
        self._open_ones = open_ones
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ones.add(self)

    def abort(self) -> None:
        """End it, whatever it does."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it so
        self._open_ones.discard(self)
        if self._task is not None:
            self._task.cancel()

    def _next(self) -> None:
        if self._task is not None or (request := self._parsed()) is None:
            return
        reply = Reply(self._transport, head_only=request.method == "HEAD")
        self._task = asyncio.get_running_loop().create_task(self._serve(request, reply))

    async def _serve(self, request: Request, reply: Reply) -> None:
        try:
            await self._handler(request, reply)
        except Exception:
            self._transport.abort()  # a mistake in the fake: let the client see it now, and asyncio report it
            raise
        finally:
            self._task = None
        if not self._transport.is_closing():
            self._next()

    def _parsed(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end]
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        if len(self._buffer) < end + 4 + length:
            return None
        body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Request(method, path.partition("?")[0], headers, body)
