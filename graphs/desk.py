"""What a specialist works with during one attempt: every call goes through the scheduler and into the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nonet.errors import NonetError
from nonet.graphs.context import RunContext
from nonet.graphs.events import CallFinished, SubtaskText
from nonet.graphs.rungs import Rung, letter
from nonet.runtimes import ChatRequest, ChatResponse, Message, OnText, TokenCount, Trip
from nonet.runtimes.count_guard import CountGuard
from nonet.runtimes.lines import Priority
from nonet.specialists import Sandbox, Searcher
from nonet.store import CallRecord


@dataclass(frozen=True, slots=True)
class RunDesk:
    """Implements nonet.specialists.Desk for one attempt of one subtask."""

    context: RunContext
    subtask: str
    attempt: int
    rung: Rung
    window_tokens: int
    asked: list[ChatRequest] = field(default_factory=list)
    """The calls of this attempt, the refused ones included."""
    certainties: list[float] = field(default_factory=list)
    """How sure the model was of each answer, where the runtime was asked and told."""
    counted: dict[tuple[Message, ...], TokenCount] = field(default_factory=dict)
    """Prompts that were counted, to be compared with what the server says it read."""

    @property
    def model(self) -> str:
        return self.rung.model

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
        request = self._request(messages, schema, max_completion_tokens, temperature, seed)
        self.asked.append(request)
        self.context.turn.end()
        if self.context.priority is Priority.BATCH and self.context.budget.calls > 1:
            # What was answered is on disk before more is asked: a process that dies repeats no more than this call.
            await self.context.session.store.runs.flush(self.context.lease)
        sent: dict[str, str] = {}
        started = time.monotonic()
        try:
            response = await self._answered(request, on_text, sent)
        except (NonetError, asyncio.CancelledError) as error:
            said = error.message if isinstance(error, NonetError) else "stopped before its answer was whole"
            self._record(**sent, seconds=time.monotonic() - started, error=f"{type(error).__name__}: {said}")
            raise
        if response.certainty is not None:
            self.certainties.append(response.certainty)
        self.context.budget.add(response.usage)
        self._record(**sent, **_response_fields(response))
        if self.context.on_event is not None:
            self.context.on_event(CallFinished(self.context.usage()))
        return response

    def _request(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None,
        max_completion_tokens: int | None,
        temperature: float,
        seed: int,
    ) -> ChatRequest:
        longest = self.context.session.settings.max_completion_tokens
        return ChatRequest(
            model=self.model,
            messages=tuple(messages),
            schema=schema,
            max_completion_tokens=min(max_completion_tokens or longest, longest),
            temperature=temperature,
            seed=seed,
            certainty=self.context.session.wants_certainty,
        )

    async def _answered(self, request: ChatRequest, on_text: OnText | None, sent: dict[str, str]) -> ChatResponse:
        """The rung's answer; what leaves the machine for it, and what comes back, is put into `sent` as it does."""
        if not self.rung.leaves:
            response = await self._asked(request, on_text or self._listener())
            self._compare(request, response)
            return response
        outside = letter(request)
        sent["prompt"] = outside.text
        self.context.notice("remote", f"{self.subtask}: {outside.told(self.rung.host)}")
        response = await self._asked(outside.request, None)
        sent["answer"] = response.text
        return outside.opened(response)

    async def _asked(self, request: ChatRequest, on_text: OnText | None) -> ChatResponse:
        return await self.rung.scheduler.chat(request, on_text, self._swapped, priority=self.context.priority)

    def _swapped(self, pushed_out: str, model: str) -> None:
        if not self.rung.host:
            self.context.swapped(pushed_out, model)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        count = await self.rung.runtime.count_tokens(self.model, messages)
        self.counted[tuple(messages)] = count
        return self._guard().bounded(count)

    def _guard(self) -> CountGuard:
        return self.context.session.guards.setdefault(self.rung.label, CountGuard())

    def _compare(self, request: ChatRequest, response: ChatResponse) -> None:
        """Raise ContextOverflowError where the server did not read the prompt as it was counted."""
        count = self.counted.get(request.messages)
        if count is None:
            return
        if request.schema is not None and response.usage.prompt_tokens > count.tokens:
            return  # a chat template may put the schema into words, which were not counted
        self._guard().check(self.rung.label, count, response.usage.prompt_tokens)

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        return await self.context.session.embed(texts, self.context.priority)

    def _listener(self) -> OnText | None:
        if self.context.on_event is None or self.context.priority is Priority.BATCH:
            return None  # nobody reads the answers of a batch as they come
        emit, subtask = self.context.on_event, self.subtask
        return lambda text: emit(SubtaskText(subtask, text))

    def _record(self, **fields: Any) -> None:  # noqa: ANN401  passed on to CallRecord, which is typed
        call = CallRecord(model=self.rung.label, kind="remote" if self.rung.leaves else "chat", **fields)
        if call.error:
            self.context.call_errors.append(call.error)
        self.context.session.store.runs.record_call(self.context.lease, self.subtask, self.attempt, call)
        trace = self.context.session.trace
        if trace is not None:
            trace.add(
                self.context.run,
                replace(call, subtask=self.subtask, attempt=self.attempt, created_at_s=time.time()),
            )


def _response_fields(response: ChatResponse) -> dict[str, Any]:
    """Of a CallRecord."""
    usage = response.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "seconds": usage.seconds,
        "load_seconds": usage.load_seconds,
        "prompt_seconds": usage.prompt_seconds,
        "generation_seconds": usage.generation_seconds,
        "cached_tokens": usage.cached_tokens,
        "finish": str(response.finish),
        **_trip_fields(response.trip),
    }


def _trip_fields(trip: Trip) -> dict[str, Any]:
    """Of a CallRecord."""
    return {
        "host": trip.host,
        "origin": trip.origin,
        "swapped_out": trip.pushed_out,
        "swap_avoided": trip.swap_avoided,
        "wait_seconds": trip.wait_seconds,
        "joules": trip.joules,
    }
