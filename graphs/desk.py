"""What a specialist works with during one attempt: every call goes through the scheduler and into the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nonet.errors import NonetError
from nonet.graphs.context import RunContext
from nonet.graphs.events import CallFinished, SubtaskText
from nonet.runtimes import ChatRequest, ChatResponse, Message, OnText
from nonet.specialists import Sandbox, Searcher
from nonet.store import CallRecord


@dataclass(frozen=True, slots=True)
class RunDesk:
    """Implements nonet.specialists.Desk for one attempt of one subtask."""

    context: RunContext
    subtask: str
    attempt: int
    model: str
    window_tokens: int
    asked: list[ChatRequest] = field(default_factory=list)
    """The calls of this attempt, the refused ones included."""

    @property
    def searcher(self) -> Searcher | None:
        return self.context.searcher

    @property
    def sandbox(self) -> Sandbox | None:
        return self.context.session.sandbox()

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_completion_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> ChatResponse:
        self.context.budget.take_call()
        longest = self.context.session.settings.max_completion_tokens
        request = ChatRequest(
            model=self.model,
            messages=tuple(messages),
            schema=schema,
            max_completion_tokens=min(max_completion_tokens or longest, longest),
            temperature=temperature,
            seed=seed,
        )
        self.asked.append(request)
        started = time.monotonic()
        try:
            response = await self.context.session.scheduler.chat(
                request, on_text or self._listener(), self.context.swapped, priority=self.context.priority
            )
        except (NonetError, asyncio.CancelledError) as error:
            said = error.message if isinstance(error, NonetError) else "stopped before its answer was whole"
            self._record(seconds=time.monotonic() - started, error=f"{type(error).__name__}: {said}")
            raise
        usage = response.usage
        self.context.budget.add(usage)
        self._record(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            seconds=usage.seconds,
            load_seconds=usage.load_seconds,
            finish=str(response.finish),
        )
        if self.context.on_event is not None:
            self.context.on_event(CallFinished(self.context.usage()))
        return response

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        return (await self.context.session.runtime.count_tokens(self.model, messages)).tokens

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        return await self.context.session.embed(texts, self.context.priority)

    def _listener(self) -> OnText | None:
        if self.context.on_event is None:
            return None
        emit, subtask = self.context.on_event, self.subtask
        return lambda text: emit(SubtaskText(subtask, text))

    def _record(self, **fields: Any) -> None:  # noqa: ANN401  passed on to CallRecord, which is typed
        call = CallRecord(model=self.model, kind="chat", **fields)
        self.context.session.store.runs.record_call(self.context.lease, self.subtask, self.attempt, call)
