"""What a model can do here, measured: its speed, whether it obeys a schema, whether it can choose.

A name says little: the planner trusts a model with as much as its profile shows (`nonet doctor`). Some 25 short calls,
about 30 seconds for half a billion parameters on one thread.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nonet.errors import IncompleteAnswerError
from nonet.runtimes import judge
from nonet.runtimes.profile_tasks import CHOICES, ROUTING_ITEMS, SCHEMA_TASKS, WORDS, SchemaTask, routing_prompt
from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.types import ChatRequest, ChatResponse, Message, Usage

_PROMPT_WORDS: Final = 72
_GENERATED_TOKENS: Final = 20
_ANSWER_TOKENS: Final = 64

OnProgress = Callable[[int, int, str], None]
"""Calls made, calls in all, and what the next one measures."""


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What was measured of one model on one runtime. `dataclasses.asdict` gives JSON values."""

    runtime: str
    model: str
    digest: str
    """Of the weights, so that a stale profile can be told; empty where the runtime does not know it."""
    prompt_tokens_per_second: float
    """0 where it was too fast to measure."""
    generation_tokens_per_second: float
    """0 where it was too fast to measure."""
    load_seconds: float
    """0 where the model was loaded already."""
    schema_valid: float
    """Share of the schema tasks whose answer obeys the schema, 0 to 1. Noise can reach 1."""
    schema_obedience: float
    """Share of the schema tasks whose answer obeys the schema and is right, 0 to 1. Noise cannot."""
    routing_accuracy: float
    """Share of requests for which it chose the right specialist of three, 0 to 1."""
    routing_chance: float
    """What always giving the same answer scores."""
    judge_right: int
    """Right verdicts on answers of which half are wrong."""
    judge_asked: int
    seconds: float
    """What measuring took."""


async def measure(runtime: Runtime, model: str, *, on_progress: OnProgress | None = None) -> ModelProfile:
    """Measure one chat model. Raises as `Runtime.chat`, but for answers that break off or break a schema: those count.

    Args:
        runtime: what serves it. Other work at the same time makes the speeds too low.
        model: its name there.
        on_progress: called before each call, and at the end.
    """
    started = time.monotonic()
    info = await runtime.describe(model)
    meter = _Meter(runtime, model, on_progress)
    warm, _ = await meter.ask("Say yes.", "loading", tokens=1)
    prompt_speed, generation_speed = await _speeds(meter)
    valid, right = await _schema_scores(meter)
    routed = await _routing_score(meter)
    judged = await _judge_score(meter)
    meter.report("done")
    return ModelProfile(
        runtime=runtime.name,
        model=model,
        digest=info.digest,
        prompt_tokens_per_second=round(prompt_speed, 1),
        generation_tokens_per_second=round(generation_speed, 1),
        load_seconds=round(warm.load_seconds, 3),
        schema_valid=round(valid, 3),
        schema_obedience=round(right, 3),
        routing_accuracy=round(routed, 3),
        routing_chance=round(1 / len(CHOICES), 3),
        judge_right=judged,
        judge_asked=len(judge.ITEMS),
        seconds=round(time.monotonic() - started, 1),
    )


class _Meter:
    """Makes the calls and counts them."""

    def __init__(self, runtime: Runtime, model: str, on_progress: OnProgress | None) -> None:
        self._runtime = runtime
        self._model = model
        self._on_progress = on_progress
        self._total = 3 + len(SCHEMA_TASKS) + len(ROUTING_ITEMS) + len(judge.ITEMS)
        self._made = 0

    def report(self, stage: str) -> None:
        if self._on_progress is not None:
            self._on_progress(self._made, self._total, stage)

    async def ask(self, prompt: str, stage: str, *, tokens: int) -> tuple[Usage, float]:
        """The cost of a call, and the seconds between its first piece and its last; words or none, it has a cost."""
        started = time.monotonic()
        pieces: list[float] = []
        try:
            answer = await self._chat(prompt, stage, tokens, None, lambda _text: pieces.append(time.monotonic()))
        except IncompleteAnswerError:
            return Usage(seconds=time.monotonic() - started), 0.0
        return answer.usage, pieces[-1] - pieces[0] if pieces else 0.0

    async def fill(self, prompt: str, stage: str, schema: Mapping[str, Any]) -> str | None:
        """The answer under a schema, or None where it does not obey."""
        try:
            return (await self._chat(prompt, stage, _ANSWER_TOKENS, schema, None)).text
        except IncompleteAnswerError:
            return None

    async def _chat(
        self, prompt: str, stage: str, tokens: int, schema: Mapping[str, Any] | None, on_text: OnText | None
    ) -> ChatResponse:
        self.report(stage)
        request = ChatRequest(self._model, (Message("user", prompt),), schema=schema, max_completion_tokens=tokens)
        try:
            return await self._runtime.chat(request, on_text)
        finally:
            self._made += 1


async def _speeds(meter: _Meter) -> tuple[float, float]:
    """Tokens a second of prompt and of answer, from one call that is nearly all prompt and one nearly all answer."""
    words = random.sample(
        WORDS * (_PROMPT_WORDS // len(WORDS) + 1), _PROMPT_WORDS
    )  # new each time: servers keep prompts
    reading, _ = await meter.ask(" ".join(words) + "\nSay yes.", "reading speed", tokens=1)
    writing, span_seconds = await meter.ask("Count from 1 to 40 in words.", "writing speed", tokens=_GENERATED_TOKENS)
    return speeds(reading, writing, span_seconds)


def speeds(reading: Usage, writing: Usage, span_seconds: float) -> tuple[float, float]:
    """Tokens a second of prompt and of answer; 0 for what cannot be told.

    Args:
        reading: a call that is nearly all prompt, with an answer of one token.
        writing: a call that is nearly all answer.
        span_seconds: from the first piece of the second answer to its last; the prompt's time is not in it.

    >>> speeds(Usage(200, 1, 4.05), Usage(20, 31, 1.9), 1.5)
    (50.0, 20.0)
    """
    a_token = span_seconds / (writing.completion_tokens - 1) if writing.completion_tokens > 1 else 0.0
    prompt_seconds = reading.seconds - reading.load_seconds - a_token * reading.completion_tokens
    a_prompt_token = prompt_seconds / reading.prompt_tokens if reading.prompt_tokens else 0.0
    return _rate(a_prompt_token), _rate(a_token)


def _rate(seconds: float) -> float:
    return round(1 / seconds, 3) if seconds > 0 else 0.0


async def _schema_scores(meter: _Meter) -> tuple[float, float]:
    answers = [await meter.fill(task.prompt, "schema", task.schema) for task in SCHEMA_TASKS]
    valid = sum(answer is not None for answer in answers)
    return valid / len(answers), _share_right(SCHEMA_TASKS, answers)


async def _routing_score(meter: _Meter) -> float:
    tasks = [routing_prompt(request, choice) for request, choice in ROUTING_ITEMS]
    answers = [await meter.fill(task.prompt, "routing", task.schema) for task in tasks]
    return _share_right(tasks, answers)


async def _judge_score(meter: _Meter) -> int:
    """Verdicts that are right, asked as a run would ask."""
    right = 0
    for question, answer, is_right in judge.ITEMS:
        (message,) = judge.judge_messages(question, answer)
        said = await meter.fill(message.content, "judging", judge.SCHEMA)
        right += said is not None and judge.says_right(said) == is_right
    return right


def _share_right(tasks: Sequence[SchemaTask], answers: Sequence[str | None]) -> float:
    right = [answer is not None and task.is_right(answer) for task, answer in zip(tasks, answers, strict=True)]
    return sum(right) / len(right)
