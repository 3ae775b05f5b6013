"""The remote rung: off unless configured, last, redacted, kept and told."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.ollama import FakeOllama
from fakes.openai import FakeOpenAi
from fakes.specialists import StaffMember

from nonet.agents.plan import Plan, Subtask
from nonet.errors import (
    AccessRefusedError,
    BadRequestError,
    ContextOverflowError,
    IncompleteAnswerError,
    NonetError,
    RuntimeUnavailableError,
    SettingsError,
)
from nonet.graphs.result import RunResult
from nonet.graphs.run import drive_plan
from nonet.graphs.rungs import letter
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest, Finish, Message
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.openai_api import OpenAiRuntime
from nonet.settings import Settings, load
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Verdict
from nonet.store import RunRecord

SMALL = "qwen2.5-coder:0.5b"
ASKED = "Write to ada@example.com about /home/ada/plan.md."


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "nonet.db"


async def work(assignment: Assignment, desk: Desk) -> Outcome:
    """Only the remote model does it right."""
    findings = "; ".join(item.detail for item in assignment.feedback)
    answer = await desk.chat([Message("user", f"{assignment.instruction} {findings}".strip())])
    if answer.text.startswith("Done"):
        return Outcome(answer.text, Verdict.VERIFIED, (Evidence("tests", passed=True, detail="it is done"),))
    return Outcome(answer.text, Verdict.FAILED, (Evidence("tests", passed=False, detail="it is not done"),))


async def run_one(db: Path, url: str, **remote: Any) -> tuple[RunResult, RunRecord]:
    settings = Settings(
        runtime="scripted",
        db=db,
        models={"a": [SMALL]},
        max_attempts=1,
        remote={"a": {"kind": "openai", "url": url, "model": "big-1", **remote}},  # type: ignore[dict-item]
    )
    plan = Plan(planner="user", subtasks=(Subtask(id="s1", specialist="a", instruction=ASKED),))
    async with await Session.open(settings, specialists={"a": StaffMember("a", work)}) as session:
        result = await drive_plan(session, "task", plan, ())
        return result, session.store.runs.get(result.run)


def elsewhere(fake: FakeOpenAi) -> str:
    """An address that leads here, and is not the loopback as far as can be told from it."""
    return f"http://0.0.0.0:{fake.port}/v1"


async def test_the_remote_model_is_asked_last_and_with_what_was_wrong(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIG_KEY", "k-123")
    async with FakeOpenAi(lambda messages: f"Done: {messages[-1]['content']}", key="k-123") as fake:
        result, kept = await run_one(db, elsewhere(fake), key_env="BIG_KEY")
    assert result.status == "done"
    assert result.subtasks[0].model == "big-1@0.0.0.0"
    assert result.usage.escalations == 1
    (body,) = fake.bodies
    said = body["messages"][-1]["content"]
    assert said == "Write to [EMAIL_1] about [PATH_1] it is not done"  # redacted, and the finding went up
    assert result.subtasks[0].text == f"Done: {ASKED} it is not done"  # put back
    call = kept.calls[-1]
    assert (call.kind, call.model) == ("remote", "big-1@0.0.0.0")
    assert json.loads(call.prompt or "")[-1]["content"] == said
    assert "[EMAIL_1]" in (call.answer or "")
    (note,) = [note.text for note in kept.notes if note.kind == "remote"]
    assert "1 e-mail address, 1 path taken out" in note
    assert hashlib.sha256((call.prompt or "").encode()).hexdigest()[:16] in note


async def test_a_larger_server_of_this_machine_gets_all_of_it(db: Path) -> None:
    async with FakeOpenAi(lambda _: "Done.") as fake:
        result, kept = await run_one(db, fake.url)
    assert result.status == "done"
    assert fake.bodies[0]["messages"][-1]["content"].startswith(ASKED)
    assert not [note for note in kept.notes if note.kind == "remote"]
    assert kept.calls[-1].kind == "chat"


async def test_another_ollama_server_can_be_the_last_rung(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "only-for-my-own-server")
    async with FakeOllama(lambda _: "Done.") as fake:
        result, _ = await run_one(db, fake.url, kind="ollama", model=SMALL)
    assert result.status == "done"
    assert fake.counts.keys == {""}  # the key of one server goes to no other


async def test_nothing_leaves_where_nothing_is_configured(db: Path) -> None:
    settings = Settings(runtime="scripted", db=db)
    async with await Session.open(settings, specialists={"a": StaffMember("a", work)}) as session:
        assert session.remotes == {}


async def test_a_remote_server_that_is_away_fails_the_subtask_and_not_the_run(db: Path) -> None:
    result, kept = await run_one(db, "http://127.0.0.1:9/v1")
    assert result.status == "failed"
    assert result.subtasks[0].verdict is Verdict.FAILED
    assert result.subtasks[0].model == SMALL  # its text is the better result
    assert any("cannot be reached" in call.error for call in kept.calls)


def test_a_key_in_the_settings_is_refused_and_not_shown(tmp_path: Path) -> None:
    wrong = '[remote.code]\nkind = "openai"\nurl = "https://x.example/v1"\nmodel = "m"\nkey = "sk-very-secret"\n'
    (tmp_path / "nonet.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"remote\.code\.key .* is not a setting") as caught:
        load(folder=tmp_path)
    assert "sk-very-secret" not in str(caught.value)


async def test_wrong_settings_are_told_before_anything_runs(db: Path) -> None:
    with pytest.raises(SettingsError, match="NO_SUCH_KEY"):
        await run_one(db, "https://example.com/v1", key_env="NO_SUCH_KEY")
    settings = Settings(runtime="scripted", db=db, remote={"b": {"kind": "ollama", "url": "http://x", "model": "m"}})  # type: ignore[dict-item]
    with pytest.raises(SettingsError, match="does not exist"):
        await Session.open(settings, specialists={"a": StaffMember("a", work)})


ASK = ChatRequest("big-1", (Message("user", "How much is six times seven?"),), max_completion_tokens=20)


async def test_the_wire_of_an_endpoint() -> None:
    async with FakeOpenAi(lambda _: "42") as fake:
        runtime = OpenAiRuntime(fake.url)
        shown: list[str] = []
        response = await runtime.chat(ASK, shown.append)
        await runtime.aclose()
    assert (response.text, response.finish, shown) == ("42", Finish.STOP, ["42"])
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (14, 1)
    assert fake.bodies[0]["max_tokens"] == 20
    assert fake.keys == [""]


async def test_how_sure_a_model_is_can_be_asked() -> None:
    sure = ChatRequest("big-1", ASK.messages, certainty=True)
    async with FakeOpenAi(lambda _: "42") as fake:
        told = choice("42", prompt_tokens=14)
        told["choices"][0]["logprobs"] = {"content": [{"token": "42", "logprob": -0.5}, {"token": "", "logprob": -1.5}]}
        fake.reply(200, told)
        runtime = OpenAiRuntime(fake.url)
        assert (await runtime.chat(sure)).certainty == pytest.approx(math.exp(-1.0))
        assert (await runtime.chat(ASK)).certainty is None
        await runtime.aclose()
    assert [body.get("logprobs") for body in fake.bodies] == [True, None]
    async with FakeOllama(lambda _: "It is 42.") as ollama:
        server = OllamaRuntime(ollama.url)
        request = ChatRequest(SMALL, ASK.messages, certainty=True)
        assert (await server.chat(request)).certainty == pytest.approx(math.exp(-0.25))
        assert (await server.chat(replace(request, certainty=False))).certainty is None
        await server.aclose()


def choice(text: object, reason: str = "stop", **usage: int) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}, "finish_reason": reason}], "usage": usage}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, AccessRefusedError),
        (404, {"error": "no such model"}, AccessRefusedError),
        (302, {}, AccessRefusedError),
        (422, {"error": {"message": "seed is not known"}}, BadRequestError),
        (400, {"error": {"code": "context_length_exceeded", "message": "too long"}}, ContextOverflowError),
        (200, b"<html>", IncompleteAnswerError),
        (200, b"[" * 100_000, IncompleteAnswerError),
        (200, {"choices": []}, IncompleteAnswerError),
        (200, choice(None), IncompleteAnswerError),
        (200, choice("  "), IncompleteAnswerError),
        (200, choice("no", "content_filter"), IncompleteAnswerError),
        (200, choice("no", prompt_tokens=3), ContextOverflowError),  # it read less than was sent
    ],
)
async def test_what_can_go_wrong_at_an_endpoint(status: int, body: object, error: type[NonetError]) -> None:
    async with FakeOpenAi(lambda _: "42") as fake:
        fake.reply(status, body)
        runtime = OpenAiRuntime(fake.url)
        with pytest.raises(error):
            await runtime.chat(ASK)
        await runtime.aclose()
    assert len(fake.bodies) == 1


async def test_a_busy_endpoint_is_asked_again() -> None:
    async with FakeOpenAi(lambda _: "42") as fake:
        fake.reply(429, {"error": {"message": "slow down"}})
        runtime = OpenAiRuntime(fake.url)
        assert (await runtime.chat(ASK)).text == "42"
        await runtime.aclose()
    nobody = OpenAiRuntime("http://127.0.0.1:9/v1")
    with pytest.raises(RuntimeUnavailableError):
        await nobody.chat(ASK)
    await nobody.aclose()


def test_a_schema_s_answer_gets_its_values_back() -> None:
    request = ChatRequest("m", (Message("user", r"C:\Users\ada\x.txt"),), schema={"type": "object"})
    outside = letter(request)
    assert "ada" not in outside.text
    opened: Callable[..., Any] = outside.opened
    from nonet.runtimes import ChatResponse  # noqa: PLC0415

    assert json.loads(opened(ChatResponse('{"at": "[PATH_1]"}', "m")).text) == {"at": r"C:\Users\ada\x.txt"}
