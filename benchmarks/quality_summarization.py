"""How good summaries are (ROUGE against references), what they cost, and what their verdicts are worth.

    python benchmarks/quality_summarization.py --data benchmarks/data/qmsum.dev.jsonl --model qwen2.5-coder:0.5b

Reads JSON lines of {source: [sentence...], refs} (SciTLDR), {document, questions: [{q, refs}]} (SQuALITY) or {turns,
general, specific: [{query, answer, relevant_text_span}]} (QMSum). Four arms, each with the mean of the best ROUGE F1
over an item's references (with stemming), the tokens it read and wrote an item, and its calls:

- lead: the first sentence, or as many words as the references have on average;
- extract: the sentences of the text that the specialist falls back to, without a model;
- model alone: one call, with as much of the beginning of the text as fits the same window (how much is said);
- nonet: the specialist.

Then how often nonet gave the extract, and how many items it wins and loses against the extract and the model alone by
ROUGE-2, with the worst losses. Of questions to meetings also how the turns that annotators marked are met: by the
places that the summaries stand on, and by what was read for them. With --floors the human summaries are judged as a
model's would be, against their own text and against another. With --cache answers are kept, so that a run goes on where
it was stopped.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench_specialists import BenchDesk, add_options, open_runtime
from summary_items import Item, Place, read_items

from nonet.errors import IncompleteAnswerError
from nonet.eval.libraries import rouge as rouge_of
from nonet.runtimes import Message
from nonet.specialists import Assignment, Evidence, Outcome, Source
from nonet.specialists.focused import MOST_TOKENS, asks_for_all, choose
from nonet.specialists.material import read_material
from nonet.specialists.summarization import SummarizationSpecialist
from nonet.specialists.summary_calls import Attempt
from nonet.specialists.summary_extract import extracted
from nonet.specialists.support import faithfulness
from nonet.specialists.text import sentences

METRICS = ("rouge1", "rouge2", "rougeL")
ANSWER_TOKENS = 400
CHARS_PER_TOKEN = 4
LEAST_LOSS = 0.05
"""Of ROUGE-2, from which a lost item is named; below it, two summaries are about as good."""
MOST_NAMED = 5


@dataclass(frozen=True)
class Answer:
    """What an arm gave for an item, and what it cost."""

    text: str
    read: float = 1.0
    """Share of the text that went into calls (or that was scored)."""
    calls: int = 0
    prompt_tokens: int = 0
    written_tokens: int = 0
    stands_on: tuple[Place, ...] = ()
    reads: tuple[Place, ...] = ()
    outcome: Outcome | None = None


Arm = Callable[[Item, BenchDesk], Awaitable[Answer]]


async def lead(item: Item, _: BenchDesk) -> Answer:
    if item.words is None:
        return Answer(sentences(item.text)[0].text)
    return Answer(" ".join(item.text.split()[: item.words]))


async def extract(item: Item, desk: BenchDesk) -> Answer:
    """What the specialist falls back to, as it would be given."""
    assignment = _assignment(item)
    attempt = Attempt(read_material(assignment), assignment, desk)
    return _answer(item, await extracted(attempt, Evidence("call", passed=None, detail="no model was asked")))


async def read_only(item: Item, _: BenchDesk) -> Answer:
    """What would be read for a question, by a window that is larger: no model is asked, a token is four characters."""

    async def count(text: str) -> int:
        return len(text) // CHARS_PER_TOKEN

    focus = read_material(_assignment(item)).focus
    spans = None if asks_for_all(item.request) else await choose(item.text, focus, MOST_TOKENS, count)
    reads = ((0, len(item.text)),) if spans is None else tuple(spans)
    return Answer("", sum(end - start for start, end in reads) / len(item.text), reads=reads)


async def alone(item: Item, desk: BenchDesk) -> Answer:
    """The model without nonet: one call, with as many words of the text as its window takes."""
    wish = "in one sentence" if item.words is None else f"in at most {item.words} words"
    words = item.text.split()
    share = 1.0
    while True:
        kept = words[: int(len(words) * share)]
        messages = [Message("user", f"{' '.join(kept)}\n\n{item.request} Answer {wish}.")]
        room = desk.window_tokens - ANSWER_TOKENS - 8
        if (tokens := await desk.count_tokens(messages)) <= room:
            break
        share = min(share * 0.99, share * room / tokens * 0.99)
    try:
        text = (await desk.chat(messages, max_completion_tokens=ANSWER_TOKENS)).text
    except IncompleteAnswerError as error:
        text = error.partial
    return Answer(text, share)


async def nonet(item: Item, desk: BenchDesk) -> Answer:
    return _answer(item, await SummarizationSpecialist().work(_assignment(item), desk))


def _assignment(item: Item) -> Assignment:
    return Assignment(item.asked, (Source("text", item.text),))


def _answer(item: Item, outcome: Outcome) -> Answer:
    found = [(each["start"], each["end"]) for each in outcome.data["coverage"]["sentences"] if each["document"]]
    reads = tuple((start, end) for start, end in outcome.data["read"])
    share = sum(end - start for start, end in reads) / len(item.text)
    return Answer(outcome.text, share, stands_on=tuple(found), reads=reads, outcome=outcome)


ARMS: dict[str, Arm] = {"lead": lead, "extract": extract, "model alone": alone, "nonet": nonet}
WITHOUT_TEXT: dict[str, Arm] = {"reading": read_only}


async def answers(arm: Arm, items: Sequence[Item], desk: BenchDesk) -> list[Answer]:
    given: list[Answer] = []
    for item in items:
        calls, before = desk.calls, desk.usage
        answer = await arm(item, desk)
        cost = (
            desk.usage.prompt_tokens - before.prompt_tokens,
            desk.usage.completion_tokens - before.completion_tokens,
        )
        given.append(
            Answer(answer.text, answer.read, desk.calls - calls, *cost, answer.stands_on, answer.reads, answer.outcome)
        )
    return given


def scores(items: Sequence[Item], given: Sequence[Answer]) -> list[dict[str, float]]:
    return [rouge_of(answer.text, item.references) for item, answer in zip(items, given, strict=True)]


def report_arm(name: str, given: Sequence[Answer], scored: Sequence[dict[str, float]]) -> None:
    means = "  ".join(f"{metric} {100 * mean(score[metric] for score in scored):4.1f}" for metric in METRICS)
    cost = ""
    if any(answer.calls for answer in given):
        read, written = mean(each.prompt_tokens for each in given), mean(each.written_tokens for each in given)
        cost = f"  {read:,.0f} + {written:.0f} tokens, {mean(each.calls for each in given):.1f} calls"
        cost += f", {mean(each.read for each in given):.0%} of the text read"
    print(f"{name:12} {means}  {mean(len(each.text.split()) for each in given):.0f} words{cost}", flush=True)


def report_marked(name: str, items: Sequence[Item], given: Sequence[Answer]) -> None:
    """How the turns that annotators marked are met, in the mean of the items that have some."""
    stood: list[float] = []
    read: list[float] = []
    shares: list[float] = []
    for item, answer in zip(items, given, strict=True):
        if not item.marked:
            continue
        on, reads = item.turns(answer.stands_on), item.turns(answer.reads)
        stood += [len(on & item.marked) / len(on)] if on else []
        read.append(len(reads & item.marked) / len(item.marked))
        shares.append(answer.read)
    if not read:
        return
    stands = f"{mean(stood):.0%} of the turns it stands on are marked, " if stood else ""
    if stood:
        stands += f"{sum(share > 0 for share in stood)} of {len(read)} stand on one that is; "
    print(f"{name:12} {stands}reads {mean(read):.0%} of the marked turns in {mean(shares):.0%} of the text")


def report_against(
    name: str, items: Sequence[Item], ours: Sequence[dict[str, float]], theirs: Sequence[dict[str, float]]
) -> None:
    gains = [one["rouge2"] - other["rouge2"] for one, other in zip(ours, theirs, strict=True)]
    won, lost = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    print(f"nonet against {name}, by ROUGE-2: {won} better, {lost} worse, {len(gains) - won - lost} the same")
    worst = sorted(range(len(gains)), key=lambda at: gains[at])[:MOST_NAMED]
    for at in worst:
        if gains[at] <= -LEAST_LOSS:
            print(f"    {100 * gains[at]:+.0f}: {items[at].text[:50]!r} {items[at].request[:90]}")


def report_verdicts(given: Sequence[Answer], scored: Sequence[dict[str, float]]) -> None:
    outcomes = [answer.outcome for answer in given if answer.outcome is not None]
    stood_in = sum(any(check.kind == "extract" for check in outcome.evidence) for outcome in outcomes)
    verdicts = Counter(str(outcome.verdict) for outcome in outcomes)
    print(f"{len(outcomes)} items, {dict(verdicts)}; the extract was given for {stood_in}")
    verified = [at for at, outcome in enumerate(outcomes) if outcome.verdict == "verified"]
    if verified:
        report_arm("  verified", [given[at] for at in verified], [scored[at] for at in verified])


def print_answers(items: Sequence[Item], given: Sequence[Answer]) -> None:
    for item, answer in zip(items, given, strict=True):
        outcome = answer.outcome
        failed = (
            [f"{check.kind}: {check.detail}" for check in outcome.evidence if check.passed is False] if outcome else []
        )
        print(f"{item.request}\n{outcome and outcome.verdict}: {answer.text}\n    {'; '.join(failed)}")
        print(f"    reference: {item.references[0]}", flush=True)


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


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("all", "even", "odd"), default="all", help="which texts of the file")
    parser.add_argument("--first", type=int, help="of the --limit items, which are spread over the file")
    parser.add_argument("--floors", action="store_true", help="judge the human summaries instead of a model's")
    parser.add_argument("--arms", default=",".join(ARMS), help="which of them, by comma; and reading: of a question")
    parser.add_argument("--cache", type=Path, help="a folder where answers are kept")
    add_options(parser)
    return parser.parse_args()


async def ask(options: argparse.Namespace, items: Sequence[Item]) -> dict[str, list[Answer]]:
    """What each arm gives, told as it comes."""
    given: dict[str, list[Answer]] = {}
    runtime = open_runtime(options)
    try:
        for name in options.arms.split(","):
            desk = BenchDesk(
                runtime, options.model, options.window, embed_model=options.embed_model, cache=options.cache
            )
            given[name] = await answers((ARMS | WITHOUT_TEXT)[name], items, desk)
            if name not in WITHOUT_TEXT:
                report_arm(name, given[name], scores(items, given[name]))
    finally:
        await runtime.aclose()
    return given


async def main() -> None:
    options = read_options()
    every = read_items(options.data, options.part)
    items = every[:: max(1, len(every) // options.limit)][: options.first or options.limit]
    if options.floors:
        report_floors(items)
        return
    if options.cache:
        options.cache.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.data.name} ({options.part}), {len(items)} items, {Path(options.model).name}, {options.window} tokens"
    )
    given = await ask(options, items)
    for name in [name for name in ("extract", "reading", "nonet") if name in given]:
        report_marked(name, items, given[name])
    if "nonet" in given:
        ours = scores(items, given["nonet"])
        report_verdicts(given["nonet"], ours)
        for name in [name for name in ("extract", "model alone") if name in given]:
            report_against(name, items, ours, scores(items, given[name]))
        if options.verbose:
            print_answers(items, given["nonet"])


if __name__ == "__main__":
    asyncio.run(main())
