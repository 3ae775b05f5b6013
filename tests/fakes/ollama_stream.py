"""How the fake Ollama server streams: an answer line by line, with whatever is to go wrong in it; a pull's progress."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fakes.bare_http import Reply, go_json
from fakes.ollama_chat import Chat, Generation, ending, line
from fakes.ollama_parts import FakeModel, Fault, recording
from nonet.runtimes.scripted_answers import split_tokens

_EVAL_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream comes: tokens a line, seconds before the first token and between tokens."""

    step: int
    first_seconds: float
    token_seconds: float

    @property
    def prompt_ns(self) -> int:
        return _EVAL_NS + int(self.first_seconds * 1e9)

    def eval_ns(self, tokens: int) -> int:
        return _EVAL_NS + int(self.token_seconds * tokens * 1e9)


@dataclass(slots=True)
class Stream:
    """One answer, written line by line."""

    chat: Chat
    made: Generation
    load_ns: int
    reply: Reply
    fault: Fault | None
    pace: Pace

    async def write(self) -> None:
        """Write it, as far as the fault allows."""
        self.reply.start(200, "application/x-ndjson")
        for piece in self.made.thinking:
            self._line(thinking=piece)
        pieces = self.made.pieces
        if self.fault is not None and self.fault.kind in ("empty", "empty_after_thinking"):
            self._empty(self.fault)
            return
        for start in range(0, len(pieces), self.pace.step):
            if self.fault is not None and start >= self.fault.after and await self._ends(self.fault):
                return
            if self.pace.token_seconds:
                await asyncio.sleep(self.pace.token_seconds * self.pace.step)
            shown = pieces[start : start + self.pace.step]
            self._line("".join(shown), **self._logprobs(shown))
        if self.fault is not None and len(pieces) <= self.fault.after and await self._ends(self.fault):
            return
        if self.made.reason:
            self._line(
                **self._spoiled(
                    ending(self.made, len(pieces), self.load_ns, self.pace.eval_ns(len(pieces)), self.pace.prompt_ns)
                )
            )
        if self.fault is not None and self.fault.kind == "done_without_end":
            await asyncio.sleep(self.fault.seconds)
        self.reply.finish()

    def _logprobs(self, tokens: Sequence[str]) -> dict[str, Any]:
        """As recorded of a whole answer (12): a list beside the message."""
        if not self.chat.body.get("logprobs"):
            return {}
        return {"logprobs": [{"token": token, "logprob": -0.25, "bytes": list(token.encode())} for token in tokens]}

    def _line(self, content: str = "", thinking: str | None = None, **more: object) -> None:
        self.reply.chunk(line(self.chat.model.name, content, thinking, **more) + "\n")

    def _empty(self, fault: Fault) -> None:
        for piece in split_tokens("2 + 3 equals 5") if fault.kind == "empty_after_thinking" else ():
            self._line(thinking=piece)
        self._line(**ending(self.made, 12, 0, _EVAL_NS))
        self.reply.finish()

    async def _ends(self, fault: Fault) -> bool:
        """Act out a fault of an answer that has begun; True: the answer ends here."""
        last = self._last_line(fault)
        if last is not None:
            self.reply.chunk(last)
            self.reply.finish()
        elif fault.kind == "hang_up_mid_stream":
            self.reply.hang_up()
        elif fault.kind == "reset_mid_stream":
            await asyncio.sleep(0.02)  # so that what was sent arrives: a reset would take it along
            self.reply.reset()
        else:
            if fault.kind == "garbage":
                self.reply.chunk(fault.data + b"\n")
                self.fault = None
            elif fault.kind == "stall":
                await asyncio.sleep(fault.seconds)
                self.fault = None
            return False
        return True

    def _last_line(self, fault: Fault) -> str | None:
        name = self.chat.model.name
        cut = {**ending(self.made, fault.after, 0, _EVAL_NS), "done_reason": "length"}
        ends = {
            "runner_died": recording("71b").body + "\n",
            "error_line": fault.data.decode("utf-8", "replace") + "\n",
            "done_false": line(name) + "\n",
            "strange_end": line(name, done=True, done_reason="tired") + "\n",
            "cut": line(name, **cut) + "\n",
            "cut_line": line(name, "never seen")[:40],
            "no_done": "",
        }
        return ends.get(fault.kind)

    def _spoiled(self, last: dict[str, Any]) -> dict[str, Any]:
        kind = self.fault.kind if self.fault is not None else ""
        if kind == "truncated_prompt":
            return {**last, "prompt_eval_count": self.chat.window // 2 + 2}
        if kind == "no_counts":
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
