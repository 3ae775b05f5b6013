"""The public sets of summaries as items: what is asked of which text, what people wrote, and where it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench_specialists import read_lines

from nonet.eval.forms_summaries import MEETING_WORDS, STORY_WORDS

Place = tuple[int, int]
"""Characters from and to, of the text."""


@dataclass(frozen=True)
class Item:
    text: str
    request: str
    references: tuple[str, ...]
    words: int | None
    """None: a sentence."""
    starts: tuple[int, ...] = ()
    """Of a meeting: where each turn begins."""
    marked: frozenset[int] = frozenset()
    """Of a question to a meeting: the turns that annotators found to bear on it."""

    @property
    def asked(self) -> str:
        return f"{self.request} Answer in at most {self.words} words." if self.words else self.request

    def turns(self, places: Sequence[Place]) -> set[int]:
        """The turns that places touch."""
        return {
            turn
            for start, end in places
            for turn in range(bisect_right(self.starts, start) - 1, bisect_right(self.starts, max(start, end - 1)))
        }


def read_items(path: Path, part: str = "all") -> list[Item]:
    """Of SciTLDR, SQuALITY or QMSum; `part` is "even", "odd" (texts by their place in the file) or "all"."""
    items: list[Item] = []
    rows = read_lines(path)
    for row in {"even": rows[::2], "odd": rows[1::2]}.get(part, rows):
        if "questions" in row:
            asked = [(question["q"], tuple(question["refs"])) for question in row["questions"]]
            items.extend(Item(row["document"], request, references, STORY_WORDS) for request, references in asked)
        elif "turns" in row:
            items.extend(_meeting(row))
        else:
            request = "Summarize the abstract in one sentence."
            items.append(Item(" ".join(row["source"]), request, tuple(row["refs"]), None))
    return items


def _meeting(row: dict[str, Any]) -> Iterator[Item]:
    starts = tuple(accumulate((len(turn) + 1 for turn in row["turns"][:-1]), initial=0))
    for query in (*row["general"], *row["specific"]):
        spans = query.get("relevant_text_span", [])
        marked = frozenset(turn for first, last in spans for turn in range(int(first), int(last) + 1))
        yield Item("\n".join(row["turns"]), query["query"], (query["answer"],), MEETING_WORDS, starts, marked)
