"""A conversation over the scripted runtime: follow-ups, references, undo, and coming back after the process ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonet.errors import SessionNotFoundError, TaskError
from nonet.graphs.conversation import Conversation
from nonet.graphs.events import Event, Notice
from nonet.graphs.session import Session
from nonet.settings import Settings

REPORT = (
    "The mill wheel turned all winter. The miller Anna Berg replaced two oak paddles on 3 March. The flow of the stream"
    " was measured at 140 litres a second. No grain was lost. The roof needs new slates.\n"
)
CODE = "Write a Python function `double(x)`.\nassert double(0) == 0"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    Path("report.md").write_text(REPORT)
    return Settings(runtime="scripted", db=tmp_path / "nonet.db")


async def test_follow_ups_over_two_processes(settings: Settings) -> None:
    told: list[Event] = []
    async with await Session.open(settings) as session:
        talk = Conversation.open(session)
        first = await talk.say("Summarize @report.md in four sentences.")
        shorter = await talk.say("shorten that", on_event=told.append)
        assert shorter.plan is not None
        assert shorter.plan.subtasks[0].documents == (f"@{first.run}.s1",)
        assert len(shorter.answer) < len(first.answer)
        assert [event.kind for event in told if isinstance(event, Notice)] == ["follow-up"]
        code = await talk.say(CODE)
    async with await Session.open(settings) as session:
        talk = Conversation.open(session, "last")
        rust = await talk.say("now in Rust")
        assert rust.plan is not None
        assert (rust.plan.subtasks[0].specialist, rust.plan.subtasks[0].documents) == ("code", (f"@{code.run}.s1",))
        assert talk.runs() == [rust.run, code.run, shorter.run, first.run]
        assert await talk.undo() == rust.run
        again = await talk.say("add type hints to it")
        assert again.plan is not None
        assert again.plan.subtasks[0].documents == (f"@{code.run}.s1",), "the undone one is not meant any more"
        document = [fact.text for fact in talk.memory.facts if fact.kind == "document"]
        assert document == ["report.md"]


async def test_what_cannot_be_said(settings: Settings) -> None:
    async with await Session.open(settings) as session:
        talk = Conversation.open(session)
        with pytest.raises(TaskError, match="empty"):
            await talk.say("  ")
        assert await talk.undo() is None
        with pytest.raises(SessionNotFoundError):
            Conversation.open(session, "zzz")


async def test_a_plan_may_wait_for_approval(settings: Settings) -> None:
    async with await Session.open(settings) as session:
        talk = Conversation.open(session)
        await talk.say("Summarize @report.md.")
        waiting = await talk.say("shorten that", wants_approval=True)
        assert waiting.status == "waiting"
        assert talk.runs()[0] == waiting.run
