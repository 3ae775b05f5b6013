"""A summary of several calls in a run that reaches its budget: what was made is kept, and nothing more is asked."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from nonet.graphs.ask import AskResult, ask_specialist
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest
from nonet.runtimes.scheduler import Scheduler
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Evidence, Verdict

STORY = "\n\n".join(
    f"On day {day} of the voyage Mira the captain wrote of storm number {day} and of the {what} that it took. "
    f"The cook sang below until the lamps went out, and nobody slept in the cabins of the ship before the morning came."
    for day, what in enumerate(("anchor", "compass", "mast", "wheel", "lantern", "barrel", "rudder", "flag"), 1)
)
PART = "Mira the captain wrote of a storm, and the crew lost something in it."
LONG = "\n\n".join(
    f"Chapter {n}. In year {1900 + n} the dam number {n} was built. " + "It rained. " * 40 for n in range(24)
)
IN_PARTS = "Summarize the story in at most 160 words."
IN_A_TREE = "Summarize the text in four sentences."


def of_dams(request: ChatRequest) -> str:
    prompt = request.messages[-1].content
    found = re.findall(r"dam number (\d+)", prompt, re.IGNORECASE)
    return " ".join(f"The model read of dam number {n}." for n in dict.fromkeys(found[:3]))


class Summed:
    """Asks for summaries with a runtime of its own, a database each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    async def up(self, instruction: str, *texts: str, runtime: ScriptedRuntime, budget: int | None = None) -> AskResult:
        self._number += 1
        files = []
        for number, text in enumerate(texts, 1):
            files.append(self._folder / f"{number}.md")
            files[-1].write_text(text, "utf-8")
        chosen = Settings(runtime="scripted", db=self._folder / f"{self._number}.db", max_calls=budget)
        async with await Session.open(chosen) as session:
            session.runtime, session.scheduler = runtime, Scheduler(runtime)
            return await ask_specialist(session, "summarization", instruction, inputs=files)


@pytest.fixture
def summed(tmp_path: Path) -> Summed:
    return Summed(tmp_path)


def found(result: AskResult, kind: str) -> Evidence:
    return next(item for item in result.evidence if item.kind == kind)


async def test_parts_that_were_made_are_kept_and_the_others_extracted(summed: Summed) -> None:
    runtime = ScriptedRuntime(lambda _: PART, context_tokens=520)
    result = await summed.up(IN_PARTS, STORY, runtime=runtime, budget=1)
    assert (len(runtime.requests), result.usage.calls, result.missing) == (1, 1, ())
    assert result.verdict is Verdict.UNVERIFIED
    first, second = result.data["partials"]
    assert (first["extracted"], second["extracted"]) == (False, True)
    assert result.output == f"{PART} {second['text']}"
    assert second["text"] in " ".join(STORY.split())
    assert found(result, "call") == Evidence(
        "call", passed=False, detail="The run has made the 1 calls it may make: 1 of 2 parts had to be extracted"
    )
    coverage = found(result, "coverage")
    assert coverage.passed is False
    assert coverage.detail.startswith("1 of 2 parts, ")
    assert coverage.detail.endswith("; no call was left for the rest")
    assert result.data["read"] == [[first["start"], first["end"]]]


async def test_whatever_the_budget_of_a_tree_it_is_kept_to_and_what_was_made_is_given(summed: Summed) -> None:
    whole = await summed.up(IN_A_TREE, LONG, runtime=ScriptedRuntime(of_dams, context_tokens=600))
    needed = whole.usage.calls
    assert needed > 5
    for budget in (1, 2, needed // 2, needed - 1, needed):
        runtime = ScriptedRuntime(of_dams, context_tokens=600)
        result = await summed.up(IN_A_TREE, LONG, runtime=runtime, budget=budget)
        assert (len(runtime.requests), result.usage.calls, result.missing) == (budget, budget, ())
        assert 0 < result.output.count(".") <= 4
        cut = budget < needed
        assert any(item.kind == "call" and item.passed is False for item in result.evidence) is cut
        assert result.verdict is not Verdict.VERIFIED or not cut
        worded = [part["text"] for part in result.data["partials"] if not part["extracted"]]
        assert all(text.startswith("The model read of dam") for text in worded)
        assert worded


async def test_where_only_the_last_call_is_missing_the_parts_speak_for_themselves(summed: Summed) -> None:
    whole = await summed.up(IN_A_TREE, LONG, runtime=ScriptedRuntime(of_dams, context_tokens=600))
    runtime = ScriptedRuntime(of_dams, context_tokens=600)
    result = await summed.up(IN_A_TREE, LONG, runtime=runtime, budget=whole.usage.calls - 1)
    assert set(re.findall(r"[^.]+\.", result.output)) <= {
        f"{space}The model read of dam number {n}." for n in range(24) for space in ("", " ")
    }
    assert found(result, "coverage").passed is True
    assert found(result, "call").detail.endswith(
        "calls it may make: central sentences of the parts stand in for a summary of them all"
    )
    assert result.verdict is Verdict.UNVERIFIED


async def test_rows_that_were_made_are_kept_and_the_others_extracted(summed: Summed) -> None:
    texts = [f"The mill of {town} grinds rye. It was sold in 19{year}." for town, year in (("Kesh", 12), ("Orrin", 34))]
    runtime = ScriptedRuntime(lambda _: "The mill of Kesh grinds rye.")
    result = await summed.up("Make a table of the documents.", *texts, runtime=runtime, budget=1)
    assert (len(runtime.requests), result.missing) == (1, ())
    assert result.output.splitlines()[2:] == [
        "| 1.md | The mill of Kesh grinds rye. |",
        "| 2.md | The mill of Orrin grinds rye. |",
    ]
    assert result.verdict is Verdict.UNVERIFIED
    assert found(result, "call").detail == "The run has made the 1 calls it may make: 1 of 2 rows had to be extracted"


@pytest.mark.parametrize(("instruction", "text"), [(IN_PARTS, STORY), (IN_A_TREE, LONG)])
async def test_where_nothing_was_made_the_summary_is_missing(summed: Summed, instruction: str, text: str) -> None:
    runtime = ScriptedRuntime(lambda _: "Zork " * 40, context_tokens=520)
    result = await summed.up(instruction, text, runtime=runtime, budget=1)
    assert (len(runtime.requests), result.output, len(result.missing)) == (1, "", 1)


@pytest.mark.parametrize(("instruction", "text"), [(IN_PARTS, STORY), (IN_A_TREE, LONG)])
async def test_a_summary_that_is_stopped_stops_at_once(summed: Summed, instruction: str, text: str) -> None:
    runtime = ScriptedRuntime(lambda _: PART, context_tokens=520, latency_seconds=60.0)
    work = asyncio.ensure_future(summed.up(instruction, text, runtime=runtime, budget=1))
    async with asyncio.timeout(20):
        while not runtime.requests:  # noqa: ASYNC110  the runtime says nothing
            await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert len(runtime.requests) == 1
