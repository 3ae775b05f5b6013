"""How good the code specialist is, and whether its verdicts can be trusted.

    python benchmarks/quality_code.py --data mbpp_sanitized.jsonl --runtime embedded --model qwen.gguf --limit 20

Reads JSON lines in either of two forms: {id, prompt, test_list, test_imports} (MBPP) or {id, prompt, entry_point, test}
(HumanEval). The specialist sees the prompt and as many of MBPP's tests as --show says; all tests decide afterwards.
Prints pass@1 and how the verdicts agree with the outcome: "verified but wrong" is what must not happen where all tests
were shown, and happens where hidden tests ask for more than the shown ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nonet.runtimes import ChatRequest, ChatResponse, Message, OnText, Runtime
from nonet.specialists import Assignment, Outcome, Sandbox, Searcher, Verdict
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.sandbox.probe import find_sandbox


@dataclass(frozen=True)
class Desk:
    """The least that a specialist needs."""

    runtime: Runtime
    model: str
    window_tokens: int
    sandbox: Sandbox | None
    searcher: Searcher | None = None

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_completion_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> ChatResponse:
        request = ChatRequest(self.model, tuple(messages), schema, max_completion_tokens, temperature, seed)
        return await self.runtime.chat(request, on_text)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        return (await self.runtime.count_tokens(self.model, messages)).tokens

    async def embed(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:  # noqa: ARG002
        return None


def request_text(item: Mapping[str, Any], shown_tests: int) -> str:
    if "entry_point" in item:
        return f"Complete this Python function:\n\n```python\n{item['prompt'].strip()}\n```"
    tests = item["test_list"][:shown_tests] if shown_tests else []
    if tests:
        return "\n".join([item["prompt"], "It must pass these tests:", *item.get("test_imports", []), *tests])
    # Without a test the name is all that hidden tests need.
    name = item["test_list"][0].split("(")
    return f"{item['prompt']} Call it `{next(part.split()[-1] for part in name if part.split()[-1] != 'assert')}`."


def hidden_program(item: Mapping[str, Any], code: str) -> str:
    if "entry_point" in item:
        return f"{code}\n\n{item['test']}\n\ncheck({item['entry_point']})\nprint('passed')"
    return "\n".join([code, "", *item.get("test_imports", []), *item["test_list"], "print('passed')"])


async def solve(item: Mapping[str, Any], desk: Desk, shown_tests: int, attempts: int) -> tuple[Outcome, int]:
    specialist, instruction = CodeSpecialist(), request_text(item, shown_tests)
    outcome = await specialist.work(Assignment(instruction), desk)
    used = 1
    while outcome.verdict is Verdict.FAILED and used < attempts:
        used += 1
        again = Assignment(instruction, feedback=outcome.evidence, previous=outcome.text, attempt=used)
        outcome = await specialist.work(again, desk)
    return outcome, used


async def is_right(item: Mapping[str, Any], outcome: Outcome, sandbox: Sandbox) -> bool:
    code = outcome.data.get("code", "")
    if not code:
        return False
    result = await sandbox.run(hidden_program(item, code), timeout_seconds=15)
    return result.exit_status == 0 and result.stdout.strip().endswith("passed")


async def open_runtime(name: str, window_tokens: int, threads: int) -> Runtime:
    if name == "ollama":
        from nonet.runtimes.ollama import OllamaRuntime

        return OllamaRuntime()
    from nonet.runtimes.embedded import EmbeddedRuntime

    return EmbeddedRuntime(context_tokens=window_tokens, threads=threads)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runtime", choices=("embedded", "ollama"), default="embedded")
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--show", type=int, default=1, help="tests of MBPP in the request")
    parser.add_argument("--attempts", type=int, default=1, help="2 and more repair from the evidence")
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    sandbox = find_sandbox()
    if sandbox is None:
        parser.error("no sandbox works here, so nothing can be measured")
    items = [json.loads(line) for line in options.data.read_text("utf-8").splitlines()][: options.limit]
    runtime = await open_runtime(options.runtime, options.window, options.threads)
    desk = Desk(runtime, options.model, options.window, sandbox)
    table: Counter[tuple[str, bool]] = Counter()
    calls, started = 0, time.monotonic()
    try:
        for item in items:
            outcome, used = await solve(item, desk, options.show, options.attempts)
            right = await is_right(item, outcome, sandbox)
            table[str(outcome.verdict), right] += 1
            calls += used
            if options.verbose:
                why = next((evidence.detail for evidence in outcome.evidence if evidence.passed is False), "")
                print(f"{item['id']:14} {outcome.verdict:10} {'right' if right else 'wrong':5} {used} {why[:140]}")
                if options.verbose and not right:
                    print(outcome.text)
    finally:
        await runtime.aclose()
    seconds = time.monotonic() - started
    number = sum(table.values())
    solved = sum(count for (_, ok), count in table.items() if ok)
    print(f"pass@1 {solved / number:.3f} ({solved} of {number}), {calls} calls, {seconds / number:.2f} s an item")
    for verdict in Verdict:
        print(f"{verdict:10} right {table[str(verdict), True]:3}  wrong {table[str(verdict), False]:3}")


if __name__ == "__main__":
    asyncio.run(main())
