"""Whole tasks: one model alone with every document in its prompt, and nonet with that same model; item by item.

    python benchmarks/quality_end_to_end.py --data FOLDER --model qwen2.5-coder:0.5b --keep results.jsonl

FOLDER holds composite.dev.jsonl and the sets and documents it was made of. Arms: `alone` (one greedy call: the
documents, then the request; where they do not fit the window it gets the request alone), `nonet` (this model for
every specialist), `ladder` (nonet with the ladders it has by default). The same function grades the final answer of
each arm: unit tests run in the sandbox, answers looked for as SQuAD compares them, summaries by ROUGE-1 F1 of at
least .20. A task passes when all its checks do. With --keep, answers are kept as JSON lines and not asked for again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from end_to_end_items import Grade, Item, grade, read_items

from nonet.errors import NonetError
from nonet.graphs.documents import add_documents
from nonet.graphs.run import run_task
from nonet.graphs.session import Session
from nonet.runtimes import ChatRequest, Message
from nonet.settings import Settings
from nonet.specialists.sandbox.probe import find_sandbox

ANSWER_TOKENS = 768
ARMS = ("alone", "nonet", "ladder")


@dataclass(frozen=True)
class Answer:
    """What an arm gave for an item, and what it cost."""

    arm: str
    model: str
    item: str
    text: str
    verdict: str
    calls: int
    tokens: int
    seconds: float
    plan: str = ""


class Bench:
    """Asks each arm, once an item."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.kept: dict[tuple[str, str, str], Answer] = {}
        if options.keep is not None and options.keep.exists():
            for line in options.keep.read_text("utf-8").splitlines():
                answer = Answer(**json.loads(line))
                self.kept[answer.arm, answer.model, answer.item] = answer

    async def answer(self, arm: str, item: Item) -> Answer:
        model = "" if arm == "ladder" else self.options.model
        if (arm, model, item.id) not in self.kept:
            with tempfile.TemporaryDirectory() as folder:
                ask = self._alone if arm == "alone" else self._nonet
                answer = await ask(arm, item, Path(folder))
            self.kept[arm, model, item.id] = answer
            if self.options.keep is not None:
                with self.options.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(answer)) + "\n")
        return self.kept[arm, model, item.id]

    async def _session(self, folder: Path, model: str) -> Session:
        settings = Settings(
            runtime=self.options.runtime,
            model=model or None,
            db=folder / "bench.db",
            threads=self.options.threads,
            context_tokens=self.options.window,
        )
        return await Session.open(settings)

    async def _alone(self, arm: str, item: Item, folder: Path) -> Answer:
        documents = {**item.attached, **item.collection} if item.fits else {}
        shown = "".join(f"{name}:\n{text}\n\n" for name, text in documents.items())
        request = ChatRequest(
            self.options.model, (Message("user", shown + item.request),), max_completion_tokens=ANSWER_TOKENS
        )
        async with await self._session(folder, self.options.model) as session:
            response = await session.scheduler.chat(request)
        usage = response.usage
        tokens = usage.prompt_tokens + usage.completion_tokens
        return Answer(arm, self.options.model, item.id, response.text, "", 1, tokens, usage.seconds)

    async def _nonet(self, arm: str, item: Item, folder: Path) -> Answer:
        model = "" if arm == "ladder" else self.options.model
        async with await self._session(folder, model) as session:
            if item.collection:
                add_documents(session.store, [_written(item.collection, folder / "collection")])
            attached = [_written(item.attached, folder / "attached")] if item.attached else []
            result = await run_task(session, item.request, documents=attached)
        usage = result.usage
        plan = " ".join(f"{each.specialist}({','.join(each.inputs)})" for each in result.subtasks)
        tokens = usage.prompt_tokens + usage.completion_tokens
        return Answer(arm, model, item.id, result.answer, str(result.verdict), usage.calls, tokens, usage.seconds, plan)


def _written(documents: Mapping[str, str], folder: Path) -> Path:
    folder.mkdir()
    for name, text in documents.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@dataclass(frozen=True)
class Row:
    """One item under one arm."""

    item: Item
    answer: Answer
    grade: Grade


def print_items(rows: Sequence[Row], arms: Sequence[str]) -> None:
    by_item: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_item[row.item.id][row.answer.arm] = row
    print(f"\n| item | pattern | {' | '.join(arms)} |\n|---|---|{'---|' * len(arms)}")
    for name, found in by_item.items():
        cells = [
            f"{'pass' if row.grade.passed else '-'} {row.answer.tokens:,} tokens {row.answer.verdict}".strip()
            if (row := found.get(arm))
            else ""
            for arm in arms
        ]
        pattern = next(iter(found.values())).item.pattern
        print(f"| {name} | {pattern} | {' | '.join(cells)} |")


def print_summary(rows: Sequence[Row], arms: Sequence[str]) -> None:
    groups = {
        "all": rows,
        "documents fit one window": [row for row in rows if row.item.fits],
        "documents do not fit": [row for row in rows if not row.item.fits],
        "with tests": [row for row in rows if any(kind == "unit_tests" for kind, _ in row.grade.checks)],
    }
    patterns = dict.fromkeys(row.item.pattern for row in rows)
    groups |= {pattern: [row for row in rows if row.item.pattern == pattern] for pattern in patterns}
    print(f"\n| tasks | n | {' | '.join(arms)} |\n|---|---:|{'---|' * len(arms)}")
    for name, group in groups.items():
        cells = []
        for arm in arms:
            some = [row for row in group if row.answer.arm == arm]
            if not some:
                cells.append("")
                continue
            passed = sum(row.grade.passed for row in some)
            tokens = sum(row.answer.tokens for row in some) / len(some)
            calls = sum(row.answer.calls for row in some) / len(some)
            cells.append(f"{passed} of {len(some)}, {tokens:,.0f} tokens, {calls:.1f} calls a task")
        number = len({row.item.id for row in group})
        if number:
            print(f"| {name} | {number} | {' | '.join(cells)} |")
    for arm in arms:
        lied = sum(row.answer.arm == arm and row.answer.verdict == "verified" and not row.grade.passed for row in rows)
        shown = sum(row.answer.arm == arm and row.answer.verdict == "verified" for row in rows)
        rouge = [score for row in rows if row.answer.arm == arm for kind, score in row.grade.checks if kind == "rouge"]
        mean = f"{sum(rouge) / len(rouge):.3f}" if rouge else "-"
        print(
            f"\n{arm}: {shown} called verified, {lied} of them do not pass; mean ROUGE-1 of {len(rouge)} checks {mean}"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with composite.dev.jsonl and its sources")
    parser.add_argument("--model", required=True)
    parser.add_argument("--runtime", choices=("embedded", "ollama", "scripted"), default="embedded")
    parser.add_argument("--arms", default="alone,nonet", help=f"some of {','.join(ARMS)}")
    parser.add_argument("--pattern", default="", help="only items of this pattern")
    parser.add_argument("--each", type=int, default=0, help="at most so many items of a pattern; 0: all")
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="JSON lines of answers, read and added to")
    parser.add_argument("--show", action="store_true", help="print the answers")
    options = parser.parse_args()
    arms = options.arms.split(",")
    sandbox = find_sandbox()
    if sandbox is None or not set(arms) <= set(ARMS):
        parser.error("no sandbox works here, so nothing can be graded" if sandbox is None else f"arms are {ARMS}")
    bench, rows, seen = Bench(options), [], defaultdict(int)
    for item in read_items(options.data):
        seen[item.pattern] += 1
        if (options.pattern and item.pattern != options.pattern) or (
            options.each and seen[item.pattern] > options.each
        ):
            continue
        for arm in arms:
            try:
                answer = await bench.answer(arm, item)
            except NonetError as error:
                print(f"{item.id} {arm}: {error.message}")
                continue
            rows.append(Row(item, answer, await grade(item, answer.text, sandbox)))
            if options.show:
                print(f"--- {item.id} {arm} {rows[-1].grade} [{answer.plan}]\n{item.request}\n>>> {answer.text}")
    print_items(rows, arms)
    print_summary(rows, arms)


if __name__ == "__main__":
    asyncio.run(main())
