"""Makes the calls of a measurement and counts them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nonet.errors import IncompleteAnswerError
from nonet.runtimes.profile_tasks import SchemaTask
from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.types import ChatRequest, ChatResponse, Message, Usage

ANSWER_TOKENS: Final = 64

OnProgress = Callable[[int, int, str], None]
"""Calls made, calls in all, and what the next one measures."""


@dataclass(slots=True)
class Meter:
    """Asks one model.

    Args:
        expected: calls in all, for the progress shown.
    """

    runtime: Runtime
    model: str
    on_progress: OnProgress | None
    expected: int
    made: int = 0

    def report(self, stage: str) -> None:
        """Show how far it is."""
        if self.on_progress is not None:
            self.on_progress(min(self.made, self.expected), self.expected, stage)

    async def ask(self, prompt: str, stage: str, *, tokens: int) -> tuple[Usage, float]:
        """The cost of a call, and the seconds between its first piece and its last; words or none, it has a cost."""
        started = time.monotonic()
        pieces: list[float] = []
        try:
            answer = await self.chat(prompt, stage, tokens, on_text=lambda _text: pieces.append(time.monotonic()))
        except IncompleteAnswerError:
            return Usage(seconds=time.monotonic() - started), 0.0
        return answer.usage, pieces[-1] - pieces[0] if pieces else 0.0

    async def fill(
        self, prompt: str, stage: str, schema: Mapping[str, Any], *, tokens: int = ANSWER_TOKENS, think: bool = False
    ) -> str | None:
        """The answer under a schema, or None where it does not obey."""
        try:
            return (await self.chat(prompt, stage, tokens, schema=schema, think=think)).text
        except IncompleteAnswerError:
            return None

    async def chat(
        self,
        prompt: str,
        stage: str,
        tokens: int,
        *,
        schema: Mapping[str, Any] | None = None,
        think: bool = False,
        on_text: OnText | None = None,
    ) -> ChatResponse:
        """As Runtime.chat, of one user message."""
        self.report(stage)
        messages = (Message("user", prompt),)
        request = ChatRequest(self.model, messages, schema=schema, max_completion_tokens=tokens, think=think)
        try:
            return await self.runtime.chat(request, on_text)
        finally:
            self.made += 1


def share_right(tasks: Sequence[SchemaTask], answers: Sequence[str | None]) -> float:
    """Of tasks, those that were answered rightly, 0 to 1."""
    right = [answer is not None and task.is_right(answer) for task, answer in zip(tasks, answers, strict=True)]
    return sum(right) / len(right)
