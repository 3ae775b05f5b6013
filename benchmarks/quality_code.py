"""How much the loop of the code specialist is worth, and whether its verdicts can be trusted.

    python benchmarks/quality_code.py --data humaneval.jsonl mbpp.jsonl --models small.gguf large.gguf --limit 20

Reads JSON lines in either of two forms: {id, prompt, test_list, test_imports} (MBPP) or {id, prompt, entry_point, test}
(HumanEval). Of MBPP as many of its asserts are shown as --show says, of HumanEval what its docstring shows; all tests
decide afterwards. The arms, on the same request:

- raw: the request alone, greedy, the first code block of the answer as it stands.
- raw+imports: the same with the imports of HumanEval's prompt before it, which its answers often leave out.
- loop: one attempt of the specialist with one model: first answer, repair, samples, chosen by the visible tests.
- ladder: the loop with the first model, and where that stays below the usual bar (docs/supervision.md) with the next;
  one attempt a model.

With --show 0 no test is shown, of HumanEval's docstring only what stands before its examples.

Prints pass@1, calls, tokens and seconds an item, and how the verdicts agree with the hidden tests. With --cache, the
answers are kept in a folder by request, so that scoring again asks no model; seconds are those of the call when it was
made.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench_specialists import read_lines
from code_sets import is_right, request_text

from nonet.runtimes import ChatRequest, ChatResponse, Finish, Message, OnText, Runtime, Usage
from nonet.specialists import Assignment, Outcome, Sandbox, Searcher
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.code_loop import Tries
from nonet.specialists.confidence import USUAL_BAR, confidence
from nonet.specialists.sandbox.probe import find_sandbox

ANSWER_TOKENS = 768


@dataclass
class Desk:
    """The least that a specialist needs; adds up what its calls cost."""

    runtime: Runtime
    model: str
    window_tokens: int
    sandbox: Sandbox | None
    cache: Path | None
    searcher: Searcher | None = None
    calls: int = 0
    usage: Usage = field(default_factory=Usage)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_completion_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,  # noqa: ARG002
    ) -> ChatResponse:
        request = ChatRequest(self.model, tuple(messages), schema, max_completion_tokens, temperature, seed)
        response = await self._kept(request)
        self.calls += 1
        self.usage += response.usage
        return response

    async def _kept(self, request: ChatRequest) -> ChatResponse:
        if self.cache is None:
            return await self.runtime.chat(request)
        path = self.cache / f"{_key(request)}.json"
        if not path.exists():
            started = time.monotonic()
            response = await self.runtime.chat(request)
            usage = response.usage
            kept: dict[str, Any] = {"text": response.text, "finish": str(response.finish)}
            kept |= {"p": usage.prompt_tokens, "c": usage.completion_tokens, "s": time.monotonic() - started}
            path.write_text(json.dumps(kept), "utf-8")
        kept = json.loads(path.read_text("utf-8"))
        usage = Usage(kept["p"], kept["c"], kept["s"])
        return ChatResponse(kept["text"], request.model, Finish(kept["finish"]), usage)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        # An estimate that asks no model; the window is far from full here.
        return sum(len(message.content) // 3 + 8 for message in messages)

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:  # noqa: ARG002
        return None


def _key(request: ChatRequest) -> str:
    messages = [[message.role, message.content] for message in request.messages]
    seed = request.seed if request.temperature else 0
    text = json.dumps([label(request.model), messages, request.temperature, seed, request.max_completion_tokens])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def label(model: str) -> str:
    """A name without its folder, and a GGUF file without its ending: "qwen2.5-coder:0.5b"."""
    return Path(model).name.removesuffix(".gguf")


async def raw(item: Mapping[str, Any], desk: Desk, shown_tests: int) -> tuple[str, str]:
    """The code of the bare model: as it stands, and with what HumanEval imports put before it."""
    message = Message("user", request_text(item, shown_tests))
    answer = (await desk.chat([message], max_completion_tokens=ANSWER_TOKENS)).text
    block = re.search(r"```[\w+]*\n(.*?)(?:```|\Z)", answer, re.DOTALL)
    code = block[1] if block else answer
    imports = [line for line in item["prompt"].splitlines() if re.match(r"(from|import)\s", line)]
    return code, "\n".join([*(imports if "entry_point" in item else []), code])


async def loop(item: Mapping[str, Any], desk: Desk, shown_tests: int, tries: Tries) -> Outcome:
    return await CodeSpecialist(tries=tries).work(Assignment(request_text(item, shown_tests)), desk)


@dataclass(frozen=True, slots=True)
class Solved:
    """One way of solving one item."""

    arm: str
    right: bool
    desks: tuple[Desk, ...]
    verdict: str = ""
    trail: str = ""


@dataclass
class Arm:
    """What one way of solving came to."""

    right: int = 0
    items: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    verdicts: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add(self, one: Solved) -> None:
        self.items += 1
        self.right += one.right
        self.calls += sum(desk.calls for desk in one.desks)
        self.tokens += sum(desk.usage.prompt_tokens + desk.usage.completion_tokens for desk in one.desks)
        self.seconds += sum(desk.usage.seconds for desk in one.desks)
        self.verdicts[one.verdict, one.right] += 1

    @property
    def score(self) -> float:
        return self.right / self.items if self.items else 0.0

    def line(self, name: str, base: float) -> str:
        ratio = f"{self.score / base:.2f}x" if base else "-"
        each = max(1, self.items)
        cost = f"{self.calls / each:4.1f} calls {self.tokens / each:6.0f} tokens {self.seconds / each:6.1f} s an item"
        wrong = f", verified but wrong {self.verdicts['verified', False]}" if self.verdicts.total() else ""
        return f"{name:42} {self.score:.3f} ({self.right} of {self.items}) {ratio:6} {cost}{wrong}"


@dataclass(frozen=True, slots=True)
class Looped:
    """What the loop with one model came to."""

    confidence: float
    solved: Solved


def climb(looped: Sequence[Looped]) -> Solved:
    """The ladder: what stands below the usual bar goes to the next model. Among equals that of the larger model."""
    most = next((at for at, each in enumerate(looped, 1) if each.confidence >= USUAL_BAR), len(looped))
    best = max(reversed(looped[:most]), key=lambda each: each.confidence).solved
    return replace(best, arm="ladder", desks=tuple(desk for each in looped[:most] for desk in each.solved.desks))


class Measuring:
    """Every arm on every item of one file; as many items at once as the runtime computes together."""

    def __init__(self, options: argparse.Namespace, runtime: Runtime, sandbox: Sandbox) -> None:
        self._options = options
        self._runtime = runtime
        self._sandbox = sandbox
        # As many samples however slow this machine is today.
        samples = options.samples
        self._tries = Tries(options.repairs, samples, samples, options.second_looks, options.unproved_samples)
        self._room = asyncio.Semaphore(options.slots)

    async def measure(self, data: Path) -> dict[str, Arm]:
        """Model after model: two at work in turns would be loaded again for every call."""
        items = read_lines(data)[self._options.skip : self._options.limit]
        looped: list[list[Looped]] = [[] for _ in items]
        arms: dict[str, Arm] = {}
        for model in self._options.models:
            for at, (bare, loop_) in enumerate(await asyncio.gather(*(self._item(item, model) for item in items))):
                looped[at].append(loop_)
                for one in (*bare, loop_.solved):
                    arms.setdefault(one.arm, Arm()).add(one)
        for each in looped:
            arms.setdefault("ladder", Arm()).add(climb(each))
        return arms

    async def _item(self, item: Mapping[str, Any], model: str) -> tuple[list[Solved], Looped]:
        async with self._room:
            bare = await self._bare(item, model)
            looped = await self._looped(item, model)
        if self._options.verbose:
            for one in (*bare, looped.solved):
                print(f"{item['id']:14} {one.arm:34} {one.right:d} {one.verdict:10} {one.trail}", flush=True)
        return bare, looped

    async def _bare(self, item: Mapping[str, Any], model: str) -> list[Solved]:
        desk = self._desk(model)
        bare, helped = await raw(item, desk, self._options.show)
        return [
            Solved(f"{name} {label(model)}", await is_right(item, code, self._sandbox), (desk,))
            for name, code in (("raw", bare), ("raw+imports", helped))
        ]

    async def _looped(self, item: Mapping[str, Any], model: str) -> Looped:
        desk = self._desk(model)
        outcome = await loop(item, desk, self._options.show, self._tries)
        right = await is_right(item, outcome.data.get("code", ""), self._sandbox)
        trail = ", ".join(outcome.data.get("tries", ()))
        solved = Solved(f"loop {label(model)}", right, (desk,), str(outcome.verdict), trail)
        return Looped(confidence(outcome), solved)

    def _desk(self, model: str) -> Desk:
        options = self._options
        return Desk(self._runtime, model, options.window, self._sandbox, options.cache)


def _row(arm: Arm) -> dict[str, Any]:
    verdicts = {f"{verdict} {'right' if right else 'wrong'}": n for (verdict, right), n in arm.verdicts.items()}
    return {**asdict(replace(arm, verdicts=Counter())), "score": arm.score, "verdicts": verdicts}


def arguments(about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--runtime", choices=("embedded", "ollama"), default="embedded")
    parser.add_argument("--models", nargs="+", required=True, help="smallest first")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--skip", type=int, default=0, help="of the items up to --limit, the first")
    parser.add_argument("--show", type=int, default=1, help="tests of MBPP in the request")
    parser.add_argument("--repairs", type=int, default=Tries().repairs)
    parser.add_argument("--samples", type=int, default=Tries().samples)
    parser.add_argument("--second-looks", type=int, default=Tries().second_looks, help="at what passed one test late")
    parser.add_argument("--unproved-samples", type=int, default=Tries().unproved_samples, help="by drafted tests")
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slots", type=int, default=1, help="items computed together; rounds differently than one")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.cache:
        options.cache.mkdir(parents=True, exist_ok=True)
    return options


async def main() -> None:
    options = arguments(__doc__ or "")
    sandbox = find_sandbox()
    if sandbox is None:
        raise SystemExit("no sandbox works here, so nothing can be measured")
    runtime = open_runtime(options)
    try:
        measuring = Measuring(options, runtime, sandbox)
        measured = {path.stem: await measuring.measure(path) for path in options.data}
    finally:
        await runtime.aclose()
    if options.json:
        rows = {name: {arm: _row(found) for arm, found in arms.items()} for name, arms in measured.items()}
        print(json.dumps(rows))
        return
    for name, arms in measured.items():
        print(f"{name}, in the {sandbox.tier} sandbox")
        for arm, found in arms.items():
            base = arms.get(f"raw {arm.partition(' ')[2]}", next(iter(arms.values())))
            print(" ", found.line(arm, base.score))


def open_runtime(options: argparse.Namespace) -> Runtime:
    if options.runtime == "ollama":
        from nonet.runtimes.ollama import OllamaRuntime

        return OllamaRuntime(context_tokens=options.window)
    from nonet.runtimes.embedded import EmbeddedRuntime

    return EmbeddedRuntime(context_tokens=options.window, threads=options.threads, slots=options.slots)


if __name__ == "__main__":
    asyncio.run(main())
