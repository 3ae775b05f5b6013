"""Items of HumanEval and MBPP: the request that is made of one, and whether code is right by all its tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nonet.eval.grading import run_tests
from nonet.eval.items import UnitTests
from nonet.specialists import Sandbox

_EXAMPLE = re.compile(r">>>|\bexamples?\b|\bfor example\b|=>|➞|==", re.IGNORECASE)


def request_text(item: Mapping[str, Any], shown_tests: int) -> str:
    if "entry_point" in item:
        prompt = item["prompt"] if shown_tests else _without_examples(item["prompt"], item["entry_point"])
        return f"Complete this Python function:\n\n```python\n{prompt.strip()}\n```"
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


def _without_examples(prompt: str, name: str) -> str:
    """The prompt with its last docstring ended before the line where examples begin."""
    quote = '"""' if '"""' in prompt else "'''"
    start = prompt.rfind(quote, 0, prompt.rstrip().rfind(quote))
    head, body = prompt[: start + 3], prompt[start + 3 :].splitlines()
    shown = next((at for at, line in enumerate(body) if at and (_EXAMPLE.search(line) or f"{name}(" in line)), None)
    if shown is None:
        return prompt
    return head + "\n".join(body[:shown]).rstrip() + f"\n    {quote}"
