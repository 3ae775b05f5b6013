"""How fast documents are taken in, beside the floors in the same run.

    python benchmarks/ingestion.py [--megabytes 8] [--reps 3]

The same words as many small text files, one large one, Markdown, HTML and source code; added to a fresh store by
words. Floors: reading the files and decoding them; and what a full-text search cannot do without: the text cut into
pieces of 1,200 characters, put into a bare SQLite table with an FTS5 index beside it, in one transaction with
synchronous=FULL. CPU of this process and of those it starts (HTML is parsed in one of its own); medians. "again" adds
the same folder once more: nothing has changed, so nothing is read.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nonet.graphs.documents import add_documents
from nonet.store import Store

SMALL_CHARS = 8_000
PIECE_CHARS = 1_200


def prose(characters: int, draw: random.Random, words: list[str]) -> str:
    """Sentences of words by Zipf's law, as language has them."""
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    picked = draw.choices(words, weights, k=characters // 5)
    lines = [" ".join(picked[at : at + 12]).capitalize() + "." for at in range(0, len(picked), 12)]
    return "\n\n".join(" ".join(lines[at : at + 6]) for at in range(0, len(lines), 6))[:characters]


def as_markdown(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(f"## Part {n}\n\n{each}" if n % 4 == 0 else each for n, each in enumerate(paragraphs))


def as_html(text: str) -> str:
    paragraphs = "".join(f"<p>{each}</p>\n" for each in text.split("\n\n"))
    return f"<!doctype html><html><head><title>A page</title></head><body><h1>A page</h1>{paragraphs}</body></html>"


def as_code(text: str) -> str:
    parts = text.split("\n\n")
    return "\n\n\n".join(
        f'def part_{n}(value):\n    """{each}"""\n    return value + {n}' for n, each in enumerate(parts)
    )


def write_corpora(folder: Path, megabytes: float) -> dict[str, Path]:
    draw = random.Random(7)
    words = ["".join(draw.choices("aeioubcdlmnrst", k=draw.randint(2, 10))) for _ in range(20_000)]
    small = [prose(SMALL_CHARS, draw, words) for _ in range(int(megabytes * 1e6 / SMALL_CHARS))]
    kinds: dict[str, tuple[str, Callable[[str], str]]] = {
        "text": ("txt", str),
        "Markdown": ("md", as_markdown),
        "source code": ("py", as_code),
        "HTML": ("html", as_html),
    }
    places = {}
    for kind, (suffix, form) in kinds.items():
        place = places[kind] = folder / kind
        place.mkdir()
        texts = small if kind == "text" else small[: max(1, len(small) // 4)]
        for number, text in enumerate(texts):
            (place / f"{number:05}.{suffix}").write_text(form(text), encoding="utf-8")
    place = places["text, one file"] = folder / "large"
    place.mkdir()
    (place / "large.txt").write_text("\n\n".join(small), encoding="utf-8")
    return places


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def read_all(place: Path) -> None:
    for path in sorted(place.iterdir()):
        path.read_text(encoding="utf-8")


def bare(place: Path, database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "pragma journal_mode=wal; pragma synchronous=full; create table pieces(body text);"
            "create virtual table words using fts5(body, content='pieces')"
        )
        for path in sorted(place.iterdir()):
            text = path.read_text(encoding="utf-8")
            for at in range(0, len(text), PIECE_CHARS):
                piece = text[at : at + PIECE_CHARS]
                row = connection.execute("insert into pieces values(?)", (piece,)).lastrowid
                connection.execute("insert into words(rowid, body) values(?, ?)", (row, piece))


def measure(place: Path, folder: Path, number: int) -> dict[str, tuple[float, float]]:
    found = {"read": timed(lambda: read_all(place))}
    found["bare"] = timed(lambda: bare(place, folder / f"bare-{number}.db"))
    with Store.open(folder / f"nonet-{number}.db") as store:
        found["nonet"] = timed(lambda: add_documents(store, [place]))
        found["again"] = timed(lambda: add_documents(store, [place]))
        assert store.documents.list(), "something was added"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=8.0)
    parser.add_argument("--reps", type=int, default=3)
    options = parser.parse_args()
    print(
        "| documents | files | MB | nonet, MB/s | CPU ms a MB | x reading (CPU) | x bare SQLite (CPU) | x bare (wall) "
        "| again, ms a file |"
    )
    print("|---|" + "---:|" * 8)
    with tempfile.TemporaryDirectory(prefix="nonet-ingestion-") as name:
        folder = Path(name)
        for kind, place in write_corpora(folder, options.megabytes).items():
            rows = [measure(place, folder, number) for number in range(options.reps)]
            for old in folder.glob("*.db*"):
                old.unlink()
            wall, cpu = ({of: statistics.median(row[of][at] for row in rows) for of in rows[0]} for at in (0, 1))
            files = list(place.iterdir())
            size = sum(path.stat().st_size for path in files) / 1e6
            print(
                f"| {kind} | {len(files):,} | {size:.1f} | {size / wall['nonet']:.1f} "
                f"| {cpu['nonet'] / size * 1e3:.0f} | {cpu['nonet'] / cpu['read']:.0f} "
                f"| {cpu['nonet'] / cpu['bare']:.2f} | {wall['nonet'] / wall['bare']:.2f} "
                f"| {wall['again'] / len(files) * 1e3:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
