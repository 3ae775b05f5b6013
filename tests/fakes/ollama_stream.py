"""How the fake Ollama server streams: an answer line by line, with whatever is to go wrong in it; a pull's progress."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

from fakes.bare_http import Reply, go_json
from fakes.ollama_chat import Chat, Generation, ending, line
from fakes.ollama_parts import FakeModel, Fault, recording
from nonet.runtimes.scripted_answers import split_tokens

_NEVER = sys.maxsize
_EVAL_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream comes: tokens a line, and seconds between tokens."""

    step: int
    token_seconds: float


async def stream_answer(
    chat: Chat, made: Generation, load_ns: int, reply: Reply, fault: Fault | None, pace: Pace
) -> None:
    """Write an answer."""
    name = chat.model.name
    reply.start(200, "application/x-ndjson")
    for piece in made.thinking:
        reply.chunk(line(name, thinking=piece) + "\n")
    if fault is not None and fault.kind in ("empty", "empty_after_thinking"):
        _empty(chat, made, reply, fault)
        return
    for start in range(0, len(made.pieces), pace.step):
        if fault is not None and start >= fault.after and await _ends(chat, made, reply, fault):
            return
        if pace.token_seconds:
            await asyncio.sleep(pace.token_seconds * pace.step)
        reply.chunk(line(name, "".join(made.pieces[start : start + pace.step])) + "\n")
    if fault is not None and len(made.pieces) <= fault.after and await _ends(chat, made, reply, fault):
        return
    if made.reason:
        last = ending(made, len(made.pieces), load_ns, _EVAL_NS)
        reply.chunk(line(name, **_spoiled(last, chat, fault)) + "\n")
    if fault is not None and fault.kind == "done_without_end":
        await asyncio.sleep(fault.seconds)
    reply.finish()


def _empty(chat: Chat, made: Generation, reply: Reply, fault: Fault) -> None:
    if fault.kind == "empty_after_thinking":
        for piece in split_tokens("2 + 3 equals 5"):
            reply.chunk(line(chat.model.name, thinking=piece) + "\n")
    reply.chunk(line(chat.model.name, **ending(made, 12, 0, _EVAL_NS)) + "\n")
    reply.finish()


async def _ends(chat: Chat, made: Generation, reply: Reply, fault: Fault) -> bool:
    """Act out a fault of an answer that has begun; True: the answer ends here."""
    last = _last_line(chat, made, fault)
    if last is not None:
        reply.chunk(last)
        reply.finish()
    elif fault.kind == "hang_up_mid_stream":
        reply.hang_up()
    elif fault.kind == "reset_mid_stream":
        await asyncio.sleep(0.02)  # so that what was sent arrives: a reset would take it along
        reply.reset()
    else:
        if fault.kind == "garbage":
            reply.chunk(fault.data + b"\n")
        elif fault.kind == "stall":
            await asyncio.sleep(fault.seconds)
        fault.after = _NEVER
        return False
    return True


def _last_line(chat: Chat, made: Generation, fault: Fault) -> str | None:
    name = chat.model.name
    ends = {
        "runner_died": recording("71b").body + "\n",
        "error_line": fault.data.decode("utf-8", "replace") + "\n",
        "done_false": line(name) + "\n",
        "strange_end": line(name, done=True, done_reason="tired") + "\n",
        "cut": line(name, **{**ending(made, fault.after, 0, _EVAL_NS), "done_reason": "length"}) + "\n",
        "cut_line": line(name, "never seen")[:40],
        "no_done": "",
    }
    return ends.get(fault.kind)


def _spoiled(last: dict[str, Any], chat: Chat, fault: Fault | None) -> dict[str, Any]:
    if fault is not None and fault.kind == "truncated_prompt":
        return {**last, "prompt_eval_count": chat.window // 2 + 2}
    if fault is not None and fault.kind == "no_counts":
        return {"done": True, "done_reason": last["done_reason"]}
    return last


def pulled(model: FakeModel, fault: Fault | None) -> list[str]:
    """The lines of a pull; with a fault only `after` of them, then its data."""
    layer: dict[str, Any] = {
        "status": f"pulling {model.weights[:12]}",
        "digest": f"sha256:{model.weights}",
        "total": model.size,
    }
    parts: list[dict[str, Any]] = [{"status": "pulling manifest"}]
    parts += [layer | {"completed": model.size * part // 4} for part in range(5)]
    parts += [{"status": status} for status in ("verifying sha256 digest", "writing manifest", "success")]
    lines = [go_json(part) + "\n" for part in parts]
    return lines if fault is None else [*lines[: fault.after], fault.data.decode("utf-8", "replace")]
