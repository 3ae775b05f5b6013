"""How fast documents are taken in, beside the floors in the same run.

    python benchmarks/ingestion.py [--megabytes 8] [--reps 3]

The same words as many small text files, one large one, Markdown, HTML, source code, PDF, Word, PowerPoint, Excel,
e-mail and notebooks; added to a fresh store by words. Floors: reading the files and decoding the text that they are
made of; and what a full-text search cannot do without: that text cut into pieces of 1,200 characters, put into a bare
SQLite table with an FTS5 index beside it, in one transaction with synchronous=FULL. Megabytes are of text, so that
formats compare. CPU of this process and of those it starts (most formats are parsed in one of its own); medians.
"again" adds the same folder once more: nothing has changed, so nothing is read.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import json
import random
import resource
import sqlite3
import statistics
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import office_oxide
import pypdfium2
from pypdfium2 import raw

from nonet.graphs.documents import add_documents
from nonet.store import Store

SMALL_CHARS = 8_000
PIECE_CHARS = 1_200
PDF_LINES = 50


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


def as_email(text: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "A letter"
    message.set_content(text)
    return message.as_bytes()


def as_notebook(text: str) -> str:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": [each]} for each in text.split("\n\n")]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def as_pdf(text: str) -> bytes:
    """Pages of 50 lines."""
    document = pypdfium2.PdfDocument.new()
    lines = [line for each in text.split("\n\n") for line in textwrap.wrap(each, 90)]
    for start in range(0, len(lines), PDF_LINES):
        page = document.new_page(612, 792)
        for number, line in enumerate(lines[start : start + PDF_LINES]):
            written = raw.FPDFPageObj_NewTextObj(document, b"Helvetica", 10.0)
            units = (line + "\0").encode("utf-16-le")
            raw.FPDFText_SetText(written, (ctypes.c_ushort * (len(units) // 2)).from_buffer_copy(units))
            raw.FPDFPageObj_Transform(written, 1, 0, 0, 1, 50, 740 - 14 * number)
            raw.FPDFPage_InsertObject(page, written)
        page.gen_content()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def as_office(kind: str, form: Callable[[str], str]) -> Callable[[str], bytes]:
    def made(text: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"made.{kind}"
            office_oxide.create_from_markdown(form(text), kind, str(path))
            return path.read_bytes()

    return made


def as_rows(text: str) -> str:
    """A table with a sentence a row."""
    rows = [f"| {n} | {line} |" for n, line in enumerate(text.replace("\n\n", " ").split(". "))]
    return "\n".join(["| Number | Sentence |", "|---|---|", *rows])


KINDS: dict[str, tuple[str, Callable[[str], str | bytes]]] = {
    "text": ("txt", str),
    "Markdown": ("md", as_markdown),
    "source code": ("py", as_code),
    "HTML": ("html", as_html),
    "PDF": ("pdf", as_pdf),
    "Word": ("docx", as_office("docx", as_markdown)),
    "PowerPoint": ("pptx", as_office("pptx", as_markdown)),
    "Excel": ("xlsx", as_office("xlsx", as_rows)),
    "e-mail": ("eml", as_email),
    "notebooks": ("ipynb", as_notebook),
}


@dataclass(frozen=True)
class Corpus:
    place: Path
    texts: list[str]
    """What its files were made of."""


def write_corpora(folder: Path, megabytes: float) -> dict[str, Corpus]:
    draw = random.Random(7)
    words = ["".join(draw.choices("aeioubcdlmnrst", k=draw.randint(2, 10))) for _ in range(20_000)]
    small = [prose(SMALL_CHARS, draw, words) for _ in range(int(megabytes * 1e6 / SMALL_CHARS))]
    corpora = {}
    for kind, (suffix, form) in KINDS.items():
        place = folder / kind
        place.mkdir()
        texts = small if kind == "text" else small[: max(1, len(small) // 4)]
        for number, text in enumerate(texts):
            made = form(text)
            (place / f"{number:05}.{suffix}").write_bytes(made if isinstance(made, bytes) else made.encode())
        corpora[kind] = Corpus(place, texts)
    place = folder / "large"
    place.mkdir()
    (place / "large.txt").write_text("\n\n".join(small), encoding="utf-8")
    corpora["text, one file"] = Corpus(place, ["\n\n".join(small)])
    return corpora


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - wall, cpu_seconds() - cpu


def read_all(place: Path) -> None:
    for path in sorted(place.iterdir()):
        path.read_bytes()


def bare(texts: list[str], database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "pragma journal_mode=wal; pragma synchronous=full; create table pieces(body text);"
            "create virtual table words using fts5(body, content='pieces')"
        )
        for text in texts:
            for at in range(0, len(text), PIECE_CHARS):
                piece = text[at : at + PIECE_CHARS]
                row = connection.execute("insert into pieces values(?)", (piece,)).lastrowid
                connection.execute("insert into words(rowid, body) values(?, ?)", (row, piece))


def measure(corpus: Corpus, folder: Path, number: int) -> dict[str, tuple[float, float]]:
    found = {"read": timed(lambda: read_all(corpus.place))}
    found["bare"] = timed(lambda: bare(corpus.texts, folder / f"bare-{number}.db"))
    with Store.open(folder / f"nonet-{number}.db") as store:
        found["nonet"] = timed(lambda: add_documents(store, [corpus.place]))
        found["again"] = timed(lambda: add_documents(store, [corpus.place]))
        assert len(store.documents.list()) == len(corpus.texts), "every file was added"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=8.0)
    parser.add_argument("--reps", type=int, default=3)
    options = parser.parse_args()
    print(
        "| documents | files | MB of text | nonet, files/s | MB/s | CPU ms a MB | x reading (CPU) "
        "| x bare SQLite (CPU) | x bare (wall) | again, ms a file |"
    )
    print("|---|" + "---:|" * 9)
    with tempfile.TemporaryDirectory(prefix="nonet-ingestion-") as name:
        folder = Path(name)
        for kind, corpus in write_corpora(folder, options.megabytes).items():
            rows = [measure(corpus, folder, number) for number in range(options.reps)]
            for old in folder.glob("*.db*"):
                old.unlink()
            wall, cpu = ({of: statistics.median(row[of][at] for row in rows) for of in rows[0]} for at in (0, 1))
            files, size = len(corpus.texts), sum(len(text.encode()) for text in corpus.texts) / 1e6
            print(
                f"| {kind} | {files:,} | {size:.1f} | {files / wall['nonet']:.0f} | {size / wall['nonet']:.1f} "
                f"| {cpu['nonet'] / size * 1e3:.0f} | {cpu['nonet'] / cpu['read']:.0f} "
                f"| {cpu['nonet'] / cpu['bare']:.2f} | {wall['nonet'] / wall['bare']:.2f} "
                f"| {wall['again'] / files * 1e3:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
