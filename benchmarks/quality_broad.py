"""Chooses how "broad" ranks on one half of a set's queries and measures it on the other, and the reverse.

    python benchmarks/quality_broad.py --data FOLDER [--set cranfield] [--cache FOLDER]

FOLDER as in quality_ir.py, as are the measures. The choices: how many hits lend their words and vectors, whether the
first of them lend more vector, whether ranks or scores are fused, and how much of its score a passage has from its
neighbours. What was chosen on a half is not fitted to the other; what is then taken is the best of all queries.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import ir_measures
from bench_specialists import open_runtime
from ir_measures import nDCG
from quality_ir import Set, filled, once, read_set

from nonet.graphs.broadening import expanded, moved
from nonet.graphs.embedding import Embedder, embed_pending
from nonet.specialists.ranking import fused_scores, spread, summed_scores
from nonet.store import Filter, Hit, Store

Choice = tuple[int, str, str, float]
"""Hits that lend, how their vectors count, what is fused, the neighbours' share."""
Run = dict[str, dict[str, float]]

LENDING = (3, 5, 8)
VECTORS = ("alike", "by rank")
FUSED = ("ranks", "scores")
SHARES = (0.4, 0.5, 0.6, 0.7, 0.8)
FIRST_DEPTH, DEPTH, SHARING = 50, 100, 50
RRF_K = 10


def fuse(by: str, *rankings: Sequence[Hit]) -> list[tuple[int, float]]:
    if by == "ranks":
        return fused_scores([[hit.seq for hit in ranking[:FIRST_DEPTH]] for ranking in rankings], k=RRF_K)
    return summed_scores([[(hit.seq, max(0.0, hit.score)) for hit in ranking] for ranking in rankings], DEPTH)


def lent(store: Store, vector: Sequence[float], hits: Sequence[Hit], how: str) -> Sequence[float]:
    if how == "by rank":
        return moved(store, vector, hits)
    middle = store.vectors.middle(dict.fromkeys((hit.seq for hit in hits), 1.0))
    assert middle is not None
    return [0.6 * own + 0.4 * theirs for own, theirs in zip(vector, middle, strict=True)]


def rankings(store: Store, space: str, query: str, vector: Sequence[float]) -> Mapping[Choice, list[str]]:
    """The documents, best first, by choice."""
    words = store.documents.search(query, FIRST_DEPTH)
    vectors = store.vectors.nearest(space, vector, FIRST_DEPTH)
    hits = {hit.seq: hit for hit in (*words, *vectors)}
    first = [hits[seq] for seq, _ in fuse("ranks", words, vectors)]
    found: dict[Choice, list[str]] = {}
    for lending in LENDING:
        by_words = store.documents.search(expanded(store, query, first[:lending]), DEPTH)
        for how in VECTORS:
            by_vectors = store.vectors.nearest(space, lent(store, vector, first[:lending], how), DEPTH)
            hits = {hit.seq: hit for hit in (*by_words, *by_vectors)}
            for by in FUSED:
                order = fuse(by, by_words, by_vectors)[:SHARING]
                alike = store.vectors.alike([seq for seq, _ in order])
                for share in SHARES:
                    scores = spread([score for _, score in order], alike, share)
                    best = sorted(zip(order, scores, strict=True), key=lambda entry: -entry[1])
                    found[lending, how, by, share] = once([hits[seq].document for (seq, _), _ in best])
    return found


async def gains(data: Set, model: str, options: argparse.Namespace) -> dict[Choice, list[float]]:
    """nDCG@10 of each query, by choice."""
    runtime = open_runtime(options)
    runs: dict[Choice, Run] = {choice: {} for choice in itertools.product(LENDING, VECTORS, FUSED, SHARES)}
    with filled(data, options.cache, options.set) as store:

        async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
            return (await runtime.embed(model, texts)).vectors

        try:
            await embed_pending(store, Embedder(model, embed), Filter())
            for key, query in data.queries.items():
                [vector] = await embed([query])
                for choice, names in rankings(store, model, query, vector).items():
                    runs[choice][key] = {name: 1.0 / (1 + rank) for rank, name in enumerate(names)}
        finally:
            await runtime.aclose()
    found: dict[Choice, list[float]] = {}
    for choice, run in runs.items():
        values = {metric.query_id: metric.value for metric in ir_measures.iter_calc([nDCG @ 10], data.qrels, run)}
        found[choice] = [values[key] for key in data.queries]
    return found


def mean(values: Sequence[float], places: Sequence[int]) -> float:
    return sum(values[place] for place in places) / len(places)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", default="cranfield")
    parser.add_argument("--runtime", choices=("embedded", "ollama", "scripted"), default="embedded")
    parser.add_argument("--embed-model", default="all-minilm:l6-v2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps the store there")
    options = parser.parse_args()
    found = await gains(read_set(options.data, options.set, None), options.embed_model, options)
    every = range(len(next(iter(found.values()))))
    even, odd = every[::2], every[1::2]
    total = 0.0
    for name, chosen_on, measured_on in (("even", even, odd), ("odd", odd, even)):
        best = max(found, key=lambda choice, places=chosen_on: mean(found[choice], places))  # type: ignore[misc]
        value = mean(found[best], measured_on)
        total += value * len(measured_on)
        print(f"chosen on the {name} queries: {best}  there {mean(found[best], chosen_on):.3f}, elsewhere {value:.3f}")
    print(f"cross-validated: {total / len(every):.3f} of {len(found)} choices, {len(every)} queries")
    for choice in sorted(found, key=lambda choice: -mean(found[choice], every)):
        print(f"  {mean(found[choice], every):.3f}  {choice}")


if __name__ == "__main__":
    asyncio.run(main())
