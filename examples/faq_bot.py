"""Answers questions from a FAQ, in the words of the FAQ: one question as an argument, or a conversation.

    python examples/faq_bot.py examples/data/faq.md "What do I pay when I break the drill?"
    python examples/faq_bot.py examples/data/faq.md

A FAQ is a Markdown file with a heading for each question. The retrieval specialist finds the place that answers; what
is printed is the whole entry, as a person wrote it, never a model's wording. Where it is not proved that the entry
answers the question, that is said; such questions, and those without an entry, go into `unanswered.txt` for a person.
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

ENTRY = re.compile(r"^#{2,}\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A question of the FAQ and its answer, from `start` to `end` in the file."""

    question: str
    answer: str
    start: int
    end: int


def entries_of(text: str) -> list[Entry]:
    found = list(ENTRY.finditer(text))
    ends = [*(entry.start() for entry in found[1:]), len(text)]
    return [
        Entry(entry[1].strip(), text[entry.end() : end].strip(), entry.start(), end)
        for entry, end in zip(found, ends, strict=False)  # of none there is still the end
    ]


async def find(
    session: nonet.Session, faq: Path, entries: list[Entry], question: str
) -> tuple[Entry | None, nonet.Verdict]:
    """The entry that the quotes of the answer come from, if there are any, and whether they carry the answer."""
    found = await nonet.ask_specialist(session, "retrieval", question, inputs=[faq])
    for citation in found.citations:
        for entry in entries:
            if entry.start <= citation.start < entry.end:
                return entry, found.verdict
    return None, found.verdict


async def serve(faq: Path, entries: list[Entry], question: str | None, unanswered: Path) -> None:
    """One question, or one after the other until the input ends."""
    async with await nonet.Session.open(load().settings) as session:
        while True:
            asked = question if question is not None else await asyncio.to_thread(next_line)
            if not asked:
                return
            entry, verdict = await find(session, faq, entries, asked)
            if entry is not None and verdict is nonet.Verdict.VERIFIED:
                print(f"{entry.question}\n{entry.answer}\n")
            else:
                with unanswered.open("a", encoding="utf-8") as file:
                    file.write(f"{asked}\n")
                perhaps = f"Perhaps this helps: {entry.question}\n{entry.answer}\n" if entry is not None else ""
                print(f"{perhaps}I am not sure that the FAQ answers that; it is noted in {unanswered} for a person.\n")
            if question is not None:
                return


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
        asyncio.run(serve(options.faq, entries, options.question, options.unanswered))
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"cannot use {options.faq}: {error}")
    except nonet.NonetError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
