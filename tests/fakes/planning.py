"""What tests of planners share: a desk on the scripted runtime, and the specialists' descriptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nonet.agents.planner import RulePlanner
from nonet.agents.router import Router
from nonet.errors import NonetError
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists.general import GeneralSpecialist

SPECIALISTS = {
    "code": "writes Python",
    "retrieval": "looks things up",
    "summarization": "sums up texts",
    "general": "answers directly",
}
MODEL = "qwen2.5-coder:0.5b"


@dataclass
class ScriptedDesk:
    """Asks a scripted model; answers in turn, the last one again and again, or what a function says."""

    answers: Sequence[object] | Callable[[ChatRequest], str]
    model: str = MODEL
    calls: int = 0
    prompts: list[str] = field(default_factory=list)
    schemas: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._runtime = ScriptedRuntime(self._say)

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        self.calls += 1
        self.prompts.append(messages[-1].content)
        self.schemas.append(schema)
        if not callable(self.answers):
            answer = self.answers[min(self.calls, len(self.answers)) - 1]
            if isinstance(answer, NonetError):
                raise answer
        request = ChatRequest(self.model, tuple(messages), schema=schema, max_completion_tokens=max_completion_tokens)
        return (await self._runtime.chat(request)).text

    def _say(self, request: ChatRequest) -> str:
        if callable(self.answers):
            return self.answers(request)
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        return answer if isinstance(answer, str) else json.dumps(answer)


@dataclass
class RawDesk:
    """Hands the answer out as it is: a runtime that constrains nothing and checks nothing."""

    say: Callable[[int], object]
    model: str = MODEL
    calls: int = 0

    async def ask(self, messages: Sequence[Message], schema: Mapping[str, Any], max_completion_tokens: int) -> str:
        del messages, schema, max_completion_tokens
        self.calls += 1
        answer = self.say(self.calls)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, str) else json.dumps(answer)


def router() -> Router:
    """Routes by words."""
    return Router({name: GeneralSpecialist.examples if name == "general" else () for name in SPECIALISTS})


def rules(**options: Any) -> RulePlanner:
    """The rules, without a model unless `opinion` gives one."""
    return RulePlanner(router(), **options)
