"""How good summaries are (ROUGE against references), and what their verdicts are worth.

    python benchmarks/quality_summarization.py --data scitldr.jsonl --model smollm2.gguf --limit 20

Reads JSON lines of {source: [sentence...], refs} (SciTLDR), {document, questions: [{q, refs}]} (SQuALITY) or {turns,
general, specific: [{query, answer, relevant_text_span}]} (QMSum). Prints the mean of the best ROUGE F1 over an item's
references (with stemming), beside two that take no model: the first sentence (or as many words as the references have
on average) and the extract that the specialist falls back to; and beside the model alone, given as much of the text as
fits the same window. For QMSum also how much of what the summary stands on lies in the turns that annotators marked.
With --floors the human summaries are judged as a model's would be, against their own text and against another.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench_specialists import BenchDesk, add_options, open_runtime, read_lines

from nonet.errors import IncompleteAnswerError
from nonet.eval.forms import MEETING_WORDS, STORY_WORDS
from nonet.eval.libraries import rouge as rouge_of
from nonet.runtimes import Message
from nonet.specialists import Assignment, Outcome, Source
from nonet.specialists.extract import extract
from nonet.specialists.summarization import SummarizationSpecialist
from nonet.specialists.support import faithfulness
from nonet.specialists.text import content_stems, sentences

METRICS = ("rouge1", "rouge2", "rougeL")
ANSWER_TOKENS = 400


@dataclass(frozen=True)
class Item:
    text: str
    request: str
    references: tuple[str, ...]
    words: int | None
    """None: a sentence."""
    marked: tuple[tuple[int, int], ...] = ()
    """Characters of the text that annotators found to bear on the request."""


def read_items(path: Path) -> list[Item]:
    items: list[Item] = []
    for row in read_lines(path):
        if "questions" in row:
            asked = [(question["q"], tuple(question["refs"])) for question in row["questions"]]
            items.extend(Item(row["document"], request, references, STORY_WORDS) for request, references in asked)
        elif "turns" in row:
            items.extend(meeting_items(row))
        else:
            request = "Summarize the abstract in one sentence."
            items.append(Item(" ".join(row["source"]), request, tuple(row["refs"]), None))
    return items


def meeting_items(row: dict[str, Any]) -> Iterator[Item]:
    starts = [0, *accumulate(len(turn) + 1 for turn in row["turns"])]
    for query in (*row["general"], *row["specific"]):
        spans = query.get("relevant_text_span", [])
        marked = tuple((starts[int(first)], starts[int(last) + 1]) for first, last in spans)
        yield Item("\n".join(row["turns"]), query["query"], (query["answer"],), MEETING_WORDS, marked)


class Rouge:
    """Means over items of the best score over references."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []

    def add(self, text: str, references: Sequence[str]) -> None:
        scores = rouge_of(text, references)
        self._rows.append([scores[metric] for metric in METRICS])

    def __str__(self) -> str:
        means = [100 * sum(column) / len(self._rows) for column in zip(*self._rows, strict=True)]
        return "  ".join(f"{metric} {mean:4.1f}" for metric, mean in zip(METRICS, means, strict=True))


async def alone(item: Item, desk: BenchDesk) -> str:
    """The model without nonet: one call, with as many words of the text as its window takes."""
    wish = "in one sentence" if item.words is None else f"in at most {item.words} words"
    words = item.text.split()
    while True:
        request = f"{item.request} Answer {wish}."
        messages = [Message("user", f"{' '.join(words)}\n\n{request}")]
        if await desk.count_tokens(messages) <= desk.window_tokens - ANSWER_TOKENS - 8 or len(words) < 2:
            break
        words = words[: int(len(words) * 0.9)]
    try:
        return (await desk.chat(messages, max_completion_tokens=ANSWER_TOKENS)).text
    except IncompleteAnswerError:
        return ""


def in_marked(items: Sequence[Item], outcomes: Sequence[Outcome]) -> str:
    """Of the places that the summaries stand on, how many lie in marked turns; of marked items, how many are met."""
    inside, places, met, marked = 0, 0, 0, 0
    for item, outcome in zip(items, outcomes, strict=True):
        if not item.marked:
            continue
        found = [each for each in outcome.data["coverage"]["sentences"] if each["document"]]
        hits = [any(start <= each["start"] < end for start, end in item.marked) for each in found]
        inside, places = inside + sum(hits), places + len(hits)
        met, marked = met + any(hits), marked + 1
    return (
        f"{inside} of {places} sentences stand on marked turns; {met} of {marked} summaries meet them" if marked else ""
    )


def lead(item: Item) -> str:
    if item.words is None:
        return sentences(item.text)[0].text
    return " ".join(item.text.split()[: item.words])


def central(item: Item) -> str:
    focus = content_stems(item.request) if item.words else ()
    spans = extract(item.text, focus=focus, most_sentences=None if item.words else 1, most_words=item.words)
    return " ".join(span.text for span in spans)


async def summarize(items: Sequence[Item], desk: BenchDesk, *, verbose: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for item in items:
        wish = f" Answer in at most {item.words} words." if item.words else ""
        assignment = Assignment(item.request + wish, (Source("text", item.text),))
        outcomes.append(await SummarizationSpecialist().work(assignment, desk))
        if verbose:
            failed = [f"{check.kind}: {check.detail}" for check in outcomes[-1].evidence if check.passed is False]
            print(f"{outcomes[-1].verdict}: {outcomes[-1].text}\n    {'; '.join(failed)}", flush=True)
    return outcomes


def report_baseline(name: str, items: Sequence[Item], make: Callable[[Item], str]) -> None:
    rouge = Rouge()
    for item in items:
        rouge.add(make(item), item.references)
    print(f"{name:12} {rouge}")


def report_floors(items: Sequence[Item]) -> None:
    """How well the faithfulness checks tell references from the references of another text."""
    texts = [item.text for item in items]
    others = [next(other for other in [*texts[at:], *texts] if other != text) for at, text in enumerate(texts)]
    for name, judged in (("their own text", texts), ("another text", others)):
        passed = Counter[str]()
        overlaps: list[float] = []
        for item, text in zip(items, judged, strict=True):
            for reference in item.references:
                faith = faithfulness(reference, text)
                overlaps.append(faith.overlap)
                passed["names and numbers"] += not (faith.missing_names or faith.missing_numbers)
                passed["overlap"] += faith.overlap >= 0.6
                passed["all"] += faith.overlap >= 0.6 and not (faith.missing_names or faith.missing_numbers)
        number = len(overlaps)
        middle = sorted(overlaps)[number // 2]
        shares = ", ".join(f"{key} {count / number:.0%}" for key, count in passed.items())
        print(f"human summaries against {name}: overlap median {middle:.2f}; passing: {shares}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--floors", action="store_true", help="judge the human summaries instead of a model's")
    add_options(parser)
    options = parser.parse_args()
    every = read_items(options.data)
    items = every[:: max(1, len(every) // options.limit)][: options.limit]
    report_baseline("lead", items, lead)
    report_baseline("extract", items, central)
    if options.floors:
        report_floors(items)
        return
    runtime = open_runtime(options)
    desk = BenchDesk(runtime, options.model, options.window)
    started = time.monotonic()
    try:
        raw = [await alone(item, BenchDesk(runtime, options.model, options.window)) for item in items]
        outcomes = await summarize(items, desk, verbose=options.verbose)
    finally:
        await runtime.aclose()
    seconds = time.monotonic() - started
    rouge, verified, bare = Rouge(), Rouge(), Rouge()
    verdicts = Counter[str]()
    for item, outcome, text in zip(items, outcomes, raw, strict=True):
        bare.add(text, item.references)
        rouge.add(outcome.text, item.references)
        verdicts[str(outcome.verdict)] += 1
        if outcome.verdict == "verified":
            verified.add(outcome.text, item.references)
    extracted = sum(any(check.kind == "extract" for check in outcome.evidence) for outcome in outcomes)
    print(f"{'model alone':12} {bare}\n{'specialist':12} {rouge}")
    if verdicts["verified"]:
        print(f"{'  verified':12} {verified}")
    if said := in_marked(items, outcomes):
        print(said)
    print(f"{len(items)} items, {dict(verdicts)}, {extracted} extracted, {desk.calls} calls, {seconds:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
