"""What documents cost: reading them, keeping them, and searching among many.

    python benchmarks/retrieval_scale.py ingest --data FOLDER
    python benchmarks/retrieval_scale.py search --chunks 10000 1000000

"ingest" adds a folder to a fresh store, once as new and once as unchanged, beside the floor in the same run: reading
the same files and hashing them. "search" fills a store with made chunks (words by Zipf's law, vectors of 384 numbers
around topics) and asks the same queries by words, by vectors, fused, and fused among half of them (one of two
collections); recall is that of the vectors found, against
all cosines computed in full.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import quantiles

import numpy as np
import numpy.typing as npt

from nonet.graphs.documents import add_documents
from nonet.graphs.embedding import Embedder
from nonet.graphs.searching import find
from nonet.specialists.ingest import find_documents
from nonet.store import Filter, Hit, NewDocument, Store

DIMENSIONS = 384
CHUNKS_A_DOCUMENT = 100
WORDS_A_CHUNK = 60
VOCABULARY = 50_000
TOPICS = 500
QUERIES = 40
COLLECTIONS = ("one", "two")
Floats = npt.NDArray[np.float32]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def ingest(folder: Path) -> None:
    files = [found.path for found in find_documents([folder]).files]
    size = sum(path.stat().st_size for path in files)

    def floor() -> None:
        for path in files:
            hashlib.sha256(path.read_bytes()).hexdigest()

    with tempfile.TemporaryDirectory() as home, Store.open(Path(home) / "bench.db") as store:
        rows = [
            ("read and hash", *timed(floor)),
            ("docs add, new", *timed(lambda: add_documents(store, [folder]))),
            ("docs add, unchanged", *timed(lambda: add_documents(store, [folder]))),
        ]
        kept = store.vectors.state().chunks
        documents = len(store.documents.list())
    print(f"{len(files):,} files, {size / 1e6:.1f} MB; {documents:,} documents, {kept:,} chunks kept")
    for name, wall, cpu in rows:
        print(f"  {name:20} {size / 1e6 / wall:8.1f} MB/s  {len(files) / wall:8.0f} files/s  {cpu:6.1f} s CPU")


def words_of(chunks: int, seed: int) -> list[str]:
    """A text a chunk: letters drawn so that the commonest word is as common as Zipf's law has it."""
    draw = np.random.default_rng(seed)
    ranks = np.minimum(draw.zipf(1.1, size=(chunks, WORDS_A_CHUNK)), VOCABULARY)
    return [" ".join(f"w{rank}x" for rank in row) for row in ranks.tolist()]


def vectors_of(count: int, seed: int) -> Floats:
    topics = np.random.default_rng(2).standard_normal((TOPICS, DIMENSIONS), dtype=np.float32)
    draw = np.random.default_rng(seed)
    made = topics[draw.integers(TOPICS, size=count)] + 0.9 * draw.standard_normal((count, DIMENSIONS), dtype=np.float32)
    unit: Floats = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


def fill(store: Store, chunks: int) -> Floats:
    step = CHUNKS_A_DOCUMENT * 20
    every = []
    for start in range(0, chunks, step):
        texts = words_of(step, seed=start)
        documents = []
        for at in range(0, step, CHUNKS_A_DOCUMENT):
            part = texts[at : at + CHUNKS_A_DOCUMENT]
            ends = np.cumsum([len(text) + 1 for text in part]).tolist()
            spans = list(zip([0, *ends[:-1]], ends, strict=True))
            number = (start + at) // CHUNKS_A_DOCUMENT
            project = COLLECTIONS[number % len(COLLECTIONS)]
            text = "\n".join(part) + "\n"
            documents.append(NewDocument(f"d{number}", text, chunks=spans, collection=project))
        store.documents.add_many(documents)
        vectors = vectors_of(step, seed=10 + start)
        pending = range(start + 1, start + step + 1)  # chunks of a fresh store are numbered from 1
        store.vectors.put("made", list(zip(pending, vectors.tolist(), strict=True)))
        every.append(vectors)
    store.vectors.tidy()
    return np.concatenate(every)


def report(name: str, milliseconds: Sequence[float], cpu: float, more: str = "") -> None:
    parts = quantiles(milliseconds, n=20)
    middle, high = parts[9], parts[18]
    print(
        f"  {name:10} p50 {middle:7.1f} ms  p95 {high:7.1f} ms  {cpu / len(milliseconds):7.1f} ms CPU{more}", flush=True
    )


async def search(chunks: int) -> None:
    draw = random.Random(3)
    with tempfile.TemporaryDirectory() as home, Store.open(Path(home) / "bench.db") as store:
        kept: list[Floats] = []
        wall, cpu = timed(lambda: kept.append(fill(store, chunks)))
        [vectors] = kept
        print(f"\n{len(vectors):,} chunks, kept in {wall:.0f} s ({cpu:.0f} s CPU), engine {store.vectors.engine()}")
        sizes(Path(home) / "bench.db", len(vectors))
        queries = [" ".join(f"w{draw.randint(20, 5000)}x" for _ in range(6)) for _ in range(QUERIES)]
        asked = vectors_of(QUERIES, seed=4)
        made = dict(zip(queries, asked.tolist(), strict=True))

        async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
            return tuple(tuple(made[text]) for text in texts)

        embedder = Embedder("made", embed)
        times: dict[str, list[float]] = {"words": [], "vectors": [], "fused": [], "filtered": []}
        spent = dict.fromkeys(times, 0.0)
        right = 0
        found: list[Hit] = []
        for query, vector in zip(queries, asked, strict=True):
            best = set((np.argpartition(-(vectors @ vector), 10)[:10] + 1).tolist())
            found.clear()
            for name, work in (
                ("words", lambda query=query: store.documents.search(query, 10)),
                ("vectors", lambda query=query: found.extend(store.vectors.nearest("made", made[query], 10))),
            ):
                wall, cpu = timed(work)
                times[name].append(wall * 1000)
                spent[name] += cpu * 1000
            right += len(best & {hit.seq for hit in found})
            for name, where in (("fused", Filter()), ("filtered", Filter(collection=COLLECTIONS[0]))):
                before, cpu = time.perf_counter(), time.process_time()
                await find(store, query, 10, where, embedder)
                times[name].append((time.perf_counter() - before) * 1000)
                spent[name] += (time.process_time() - cpu) * 1000
        report("words", times["words"], spent["words"])
        report("vectors", times["vectors"], spent["vectors"], f"  recall@10 {right / (10 * QUERIES):.3f}")
        report("fused", times["fused"], spent["fused"])
        ratio = spent["filtered"] / spent["fused"]
        report("filtered", times["filtered"], spent["filtered"], f"  {ratio:.2f} times the CPU of fused")


def sizes(path: Path, chunks: int) -> None:
    """Bytes a chunk of each part, by SQLite's own count of pages."""
    parts = {
        "text": ("texts", "sqlite_autoindex_texts_1"),
        "word index": ("chunk_index%",),
        "vectors": ("vectors", "vector_blocks", "ix_vector_blocks%"),
        "chunks": ("chunks", "sqlite_autoindex_chunks_1"),
    }
    with closing(sqlite3.connect(path)) as connection:
        try:
            found = [(part, sum(pages(connection, name) for name in names)) for part, names in parts.items()]
        except sqlite3.OperationalError:
            return  # SQLite was built without dbstat
    print("  " + ", ".join(f"{part} {size / chunks:,.0f}" for part, size in found) + " bytes a chunk", flush=True)


def pages(connection: sqlite3.Connection, pattern: str) -> float:
    row = connection.execute("SELECT total(pgsize) FROM dbstat WHERE name LIKE ?", (pattern,)).fetchone()
    return float(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("ingest").add_argument("--data", type=Path, required=True)
    what.add_parser("search").add_argument("--chunks", type=int, nargs="+", default=[10_000])
    options = parser.parse_args()
    if options.what == "ingest":
        ingest(options.data)
    else:
        for chunks in options.chunks:
            asyncio.run(search(chunks))


if __name__ == "__main__":
    main()
