"""Orchestration without the model: a scripted model that is right with a chosen probability at each call.

    python benchmarks/oracle.py [--seeds 3] [--stubborn 0.0] [--svg FILE]

Tasks of our own (oracle_tasks.py), each with its plan, through graph, scheduler, specialists, sandbox and store; only
the model is scripted. At each call it is right with probability p, else it gives one of the step's wrong answers;
what it draws depends on the seed, the step and how many other questions were asked for it: the same question gets the
same answer, as of a greedy model, a repair is a new draw, and the first answer is the same in every arm. --stubborn
S: with probability S a step has one draw for all its calls (a model that does not know does not learn by asking).
Arms: `plain`, the same steps in the same order, one call each with the documents in the prompt, nothing checked;
`nonet` with one model; `two models`, nonet with a ladder of two that are equally good. A task succeeds when all its
steps are right by the same hidden checks, of which nonet sees at most one test.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curve_svg import Curve, draw
from oracle_tasks import DOCUMENTS, Step, Task, tasks

from nonet.agents.plan import Plan, Subtask
from nonet.graphs.documents import add_documents
from nonet.graphs.run import drive_plan
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest, Message
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Sandbox
from nonet.specialists.catalog import default_specialists
from nonet.specialists.sandbox.probe import find_sandbox

ACCURACIES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
ARMS = ("plain", "nonet", "two models")
MODELS = ("small", "large")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


@dataclass
class Oracle:
    """Answers the steps of the tasks, as a script of the scripted runtime."""

    steps: Sequence[Step]
    accuracy: float = 1.0
    seed: int = 0
    stubborn: float = 0.0
    seen: dict[tuple[str, str], dict[tuple[Any, ...], int]] = field(default_factory=dict)
    """Of each model and step, the different questions so far, numbered."""

    def __call__(self, request: ChatRequest) -> str:
        asked = "\n".join(message.content for message in request.messages)
        step = self._asked_for(asked)
        asked_before = self.seen.setdefault((request.model, step.instruction), {})
        number = asked_before.setdefault((asked, request.temperature, request.seed), len(asked_before))
        by_step = self._drawn("stubborn", step.instruction) < self.stubborn
        place = (step.instruction,) if by_step else (step.instruction, request.model, number)
        if self._drawn("right", *place) < self.accuracy:
            return step.right if step.follows in asked or not step.follows else step.instead
        return step.wrong[int(self._drawn("wrong", *place) * len(step.wrong))]

    def _asked_for(self, asked: str) -> Step:
        """Summarizing is recognised by the document: its specialist rewords the request, and others read it too."""
        named = [each for each in self.steps if each.instruction.rstrip(".") in asked]
        shown = [each for each in self.steps if each.documents and DOCUMENTS[each.documents[0]][:60] in asked]
        return max(named or shown, key=lambda each: len(each.instruction))

    def _drawn(self, *of: object) -> float:
        """From 0 to 1, the same for the same; and what is right at one accuracy is right at every higher one."""
        digest = hashlib.sha256(json.dumps([self.seed, *of]).encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


@dataclass(frozen=True)
class Ended:
    """What became of one task."""

    kind: str
    right: bool
    sure: bool
    """It was called verified, all of it; a plain pipeline says nothing of its answers."""
    calls: int


@dataclass
class Grader:
    """Judges the text of a step, the same for every arm; code is run once."""

    sandbox: Sandbox
    known: dict[tuple[str, str], bool] = field(default_factory=dict)

    async def right(self, step: Step, text: str) -> bool:
        if not step.tests:
            return all(each in text for each in step.wanted) and not any(each in text for each in step.unwanted)
        found = FENCE.search(text)
        code = found.group(1) if found else text
        if (step.instruction, code) not in self.known:
            program = "\n".join([code, *[f"assert {test}" for test in step.tests], "print('passed')"])
            result = await self.sandbox.run(program, timeout_seconds=10)
            self.known[step.instruction, code] = result.stdout.strip().endswith("passed")
        return self.known[step.instruction, code]


class Bench:
    """All arms over one database and one sandbox."""

    def __init__(self, sandbox: Sandbox, stubborn: float) -> None:
        self.tasks = tasks()
        self.oracle = Oracle([step for task in self.tasks for step in task.steps], stubborn=stubborn)
        self.grader = Grader(sandbox)

    async def measure(
        self, folder: Path, accuracies: Sequence[float], seeds: int
    ) -> dict[tuple[str, float], list[Ended]]:
        found: dict[tuple[str, float], list[Ended]] = defaultdict(list)
        paths = [folder / name for name in DOCUMENTS]
        for path in paths:
            path.write_text(DOCUMENTS[path.name], encoding="utf-8")
        for arm in ARMS:
            models = MODELS if arm == "two models" else MODELS[:1]
            ladders = {name: list(models) for name in default_specialists()}
            settings = Settings(runtime="scripted", db=folder / f"{arm}.db", response_cache_megabytes=0)
            async with await Session.open(settings) as session:
                runtime = ScriptedRuntime(self.oracle, models=models)
                await session.scheduler.aclose()
                session.runtime, session.scheduler, session.embed_model = runtime, Scheduler(runtime), None
                session.ladders = ladders
                add_documents(session.store, paths)
                for accuracy in accuracies:
                    for seed in range(seeds):
                        self.oracle.accuracy, self.oracle.seed, self.oracle.seen = accuracy, seed, {}
                        ended = await asyncio.gather(*[self._one(arm, task, session) for task in self.tasks])
                        found[arm, accuracy] += ended
        return found

    async def _one(self, arm: str, task: Task, session: Session) -> Ended:
        texts, sure, calls = await (self._plain(task, session) if arm == "plain" else self._nonet(task, session))
        right = [await self.grader.right(step, text) for step, text in zip(task.steps, texts, strict=True)]
        return Ended(task.kind, all(right), sure, calls)

    async def _plain(self, task: Task, session: Session) -> tuple[list[str], bool, int]:
        texts: list[str] = []
        for step in task.steps:
            shown = [f"{name}:\n{text}" for name, text in DOCUMENTS.items() if step.specialist == "retrieval"]
            shown += [f"{name}:\n{DOCUMENTS[name]}" for name in step.documents]
            shown += [texts[place] for place in step.inputs]
            prompt = "\n\n".join([*shown, step.instruction])
            texts.append((await session.scheduler.chat(ChatRequest(MODELS[0], (Message("user", prompt),)))).text)
        return texts, False, len(texts)

    async def _nonet(self, task: Task, session: Session) -> tuple[list[str], bool, int]:
        subtasks = tuple(
            Subtask(
                id=f"s{number}",
                specialist=step.specialist,
                instruction=step.instruction,
                documents=step.documents,
                inputs=tuple(f"s{place + 1}" for place in step.inputs),
            )
            for number, step in enumerate(task.steps, start=1)
        )
        result = await drive_plan(session, task.kind, Plan(planner="user", subtasks=subtasks), list(DOCUMENTS))
        by_id = {each.id: each.text for each in result.subtasks}
        texts = [by_id.get(each.id, "") for each in subtasks]
        return texts, str(result.verdict) == "verified", result.usage.calls


def share(some: Sequence[Ended]) -> str:
    return f"{sum(each.right for each in some) / len(some):.2f}"


def overall(found: dict[tuple[str, float], list[Ended]]) -> None:
    print(
        "| right a call | plain | nonet | two models | calls a task: plain | nonet | two models "
        "| called verified: nonet | of these wrong |\n|---:" + "|---:" * 8 + "|"
    )
    for accuracy in sorted({accuracy for _, accuracy in found}):
        arms = [found[arm, accuracy] for arm in ARMS]
        calls = [f"{sum(each.calls for each in some) / len(some):.1f}" for some in arms]
        sure = [each for each in arms[1] if each.sure]
        wrong = sum(not each.right for each in sure)
        cells = [
            f"{accuracy:.1f}",
            *map(share, arms),
            *calls,
            f"{len(sure) / len(arms[1]):.2f}",
            f"{wrong} of {len(sure)}",
        ]
        print(f"| {' | '.join(cells)} |")


def by_kind(found: dict[tuple[str, float], list[Ended]], accuracies: Sequence[float]) -> None:
    print(
        f"\n| kind of task | {' | '.join(f'{arm}, p={p}' for p in accuracies for arm in ARMS)} | verified and wrong |"
    )
    print("|---" + "|---:" * (len(accuracies) * len(ARMS) + 1) + "|")
    for kind in dict.fromkeys(each.kind for some in found.values() for each in some):
        cells = [share([each for each in found[arm, p] if each.kind == kind]) for p in accuracies for arm in ARMS]
        some = [each for (arm, _), ended in found.items() if arm != "plain" for each in ended if each.kind == kind]
        sure = [each for each in some if each.sure]
        wrong = sum(not each.right for each in sure)
        print(f"| {kind} | {' | '.join(cells)} | {wrong} of {len(sure)} |")


def picture(found: dict[tuple[str, float], list[Ended]], path: Path) -> None:
    def curve(arm: str) -> list[tuple[float, float]]:
        return [(p, sum(e.right for e in some) / len(some)) for (name, p), some in found.items() if name == arm]

    curves = [Curve(arm, curve(arm)) for arm in ARMS]
    path.write_text(draw(curves, x="calls that are right", y="tasks that succeed"), encoding="utf-8")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--stubborn", type=float, default=0.0, help="share of steps with one draw for all their calls")
    parser.add_argument("--accuracies", type=float, nargs="+", default=list(ACCURACIES))
    parser.add_argument("--svg", type=Path, help="where to draw the curves")
    options = parser.parse_args()
    sandbox = find_sandbox()
    if sandbox is None:
        parser.error("no sandbox works here, so code cannot be checked")
    bench = Bench(sandbox, options.stubborn)
    with tempfile.TemporaryDirectory() as folder:
        found = await bench.measure(Path(folder), options.accuracies, options.seeds)
    print(f"{len(bench.tasks)} tasks, {options.seeds} seeds at each p, stubborn steps {options.stubborn:.0%}\n")
    overall(found)
    by_kind(found, [p for p in (0.5, 0.8) if p in options.accuracies])
    if options.svg is not None:
        picture(found, options.svg)


if __name__ == "__main__":
    asyncio.run(main())
