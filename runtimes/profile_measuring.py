"""Measures a model: some 30 short calls, and one long, within a limit of time that holds whatever happens."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from nonet.runtimes import judge
from nonet.runtimes.profile import (
    CONTEXT,
    JUDGING,
    PARTS,
    PLANNING,
    ROUTING,
    SCHEMA,
    SPEED,
    THINKING,
    ModelProfile,
)
from nonet.runtimes.profile_context import measure_context
from nonet.runtimes.profile_meter import Meter, OnProgress, share_right
from nonet.runtimes.profile_tasks import CHOICES, ROUTING_ITEMS, SCHEMA_TASKS, WORDS, routing_prompt
from nonet.runtimes.protocol import Runtime
from nonet.runtimes.servers import ManagedRuntime
from nonet.runtimes.types import Usage

_PROMPT_WORDS: Final = 72
_GENERATED_TOKENS: Final = 20
_THINKING_TOKENS: Final = 512
_MOST_SECONDS: Final[Mapping[str, float]] = {CONTEXT: 25.0, THINKING: 20.0}
"""Parts that would take all the time there is on a slow machine."""
_CALLS: Final[Mapping[str, int]] = {
    SPEED: 3,
    SCHEMA: len(SCHEMA_TASKS),
    ROUTING: len(ROUTING_ITEMS),
    CONTEXT: 4,
    THINKING: len(SCHEMA_TASKS),
    JUDGING: len(judge.ITEMS),
    PLANNING: 0,
}
"""About how many each part makes; planning is counted by those who measure it."""


async def measure(
    runtime: Runtime,
    model: str,
    *,
    parts: Collection[str] = PARTS,
    limit_seconds: float | None = None,
    on_progress: OnProgress | None = None,
) -> ModelProfile:
    """Measure one chat model. Raises as `Runtime.chat`, but for answers that break off or break a schema: those count.

    Args:
        runtime: what serves it. Other work at the same time makes the speeds too low.
        model: its name there.
        parts: of PARTS; planning is not measured here (`graphs.measuring`).
        limit_seconds: what is not measured by then is left, a call under way is cancelled; `not_measured` names it.
        on_progress: called before each call, and at the end.
    """
    started = time.monotonic()
    info = await runtime.describe(model)
    profile = ModelProfile(runtime.name, model, info.digest, window_tokens=info.context_tokens, thinks=info.thinks)
    wanted = [part for part in PARTS if part in parts and part in _MEASURES and (part != THINKING or info.thinks)]
    meter = Meter(runtime, model, on_progress, sum(_CALLS[part] for part in wanted))
    profile.not_measured = [part for part in PARTS if part != THINKING or info.thinks]
    for part in wanted:
        left = float("inf") if limit_seconds is None else started + limit_seconds - time.monotonic()
        left = min(left, _MOST_SECONDS.get(part, left))
        if left <= 0:
            break
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                await _MEASURES[part](meter, profile, left)
        except TimeoutError:
            continue
        profile.not_measured.remove(part)
    meter.made = meter.expected
    meter.report("done")
    profile.seconds = round(time.monotonic() - started, 1)
    return profile


async def _speed(meter: Meter, profile: ModelProfile, _seconds: float) -> None:
    """Loading, and tokens a second of prompt and of answer, from one call nearly all prompt and one nearly all answer.

    A model that is in the server's memory already is taken out, where the server can be told: else there is no load.
    """
    if isinstance(meter.runtime, ManagedRuntime) and profile.model in await meter.runtime.loaded():
        await meter.runtime.release(profile.model)
    warm, _ = await meter.ask("Say yes.", "loading", tokens=1)
    profile.load_seconds = round(warm.load_seconds, 3)
    words = random.sample(WORDS * (_PROMPT_WORDS // len(WORDS) + 1), _PROMPT_WORDS)  # new: servers keep prompts
    reading, _ = await meter.ask(" ".join(words) + "\nSay yes.", "reading speed", tokens=1)
    writing, span_seconds = await meter.ask("Count from 1 to 40 in words.", "writing speed", tokens=_GENERATED_TOKENS)
    prompt_speed, generation_speed = speeds(reading, writing, span_seconds)
    profile.prompt_tokens_per_second = round(prompt_speed, 1)
    profile.generation_tokens_per_second = round(generation_speed, 1)


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


async def _schema(meter: Meter, profile: ModelProfile, _seconds: float) -> None:
    answers = [await meter.fill(task.prompt, "schema", task.schema) for task in SCHEMA_TASKS]
    profile.schema_asked = len(answers)
    profile.schema_valid = round(sum(answer is not None for answer in answers) / len(answers), 3)
    profile.schema_obedience = round(share_right(SCHEMA_TASKS, answers), 3)


async def _routing(meter: Meter, profile: ModelProfile, _seconds: float) -> None:
    tasks = [routing_prompt(request, choice) for request, choice in ROUTING_ITEMS]
    answers = [await meter.fill(task.prompt, "routing", task.schema) for task in tasks]
    profile.routing_asked = len(answers)
    profile.routing_accuracy = round(share_right(tasks, answers), 3)
    profile.routing_chance = round(1 / len(CHOICES), 3)


async def _context(meter: Meter, profile: ModelProfile, seconds: float) -> None:
    await measure_context(meter, profile, seconds)


async def _thinking(meter: Meter, profile: ModelProfile, _seconds: float) -> None:
    """The schema tasks again while it thinks; each answer counts at once, because thinking may take all the time."""
    answers: list[str | None] = []
    for task in SCHEMA_TASKS:
        answers.append(await meter.fill(task.prompt, "thinking", task.schema, tokens=_THINKING_TOKENS, think=True))
        profile.thinking_asked = len(answers)
        profile.thinking_valid = round(sum(answer is not None for answer in answers) / len(answers), 3)
        profile.thinking_obedience = round(share_right(SCHEMA_TASKS[: len(answers)], answers), 3)


async def _judging(meter: Meter, profile: ModelProfile, _seconds: float) -> None:
    """Verdicts that are right, asked as a run would ask."""
    right = 0
    for question, answer, is_right in judge.ITEMS:
        (message,) = judge.judge_messages(question, answer)
        said = await meter.fill(message.content, "judging", judge.SCHEMA)
        right += said is not None and judge.says_right(said) == is_right
    profile.judge_right, profile.judge_asked = right, len(judge.ITEMS)


_MEASURES: Final[Mapping[str, Callable[[Meter, ModelProfile, float], Awaitable[None]]]] = {
    SPEED: _speed,
    SCHEMA: _schema,
    ROUTING: _routing,
    CONTEXT: _context,
    THINKING: _thinking,
    JUDGING: _judging,
}
