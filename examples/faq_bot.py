"""Answers questions from a FAQ, in the words of the FAQ: one question as an argument, or a conversation.

    python examples/faq_bot.py examples/data/faq.md "What do I pay when I break the drill?"
    python examples/faq_bot.py examples/data/faq.md

A FAQ is a Markdown file with a heading for each question. The entry that is nearest in meaning is found by the
embedding model, and printed whole, as a person wrote it: no model words an answer here. What is not near enough goes
into the file `unanswered.txt`, for a person.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nonet
from nonet.settings import load
from nonet.text import clean

ENTRY = re.compile(r"^#{2,}\s+(.+)$", re.MULTILINE)
Vector = tuple[float, ...]
SURE, PERHAPS = 0.5, 0.35
"""Cosines: from here on an entry answers, or may answer. Set them by questions that you know."""


@dataclass(frozen=True)
class Entry:
    """A question of the FAQ and its answer."""

    question: str
    answer: str


def entries_of(text: str) -> list[Entry]:
    found = list(ENTRY.finditer(text))
    ends = [*(entry.start() for entry in found[1:]), len(text)]
    return [Entry(entry[1].strip(), text[entry.end() : end].strip()) for entry, end in zip(found, ends, strict=False)]


class Bot:
    """A FAQ, and where its entries lie in the space of meanings."""

    def __init__(self, session: nonet.Session, entries: list[Entry], unanswered: Path) -> None:
        self._session, self._entries, self._unanswered = session, entries, unanswered
        self._vectors: list[tuple[Entry, Vector]] = []

    async def open(self) -> None:
        """Make the vectors: one of each question, and one of each answer."""
        texts = [(entry, text) for entry in self._entries for text in (entry.question, entry.answer)]
        vectors = await self._embed([text for _, text in texts])
        self._vectors = [(entry, vector) for (entry, _), vector in zip(texts, vectors, strict=True)]

    async def reply(self, question: str) -> str:
        """The entry, or that there is none."""
        [asked] = await self._embed([question])
        near, entry = max(
            ((sum(a * b for a, b in zip(asked, vector, strict=True)), entry) for entry, vector in self._vectors),
            key=lambda each: each[0],
        )
        if near >= SURE:
            return f"{entry.question}\n{entry.answer}\n"
        with self._unanswered.open("a", encoding="utf-8") as file:
            file.write(f"{question}\n")
        noted = f"Your question is noted in {self._unanswered} for a person.\n"
        if near >= PERHAPS:
            return f"Perhaps this helps: {entry.question}\n{entry.answer}\n{noted}"
        return f"The FAQ does not answer that. {noted}"

    async def _embed(self, texts: list[str]) -> tuple[Vector, ...]:
        vectors = await self._session.embed(texts)
        if vectors is None:
            raise nonet.NonetError("There is no embedding model.", next_step="Get it with: nonet models pull")
        return vectors


async def serve(entries: list[Entry], question: str | None, unanswered: Path) -> None:
    """One question, or one after the other until the input ends."""
    async with await nonet.Session.open(load().settings) as session:
        bot = Bot(session, entries, unanswered)
        await bot.open()
        if question is not None:
            print(clean(await bot.reply(question)))
            return
        while asked := await asyncio.to_thread(next_line):
            print(clean(await bot.reply(asked)), flush=True)


def next_line() -> str:
    """What is typed next; empty at the end."""
    while True:
        if sys.stdin.isatty():
            print("? ", end="", flush=True)
        line = sys.stdin.readline()
        if not line or line.strip():
            return line.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faq", type=Path, help="a Markdown file with a heading (##) for each question")
    parser.add_argument("question", nargs="?", help="one question; without it, questions are read line by line")
    parser.add_argument("--unanswered", type=Path, default=Path("unanswered.txt"), metavar="FILE")
    options = parser.parse_args()
    try:
        entries = entries_of(options.faq.read_text(encoding="utf-8"))
        if not entries:
            parser.error(f"{options.faq} has no questions: a question is a heading, ## How long may I keep a tool?")
        asyncio.run(serve(entries, options.question, options.unanswered))
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"cannot use {options.faq}: {error}")
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
