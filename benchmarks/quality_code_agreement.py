"""Whether two answers that pass the tests shown tell right from wrong by giving the same on other calls, or not.

    python benchmarks/quality_code_agreement.py --data mbpp.jsonl --models small.gguf --limit 40

Of each item two greedy answers are made: to nonet's prompt for code, and to the request alone. Where both pass the
tests shown they are called with other values (specialists/code_probes.py), and the hidden tests say which were right.
Options and cache are those of quality_code.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench_specialists import read_lines
from code_sets import is_right, request_text
from quality_code import Desk, arguments, open_runtime

from nonet.specialists import Assignment, Sandbox, Verdict
from nonet.specialists.code_agreement import Agreement
from nonet.specialists.code_judge import AnswerJudge
from nonet.specialists.code_probes import probes
from nonet.specialists.code_prompt import ANSWER_TOKENS, build_prompt
from nonet.specialists.code_request import read_request
from nonet.specialists.sandbox.probe import find_sandbox

_AGREE = 0.8


async def compare(item: Mapping[str, Any], desk: Desk, sandbox: Sandbox, shown: int) -> tuple[str, str]:
    """What the two answers did on the tests shown and on other calls, and which of them were right."""
    assignment = Assignment(request_text(item, shown))
    request = read_request(assignment.instruction)
    judge = AnswerJudge(assignment, request, desk, 10.0)
    codes: list[str] = []
    for plain in (False, True):
        prompt, _ = await build_prompt(assignment, request, desk, plain=plain)
        answer = await desk.chat(prompt.messages, max_completion_tokens=ANSWER_TOKENS)
        outcome = await judge.judge(answer.text)
        if outcome.verdict is Verdict.VERIFIED:
            codes.append(outcome.data["code"])
    right = ["right" if await is_right(item, code, sandbox) else "wrong" for code in codes]
    if len(codes) < 2:
        return "one passes" if codes else "none passes", "".join(right)
    same, told = await Agreement(probes(request.tests), sandbox, 10.0).of(*codes)
    how = "nothing told" if not told else "agree" if same / told >= _AGREE else "differ"
    return f"both pass, {how}", " and ".join(sorted(set(right)))


async def main() -> None:
    options = arguments(__doc__ or "")
    sandbox = find_sandbox()
    assert sandbox is not None, "no sandbox works here"
    runtime = open_runtime(options)
    try:
        for path in options.data:
            for model in options.models:
                found: Counter[tuple[str, str]] = Counter()
                for item in read_lines(path)[options.skip : options.limit]:
                    desk = Desk(runtime, model, options.window, sandbox, options.cache)
                    found[await compare(item, desk, sandbox, options.show)] += 1
                print(path.stem, model)
                for (how, right), number in sorted(found.items()):
                    print(f"  {how:24} {right:16} {number}")
    finally:
        await runtime.aclose()


if __name__ == "__main__":
    asyncio.run(main())
