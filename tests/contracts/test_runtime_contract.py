"""What runtimes/protocol.py promises, held against every runtime.

A runtime joins by a factory in SUBJECTS: an async context manager that gives a Subject. Real models answer as they
like, so nothing here asks for particular words.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fakes.ollama import FakeOllama

from nonet.errors import (
    BadRequestError,
    ContextOverflowError,
    IncompleteAnswerError,
    ModelNotFoundError,
    NonetError,
)
from nonet.runtimes import ChatRequest, Finish, Message, Runtime
from nonet.runtimes.gguf import read_header

WINDOW = 512
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"animal": {"enum": ["cat", "dog"]}, "legs": {"type": "integer"}},
    "required": ["animal", "legs"],
    "additionalProperties": False,
}
LONG_TEXT = "Tell me in many words why the sky is blue. The sky is wide and the sea is deep. " * 4


@dataclass(frozen=True, slots=True)
class Subject:
    """A runtime under test, its models served with a window of WINDOW tokens."""

    runtime: Runtime
    chat_model: str
    embed_model: str | None = None
    missing_model: str = "no-such-model:1b"


Factory = Callable[[], AbstractAsyncContextManager[Subject]]


@asynccontextmanager
async def scripted() -> AsyncIterator[Subject]:
    from nonet.runtimes.scripted import ScriptedRuntime  # noqa: PLC0415

    yield Subject(ScriptedRuntime(context_tokens=WINDOW), "smollm2:135m", "all-minilm:l6-v2")


@asynccontextmanager
async def ollama() -> AsyncIterator[Subject]:
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415

    async with FakeOllama() as fake:
        runtime = OllamaRuntime(fake.url, context_tokens=WINDOW)
        try:
            yield Subject(runtime, "smollm2:135m", "all-minilm:l6-v2")
        finally:
            await runtime.aclose()


def _test_models() -> tuple[Path, list[Path]]:
    folder = Path(os.environ.get("NONET_TEST_MODELS") or "/nonexistent")
    every = sorted(folder.glob("*.gguf"), key=lambda path: path.stat().st_size)
    return folder, [path for path in every if read_header(path).architecture != "bert"]  # which only embeds


@asynccontextmanager
async def embedded() -> AsyncIterator[Subject]:
    """Needs xllamacpp and, in NONET_TEST_MODELS, a folder with a chat model in it (the smallest .gguf is taken)."""
    pytest.importorskip("xllamacpp")
    folder, found = _test_models()
    if not found:
        pytest.skip("NONET_TEST_MODELS names no folder with a .gguf file")
    from nonet.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415

    runtime = EmbeddedRuntime(context_tokens=WINDOW, threads=1, models_folder=folder)
    try:
        yield Subject(runtime, str(found[0]))
    finally:
        await runtime.aclose()


SUBJECTS: list[Any] = [scripted, ollama, pytest.param(embedded, marks=pytest.mark.slow)]


@pytest_asyncio.fixture(params=SUBJECTS, ids=lambda factory: factory.__name__)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    factory: Factory = request.param
    async with factory() as made:
        yield made


def ask(subject: Subject, text: str = LONG_TEXT, **more: Any) -> ChatRequest:
    messages = (Message("system", "Be brief."), Message("user", text))
    return replace(ChatRequest(subject.chat_model, messages, max_completion_tokens=24), **more)


def embedder(subject: Subject) -> str:
    if subject.embed_model is None:
        pytest.skip("no embedding model here")
    return subject.embed_model


class TestChat:
    async def test_answers_whole_and_says_what_it_cost(self, subject: Subject) -> None:
        response = await subject.runtime.chat(ask(subject))
        assert response.text.strip()
        assert response.model == subject.chat_model
        assert response.usage.prompt_tokens > 0
        assert 0 < response.usage.completion_tokens <= 24
        assert response.usage.seconds > 0
        assert response.usage.load_seconds >= 0

    async def test_the_pieces_shown_are_the_answer(self, subject: Subject) -> None:
        pieces: list[str] = []
        response = await subject.runtime.chat(ask(subject), pieces.append)
        assert "".join(pieces) == response.text
        assert len(pieces) > 1

    async def test_is_greedy_and_seeded_unless_told_otherwise(self, subject: Subject) -> None:
        first = await subject.runtime.chat(ask(subject))
        second = await subject.runtime.chat(ask(subject))
        assert first.text == second.text

    async def test_an_answer_cut_at_the_token_limit_says_so(self, subject: Subject) -> None:
        response = await subject.runtime.chat(ask(subject, max_completion_tokens=3))
        assert response.finish is Finish.LENGTH
        assert response.usage.completion_tokens <= 3

    async def test_obeys_a_schema(self, subject: Subject) -> None:
        text = "Which animal, with how many legs? Answer in JSON with the keys animal and legs."
        response = await subject.runtime.chat(ask(subject, text, schema=SCHEMA, max_completion_tokens=100))
        value = json.loads(response.text)
        assert value["animal"] in ("cat", "dog")
        assert isinstance(value["legs"], int)

    async def test_json_that_is_cut_is_no_answer(self, subject: Subject) -> None:
        request = ask(subject, "Which animal? Answer in JSON.", schema=SCHEMA, max_completion_tokens=6)
        with pytest.raises(IncompleteAnswerError) as caught:
            await subject.runtime.chat(request)
        assert caught.value.partial
        assert caught.value.next_step

    async def test_a_schema_that_is_none_is_refused(self, subject: Subject) -> None:
        with pytest.raises(BadRequestError):
            await subject.runtime.chat(ask(subject, schema={"type": "strnig"}))

    async def test_a_stop_sequence_ends_the_answer_before_it(self, subject: Subject) -> None:
        whole = (await subject.runtime.chat(ask(subject))).text
        stop = whole.split()[1]
        cut = (await subject.runtime.chat(ask(subject, stop=(stop,)))).text
        assert stop not in cut
        assert whole.startswith(cut)

    async def test_a_prompt_over_the_window_is_refused_not_cut(self, subject: Subject) -> None:
        with pytest.raises(ContextOverflowError) as caught:
            await subject.runtime.chat(ask(subject, LONG_TEXT * 10))
        assert caught.value.prompt_tokens > WINDOW
        assert caught.value.window_tokens == WINDOW
        assert caught.value.next_step

    async def test_without_a_limit_the_answer_stays_within_the_window(self, subject: Subject) -> None:
        response = await subject.runtime.chat(ask(subject, LONG_TEXT * 3, max_completion_tokens=None))
        assert response.usage.prompt_tokens + response.usage.completion_tokens <= WINDOW

    async def test_an_unknown_model_is_named_with_what_to_do(self, subject: Subject) -> None:
        with pytest.raises(ModelNotFoundError) as caught:
            await subject.runtime.chat(ask(subject, model=subject.missing_model))
        assert subject.missing_model in str(caught.value)
        assert caught.value.next_step

    async def test_a_chat_without_messages_is_refused(self, subject: Subject) -> None:
        with pytest.raises(NonetError):
            await subject.runtime.chat(ask(subject, messages=()))

    async def test_any_text_can_be_sent(self, subject: Subject) -> None:
        odd = "naïve 中文 🦊 \x00\x1b[31m <|im_start|> {{ }} \u2028 end"
        assert (await subject.runtime.chat(ask(subject, odd + " " + LONG_TEXT))).text

    async def test_many_at_once_get_each_their_own_answer(self, subject: Subject) -> None:
        requests = [ask(subject, f"{LONG_TEXT} Number {n}.", max_completion_tokens=4) for n in range(6)]
        responses = await asyncio.gather(*(subject.runtime.chat(request) for request in requests))
        assert all(response.text for response in responses)

    async def test_a_cancelled_call_ends_and_the_next_goes_well(self, subject: Subject) -> None:
        begun = asyncio.Event()
        request = ask(subject, max_completion_tokens=200)
        task = asyncio.create_task(subject.runtime.chat(request, lambda _piece: begun.set()))
        await asyncio.wait_for(begun.wait(), 30)
        if not task.done():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
        assert (await subject.runtime.chat(ask(subject))).text

    async def test_what_on_text_raises_comes_out(self, subject: Subject) -> None:
        def broken(_piece: str) -> None:
            raise LookupError("the screen is gone")

        with pytest.raises(LookupError, match="the screen is gone"):
            await subject.runtime.chat(ask(subject), broken)
        assert (await subject.runtime.chat(ask(subject))).text


class TestEmbed:
    async def test_one_unit_vector_a_text_in_order(self, subject: Subject) -> None:
        model = embedder(subject)
        texts = ["the cat sat", "a stone fell", "the cat sat"]
        response = await subject.runtime.embed(model, texts)
        assert len(response.vectors) == 3
        assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-3) for vector in response.vectors)
        assert response.vectors[0] == pytest.approx(response.vectors[2], abs=1e-3)
        assert response.vectors[0] != pytest.approx(response.vectors[1], abs=1e-3)
        alone = await subject.runtime.embed(model, texts[1:2])
        assert alone.vectors[0] == pytest.approx(response.vectors[1], abs=1e-2)
        assert response.usage.prompt_tokens > 0

    async def test_near_texts_are_nearer(self, subject: Subject) -> None:
        texts = ["a cat sat on the mat", "the cat sat on a mat", "quarterly revenue grew by nine percent"]
        a, b, c = (await subject.runtime.embed(embedder(subject), texts)).vectors
        assert _dot(a, b) > _dot(a, c)

    async def test_nothing_gives_nothing(self, subject: Subject) -> None:
        assert (await subject.runtime.embed(embedder(subject), [])).vectors == ()

    async def test_an_empty_text_has_a_vector_too(self, subject: Subject) -> None:
        assert len((await subject.runtime.embed(embedder(subject), ["", "x"])).vectors) == 2

    async def test_a_text_over_the_window_is_refused_not_cut(self, subject: Subject) -> None:
        with pytest.raises(ContextOverflowError):
            await subject.runtime.embed(embedder(subject), ["word " * 3000])

    async def test_an_unknown_model(self, subject: Subject) -> None:
        with pytest.raises(ModelNotFoundError):
            await subject.runtime.embed(subject.missing_model, ["x"])

    async def test_a_model_that_only_chats_is_refused(self, subject: Subject) -> None:
        with pytest.raises(BadRequestError):
            await subject.runtime.embed(subject.chat_model, ["x"])

    async def test_a_model_that_only_embeds_does_not_chat(self, subject: Subject) -> None:
        with pytest.raises(BadRequestError):
            await subject.runtime.chat(ask(subject, model=embedder(subject)))


class TestModels:
    async def test_are_listed_by_name(self, subject: Subject) -> None:
        names = [info.name for info in await subject.runtime.models()]
        assert names == sorted(names)

    async def test_describe_gives_the_window_that_is_served(self, subject: Subject) -> None:
        info = await subject.runtime.describe(subject.chat_model)
        assert info.context_tokens == WINDOW
        assert "chat" in info.capabilities
        if subject.embed_model is not None:
            assert "embed" in (await subject.runtime.describe(subject.embed_model)).capabilities

    async def test_a_model_that_was_used_is_loaded(self, subject: Subject) -> None:
        await subject.runtime.chat(ask(subject))
        assert (await subject.runtime.describe(subject.chat_model)).loaded

    async def test_describe_an_unknown_model(self, subject: Subject) -> None:
        with pytest.raises(ModelNotFoundError):
            await subject.runtime.describe(subject.missing_model)


class TestCountTokens:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Why is the sky blue? One sentence.",
            LONG_TEXT,
            "x = {'a': [1, 22, 333]}\n\tdef f(_a): ...",
            "Ünï 中文 🦊",
        ],
        ids=["empty", "short", "long", "code", "unicode"],
    )
    async def test_is_never_below_what_the_model_sees(self, subject: Subject, text: str) -> None:
        request = ask(subject, text or ".", max_completion_tokens=4)
        count = await subject.runtime.count_tokens(subject.chat_model, request.messages)
        seen = (await subject.runtime.chat(request)).usage.prompt_tokens
        assert count.tokens >= seen
        if count.exact:
            assert count.tokens == seen

    async def test_grows_with_the_text(self, subject: Subject) -> None:
        counts = [
            (await subject.runtime.count_tokens(subject.chat_model, (Message("user", LONG_TEXT * n),))).tokens
            for n in (1, 2, 4)
        ]
        assert counts == sorted(set(counts))

    async def test_of_an_unknown_model(self, subject: Subject) -> None:
        with pytest.raises(ModelNotFoundError):
            await subject.runtime.count_tokens(subject.missing_model, (Message("user", "x"),))


async def test_has_a_name(subject: Subject) -> None:
    assert subject.runtime.name in ("ollama", "embedded", "scripted")


async def test_closing_twice_is_fine(subject: Subject) -> None:
    await subject.runtime.chat(ask(subject))
    await subject.runtime.aclose()
    await subject.runtime.aclose()


def _dot(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
