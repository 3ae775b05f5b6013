"""The scripted runtime: scripts, its own answers, its faults. What every runtime promises is in contracts/."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.errors import (
    BadRequestError,
    ContextOverflowError,
    IncompleteAnswerError,
    ModelNotFoundError,
    RuntimeBusyError,
)
from nonet.runtimes import ChatRequest, Finish, Message, ModelInfo
from nonet.runtimes.schema import check_answer, encode_schema
from nonet.runtimes.scripted import DEFAULT_MODELS, Fault, Script, ScriptedRuntime, minimal_instance
from nonet.runtimes.scripted_answers import split_tokens, word_vector


def ask(text: str, **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": "smollm2:135m", "messages": (Message("user", text),), **more})


async def answer(script: Script | None, text: str, **more: Any) -> str:
    return (await ScriptedRuntime(script).chat(ask(text, **more))).text


class TestScripts:
    async def test_a_function_sees_the_request(self) -> None:
        assert await answer(lambda request: request.messages[-1].content.upper(), "hello") == "HELLO"

    async def test_rules_are_tried_in_order(self) -> None:
        rules: Script = [("fox", "An animal."), (re.compile(r"\d+"), "A number."), ("", "Anything.")]
        assert await answer(rules, "a fox and 12") == "An animal."
        assert await answer(rules, "12 stones") == "A number."
        assert await answer(rules, "stones") == "Anything."

    async def test_answers_in_turn_and_the_last_one_stays(self) -> None:
        runtime = ScriptedRuntime([("fox", ["one", "two"])])
        assert [(await runtime.chat(ask("fox"))).text for _ in range(3)] == ["one", "two", "two"]

    async def test_the_system_message_is_searched_too_but_not_older_turns(self) -> None:
        runtime = ScriptedRuntime([("planner", "A plan."), ("fox", "A fox.")])
        system = Message("system", "You are a planner.")
        assert (await runtime.chat(ask("x", messages=(system, Message("user", "go"))))).text == "A plan."
        older = (Message("user", "fox"), Message("assistant", "yes"), Message("user", "Tell me about stones."))
        assert (await runtime.chat(ask("x", messages=older))).text == "Tell me about stones."

    async def test_what_was_asked_can_be_looked_at(self) -> None:
        runtime = ScriptedRuntime()
        await runtime.chat(ask("One thing."))
        assert [request.messages[0].content for request in runtime.requests] == ["One thing."]

    async def test_a_script_must_obey_the_schema_too(self) -> None:
        with pytest.raises(IncompleteAnswerError):
            await answer([("", "no JSON")], "x", schema={"type": "object"})

    async def test_an_empty_answer_is_none(self) -> None:
        with pytest.raises(IncompleteAnswerError):
            await answer(lambda _request: " ", "x")


class TestOwnAnswers:
    async def test_code_has_the_name_and_parameters_asked_for(self) -> None:
        text = await answer(None, "Write a Python function add_two(a, b: int = 2) that adds.")
        assert text.startswith("```python\ndef add_two(a, b):")
        compile(text.strip("`").removeprefix("python"), "answer", "exec")

    @pytest.mark.parametrize(
        ("text", "signature"),
        [
            ("Complete this code:\ndef is_even(n):\n    ...", "def is_even(n):"),
            ("Implement a function called slugify.", "def slugify("),
            ("Write a function `area` in Python.", "def area("),
            ("Write some code.", "def answer("),
            ("Write a Python function go() now.", "def go():"),
        ],
    )
    async def test_names_are_found_however_they_are_written(self, text: str, signature: str) -> None:
        assert signature in await answer(None, text)

    async def test_else_the_first_sentences_of_the_longest_text(self) -> None:
        prompt = "Summarize.\n\nThe fox is red. It lives in a wood. It has many friends.\n\nBe brief."
        assert await answer(None, prompt) == "The fox is red. It lives in a wood."

    async def test_is_the_same_every_time(self) -> None:
        assert await answer(None, "Some text here.") == await answer(None, "Some text here.")

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]},
            {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2},
            {"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}]},
            {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5},
            {"type": "number", "maximum": -2},
            {"type": "string", "minLength": 30, "maxLength": 40},
            {"type": "string", "maxLength": 3},
            {"type": "string", "format": "date-time"},
            {"enum": ["x", "y"]},
            {"const": {"k": [1]}},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            {"type": ["string", "null"]},
            {
                "$ref": "#/$defs/plan",
                "$defs": {
                    "plan": {
                        "type": "object",
                        "properties": {"steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}},
                        "required": ["steps"],
                    },
                    "step": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
                },
            },
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
                ]
            },
            {"properties": {"a": {"type": "boolean"}}, "required": ["a"]},
            {},
        ],
    )
    async def test_under_a_schema_they_obey_it(self, schema: dict[str, Any]) -> None:
        text = await answer(None, "The fox is red. It lives in a wood.", schema=schema)
        check_answer(text, encode_schema(schema))

    def test_the_least_instance_is_small(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array"}}, "required": ["b"]}
        assert minimal_instance(schema) == {"b": []}

    def test_a_schema_that_contains_itself_ends(self) -> None:
        schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
        assert json.dumps(minimal_instance(schema))


class TestModels:
    async def test_the_defaults(self) -> None:
        runtime = ScriptedRuntime()
        infos = {info.name: info for info in await runtime.models()}
        assert sorted(DEFAULT_MODELS) == list(infos)
        assert infos["all-minilm:l6-v2"].capabilities == frozenset({"embed"})
        assert await runtime.loaded() == ()
        await runtime.chat(ask("Hello."))
        assert await runtime.loaded() == ("smollm2:135m",)

    async def test_ones_own(self) -> None:
        runtime = ScriptedRuntime(models=("a:1b", ModelInfo("b:1b", 128, capabilities=frozenset({"chat", "embed"}))))
        assert (await runtime.describe("b:1b")).context_tokens == 128
        assert len((await runtime.embed("b:1b", ["x"])).vectors) == 1
        with pytest.raises(ModelNotFoundError, match="a:1b, b:1b"):
            await runtime.chat(ask("x"))
        with pytest.raises(BadRequestError, match="b:1b"):
            await runtime.embed("a:1b", ["x"])

    async def test_the_first_call_of_a_model_loads_it(self) -> None:
        runtime = ScriptedRuntime(load_seconds=0.05)
        first, second = await runtime.chat(ask("Hello.")), await runtime.chat(ask("Hello."))
        assert (first.usage.load_seconds, second.usage.load_seconds) == (0.05, 0.0)

    async def test_the_window_counts_prompt_and_answer(self) -> None:
        runtime = ScriptedRuntime(lambda _request: "word " * 99, context_tokens=30)
        response = await runtime.chat(ask("one two three"))
        assert response.finish is Finish.LENGTH
        assert response.usage.prompt_tokens + response.usage.completion_tokens == 30
        with pytest.raises(ContextOverflowError) as caught:
            await runtime.chat(ask("word " * 30))
        assert (caught.value.prompt_tokens, caught.value.window_tokens) == (37, 30)


class TestTimeAndFaults:
    async def test_latency_and_cancellation(self) -> None:
        runtime = ScriptedRuntime(latency_seconds=30)
        task = asyncio.create_task(runtime.chat(ask("x")))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_a_fault_after_some_tokens(self) -> None:
        runtime = ScriptedRuntime([("", "one two three four")])
        runtime.fail(Fault(IncompleteAnswerError("died", partial="one two"), after_tokens=2))
        shown: list[str] = []
        with pytest.raises(IncompleteAnswerError):
            await runtime.chat(ask("x"), shown.append)
        assert shown == ["one", " two"]
        assert (await runtime.chat(ask("x"))).text == "one two three four"

    async def test_faults_count_and_choose(self) -> None:
        runtime = ScriptedRuntime()
        runtime.fail(Fault(RuntimeBusyError("busy"), times=2, contains="fox"))
        assert (await runtime.chat(ask("A stone."))).text
        for _ in range(2):
            with pytest.raises(RuntimeBusyError):
                await runtime.chat(ask("A fox."))
        assert (await runtime.chat(ask("A fox."))).text

    async def test_embeddings_fail_too(self) -> None:
        runtime = ScriptedRuntime()
        runtime.fail(Fault(RuntimeBusyError("busy")))
        with pytest.raises(RuntimeBusyError):
            await runtime.embed("all-minilm:l6-v2", ["x"])


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(split_tokens(text)) == text


@given(st.text())
def test_every_text_has_a_unit_vector(text: str) -> None:
    assert sum(value * value for value in word_vector(text)) == pytest.approx(1)
