"""How often retrieval answers rightly, wrongly or not at all, with the passages that hold the answer and without them.

    python benchmarks/quality_answers.py --model qwen2.5-coder:0.5b --set musique hotpotqa --cache answers
    python benchmarks/quality_answers.py --model qwen2.5-coder:0.5b --set hotpotqa --without-gold --cache answers

Each question is asked of its own ten (HotpotQA) or twenty (MuSiQue) passages, found as in a run: by words and vectors.
Of MuSiQue the single steps are asked, earlier answers filled in: what a plan hands down. With --without-gold each is
asked of its own passages but those that hold the answer: then "I did not find it" is the right answer. An answer is
right if a gold answer stands in it, as SQuAD compares. PubMedQA's questions are asked of their own abstract and nine
others; of yes, no and maybe an answer has to say the right one and no other. --alone puts all the passages into one
prompt of the model instead, as `nonet eval --arms raw` does. With --cache, every answer and vector is kept by what was
asked, so that other rules are tried without a model.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench_specialists import BenchDesk, open_collection, read_lines

from nonet.errors import CallError
from nonet.eval.grading import holds
from nonet.graphs.embedding import Embedder, Vectors
from nonet.runtimes import ChatRequest, ChatResponse, Finish, Message, OnText, Usage
from nonet.runtimes.embedded import EmbeddedRuntime
from nonet.specialists import Assignment, Outcome, Verdict
from nonet.specialists.retrieval import RetrievalSpecialist

DATA = Path(__file__).parent / "data"
EMBEDDER = "all-minilm:l6-v2"
ALONE_TOKENS = 512


@dataclass(frozen=True)
class Item:
    question: str
    answers: tuple[str, ...]
    gold: frozenset[str]
    """Names of the documents that are needed."""
    candidates: tuple[str, ...]
    kind: str
    in_tasks: bool
    """It is part of a whole task of the composite set, too."""


@dataclass
class KeptDesk(BenchDesk):
    """Asks the runtime only what the folder does not have."""

    cache: Path | None = None
    tokens: int = 0
    spoken: list[tuple[str, str]] = field(default_factory=list)

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
        path = self.cache / f"{_key(request)}.json" if self.cache else None
        response = read_kept(path) if path else None
        if response is None:
            response = await self.runtime.chat(request)
            if path is not None:
                path.write_text(json.dumps(asdict(response)), "utf-8")
        self.calls += 1
        self.tokens += response.usage.prompt_tokens + response.usage.completion_tokens
        self.spoken.append((messages[-1].content, response.text))
        return response

    async def embed(self, texts: Sequence[str]) -> Vectors | None:
        assert self.cache is not None
        vectors: list[tuple[float, ...]] = []
        for text in texts:
            path = self.cache / f"v{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
            if not path.exists():
                [vector] = (await self.runtime.embed(EMBEDDER, [text])).vectors
                path.write_text(json.dumps(vector), "utf-8")
            vectors.append(tuple(json.loads(path.read_text("utf-8"))))
        return tuple(vectors)


def read_kept(path: Path) -> ChatResponse | None:
    if not path.exists():
        return None
    kept = json.loads(path.read_text("utf-8"))
    usage = Usage(kept["usage"]["prompt_tokens"], kept["usage"]["completion_tokens"], kept["usage"]["seconds"])
    return ChatResponse(kept["text"], kept["model"], Finish(kept["finish"]), usage)


def _key(request: ChatRequest) -> str:
    said = [[message.role, message.content] for message in request.messages]
    seed = request.seed if request.temperature else 0
    options = [request.model, request.schema, request.temperature, seed, request.max_completion_tokens]
    return hashlib.sha256(json.dumps([said, options]).encode()).hexdigest()[:24]


def read_set(name: str, *, held_back: bool) -> tuple[list[Item], dict[str, str]]:
    """The questions of a set, and its texts by title."""
    texts: dict[str, str] = {}
    titles: dict[str, str] = {}
    for row in read_lines(DATA / f"{name}.docs.jsonl"):
        named = row.get("title", row["doc_id"])
        title = named if named not in texts else f"{named} ({row['doc_id']})"
        texts[title] = row.get("text") or "".join(row["sentences"])
        titles[row["doc_id"]] = title
    if name == "pubmedqa":
        return _studies(list(titles)), texts
    checks = [check for task in read_lines(DATA / "composite.dev.jsonl") for check in task["checks"]]
    tasks = {frozenset(check["gold_doc_ids"]) for check in checks if check.get("collection") == name}
    items: list[Item] = []
    for row in read_lines(DATA / f"{name}.dev.jsonl"):
        candidates = tuple(titles[each] for each in row["candidate_doc_ids"])
        used = frozenset(row["gold_doc_ids"]) in tasks
        if held_back and used:
            continue
        if "decomposition" not in row:
            answers = (row["answer"], *row.get("answer_aliases", ()))
            gold = frozenset(titles[each] for each in row["gold_doc_ids"])
            items.append(Item(row["question"], answers, gold, candidates, row.get("type", ""), used))
            continue
        known = {step["step"]: step["answer"] for step in row["decomposition"]}
        for step in row["decomposition"]:
            question = step["question"]
            for number, answer in known.items():
                question = question.replace(f"#{number}", answer)
            if "?" in question:  # the others are fragments
                gold = frozenset([titles[step["doc_id"]]])
                asked = question.replace(" ?", "?")
                items.append(Item(asked, (step["answer"],), gold, candidates, "step", used))
    return items, texts


def _studies(ids: Sequence[str]) -> list[Item]:
    """Yes, no or maybe: each asked of its own abstract and the nine that follow it in the file."""
    items: list[Item] = []
    for row in read_lines(DATA / "pubmedqa.dev.jsonl"):
        at = ids.index(row["id"])
        candidates = tuple(ids[(at + step) % len(ids)] for step in range(10))
        items.append(Item(row["question"], (row["answer"],), frozenset([row["id"]]), candidates, "yes or no", False))
    return items


async def ask(item: Item, documents: Mapping[str, str], desk: KeptDesk) -> Outcome:
    """The specialist's answer, from the documents in a store of their own."""
    with tempfile.TemporaryDirectory() as folder:
        searcher = open_collection(documents, Path(folder))
        searcher.embedder = Embedder(EMBEDDER, desk.embed)
        desk.searcher = searcher
        try:
            return await RetrievalSpecialist().work(Assignment(item.question), desk)
        finally:
            searcher.store.close()


async def ask_alone(item: Item, documents: Mapping[str, str], desk: KeptDesk) -> Outcome:
    shown = "".join(f"{name}:\n{text}\n\n" for name, text in documents.items())
    try:
        prompt = [Message("user", shown + item.question)]
        response = await desk.chat(prompt, max_completion_tokens=ALONE_TOKENS)
    except CallError:  # they do not fit the window: `nonet eval` leaves them out as well
        response = await desk.chat([Message("user", item.question)], max_completion_tokens=ALONE_TOKENS)
    return Outcome(response.text, Verdict.UNVERIFIED)


def result_of(item: Item, outcome: Outcome) -> str:
    if outcome.data.get("found") is False:
        return "not found"
    if item.kind == "yes or no":
        said = [word for word in ("yes", "no", "maybe") if holds(outcome.text, word)]
        return "right" if said == list(item.answers) else "wrong"
    return "right" if any(holds(outcome.text, answer) for answer in item.answers) else "wrong"


def report(name: str, rows: Sequence[dict[str, Any]], desk: KeptDesk) -> None:
    count = Counter(row["result"] for row in rows)
    verified = [row["result"] for row in rows if row["verdict"] == "verified"]
    print(
        f"{name}, {len(rows)}: {count['right']} right, {count['wrong']} wrong, {count['not found']} not found; "
        f"{len(verified)} verified, {verified.count('right')} of them right; "
        f"the answer is in what was shown of {sum(row['shown'] for row in rows)}; "
        f"{desk.calls / len(rows):.2f} calls, {desk.tokens / len(rows):.0f} tokens a question"
    )


async def measure(name: str, options: argparse.Namespace, runtime: EmbeddedRuntime) -> list[dict[str, Any]]:
    items, texts = read_set(name, held_back=options.held_back)
    desk = KeptDesk(runtime, options.model, options.window, cache=options.cache)
    rows: list[dict[str, Any]] = []
    for item in items[: options.limit or None]:
        names = [each for each in item.candidates if not (options.without_gold and each in item.gold)]
        desk.spoken.clear()
        way = ask_alone if options.alone else ask
        outcome = await way(item, {each: texts[each] for each in names}, desk)
        evidence = [f"{each.kind} {each.passed}: {each.detail}" for each in outcome.evidence]
        row = {"set": name, "question": item.question, "kind": item.kind, "answers": item.answers}
        row |= {"in_tasks": item.in_tasks, "result": result_of(item, outcome), "verdict": str(outcome.verdict)}
        row |= {"text": outcome.text, "quotes": [each.quote for each in outcome.citations], "evidence": evidence}
        row["said"] = [text for _, text in desk.spoken]
        shown = desk.spoken[0][0].rpartition("Question: ")[0] if desk.spoken else ""
        row["shown"] = any(holds(shown, answer) for answer in item.answers)
        if options.verbose:
            print(f"{row['result']:9} {row['verdict']:10} {item.question} | {item.answers[0]} | {outcome.text}")
            print(f"    said {row['said']}; {'; '.join(evidence)}", flush=True)
        rows.append(row)
    report(f"{name}{' without gold' if options.without_gold else ''}", rows, desk)
    return rows


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument(
        "--set", nargs="+", choices=("hotpotqa", "musique", "pubmedqa"), default=["musique", "hotpotqa"]
    )
    parser.add_argument("--without-gold", action="store_true")
    parser.add_argument("--alone", action="store_true", help="the model alone, with all the passages in its prompt")
    parser.add_argument("--held-back", action="store_true", help="only what is in no whole task of the composite set")
    parser.add_argument("--cache", type=Path, help="a folder for answers and vectors")
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="questions of each set; 0: all")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--json", type=Path, help="write every answer with its grades to this file")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        options.cache = options.cache or Path(folder)
        options.cache.mkdir(parents=True, exist_ok=True)
        runtime = EmbeddedRuntime(context_tokens=options.window, threads=options.threads)
        try:
            rows = [row for name in options.set for row in await measure(name, options, runtime)]
        finally:
            await runtime.aclose()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
