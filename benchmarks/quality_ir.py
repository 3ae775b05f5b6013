"""Ranking: nDCG@10, recall at 5 and 10, and how often all passages that a question needs are among the first five.

    python benchmarks/quality_ir.py --data FOLDER [--sets cranfield hotpotqa musique] [--no-vectors] [--limit N]
    python benchmarks/quality_ir.py --data FOLDER --rerank MODEL --cache FOLDER [--sets hotpotqa] [--limit N]

FOLDER holds SET.docs.jsonl ({doc_id, title, text | sentences}) and SET.dev.jsonl ({query | question, qrels |
gold_doc_ids}); the set "musique-steps" is the single steps of MuSiQue's questions. The documents go into a fresh store
as `nonet docs add` and `nonet docs embed` put them there, under their titles; every method searches that store. "broad"
is `nonet docs search --broad`; "followed" searches on with the names that the first passages mention, whatever the
question; "asked" is what the retrieval specialist does: it follows only where its first passages leave the question
open (how often, is told), and weighs 12 passages instead of 30; "reranked" is `nonet docs search --rerank MODEL`. With
--cache the stores stay, with their vectors and what the model said, so that a run that was stopped goes on.
Measures by ir_measures (trec_eval); no parameter is set per data set.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
from bench_specialists import open_runtime, read_lines
from ir_measures import R, nDCG
from quality_retrieval import read_items

from nonet.graphs.embedding import Embedder, embed_pending
from nonet.graphs.reranking import Reranker
from nonet.graphs.response_cache import StoreCache
from nonet.graphs.searching import StoreSearcher, find, find_reranked
from nonet.runtimes import ChatRequest, ChatResponse, Runtime
from nonet.runtimes.once import Once
from nonet.specialists.budget import split_chars
from nonet.specialists.hopping import follow, is_open, seek
from nonet.specialists.ingest import CHUNK_CHARS, CHUNK_OVERLAP_CHARS
from nonet.store import Filter, NewDocument, Store

STEPS = "-steps"
DEPTH = 30
CANDIDATES = 12
"""Of the retrieval specialist."""
Search = Callable[[str], Awaitable[Sequence[str]]]
"""From a query to names of documents, best first, each once."""


@dataclass
class Set:
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    """By query, gains by the document's name."""
    documents: dict[str, str]


def read_set(folder: Path, name: str, limit: int | None) -> Set:
    documents: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in read_lines(folder / f"{name.removesuffix(STEPS)}.docs.jsonl"):
        title = row["title"].replace("/", " ").strip() or row["doc_id"]
        names[row["doc_id"]] = title if title not in documents else f"{title} ({row['doc_id']})"
        documents[names[row["doc_id"]]] = row["text"] if "text" in row else "".join(row["sentences"])
    path = folder / f"{name.removesuffix(STEPS)}.dev.jsonl"
    if name.endswith(STEPS):
        items = read_items(path, steps=True)
        rows = [{"id": str(at), "query": each.question, "gold_doc_ids": each.gold} for at, each in enumerate(items)]
    else:
        rows = read_lines(path)
    rows = rows[:limit]
    gains = [row.get("qrels") or dict.fromkeys(row.get("gold_doc_ids", ()), 1) for row in rows]
    return Set(
        {row["id"]: row.get("query") or row["question"] for row in rows},
        {
            row["id"]: {names[doc]: gain for doc, gain in each.items() if doc in names}
            for row, each in zip(rows, gains, strict=True)
        },
        documents,
    )


@contextmanager
def filled(data: Set, cache: Path | None, name: str) -> Iterator[Store]:
    """A store with the documents; one that was filled before where there is a cache."""
    with tempfile.TemporaryDirectory() as folder, Store.open((cache or Path(folder)) / f"{name}.db") as store:
        if not store.documents.list():
            fill(store, data.documents)
        yield store


def fill(store: Store, documents: dict[str, str]) -> None:
    store.documents.add_many(
        [
            NewDocument(name, text, chunks=split_chars(text, CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS))
            for name, text in documents.items()
        ]
    )


def once(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def methods(store: Store, embedder: Embedder | None, reranker: Reranker | None, rounds: int = 1) -> dict[str, Search]:
    async def words(query: str) -> Sequence[str]:
        return once([hit.document for hit in store.documents.search(query, DEPTH)])

    async def vectors(query: str) -> Sequence[str]:
        made = await embedder.embed([query]) if embedder else None
        assert embedder is not None
        assert made
        return once([hit.document for hit in store.vectors.nearest(embedder.space, made[0], DEPTH)])

    async def fused(query: str, *, broad: bool = False) -> Sequence[str]:
        found = await find(store, query, DEPTH, Filter(), embedder, broad=broad)
        return once([hit.document for hit in found.hits])

    async def broad(query: str) -> Sequence[str]:
        return await fused(query, broad=True)

    async def followed(query: str) -> Sequence[str]:
        searcher = StoreSearcher(store, embedder=embedder)
        first = await searcher.search(query, DEPTH)
        return once([passage.document for passage in await follow(query, first, searcher, DEPTH, rounds=rounds)])

    async def asked(query: str) -> Sequence[str]:
        searcher = StoreSearcher(store, embedder=embedder)
        return once([passage.document for passage in await seek(query, searcher, CANDIDATES)])

    async def judged(query: str) -> Sequence[str]:
        assert reranker is not None
        found = await find_reranked(store, query, DEPTH, Filter(), embedder, reranker=reranker)
        return once([hit.document for hit in found.hits])

    if reranker is not None:
        return {"fused" if embedder else "words": fused if embedder else words, "reranked": judged}
    with_vectors: dict[str, Search] = {"vectors": vectors, "fused": fused, "broad": broad}
    return {"words": words, **(with_vectors if embedder else {}), "followed": followed, "asked": asked}


async def measure(search: Search, data: Set, show_every: int = 0) -> tuple[dict[str, float], float]:
    """The measures, and the milliseconds of CPU a query."""
    run: dict[str, dict[str, float]] = {}
    started = time.process_time()
    for number, (key, query) in enumerate(data.queries.items(), start=1):
        run[key] = {name: 1.0 / (1 + rank) for rank, name in enumerate(await search(query))}
        if show_every and number % show_every == 0:
            print(f"    after {number}: {figures(means_of(run, data))}", flush=True)
    return means_of(run, data), (time.process_time() - started) * 1000 / max(1, len(data.queries))


def means_of(run: dict[str, dict[str, float]], data: Set) -> dict[str, float]:
    """Over the queries that were run."""
    wanted = [nDCG @ 10, R @ 2, R @ 5, R @ 10]
    qrels = {key: data.qrels[key] for key in run}
    means: dict[Any, float] = ir_measures.calc_aggregate(wanted, qrels, run)
    complete = [metric.value == 1.0 for metric in ir_measures.iter_calc([R @ 5], qrels, run)]
    return {**{str(key): means[key] for key in wanted}, "all@5": sum(complete) / len(complete)}


def figures(means: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.3f}" for key, value in means.items())


async def reranking(store: Store, runtime: Runtime, model: str) -> Reranker:
    """As `nonet docs search` does it, with the store's cache."""
    versions = {each.name: each.version for each in await runtime.models()}
    once_each = Once(versions, StoreCache(store, 64_000_000))

    async def chat(request: ChatRequest) -> ChatResponse:
        key = once_each.key(request)
        assert key is not None
        return await once_each.answer(key, lambda: runtime.chat(request), None)

    return Reranker(model, chat)


async def report(name: str, data: Set, runtime: Runtime | None, options: argparse.Namespace) -> None:
    print(f"\n{name}: {len(data.queries)} queries, {len(data.documents):,} documents", flush=True)
    model = options.embed_model
    with filled(data, options.cache, name.removesuffix(STEPS)) as store:
        embedder = None
        if runtime is not None:

            async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
                assert runtime is not None
                return (await runtime.embed(model, texts)).vectors

            embedder = Embedder(model, embed)
            await embed_pending(store, embedder, Filter())
        reranker = await reranking(store, runtime, options.rerank) if runtime is not None and options.rerank else None
        for method, search in methods(store, embedder, reranker, options.rounds).items():
            means, cost = await measure(search, data, show_every=5 if method == "reranked" else 0)
            print(f"  {method:9} {figures(means)}  {cost:5.0f} ms CPU a query", flush=True)
        if reranker is None:
            searcher = StoreSearcher(store, embedder=embedder)
            opened = [is_open(query, await searcher.search(query, DEPTH)) for query in data.queries.values()]
            print(f"  {sum(opened) / len(opened):.2f} of the queries are searched further when asked", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["cranfield", "hotpotqa", "musique"])
    parser.add_argument("--runtime", choices=("embedded", "ollama", "scripted"), default="embedded")
    parser.add_argument("--embed-model", default="all-minilm:l6-v2")
    parser.add_argument("--no-vectors", action="store_true", help="words alone")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--rerank", metavar="MODEL", help="a chat model; compares with it and nothing else")
    parser.add_argument("--rounds", type=int, default=1, help='of "followed", at most')
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps the stores there")
    options = parser.parse_args()
    runtime = None if options.no_vectors else open_runtime(options)
    try:
        for name in options.sets:
            await report(name, read_set(options.data, name, options.limit), runtime, options)
    finally:
        if runtime is not None:
            await runtime.aclose()


if __name__ == "__main__":
    asyncio.run(main())
