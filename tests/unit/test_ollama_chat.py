"""Chats with an Ollama server that behaves and one that does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fakes.ollama import FakeOllama
from fakes.ollama_parts import FaultKind

from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    CallError,
    CallTimeoutError,
    ContextOverflowError,
    IncompleteAnswerError,
    ModelNotFoundError,
    NonetError,
    RuntimeBusyError,
    RuntimeUnavailableError,
)
from nonet.runtimes import ChatRequest, Finish, Message
from nonet.runtimes.ollama import OllamaRuntime

STORY = "Once upon a time there was a fox. It lived in a wood, and it had many friends who came by every day."
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
THINKER = "qwen2.5-coder:0.5b-think"


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with FakeOllama(lambda request: '{"age": 36}' if request.schema else STORY) as server:
        yield server


@pytest_asyncio.fixture
async def runtime(fake: FakeOllama) -> AsyncIterator[OllamaRuntime]:
    made = OllamaRuntime(fake.url, retries=1)
    yield made
    await made.aclose()


def ask(text: str = "Tell me of a fox.", **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": "smollm2:135m", "messages": (Message("user", text),), **more})


class TestWhatIsSent:
    async def test_the_window_is_the_same_in_every_call_and_nothing_may_be_cut(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        await runtime.chat(ask())
        await runtime.chat(ask("Another.", max_completion_tokens=7, temperature=0.5, seed=3, stop=("###",)))
        first, second = fake.counts.bodies
        assert [body["options"]["num_ctx"] for body in (first, second)] == [4096, 4096]
        assert all(
            (body["truncate"], body["shift"], body["stream"]) == (False, False, True) for body in (first, second)
        )
        assert first["options"] == {"num_ctx": 4096, "temperature": 0.0, "seed": 0, "num_predict": 4096}
        assert second["options"] == {
            "num_ctx": 4096, "temperature": 0.5, "seed": 3, "num_predict": 7, "stop": ["###"]
        }  # fmt: skip
        assert fake.counts.loads == 1

    async def test_windows_by_model_threads_and_keep_alive(self, fake: FakeOllama) -> None:
        runtime = OllamaRuntime(fake.url, context_by_model={"smollm2:135m": 9000}, num_thread=2, keep_alive="10m")
        await runtime.chat(ask())
        await runtime.chat(ask(model="qwen2.5-coder:0.5b"))
        await runtime.aclose()
        small, coder = fake.counts.bodies
        assert small["options"]["num_ctx"] == 8192  # what the model was made for
        assert coder["options"]["num_ctx"] == 4096
        assert (small["options"]["num_thread"], small["keep_alive"]) == (2, "10m")

    async def test_the_schema_goes_as_format_and_stays_out_of_the_prompt(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        response = await runtime.chat(ask("Ada is 36.", schema=SCHEMA))
        (body,) = fake.counts.bodies
        assert body["format"] == SCHEMA
        assert body["messages"] == [{"role": "user", "content": "Ada is 36."}]
        assert "think" not in body
        assert response.text == '{"age": 36}'

    async def test_a_model_is_described_once_however_many_call_at_first(self, fake: FakeOllama) -> None:
        runtime = OllamaRuntime(fake.url)
        await asyncio.gather(*(runtime.chat(ask(f"Fox {n}.")) for n in range(20)))
        await runtime.aclose()
        assert fake.counts.calls == {"/api/show": 1, "/api/chat": 20}
        assert fake.counts.loads == 1

    async def test_the_key_goes_to_the_server_as_the_official_client_sends_it(
        self, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OLLAMA_API_KEY", "secret")
        runtime = OllamaRuntime(fake.url)
        assert (await runtime.chat(ask())).text == STORY
        assert await runtime.models()
        await runtime.aclose()
        assert fake.counts.keys == {"Bearer secret"}

    async def test_no_proxy_of_the_environment_comes_between(
        self, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        runtime = OllamaRuntime(fake.url)
        assert (await runtime.chat(ask())).text == STORY
        assert len(await runtime.models()) == len(fake.models)
        await runtime.aclose()

    async def test_a_server_behind_a_path(self) -> None:
        async with FakeOllama(prefix="/ai/models") as fake:
            runtime = OllamaRuntime(fake.url + "/")
            assert (await runtime.chat(ask())).text
            assert (await runtime.embed("all-minilm:l6-v2", ["x"])).vectors
            await runtime.aclose()

    async def test_a_prompt_of_a_megabyte_without_a_space(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        assert (await runtime.chat(ask("x" * 1_100_000))).text == STORY
        assert fake.counts.prompt_bytes == 1_100_000


class TestEnds:
    async def test_usage_and_finish(self, runtime: OllamaRuntime) -> None:
        response = await runtime.chat(ask(max_completion_tokens=5))
        assert response.finish is Finish.LENGTH
        assert response.text == "Once upon a time there"
        assert response.usage.completion_tokens == 5
        assert response.usage.load_seconds == 0

    async def test_the_time_a_load_took_is_told(self) -> None:
        async with FakeOllama(load_ms=120) as fake:
            runtime = OllamaRuntime(fake.url)
            first, second = await runtime.chat(ask()), await runtime.chat(ask())
            await runtime.aclose()
        assert first.usage.load_seconds == pytest.approx(0.12)
        assert first.usage.seconds > 0.12
        assert second.usage.load_seconds == 0

    async def test_thinking_is_kept_apart_and_not_shown(self) -> None:
        shown: list[str] = []
        async with FakeOllama([("2+3", "The answer is 5.")], thinking="2 plus 3 is 5") as fake:
            runtime = OllamaRuntime(fake.url)
            response = await runtime.chat(ask("What is 2+3?", model=THINKER), shown.append)
            await runtime.aclose()
        assert (response.thinking, response.text) == ("2 plus 3 is 5", "The answer is 5.")
        assert "".join(shown) == response.text

    async def test_a_thinking_model_does_not_think_under_a_schema(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        await runtime.chat(ask(model=THINKER, schema=SCHEMA))
        assert fake.counts.bodies[-1]["think"] is False

    async def test_a_token_that_repeats_for_ever(self) -> None:
        async with FakeOllama(lambda _request: "yes " + "no " * 60) as fake:
            runtime = OllamaRuntime(fake.url)
            with pytest.raises(IncompleteAnswerError, match="repeated itself") as caught:
                await runtime.chat(ask())
            await runtime.aclose()
        assert caught.value.partial.startswith("yes no no")
        assert fake.counts.calls["/api/chat"] == 1

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("no_done", "no end"),
            ("done_false", "no end"),
            ("strange_end", "unknown reason"),
            ("cut_line", "not JSON"),
            ("empty", "empty"),
            ("empty_after_thinking", "never came to its answer"),
        ],
    )
    async def test_an_answer_without_a_proper_end_is_none(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind, words: str
    ) -> None:
        fake.fault(kind)
        with pytest.raises(IncompleteAnswerError, match=words) as caught:
            await runtime.chat(ask())
        assert fake.counts.calls["/api/chat"] == 1  # asking again would give the same
        assert caught.value.partial == {"empty": "", "empty_after_thinking": "2 + 3 equals 5"}.get(kind, STORY[:11])

    async def test_thinking_that_uses_up_the_tokens(self) -> None:
        async with FakeOllama(lambda _request: "", thinking="2 plus 3") as fake:
            runtime = OllamaRuntime(fake.url)
            with pytest.raises(IncompleteAnswerError, match="is empty") as caught:
                await runtime.chat(ask(model=THINKER))
            await runtime.aclose()
        assert caught.value.partial == "2 plus 3"

    async def test_json_that_is_cut(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("cut")
        with pytest.raises(IncompleteAnswerError, match="token limit") as caught:
            await runtime.chat(ask(schema=SCHEMA))
        assert caught.value.partial == '{"age'

    @pytest.mark.parametrize(
        "answer", ['{"age": "old"}', "{}", "[]", "Ada is 36.", '{"age": 36', '{"v": \n}', "[" * 9999]
    )
    async def test_json_that_breaks_the_schema(self, answer: str) -> None:
        async with FakeOllama(lambda _request: answer) as fake:
            runtime = OllamaRuntime(fake.url, context_tokens=30_000, context_by_model={"smollm2:135m": 8192})
            with pytest.raises(IncompleteAnswerError):
                await runtime.chat(ask(schema=SCHEMA))
            await runtime.aclose()

    async def test_the_last_line_is_enough_where_the_transfer_does_not_end(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        fake.fault("done_without_end", seconds=30)
        assert (await runtime.chat(ask())).text == STORY
        assert (await runtime.chat(ask())).text == STORY


class TestWindows:
    async def test_the_servers_refusal_gives_both_numbers(self) -> None:
        async with FakeOllama() as fake:
            runtime = OllamaRuntime(fake.url, context_tokens=256)
            with pytest.raises(ContextOverflowError) as caught:
                await runtime.chat(ask("fox, " * 250))
            await runtime.aclose()
        assert caught.value.window_tokens == 256
        assert caught.value.prompt_tokens == 500 + 29
        assert fake.counts.calls["/api/chat"] == 1

    async def test_a_prompt_with_more_words_than_tokens_fit_is_not_even_sent(self) -> None:
        async with FakeOllama() as fake:
            runtime = OllamaRuntime(fake.url, context_tokens=256)
            with pytest.raises(ContextOverflowError, match="at least 257 tokens"):
                await runtime.chat(ask("fox " * 257))
            await runtime.aclose()
        assert fake.counts.calls["/api/chat"] == 0

    async def test_a_server_that_cuts_in_silence_is_found_out(self) -> None:
        async with FakeOllama(lambda _request: STORY, cuts=True) as fake:
            runtime = OllamaRuntime(fake.url, context_tokens=256)
            assert (await runtime.chat(ask("fox " * 200))).usage.prompt_tokens == 229
            with pytest.raises(ContextOverflowError, match="at least 250"):
                await runtime.chat(ask("fox " * 250))
            await runtime.aclose()
        assert fake.counts.calls["/api/chat"] == 2

    async def test_the_other_wording_of_an_overflow_has_the_window_too(self, fake: FakeOllama) -> None:
        runtime = OllamaRuntime(fake.url, context_tokens=400)
        fake.fault("recorded", data=b"30c")
        with pytest.raises(ContextOverflowError) as caught:
            await runtime.chat(ask())
        assert (caught.value.prompt_tokens, caught.value.window_tokens) == (0, 400)
        await runtime.aclose()

    async def test_counts_that_are_missing_are_no_reason_to_refuse(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        fake.fault("no_counts")
        response = await runtime.chat(ask())
        assert (response.text, response.usage.prompt_tokens) == (STORY, 0)


class TestFailures:
    @pytest.mark.parametrize(
        ("number", "error"),
        [
            ("11", BadRequestError),
            ("15d", BadRequestError),
            ("15g", BadRequestError),
            ("20", ModelNotFoundError),
            ("20e", ModelNotFoundError),
            ("21", BadRequestError),
            ("22", BadRequestError),
            ("22c", BadRequestError),
            ("23", BadRequestError),
            ("23b", BadRequestError),
            ("23h", BadRequestError),
            ("24", BadRequestError),
            ("24c", BadRequestError),
            ("25", AccessRefusedError),
            ("25b", AccessRefusedError),
            ("26", AccessRefusedError),
            ("30b", ContextOverflowError),
            ("30c", ContextOverflowError),
            ("15e", ContextOverflowError),
        ],
    )
    async def test_recorded_refusals(
        self, fake: FakeOllama, runtime: OllamaRuntime, number: str, error: type[NonetError]
    ) -> None:
        fake.fault("recorded", data=number.encode())
        with pytest.raises(error) as caught:
            await runtime.chat(ask())
        assert type(caught.value) is error
        assert caught.value.next_step
        assert '"error"' not in caught.value.message
        assert fake.counts.calls["/api/chat"] == 1

    async def test_doubly_encoded_counts(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        fake.fault("recorded", data=b"30b")
        with pytest.raises(ContextOverflowError) as caught:
            await runtime.chat(ask())
        assert (caught.value.prompt_tokens, caught.value.window_tokens) == (920, 256)
        assert "Nothing was cut" in str(caught.value)

    async def test_an_unknown_model_says_how_to_get_it(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        with pytest.raises(ModelNotFoundError) as caught:
            await runtime.chat(ask(model="llama9:1b"))
        assert "ollama pull llama9:1b" in caught.value.next_step
        assert "nonet models pull llama9:1b" in caught.value.next_step
        assert fake.counts.calls["/api/chat"] == 0

    async def test_no_server(self) -> None:
        runtime = OllamaRuntime("127.0.0.1:9", retries=0)
        with pytest.raises(RuntimeUnavailableError, match=r"127\.0\.0\.1:9") as caught:
            await runtime.chat(ask())
        assert "ollama serve" in caught.value.next_step
        assert "--runtime embedded" in caught.value.next_step
        assert "nonet[embedded]" in caught.value.next_step
        assert await runtime.probe() is None
        await runtime.aclose()

    @pytest.mark.parametrize(
        "kind",
        [
            "queue_full",
            "runner_died_at_once",
            "runner_died",
            "reset",
            "hang_up",
            "reset_mid_stream",
            "hang_up_mid_stream",
        ],
    )
    async def test_what_may_mend_is_tried_again(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind
    ) -> None:
        fake.fault(kind)
        assert (await runtime.chat(ask())).text == STORY
        assert fake.counts.calls["/api/chat"] == 2

    @pytest.mark.parametrize(
        ("kind", "error", "partial"),
        [
            ("queue_full", RuntimeBusyError, ""),
            ("runner_died_at_once", IncompleteAnswerError, ""),
            ("runner_died", IncompleteAnswerError, STORY[:11]),
            ("reset", IncompleteAnswerError, ""),
            ("hang_up_mid_stream", IncompleteAnswerError, STORY[:11]),
        ],
    )
    async def test_but_not_for_ever(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind, error: type[CallError], partial: str
    ) -> None:
        fake.fault(kind, times=9)
        with pytest.raises(error) as caught:
            await runtime.chat(ask())
        assert getattr(caught.value, "partial", "") == partial
        assert fake.counts.calls["/api/chat"] == 2

    @pytest.mark.parametrize("kind", ["error_500", "out_of_memory", "forbidden", "redirect", "garbage_http"])
    async def test_what_will_not_mend_is_not(self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind) -> None:
        data = {"redirect": b"http://127.0.0.1:9/", "garbage_http": b"220 mail.example ESMTP\r\n"}
        fake.fault(kind, data=data.get(kind, b""))
        with pytest.raises(CallError):
            await runtime.chat(ask())
        assert fake.counts.calls["/api/chat"] == 1

    async def test_a_redirect_is_not_followed(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        async with FakeOllama() as elsewhere:
            fake.fault("redirect", data=f"{elsewhere.url}/api/chat".encode())
            with pytest.raises(BadRequestError, match="307"):
                await runtime.chat(ask())
            assert not elsewhere.counts.calls

    async def test_control_characters_of_a_server_stay_out_of_messages(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        fake.fault("error_500", data=b'{"error":"\\u001b[31mred\\u202e \\u0007 ' + b"x" * 5000 + b'"}')
        with pytest.raises(CallError) as caught:
            await runtime.chat(ask())
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 400


class TestStreaming:
    async def test_a_retry_shows_nothing_twice(self, fake: FakeOllama, runtime: OllamaRuntime) -> None:
        shown: list[str] = []
        fake.fault("runner_died", after=6)
        response = await runtime.chat(ask(), shown.append)
        assert "".join(shown) == response.text == STORY

    async def test_a_retry_that_says_something_else_is_an_error(self) -> None:
        shown: list[str] = []
        async with FakeOllama([("fox", ["Red fox jumps over", "Blue fox jumps over"])]) as fake:
            runtime = OllamaRuntime(fake.url, retries=3)
            fake.fault("runner_died", after=2)
            with pytest.raises(IncompleteAnswerError, match="another one") as caught:
                await runtime.chat(ask(), shown.append)
            await runtime.aclose()
        assert "".join(shown) == caught.value.partial == "Red fox"
        assert fake.counts.calls["/api/chat"] == 2

    async def test_a_retry_that_says_less_is_an_error(self) -> None:
        shown: list[str] = []
        async with FakeOllama([("fox", ["Red fox jumps over", "Red"])]) as fake:
            runtime = OllamaRuntime(fake.url, retries=1)
            fake.fault("runner_died", after=2)
            with pytest.raises(IncompleteAnswerError, match="another one"):
                await runtime.chat(ask(), shown.append)
            await runtime.aclose()
        assert "".join(shown) == "Red fox"

    async def test_a_retry_nobody_watched_may_say_something_else(self) -> None:
        async with FakeOllama([("fox", ["Red fox jumps over", "Blue fox jumps over"])]) as fake:
            runtime = OllamaRuntime(fake.url, retries=1)
            fake.fault("runner_died", after=2)
            assert (await runtime.chat(ask())).text == "Blue fox jumps over"
            await runtime.aclose()


class TestTime:
    async def test_no_first_token(self, fake: FakeOllama) -> None:
        runtime = OllamaRuntime(fake.url, first_token_timeout_seconds=0.2)
        fake.fault("slow_first_token", seconds=20)
        started = time.monotonic()
        with pytest.raises(CallTimeoutError, match="did not begin") as caught:
            await runtime.chat(ask())
        assert time.monotonic() - started < 2
        assert "first_token_timeout_seconds" in caught.value.next_step
        await runtime.aclose()
        await asyncio.sleep(0.05)
        assert fake.counts.disconnects == 1

    async def test_a_stall(self, fake: FakeOllama) -> None:
        shown: list[str] = []
        runtime = OllamaRuntime(fake.url, stall_timeout_seconds=0.2)
        fake.fault("stall", seconds=20)
        with pytest.raises(CallTimeoutError, match="stalled"):
            await runtime.chat(ask(), shown.append)
        assert "".join(shown) == STORY[:11]
        await runtime.aclose()

    async def test_a_slow_answer_that_keeps_coming_is_no_stall(self) -> None:
        async with FakeOllama(lambda _request: "one two three four five six", token_ms=60) as fake:
            runtime = OllamaRuntime(fake.url, stall_timeout_seconds=0.2, first_token_timeout_seconds=0.3)
            response = await runtime.chat(ask())
            await runtime.aclose()
        assert response.usage.seconds > 0.3

    async def test_what_the_callers_own_timeout_raises_comes_out(
        self, fake: FakeOllama, runtime: OllamaRuntime
    ) -> None:
        fake.fault("slow_first_token", seconds=20)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await runtime.chat(ask())

    @pytest.mark.parametrize("kind", ["slow_first_token", "stall"])
    async def test_a_cancelled_call_leaves_the_server_at_once(
        self, fake: FakeOllama, runtime: OllamaRuntime, kind: FaultKind
    ) -> None:
        await runtime.chat(ask())
        fake.fault(kind, seconds=20)
        task = asyncio.create_task(runtime.chat(ask()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        assert fake.counts.disconnects == 1
        assert fake.counts.concurrent == 0
        assert (await runtime.chat(ask())).text == STORY
