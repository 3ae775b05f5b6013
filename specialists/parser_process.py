"""Parsing in a child process, with limits on its memory and time: what crashes or hangs there stays there."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from nonet.specialists.budget import Span
from nonet.specialists.ingest_kinds import Kind

SECONDS = 60.0
"""For one document: a thousand pages of PDF take one or two."""
CUT_SECONDS = 10.0
"""To find the functions of a source file, which takes some hundredths of a second."""
_MOST_REPLY_BYTES = 400_000_000
"""What the most characters take at most in JSON, with room to spare."""
_RENEW_FROM_BYTES = 400_000_000
"""A child whose memory has grown beyond this is replaced after its document."""


class ParserFailedError(Exception):
    """The document was not parsed: why (a predicate, such as "is encrypted"), and what to do."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


class ParserProcess:
    """Starts its child at the first document, keeps it for the next, and replaces one that failed.

    A context manager; one thread at a time may use it.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        """For one document; what takes longer is given up."""
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return self._child.pid if self._child is not None else None

    def parse(self, kind: Kind, data: bytes) -> Mapping[str, Any]:
        """The fields of `parsers.Parsed`; an e-mail whose attachments make that fail is read without them.

        Raises:
            ParserFailedError: the document cannot be read.
        """
        try:
            return self._ask({"kind": kind}, data, self.seconds)
        except ParserFailedError as error:
            if kind is not Kind.EMAIL:
                raise
            fields = self._ask({"kind": kind, "attached": False}, data, self.seconds)
            note = f"read without its attachments: with them it {error.reason}"
            return {**fields, "notes": [note, *fields["notes"]]}

    def cut(self, text: str, suffix: str, capacity: Span) -> list[Span]:
        """`code_cuts.along_functions` of a text. Raises ParserFailedError."""
        # No lone surrogates; "?" keeps every offset.
        data = text.encode("utf-8", "replace")
        reply = self._ask({"suffix": suffix, "capacity": capacity}, data, min(self.seconds, CUT_SECONDS))
        return [(start, end) for start, end in reply["spans"]]

    def _ask(self, request: Mapping[str, Any], data: bytes, seconds: float) -> Mapping[str, Any]:
        child = self._child = self._child or _start()
        expired = threading.Event()
        timer = threading.Timer(seconds, _expire, (child, expired))
        timer.start()
        try:
            reply = _exchange(child, request, data)
        except (OSError, EOFError, ValueError):
            self.close()
            if expired.is_set():
                raise ParserFailedError(
                    f"takes more than {seconds:g} seconds to read", "Split the document and add the parts."
                ) from None
            raise ParserFailedError(
                "made its parser fail: it is damaged, or takes too much memory", "Save it anew, or in parts."
            ) from None
        except BaseException:  # interrupted: the child is in the middle of a document
            self.close()
            raise
        finally:
            timer.cancel()
        if expired.is_set() or reply["peak_bytes"] > _RENEW_FROM_BYTES:
            self.close()
        if "reason" in reply:
            raise ParserFailedError(str(reply["reason"]), str(reply["next_step"]))
        return reply

    def close(self) -> None:
        """End the child; twice is fine."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written yet, to a process that is gone
                    continue
        child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "nonet.specialists.parser_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _expire(child: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    child.kill()


def _exchange(child: subprocess.Popen[bytes], request: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps({**request, "bytes": len(data)}).encode() + b"\n" + data)
    child.stdin.flush()
    head = child.stdout.read(8)
    if len(head) != 8:  # noqa: PLR2004 - eight bytes of length
        raise EOFError
    size = struct.unpack("<Q", head)[0]
    if size > _MOST_REPLY_BYTES:
        raise ValueError(size)
    body = child.stdout.read(size)
    if len(body) != size:
        raise EOFError
    reply = json.loads(body)
    assert isinstance(reply, dict)
    return reply
