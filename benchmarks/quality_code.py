"""How much the loop of the code specialist is worth, and whether its verdicts can be trusted.

    python benchmarks/quality_code.py --data humaneval.jsonl mbpp.jsonl --models small.gguf large.gguf --limit 20

Reads JSON lines in either of two forms: {id, prompt, test_list, test_imports} (MBPP) or {id, prompt, entry_point, test}
(HumanEval). Of MBPP as many of its asserts are shown as --show says, of HumanEval what its docstring shows; all tests
decide afterwards. Three arms on the same request:

- raw: the request alone, greedy, the first code block of the answer as it stands.
- raw+imports: the same with the imports of HumanEval's prompt before it, which its answers often leave out.
- loop: one attempt of the specialist with one model: first answer, repair, samples, chosen by the visible tests.
- ladder: the loop with the first model, and where it fails with the next.

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

from nonet.eval.grading import run_tests
from nonet.eval.items import UnitTests
from nonet.runtimes import ChatRequest, ChatResponse, Finish, Message, OnText, Runtime, Usage
from nonet.specialists import Assignment, Outcome, Sandbox, Searcher, Verdict
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.code_loop import Tries
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
            kept = {"text": response.text, "finish": str(response.finish)}
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


def request_text(item: Mapping[str, Any], shown_tests: int) -> str:
    if "entry_point" in item:
        return f"Complete this Python function:\n\n```python\n{item['prompt'].strip()}\n```"
    tests = item["test_list"][:shown_tests] if shown_tests else []
    if tests:
        return "\n".join([item["prompt"], "It must pass these tests:", *item.get("test_imports", []), *tests])
    # Without a test the name is all that hidden tests need.
    name = item["test_list"][0].split("(")
    return f"{item['prompt']} Call it `{next(part.split()[-1] for part in name if part.split()[-1] != 'assert')}`."


async def is_right(item: Mapping[str, Any], code: str, sandbox: Sandbox) -> bool:
    if "entry_point" in item:
        hidden = (item["test"], f"check({item['entry_point']})")
    else:
        hidden = (*item.get("test_imports", []), *item["test_list"])
    return await run_tests(UnitTests((), hidden), code, sandbox) == 1.0


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


@dataclass
class Arm:
    """What one way of solving came to."""

    right: int = 0
    items: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    verdicts: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add(self, *, right: bool, desks: Sequence[Desk], verdict: str = "") -> None:
        self.items += 1
        self.right += right
        self.calls += sum(desk.calls for desk in desks)
        self.tokens += sum(desk.usage.prompt_tokens + desk.usage.completion_tokens for desk in desks)
        self.seconds += sum(desk.usage.seconds for desk in desks)
        self.verdicts[verdict, right] += 1

    @property
    def score(self) -> float:
        return self.right / self.items if self.items else 0.0

    def line(self, name: str, base: float) -> str:
        ratio = f"{self.score / base:.2f}x" if base else "-"
        each = max(1, self.items)
        cost = f"{self.calls / each:4.1f} calls {self.tokens / each:6.0f} tokens {self.seconds / each:6.1f} s an item"
        wrong = f", verified but wrong {self.verdicts['verified', False]}" if self.verdicts.total() else ""
        return f"{name:42} {self.score:.3f} ({self.right} of {self.items}) {ratio:6} {cost}{wrong}"


async def measure(options: argparse.Namespace, data: Path, runtime: Runtime, sandbox: Sandbox) -> dict[str, Arm]:
    """Every arm on every item of one file."""
    # As many samples however slow this machine is today.
    tries = Tries(options.repairs, options.samples, options.samples, options.unproved_samples)
    arms: dict[str, Arm] = {}

    def desk(model: str) -> Desk:
        return Desk(runtime, model, options.window, sandbox, options.cache)

    for item in read_lines(data)[: options.limit]:
        climbed: list[Desk] = []
        done = False
        for number, model in enumerate(options.models):
            name = label(model)
            first, used = desk(model), desk(model)
            bare, helped = await raw(item, first, options.show)
            right = await is_right(item, bare, sandbox)
            arms.setdefault(f"raw {name}", Arm()).add(right=right, desks=[first])
            right = await is_right(item, helped, sandbox)
            arms.setdefault(f"raw+imports {name}", Arm()).add(right=right, desks=[first])
            outcome = await loop(item, used, options.show, tries)
            looped = await is_right(item, outcome.data.get("code", ""), sandbox)
            verdict = str(outcome.verdict)
            arms.setdefault(f"loop {name}", Arm()).add(right=looped, desks=[used], verdict=verdict)
            last = number == len(options.models) - 1
            if not done:
                climbed.append(used)
                if outcome.verdict is not Verdict.FAILED or last:
                    arms.setdefault("ladder", Arm()).add(right=looped, desks=climbed, verdict=verdict)
                    done = True
            if options.verbose:
                trail = ", ".join(outcome.data.get("tries", ()))
                print(f"{item['id']:14} {name:20} raw {right:d} loop {looped:d} {verdict:10} {trail}", flush=True)
    return arms


def _row(arm: Arm) -> dict[str, Any]:
    verdicts = {f"{verdict} {'right' if right else 'wrong'}": n for (verdict, right), n in arm.verdicts.items()}
    return {**asdict(replace(arm, verdicts=Counter())), "score": arm.score, "verdicts": verdicts}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--runtime", choices=("embedded", "ollama"), default="embedded")
    parser.add_argument("--models", nargs="+", required=True, help="smallest first")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--show", type=int, default=1, help="tests of MBPP in the request")
    parser.add_argument("--repairs", type=int, default=Tries().repairs)
    parser.add_argument("--samples", type=int, default=Tries().samples)
    parser.add_argument("--unproved-samples", type=int, default=Tries().unproved_samples, help="by drafted tests")
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    sandbox = find_sandbox()
    if sandbox is None:
        parser.error("no sandbox works here, so nothing can be measured")
    if options.cache:
        options.cache.mkdir(parents=True, exist_ok=True)
    runtime = open_runtime(options)
    try:
        measured = {path.stem: await measure(options, path, runtime, sandbox) for path in options.data}
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

    return EmbeddedRuntime(context_tokens=options.window, threads=options.threads)


if __name__ == "__main__":
    asyncio.run(main())
