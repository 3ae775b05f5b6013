"""The thin HTTP client beneath the Ollama runtime.

The `ollama` package has no `truncate` and `shift` for chats, and pays 1.5 ms of CPU a call to httpx where aiohttp takes
0.35. Here: one session, one timer a call (moved on as data comes, no task a line), no redirects, no cookies.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from yarl import URL

from nonet.errors import CallTimeoutError, NonetError
from nonet.runtimes.ollama_errors import Call, TransientError, dropped, not_understood, unavailable
from nonet.runtimes.ollama_host import is_loopback

OnLine = Callable[[bytes], bool]
"""Takes one line of an answer, without its line break; True: the answer is whole."""

MOST_OF_A_LINE_BYTES = 8 * 1024 * 1024
MOST_OF_A_REFUSAL_BYTES = 64 * 1024
_GRACE_SECONDS = 1.0
"""How long to wait for the end of a transfer whose answer is whole, so that the connection can be used again."""
_LARGE_BODY_BYTES = 512 * 1024
"""aiohttp warns of larger bodies given as bytes."""
_NETWORK = (aiohttp.ClientError, OSError, ValueError)
"""What aiohttp raises: for the network, and for answers that are not HTTP."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """All in seconds."""

    connect: float
    first: float
    """From the request to the answer's first byte: queueing, loading the model, reading the prompt."""
    stall: float
    """Between two pieces of an answer."""


class _Reader:
    """Splits what arrives of one answer into lines, and knows how far it has come."""

    __slots__ = ("_rest", "answered", "call", "on_line", "partial", "refused", "whole")

    def __init__(self, call: Call, on_line: OnLine, partial: Callable[[], str]) -> None:
        self.call = call
        self.on_line = on_line
        self.partial = partial
        self.answered = False
        self.refused = False
        self.whole = False
        self._rest = b""

    @property
    def refusal(self) -> bytes:
        """The body of a refusal."""
        return self._rest[:MOST_OF_A_REFUSAL_BYTES] if self.refused else b""

    def feed(self, chunk: bytes) -> bool:
        """Take a piece of the body; False: enough has been read."""
        if self.whole:
            return True  # only the end of the transfer is awaited, so that the connection can be used again
        self._rest += chunk
        if self.refused:
            return len(self._rest) < MOST_OF_A_REFUSAL_BYTES
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line and self.on_line(line):
                self.whole = True
                return True
        if len(self._rest) > MOST_OF_A_LINE_BYTES:
            raise not_understood(self.call, f"a line of more than {MOST_OF_A_LINE_BYTES} bytes", self.partial())
        return True

    def end(self) -> None:
        """Take what stood after the last line break."""
        if self._rest and not self.whole and not self.refused:
            self.whole = self.on_line(self._rest)


class OllamaWire:
    """Requests to one server, from one event loop. Its session opens with the first of them."""

    def __init__(self, url: str, timeouts: Timeouts, headers: dict[str, str]) -> None:
        self._url = url
        self._timeouts = timeouts
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
        self._session: aiohttp.ClientSession | None = None
        self._addresses: dict[str, URL] = {}

    async def fetch(
        self, call: Call, path: str, body: bytes | None = None, *, first_seconds: float | None = None
    ) -> tuple[int, bytes]:
        """One request whose answer is wanted whole: status and body. Raises as `stream`.

        Args:
            call: what is asked, for the wording of errors.
            path: of the API, as "/api/show".
            body: JSON to POST; None: GET.
            first_seconds: instead of the first-byte time-out.
        """
        collected = bytearray()

        def collect(line: bytes) -> bool:
            collected.extend(line)
            return False

        status, refusal = await self.stream(call, path, body, collect, first_seconds=first_seconds)
        return status, bytes(collected) if status == HTTPStatus.OK else refusal

    async def stream(
        self,
        call: Call,
        path: str,
        body: bytes | None,
        on_line: OnLine,
        *,
        partial: Callable[[], str] = str,
        first_seconds: float | None = None,
    ) -> tuple[int, bytes]:
        """Send `body` and give each line of the answer to `on_line`.

        Args:
            call: what is asked, for the wording of errors.
            path: of the API, as "/api/chat".
            body: JSON to POST; None: GET.
            on_line: what it raises ends the call and comes out unchanged.
            partial: gives what arrived so far, for errors.
            first_seconds: instead of the first-byte time-out.

        Returns:
            The status, and the body where the status is not 200.

        Raises:
            TransientError: no connection, or it broke.
            CallTimeoutError: no connection, no first byte, or a stall.
            IncompleteAnswerError: what answers does not speak HTTP, or a line has no end.
        """
        first = first_seconds or self._timeouts.first
        reader = _Reader(call, on_line, partial)
        limit = asyncio.timeout(first)
        status: int = HTTPStatus.OK
        try:
            async with limit:
                status = await self._exchange(path, body, reader, limit)
        except TimeoutError as error:
            if not limit.expired():
                raise  # of the caller's own making
            if not reader.whole:
                raise self._timed_out(reader, first) from error
        return status, reader.refusal

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, path: str, body: bytes | None, reader: _Reader, limit: asyncio.Timeout) -> int:
        try:
            response = await self._send(path, body)
        except _NETWORK as error:
            raise _network_failure(reader, error) from error
        try:
            reader.answered = True
            reader.refused = response.status != HTTPStatus.OK
            await self._read(response.content, reader, limit)
        except BaseException:
            response.close()  # at once: a server that sees its client gone stops generating
            raise
        response.release()
        return response.status

    async def _send(self, path: str, body: bytes | None) -> aiohttp.ClientResponse:
        session = self._session or self._open()
        address = self._addresses.get(path)
        if address is None:
            address = self._addresses[path] = URL(self._url + path)
        if body is None:
            return await session.get(address, allow_redirects=False)
        data = io.BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body
        return await session.post(address, data=data, allow_redirects=False)

    async def _read(self, content: aiohttp.StreamReader, reader: _Reader, limit: asyncio.Timeout) -> None:
        now = asyncio.get_running_loop().time
        while True:
            limit.reschedule(now() + (_GRACE_SECONDS if reader.whole else self._timeouts.stall))
            try:
                chunk = await content.readany()
            except _NETWORK as error:
                if reader.whole:
                    return None
                raise _network_failure(reader, error) from error
            if not chunk:
                return reader.end()
            if not reader.feed(chunk):
                return None

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # how many calls run at once is the scheduler's to say
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
            headers=self._headers,
            skip_auto_headers=("User-Agent",),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=not is_loopback(
                self._url
            ),  # a proxy from the environment may serve other machines, never this one
        )
        return self._session

    def _timed_out(self, reader: _Reader, first: float) -> CallTimeoutError:
        if reader.answered:
            return CallTimeoutError(
                f"The Ollama server stalled in the middle of an answer, for {self._timeouts.stall:g} seconds.",
                next_step="Look at the server's log; raise stall_timeout_seconds if the machine is only slow.",
            )
        return CallTimeoutError(
            f"The Ollama server at {reader.call.url} did not begin to answer within {first:g} seconds.",
            next_step="The model may be too large for the machine: choose a smaller one, or raise "
            "first_token_timeout_seconds.",
        )


def _network_failure(reader: _Reader, error: Exception) -> NonetError | TransientError:
    call, partial = reader.call, reader.partial()
    why = " ".join((str(error) or type(error).__name__).split())[:200]
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return CallTimeoutError(
            f"No connection to the Ollama server at {call.url} came about in time.",
            next_step="Check OLLAMA_HOST and the network, or raise connect_timeout_seconds.",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return TransientError(unavailable(call, "connection refused" if refused else why))
    if isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError)):
        return dropped(call, partial, why)
    return not_understood(call, why, partial)
