"""A scripted model that knows the answers of one task and goes wrong with a given probability, each time anew."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nonet.agents.plan import Plan, Subtask
from nonet.errors import CallTimeoutError, IncompleteAnswerError
from nonet.graphs.documents import add_documents
from nonet.graphs.result import RunResult
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Verdict
from nonet.specialists.catalog import default_specialists

KINDS = ("invalid JSON", "time-out", "broken off", "empty", "noise", "half an answer")
NOISE = ("zqxv", "qwpk", "vxzt", "kqjw", "xvqz", "jjqx", "wzkq", "pqvx", "tzqk", "qxwv")
"""Words that no right answer has."""
SMALL, LARGE = "qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"
LOG = (
    "The old pump in bay 3 was replaced on 7 May 2024 by Ada Lovelace. The new pump has the serial number HL-3318-M. "
    "It holds 12 litres of oil, and it is checked every second week by the night shift of the plant."
)
CODE = "```python\ndef double(x):\n    return 2 * x\n```"
SUMMARY = "The new pump has the serial number HL-3318-M and is checked every second week."
PLAN = Plan(
    planner="user",
    subtasks=(
        Subtask(
            id="s1",
            specialist="code",
            instruction="Write a Python function double(x) that returns twice x. It must satisfy double(4) == 8.",
        ),
        Subtask(id="s2", specialist="retrieval", instruction="What is the serial number of the new pump?"),
        Subtask(
            id="s3", specialist="summarization", instruction="Summarize log.md in one sentence.", documents=("log.md",)
        ),
        Subtask(id="s4", specialist="general", instruction="What is 6 times 7?"),
    ),
)


@dataclass
class FaultyModel:
    """Answers rightly, but for a share of its calls.

    Args:
        share: of calls that go wrong, 0 to 1.
        seed: which ones.
        kinds: how.
        most: of faults.
    """

    share: float
    seed: int
    kinds: tuple[str, ...] = KINDS
    most: int = 10**9
    made: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    hit: set[str] = field(default_factory=set)
    """Specialists of which a call went wrong."""

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)

    def __call__(self, request: ChatRequest) -> str:
        """As a script of the scripted runtime."""
        specialist, right = _right(request)
        if self.made.total() >= self.most or self._draw.random() >= self.share:
            return right
        kind = self._draw.choice(self.kinds)
        self.made[kind] += 1
        self.hit.add(specialist)
        if kind == "time-out":
            raise CallTimeoutError("The scripted model stalled.")
        if kind == "broken off":
            raise IncompleteAnswerError("The scripted model broke off.", partial=right[:9])
        answers = {
            "invalid JSON": '{"answer": ["zqxv"',
            "empty": " ",
            "noise": " ".join(self._draw.choices(NOISE, k=30)),
            "half an answer": f"{right[: len(right) // 2]} {self._draw.choice(NOISE)}",
        }
        return answers[kind]


def _right(request: ChatRequest) -> tuple[str, str]:
    """Who asks, and the answer."""
    text = "\n".join(message.content for message in request.messages)
    if "python" in text:
        return "code", CODE
    if "You summarize" in text:
        return "summarization", SUMMARY
    return ("retrieval", "HL-3318-M") if "Question:" in text else ("general", "6 x 7 = 42")


def is_right(specialist: str, text: str) -> bool:
    """Whether a subtask's text is what was asked for; extracts of the log are right, if not what a model would say."""
    if any(word in text for word in NOISE):
        return False
    wanted = {"code": "return 2 * x", "retrieval": "HL-3318-M", "summarization": "pump", "general": "42"}
    return wanted[specialist] in text


@dataclass(frozen=True)
class Injected:
    """What came of one run with faults."""

    result: RunResult
    faults: Counter[str]
    hit: frozenset[str]
    """Subtasks of which a call went wrong, by their specialists."""
    attempts: int

    @property
    def ended_right(self) -> frozenset[str]:
        """Specialists whose subtask ended right and not as failed."""
        ended = [each for each in self.result.subtasks if each.verdict != Verdict.FAILED]
        return frozenset(each.specialist for each in ended if is_right(each.specialist, each.text))

    @property
    def lies(self) -> list[str]:
        """Wrong results called verified, and failures in a run that says it is done."""
        found = [
            f"{each.id} is verified: {each.text!r}"
            for each in self.result.subtasks
            if each.verdict is Verdict.VERIFIED and not is_right(each.specialist, each.text)
        ]
        failed = any(each.verdict in (Verdict.FAILED, None) for each in self.result.subtasks)
        if failed and (self.result.status == "done" or not self.result.missing):
            found.append("a subtask failed and the run does not say so")
        return found


async def inject(folder: Path, model: FaultyModel, **settings: object) -> Injected:
    """Run the plan once on a faulty model, in a database of its own."""
    from nonet.graphs.run import drive_plan  # noqa: PLC0415

    log = folder / "log.md"
    log.write_text(LOG, encoding="utf-8")
    ladders = {name: [SMALL, LARGE] for name in default_specialists()}
    chosen = Settings(runtime="scripted", db=folder / f"{model.seed}.db", models=ladders, **settings)  # type: ignore[arg-type]
    async with await Session.open(chosen) as session:
        runtime = ScriptedRuntime(model, models=(SMALL, LARGE))
        await session.scheduler.aclose()
        session.runtime, session.scheduler, session.embed_model = runtime, Scheduler(runtime), None
        add_documents(session.store, [log])
        result = await drive_plan(session, json.dumps({"share": model.share}), PLAN, ["log.md"])
        kept = session.store.runs.get(result.run)
    return Injected(result, model.made, frozenset(model.hit), len(kept.attempts))
