"""A chat's answer, put together from the lines of its stream and judged at its end."""

from __future__ import annotations

import json
from typing import Any

from nonet.errors import IncompleteAnswerError
from nonet.runtimes.certainty import Certainty
from nonet.runtimes.ollama_errors import Call, context_overflow, not_understood, raise_refusal
from nonet.runtimes.protocol import OnText
from nonet.runtimes.types import ChatResponse, Finish, Usage

_NANOSECONDS = 1e9
LOADED_ALREADY_SECONDS = 0.05
"""`load_duration` of a model that is loaded was seen at 0.6 to 11 ms, of one that is not from 530 ms."""
_REPEATS = 10
_COUNTED_SHARE = 0.9
"""Of the prompt's words, what its tokens may not fall below: some templates leave a few words out."""


class Answer:
    """Takes the lines of one attempt.

    Args:
        call: what was asked.
        on_text: shown each new piece.
        shown: what earlier attempts of the same call have shown already; it is not shown again.
        least_prompt_tokens: the prompt cannot take fewer.
    """

    __slots__ = ("_ahead", "_call", "_certainty", "_last", "_least", "_on_text", "_pieces", "_shown", "_thinking")

    def __init__(self, call: Call, on_text: OnText | None, shown: str = "", least_prompt_tokens: int = 0) -> None:
        self._call = call
        self._on_text = on_text
        self._shown = shown
        self._ahead = shown
        self._least = least_prompt_tokens
        self._pieces: list[str] = []
        self._thinking: list[str] = []
        self._last: dict[str, Any] | None = None
        self._certainty = Certainty()

    def so_far(self) -> str:
        """What arrived of the text."""
        return "".join(self._pieces)

    @property
    def shown(self) -> str:
        """What was shown so far, by this attempt and those before it."""
        text = self.so_far()
        return max(text, self._shown, key=len) if self._on_text else ""

    def take(self, line: bytes) -> bool:
        """One line of the stream. True: it was the last.

        Raises:
            TransientError: an error line that asking again may mend.
            NonetError: any other error line, or one that is not of this protocol.
        """
        try:
            part = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise not_understood(self._call, f"a line that is not JSON ({line[:60]!r})", self.so_far()) from error
        if not isinstance(part, dict):
            raise not_understood(self._call, f"a line that is no JSON object ({line[:60]!r})", self.so_far())
        if "error" in part:
            raise_refusal(self._call, 200, json.dumps(part), self.so_far())
        if "logprobs" in part:
            self._certainty.add(part["logprobs"])
        message = part.get("message")
        if isinstance(message, dict):
            content, thinking = message.get("content"), message.get("thinking")
            if isinstance(content, str) and content:
                self._pieces.append(content)
                if self._on_text:
                    self._show(content, self._on_text)
            if isinstance(thinking, str) and thinking:
                self._thinking.append(thinking)
        if part.get("done") is True:
            self._last = part
            return True
        return False

    def response(self, seconds: float) -> ChatResponse:
        """The whole answer.

        Raises:
            IncompleteAnswerError: it has no end, is empty, or is not the one that was shown before.
            ContextOverflowError: the server read less of the prompt than there is of it.
        """
        text = self.so_far()
        if self._last is None:
            raise self._without_end(text)
        reason = self._last.get("done_reason", "stop")
        if reason not in ("stop", "length"):
            raise IncompleteAnswerError(f"The answer ended for an unknown reason, {str(reason)[:60]!r}.", partial=text)
        if not text.strip():
            raise self._empty(cut=reason == "length")
        if self._ahead:
            raise self._not_as_shown()
        usage = self._usage(seconds)
        thinking = "".join(self._thinking)
        return ChatResponse(text, self._call.model, Finish(reason), usage, thinking, self._certainty.mean())

    def _show(self, content: str, on_text: OnText) -> None:
        if self._ahead:
            again = content[: len(self._ahead)]
            if not self._ahead.startswith(again):
                raise self._not_as_shown()
            self._ahead = self._ahead[len(again) :]
            content = content[len(again) :]
        if content:
            on_text(content)

    def _usage(self, seconds: float) -> Usage:
        last = self._last or {}
        prompt = _whole(last.get("prompt_eval_count"))
        # A server that does not know `truncate` cuts the prompt in silence and counts what is left: about half the
        # window (927 tokens became 130 of 256). Vocabularies split at spaces, so a prompt has a token a word at least.
        if 0 < prompt < self._least * _COUNTED_SHARE:
            raise context_overflow(self._call, self._least, self._call.window_tokens, "at least ")
        load = _whole(last.get("load_duration")) / _NANOSECONDS
        return Usage(
            prompt,
            _whole(last.get("eval_count")),
            seconds,
            load if load > LOADED_ALREADY_SECONDS else 0.0,
            prompt_seconds=_whole(last.get("prompt_eval_duration")) / _NANOSECONDS,
            generation_seconds=_whole(last.get("eval_duration")) / _NANOSECONDS,
        )

    def _without_end(self, text: str) -> IncompleteAnswerError:
        tail = [piece.strip() for piece in self._pieces[-_REPEATS:]]
        why = (
            "the model repeated itself until the server stopped it"
            if len(tail) == _REPEATS and len(set(tail)) == 1
            else "the stream ended without its last line"
        )
        return IncompleteAnswerError(
            f"The answer has no end: {why}.",
            partial=text,
            next_step="Change the prompt, raise the temperature or use a larger model.",
        )

    def _empty(self, *, cut: bool) -> IncompleteAnswerError:
        if not self._thinking:
            return IncompleteAnswerError("The model gave an empty answer.", next_step="Change the prompt or the model.")
        how = "ran out of tokens while it thought" if cut else "thought and never came to its answer"
        return IncompleteAnswerError(
            f"The answer is empty: the model {how}.",
            partial="".join(self._thinking),
            next_step="Allow more tokens, or use a model that does not think.",
        )

    def _not_as_shown(self) -> IncompleteAnswerError:
        return IncompleteAnswerError(
            "The server failed in the middle of an answer that was being shown, and its second answer is another one.",
            partial=self._shown,
            next_step="Ask again.",
        )


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
