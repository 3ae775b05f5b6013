"""Listing, describing, embedding, pulling and finding an Ollama server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
import pytest_asyncio
from fakes.ollama import FakeOllama
from fakes.ollama_parts import MODELS, FakeModel, FaultKind, recording

from nonet.errors import (
    BadRequestError,
    CallError,
    CallTimeoutError,
    ContextOverflowError,
    IncompleteAnswerError,
    ModelDownloadError,
    ModelNotFoundError,
    RuntimeUnavailableError,
)
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.ollama import OllamaRuntime

CHAT = "smollm2:135m"
EMBED = "all-minilm:l6-v2"


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as server:
        yield server


@pytest_asyncio.fixture
async def runtime(fake: FakeOllama) -> AsyncIterator[OllamaRuntime]:
    made = OllamaRuntime(fake.url, retries=1)
    yield made
    await made.aclose()


class TestModels:
    async def test_what_is_known_of_each(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        infos = {info.name: info for info in await runtime.models()}
        assert list(infos) == sorted(fake.models)
        chat, embed = infos[CHAT], infos[EMBED]
        assert (chat.size_bytes, chat.family, chat.parameters, chat.quantization) == (
            98_362_813, "llama", "134.52M", "Q4_1"
        )  # fmt: skip
        assert (chat.context_tokens, embed.context_tokens) == (4096, 512)
        assert (chat.capabilities, embed.capabilities) == (frozenset({"chat"}), frozenset({"embed"}))
        assert chat.digest == fake.models[CHAT].weights
        assert not chat.loaded

    async def test_a_model_is_described_again_only_when_it_changed(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        await runtime.models()
        await runtime.models()
        assert fake.counts.calls["/api/show"] == len(MODELS)
        fake.models[CHAT] = replace(fake.models[CHAT], parameters="999M")
        assert (await runtime.describe(CHAT)).parameters == "999M"
        assert fake.counts.calls["/api/show"] == len(MODELS) + 1

    async def test_names_without_a_tag(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.models["tiny:latest"] = FakeModel("tiny:latest")
        assert (await runtime.describe("tiny")).name == "tiny:latest"

    async def test_one_broken_model_does_not_hide_the_others(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("error_500", path="/api/show", contains="qwen2.5-coder:1.5b")
        infos = {info.name: info for info in await runtime.models()}
        assert len(infos) == len(MODELS)
        assert infos["qwen2.5-coder:1.5b"].capabilities == frozenset()

    async def test_a_model_removed_meanwhile_is_left_out(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("not_found", path="/api/show", contains=CHAT)
        assert CHAT not in {info.name for info in await runtime.models()}

    async def test_what_is_loaded(self, runtime: OllamaRuntime) -> None:
        assert await runtime.loaded() == ()
        await runtime.chat(ChatRequest(CHAT, (Message("user", "Hello there."),)))
        await runtime.embed(EMBED, ["x"])
        assert sorted(await runtime.loaded()) == [EMBED, CHAT]
        assert (await runtime.describe(CHAT)).loaded

    @pytest.mark.parametrize("path", ["/api/tags", "/api/ps", "/api/show"])
    @pytest.mark.parametrize(
        "data", [b"", b"[]", b"null", b"{", b'"x"', b"<html>", b'{"models": 3}', b"[" * 9999, b"\xff"]
    )
    async def test_answers_of_another_shape(
        self, fake: FakeOllama, runtime: OllamaRuntime, path: str, data: bytes
    ) -> None:
        fake.fault("garbage", times=9, path=path, data=data)
        with suppress(IncompleteAnswerError):  # some of them can be read, as an empty list
            await runtime.models()
        with suppress(IncompleteAnswerError):
            await runtime.describe(CHAT)

    @pytest.mark.parametrize("kind", ["reset", "hang_up", "queue_full"])
    @pytest.mark.parametrize("path", ["/api/tags", "/api/ps", "/api/show"])
    async def test_what_may_mend_is_tried_again(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind, path: str
    ) -> None:
        fake.fault(kind, path=path)
        assert len(await runtime.models()) == len(MODELS)

    async def test_no_server(self) -> None:
        runtime = OllamaRuntime("127.0.0.1:9", retries=1)
        with pytest.raises(RuntimeUnavailableError, match="ollama serve"):
            await runtime.models()
        with pytest.raises(RuntimeUnavailableError):
            await runtime.embed(EMBED, ["x"])
        with pytest.raises(RuntimeUnavailableError):
            await runtime.pull(CHAT)
        await runtime.aclose()


class TestCountTokens:
    @pytest.mark.parametrize("number", ["05", "06", "07", "09", "71c"])
    async def test_is_not_below_what_a_real_server_counted(self, runtime: OllamaRuntime, number: str) -> None:
        record = recording(number)
        said = record.request["body"]["messages"]
        messages = [Message(message["role"], message["content"]) for message in said]
        counted = int(record.body.rpartition('"prompt_eval_count":')[2].split(",")[0])
        for model in (CHAT, "qwen2.5-coder:0.5b"):
            assert counted <= (await runtime.count_tokens(model, messages)).tokens <= counted + 96

    async def test_what_a_modelfile_adds_counts_too(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        messages = (Message("user", "Hello."),)
        plain = (await runtime.count_tokens(CHAT, messages)).tokens
        extra = (
            'SYSTEM """You speak as a pirate would speak.\nAlways."""\nMESSAGE user Ahoy\nMESSAGE assistant Ahoy you\n'
        )
        fake.models["pirate:1b"] = FakeModel("pirate:1b", modelfile_extra=extra)
        assert (await runtime.count_tokens("pirate:1b", messages)).tokens >= plain + 12


class TestEmbed:
    async def test_sends_truncate_false_and_the_models_own_window(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        await runtime.embed(EMBED, ["a", "b"])
        (body,) = fake.counts.bodies
        assert body == {"model": EMBED, "input": ["a", "b"], "truncate": False, "options": {"num_ctx": 512}}

    async def test_many_texts_go_in_several_requests(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        response = await runtime.embed(EMBED, [f"text {n}" for n in range(300)])
        assert len(response.vectors) == 300
        assert [len(body["input"]) for body in fake.counts.bodies] == [128, 128, 44]
        assert response.usage.prompt_tokens == 600

    async def test_nothing_asks_nobody(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        assert (await runtime.embed(EMBED, [])).vectors == ()
        assert not fake.counts.calls

    async def test_vectors_of_another_length_are_made_unit(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("garbage", path="/api/embed", data=b'{"model":"x","embeddings":[[3,4]]}')
        assert (await runtime.embed(EMBED, ["x"])).vectors == ((0.6, 0.8),)

    @pytest.mark.parametrize(
        "data",
        [
            b'{"embeddings":[[0,0]]}',
            b'{"embeddings":[[NaN,1]]}',
            b'{"embeddings":[]}',
            b"{}",
            b"[]",
            b"{",
            b'{"embeddings":7}',
        ],
    )
    async def test_vectors_that_are_none(self, fake: FakeOllama, runtime: OllamaRuntime, data: bytes) -> None:
        fake.fault("garbage", path="/api/embed", data=data)
        with pytest.raises(IncompleteAnswerError):
            await runtime.embed(EMBED, ["x"])

    async def test_a_vector_too_many(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("many_vectors", path="/api/embed")
        with pytest.raises(IncompleteAnswerError, match="3 vectors for 2 texts"):
            await runtime.embed(EMBED, ["x", "y"])

    async def test_a_text_that_is_too_long_is_refused(self, runtime: OllamaRuntime) -> None:
        with pytest.raises(ContextOverflowError) as caught:
            await runtime.embed(EMBED, ["short", "word " * 600])
        assert caught.value.window_tokens == 512

    async def test_a_model_that_chats(self, runtime: OllamaRuntime) -> None:
        with pytest.raises(BadRequestError) as caught:
            await runtime.embed(CHAT, ["x"])
        assert "embedding model" in caught.value.next_step

    @pytest.mark.parametrize("kind", ["reset", "hang_up", "queue_full", "runner_died_at_once"])
    async def test_what_may_mend_is_tried_again(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind
    ) -> None:
        fake.fault(kind, path="/api/embed")
        assert len((await runtime.embed(EMBED, ["x"])).vectors) == 1

    async def test_a_server_that_does_not_answer(self, fake: FakeOllama) -> None:
        runtime = OllamaRuntime(fake.url, first_token_timeout_seconds=0.2)
        fake.fault("slow_first_token", path="/api/embed", seconds=20)
        with pytest.raises(CallTimeoutError):
            await runtime.embed(EMBED, ["x"])
        await runtime.aclose()

    async def test_a_redirect_is_not_followed(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        async with FakeOllama() as elsewhere:
            fake.fault("redirect", path="/api/embed", data=f"{elsewhere.url}/api/embed".encode())
            with pytest.raises(CallError):
                await runtime.embed(EMBED, ["x"])
            assert not elsewhere.counts.calls

    async def test_is_cancelled(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        await runtime.embed(EMBED, ["x"])  # the package is imported now, and the model known
        fake.fault("slow_first_token", path="/api/embed", seconds=20)
        task = asyncio.create_task(runtime.embed(EMBED, ["x"]))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        response = await runtime.embed(EMBED, ["x"])
        assert math.hypot(*response.vectors[0]) == pytest.approx(1, abs=1e-3)


class TestPull:
    async def test_tells_its_progress_and_the_model_is_there(self, runtime: OllamaRuntime) -> None:
        seen: list[tuple[str, int, int]] = []
        with pytest.raises(ModelNotFoundError):
            await runtime.describe("smollm2:360m")
        await runtime.pull("smollm2:360m", lambda *progress: seen.append(progress))
        assert seen[0] == ("pulling manifest", 0, 0)
        assert max(seen, key=lambda progress: progress[1])[1:] == (270_890_000, 270_890_000)
        assert seen[-1][0] == "success"
        assert (await runtime.describe("smollm2:360m")).parameters == "361.82M"

    async def test_a_name_the_library_does_not_have(self, runtime: OllamaRuntime) -> None:
        with pytest.raises(ModelDownloadError, match="file does not exist") as caught:
            await runtime.pull("nope:1b")
        assert "nonet models pull nope:1b" in caught.value.next_step

    @pytest.mark.parametrize("data", [b"", b'{"error":"no space left on device"}\n', b"[1]\n", b"{\n", b"null\n"])
    async def test_a_pull_that_breaks_off(self, fake: FakeOllama, runtime: OllamaRuntime, data: bytes) -> None:
        fake.fault("garbage", path="/api/pull", data=data)
        with pytest.raises(ModelDownloadError) as caught:
            await runtime.pull("smollm2:360m")
        assert caught.value.kept

    async def test_what_on_progress_raises_comes_out(self, runtime: OllamaRuntime) -> None:
        def broken(*_progress: object) -> None:
            raise ValueError("no screen")

        with pytest.raises(ValueError, match="no screen"):
            await runtime.pull("smollm2:360m", broken)


class TestProbe:
    async def test_gives_the_version(self, runtime: OllamaRuntime) -> None:
        assert await runtime.probe() == "0.32.15"

    @pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"version": 3}'])
    async def test_something_else_answers(self, fake: FakeOllama, runtime: OllamaRuntime, data: bytes) -> None:
        fake.fault("garbage", path="/api/version", data=data)
        assert await runtime.probe() is None

    async def test_does_not_wait_long(self, fake: FakeOllama) -> None:
        fake.fault("slow_first_token", path="/api/version", seconds=20)
        runtime = OllamaRuntime(fake.url, connect_timeout_seconds=0.2)
        assert await asyncio.wait_for(runtime.probe(), 2) is None
        await runtime.aclose()
