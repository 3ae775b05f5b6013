"""The process that parses, one document after the other: `python -m nonet.specialists.parser_child`.

A request is a header line of JSON and the file's bytes; a reply is eight bytes of length and JSON. It ends with its
standard input. Whatever a parser prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

MEMORY_BYTES = 1_500_000_000
"""Address space of the child: the interpreter and PDFium map some 300 MB of it without using them."""


def main() -> None:
    """Serve requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when the work ends
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    replies = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    requests = sys.stdin.buffer
    while line := requests.readline():
        header = json.loads(line)
        reply = json.dumps(_answer(header, _exactly(requests, header["bytes"]))).encode()
        replies.write(struct.pack("<Q", len(reply)) + reply)
        replies.flush()


def _limit(what: int, most: int) -> None:
    try:
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except (OSError, ValueError):  # a system that does not know this limit; the time limit still holds
        return


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        sys.exit(1)
    return data


def _answer(header: dict[str, Any], data: bytes) -> dict[str, Any]:
    from nonet.specialists.parsed import ParseError  # noqa: PLC0415 - under the limits

    try:
        reply = _cut(header, data) if "suffix" in header else _parsed(header, data)
    except ParseError as error:
        reply = {"reason": error.reason, "next_step": error.next_step}
    except MemoryError:
        reply = {"reason": "takes too much memory to read", "next_step": "Split the document and add the parts."}
    except RecursionError:
        reply = {"reason": "is nested too deeply to be read", "next_step": "Save it anew, or as plain text."}
    except Exception as error:  # noqa: BLE001 - whatever a parser makes of a damaged file is the file's fault
        reply = {"reason": f"cannot be parsed ({type(error).__name__})", "next_step": "Save it anew, or as plain text."}
    reply["peak_bytes"] = _peak_bytes()
    return reply


def _parsed(header: dict[str, Any], data: bytes) -> dict[str, Any]:
    from nonet.specialists.ingest_kinds import Kind  # noqa: PLC0415
    from nonet.specialists.parsers import parse  # noqa: PLC0415

    return asdict(parse(Kind(header["kind"]), data, attached=header.get("attached", True)))


def _cut(header: dict[str, Any], data: bytes) -> dict[str, Any]:
    from nonet.specialists.code_cuts import along_functions  # noqa: PLC0415

    low, high = header["capacity"]
    return {"spans": along_functions(data.decode("utf-8"), header["suffix"], (low, high))}


def _peak_bytes() -> int:
    """The most memory this process has had. Linux hands getrusage's figure on from the process that started it."""
    try:
        with open("/proc/self/status", "rb") as status:  # noqa: PTH123
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
