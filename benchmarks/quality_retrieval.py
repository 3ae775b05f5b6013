"""How often retrieval's answers are right, and how often one that it calls verified is wrong.

    python benchmarks/quality_retrieval.py --data musique.jsonl --docs musique.docs.jsonl --model qwen.gguf --limit 20

Reads questions as {question, answer, answer_aliases} and documents as {doc_id, title, text | sentences} (HotpotQA,
MuSiQue). With --steps, MuSiQue's single-hop questions are asked, earlier answers filled in: what a plan hands down.
An answer is right if a gold answer stands in it, word for word, without case and articles; "exact" if it is nothing
else. Beside the specialist: how often the best sentence (no model) and the passages shown hold the answer. With
--without-gold each question is asked of all documents but its own: then "I did not find it" is the right answer, and
the share of it is printed (in the other mode, the share that is wrongly said).
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_specialists import BenchDesk, add_options, open_collection, open_runtime, read_lines

from nonet.eval.grading import holds as stands_in
from nonet.eval.grading import plain
from nonet.specialists import Assignment, Outcome
from nonet.specialists.ranking import rank_sentences
from nonet.specialists.retrieval import RetrievalSpecialist


@dataclass(frozen=True)
class Item:
    question: str
    answers: tuple[str, ...]
    gold: frozenset[str]
    """Ids of the documents that hold the answer."""


def read_items(path: Path, *, steps: bool) -> list[Item]:
    items: dict[str, Item] = {}
    for row in read_lines(path):
        if not steps:
            gold = frozenset(row["gold_doc_ids"])
            item = Item(row["question"], (row["answer"], *row.get("answer_aliases", [])), gold)
            items[item.question] = item
            continue
        known = {step["step"]: step["answer"] for step in row["decomposition"]}
        for step in row["decomposition"]:
            question = step["question"]
            for number, answer in known.items():
                question = question.replace(f"#{number}", answer)
            if "?" in question:
                asked = Item(question.replace(" ?", "?"), (step["answer"],), frozenset([step["doc_id"]]))
                items.setdefault(question, asked)
    return list(items.values())


def read_documents(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Texts by name, and names by id."""
    documents: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in read_lines(path):
        name = row["title"] if row["title"] not in documents else f"{row['title']} ({row['doc_id']})"
        documents[name] = row.get("text") or "".join(row["sentences"])
        names[row["doc_id"]] = name
    return documents, names


def holds(text: str, item: Item) -> bool:
    return any(stands_in(text, answer) for answer in item.answers)


async def best_sentence(item: Item, desk: BenchDesk) -> str:
    assert desk.searcher is not None
    passages = list(await desk.searcher.search(item.question, 8))
    ranked = sorted(rank_sentences(item.question, passages), key=lambda sentence: -sentence.lexical)
    return ranked[0].text if ranked else ""


def report(items: Sequence[Item], outcomes: Sequence[Outcome], extracts: Sequence[str]) -> None:
    table = Counter(
        (str(outcome.verdict), holds(outcome.text, item)) for item, outcome in zip(items, outcomes, strict=True)
    )
    number = len(items)
    right = sum(count for (_, ok), count in table.items() if ok)
    pairs = list(zip(items, outcomes, strict=True))
    exact = sum(plain(outcome.text) in {plain(answer) for answer in item.answers} for item, outcome in pairs)
    quoted = sum(holds(" ".join(citation.quote for citation in outcome.citations), item) for item, outcome in pairs)
    extract = sum(holds(text, item) for text, item in zip(extracts, items, strict=True))
    print(f"right {right / number:.2f} of {number}, exact {exact / number:.2f}, in the quotes {quoted / number:.2f}")
    print(f"best sentence, no model: {extract / number:.2f}")
    absent = sum(outcome.data.get("found") is False for outcome in outcomes)
    print(f"not in the documents: {absent / number:.2f}")
    for verdict in ("verified", "unverified", "failed"):
        good, bad = table[verdict, True], table[verdict, False]
        print(f"{verdict:10} {good + bad:3}: {good} right, {bad} wrong")


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path, required=True)
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--without-gold", action="store_true")
    add_options(parser)
    options = parser.parse_args()
    items = read_items(options.data, steps=options.steps)[: options.limit]
    runtime = open_runtime(options)
    outcomes: list[Outcome] = []
    extracts: list[str] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        documents, names = read_documents(options.docs)
        searcher = open_collection(documents, Path(folder))
        desk = BenchDesk(runtime, options.model, options.window, searcher, options.embed_model)
        try:
            for item in items:
                if options.without_gold:
                    banned = {names[each] for each in item.gold}
                    searcher.documents = tuple(name for name in documents if name not in banned)
                outcomes.append(await RetrievalSpecialist().work(Assignment(item.question), desk))
                extracts.append(await best_sentence(item, desk))
                if options.verbose:
                    ok = "right" if holds(outcomes[-1].text, item) else "wrong"
                    print(f"{ok} {outcomes[-1].verdict:10} {item.question} | {item.answers[0]} | {outcomes[-1].text}")
                    print(f"    {'; '.join(check.detail for check in outcomes[-1].evidence)}", flush=True)
        finally:
            await runtime.aclose()
            searcher.store.close()
    report(items, outcomes, extracts)
    seconds = time.monotonic() - started
    print(
        f"{desk.calls} calls, {desk.usage.prompt_tokens / max(1, desk.calls):.0f} prompt tokens each, {seconds:.0f} s"
    )


if __name__ == "__main__":
    asyncio.run(main())
