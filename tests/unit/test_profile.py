"""Profiles tell a model that understands from one that only obeys grammar, and from one that does neither."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, replace

import pytest

from nonet.errors import ModelNotFoundError
from nonet.runtimes import ChatRequest, ChatResponse, ModelInfo, OnText, Usage, judge
from nonet.runtimes.profile import PARTS, PLANNING, SCHEMA, SPEED, THINKING, with_earlier
from nonet.runtimes.profile_measuring import measure, speeds
from nonet.runtimes.profile_tasks import CHOICES, ROUTING_ITEMS, SCHEMA_TASKS, routing_prompt
from nonet.runtimes.scripted import ScriptedRuntime, minimal_instance

MODEL = "qwen2.5-coder:0.5b"
TASKS = {task.prompt: task for task in (*SCHEMA_TASKS, *(routing_prompt(*item) for item in ROUTING_ITEMS))}


def knows_all(request: ChatRequest) -> str:
    for question, answer, is_right in judge.ITEMS:
        if request.messages == judge.judge_messages(question, answer):
            return json.dumps({"right": "yes" if is_right else "no"})
    task = TASKS.get(request.messages[-1].content)
    return "yes and so on" if task is None else json.dumps(task.expected)


def obeys_only(request: ChatRequest) -> str:
    return "yes" if request.schema is None else json.dumps(minimal_instance(request.schema))


def always_the_same_choice(request: ChatRequest) -> str:
    if request.schema is not None and "who" in request.schema["properties"]:
        return '{"who": "code"}'
    return obeys_only(request)


def babbles(_request: ChatRequest) -> str:
    return "the the the the"


async def test_a_model_that_understands() -> None:
    seen: list[tuple[int, int, str]] = []
    profile = await measure(ScriptedRuntime(knows_all), MODEL, on_progress=lambda *now: seen.append(now))
    assert (profile.schema_valid, profile.schema_obedience, profile.routing_accuracy) == (1.0, 1.0, 1.0)
    assert profile.judge_right == profile.judge_asked == len(judge.ITEMS)
    assert profile.model == MODEL
    assert profile.runtime == "scripted"
    made, total, stage = seen[-1]
    assert made == total
    assert stage == "done"
    assert [each[0] for each in seen] == sorted(each[0] for each in seen)
    assert json.loads(json.dumps(asdict(profile))) == asdict(profile)


async def test_obeying_the_grammar_is_not_enough() -> None:
    profile = await measure(ScriptedRuntime(obeys_only), MODEL)
    assert profile.schema_valid == 1.0
    assert profile.schema_obedience == 0.0
    assert profile.judge_right == profile.judge_asked // 2  # who always says the same judges as a coin does
    assert not judge.better_than_chance(profile.judge_right, profile.judge_asked)


async def test_always_the_same_choice_is_chance() -> None:
    profile = await measure(ScriptedRuntime(always_the_same_choice), MODEL)
    assert profile.routing_accuracy == profile.routing_chance == round(1 / len(CHOICES), 3)


async def test_noise() -> None:
    profile = await measure(ScriptedRuntime(babbles), MODEL)
    assert (profile.schema_valid, profile.schema_obedience, profile.routing_accuracy) == (0.0, 0.0, 0.0)
    assert profile.context_recalled_tokens == 0


async def test_loading_is_told_apart_from_speed() -> None:
    profile = await measure(ScriptedRuntime(knows_all, load_seconds=0.2), MODEL)
    assert profile.load_seconds == pytest.approx(0.2, abs=0.05)
    assert profile.seconds >= 0.2


async def test_an_unknown_model() -> None:
    with pytest.raises(ModelNotFoundError):
        await measure(ScriptedRuntime(), "no-such-model:1b")


@pytest.mark.parametrize(
    ("reading", "writing", "span_seconds", "expected"),
    [
        (Usage(200, 1, 4.05), Usage(20, 31, 1.9), 1.5, (50.0, 20.0)),
        (Usage(200, 1, 5.05, load_seconds=1.0), Usage(20, 31, 1.9), 1.5, (50.0, 20.0)),
        (Usage(200, 1, 0.0), Usage(20, 31, 0.0), 0.0, (0.0, 0.0)),  # too fast to tell
        (Usage(), Usage(), 0.0, (0.0, 0.0)),  # nothing was counted
        (Usage(200, 1, 4.0), Usage(20, 1, 0.5), 0.0, (50.0, 0.0)),  # one token has no span
    ],
)
def test_speeds(reading: Usage, writing: Usage, span_seconds: float, expected: tuple[float, float]) -> None:
    assert speeds(reading, writing, span_seconds) == expected


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ('{"fruit": "Apples", "count": 3}', True),
        ('{"fruit": "apple", "count": 4}', False),
        ('{"fruit": "apple"}', False),
        ('{"fruit": "apple", "count": 3, "more": 1}', False),
        ("[]", False),
        ("three apples", False),
    ],
)
def test_what_counts_as_right(answer: str, right: bool) -> None:  # noqa: FBT001
    assert SCHEMA_TASKS[0].is_right(answer) is right


async def test_it_reads_the_whole_window_and_knows_the_first_line() -> None:
    def recalls(request: ChatRequest) -> str:
        found = re.search(r"The password is (\d+)", request.messages[-1].content)
        return f"It is {found[1]}." if found else knows_all(request)

    profile = await measure(ScriptedRuntime(recalls, context_tokens=2048), MODEL)
    assert profile.window_tokens == 2048
    assert 1900 < profile.context_recalled_tokens == profile.context_read_tokens < 2048
    assert profile.context_refused_tokens == 0
    assert profile.not_measured == [PLANNING]
    forgets = await measure(ScriptedRuntime(knows_all, context_tokens=2048), MODEL)
    assert (forgets.context_read_tokens, forgets.context_recalled_tokens) == (profile.context_read_tokens, 0)


async def test_a_window_that_is_smaller_than_it_is_said_to_be() -> None:
    class Boasts(ScriptedRuntime):
        async def describe(self, model: str) -> ModelInfo:
            return replace(await super().describe(model), context_tokens=4096)

    profile = await measure(Boasts(knows_all, context_tokens=2500), MODEL)
    assert 2500 < profile.context_refused_tokens < 4096
    assert 1900 < profile.context_read_tokens < 2500


async def test_the_limit_holds_and_the_most_useful_comes_first() -> None:
    class Slow(ScriptedRuntime):
        async def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatResponse:
            if request.schema is not None and "who" in request.schema["properties"]:
                await asyncio.Event().wait()  # for ever
            return await super().chat(request, on_text)

    profile = await measure(Slow(knows_all), MODEL, limit_seconds=0.3)
    assert profile.not_measured == [part for part in PARTS if part not in {SPEED, SCHEMA, THINKING}]
    assert profile.schema_obedience == 1.0
    assert (profile.routing_asked, profile.judge_asked) == (0, 0)


def test_what_was_not_measured_is_kept_from_earlier_of_the_same_weights() -> None:
    new = {"digest": "a", "schema_asked": 4, "judge_asked": 0, "not_measured": ["judging", "planning"]}
    earlier = {"digest": "a", "schema_asked": 9, "judge_asked": 12, "judge_right": 11, "not_measured": ["planning"]}
    kept = with_earlier(new, earlier)
    assert kept == {
        "digest": "a",
        "schema_asked": 4,
        "judge_asked": 12,
        "judge_right": 11,
        "not_measured": ["planning"],
    }
    assert with_earlier(new, {**earlier, "digest": "b"}) == new
