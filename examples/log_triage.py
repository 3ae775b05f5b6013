"""Sorts the warnings and errors of a log: how often each kind came, since when, what is worst, and what it may mean.

    python examples/log_triage.py examples/data/server.log

Lines that differ only in numbers, paths and addresses are one kind; counting them, and finding the quarter of an hour
in which most went wrong, is code's work. What a kind of line may mean is told by the model from what it knows.
Nothing proves that, so it is printed as a guess, below the facts.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

import nonet
from nonet.text import clean

LINE = re.compile(
    r"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)\S*\s+"
    r"\[?(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\]?:?\s+(.*)$",
    re.MULTILINE,
)
VARIABLE = re.compile(r"\S+@\S+|\S*/\S+|\d[\d.:]*")
WEIGHT = {"WARN": 1, "WARNING": 1, "ERROR": 3, "CRITICAL": 9, "FATAL": 9}
WINDOW = timedelta(minutes=15)
MOST_GUESSES = 5


class Entry(BaseModel):
    """A line that is at least a warning."""

    time: datetime
    level: str
    text: str


class Kind(BaseModel):
    """Lines that say the same."""

    level: str
    pattern: str
    example: str
    count: int
    first: datetime
    last: datetime

    @property
    def weight(self) -> int:
        return WEIGHT[self.level] * self.count


@nonet.step
def entries(log: str) -> list[Entry]:
    return [
        Entry(time=datetime.fromisoformat(time), level=level, text=text.strip())
        for time, level, text in LINE.findall(log)
        if level in WEIGHT
    ]


@nonet.step
def kinds(entries: list[Entry]) -> list[Kind]:
    """The heaviest first."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.level, VARIABLE.sub("#", entry.text)].append(entry)
    found = [
        Kind(level=level, pattern=pattern, example=of[0].text, count=len(of), first=of[0].time, last=of[-1].time)
        for (level, pattern), of in groups.items()
    ]
    return sorted(found, key=lambda kind: -kind.weight)


@nonet.step
def examples(kinds: list[Kind]) -> list[str]:
    return [kind.example for kind in kinds[:MOST_GUESSES]]


@nonet.step(specialist="general", each="example in examples", returns=str | None)
def guesses(example: str) -> str:
    return f"A server wrote this into its log: {example}\n\nWhat does that mean? Answer in one short sentence."


@nonet.step
def worst(entries: list[Entry]) -> list[Entry]:
    """The lines of the quarter of an hour in which most went wrong."""
    windows = [[each for each in entries if start.time <= each.time < start.time + WINDOW] for start in entries]
    return max(windows, key=lambda window: sum(WEIGHT[each.level] for each in window), default=[])


@nonet.step
def triage(kinds: list[Kind], worst: list[Entry], examples: list[str], guesses: list[str | None]) -> str:
    """The report in Markdown."""
    if not kinds:
        return "No warnings and no errors."
    lines = ["| level | times | first | last | line |", "|---|---:|---|---|---|"]
    for kind in kinds:
        times = f"{kind.first:%H:%M:%S} | {kind.last:%H:%M:%S}"
        lines.append(f"| {kind.level} | {kind.count} | {times} | {kind.pattern.replace('|', '/')} |")
    lines += ["", f"## The worst quarter of an hour: {worst[0].time:%Y-%m-%d}, {len(worst)} lines", ""]
    lines += [f"- {each.time:%H:%M:%S} {each.level} {each.text}" for each in worst]
    told = [
        f"- {example}: {' '.join(guess.split())}" for example, guess in zip(examples, guesses, strict=True) if guess
    ]
    if told:
        lines += ["", "## What it may mean (a model's guesses)", "", *told]
    return "\n".join(lines)


WORKFLOW = nonet.Workflow("log_triage", [entries, kinds, examples, guesses, worst, triage], output=triage)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, help="lines such as `2026-03-02 09:03:05 ERROR text`; - for standard input")
    options = parser.parse_args()
    try:
        log = sys.stdin.read() if str(options.log) == "-" else options.log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        parser.error(f"cannot read {options.log}: {error}")
    if not LINE.search(log):
        parser.error(f"{options.log} has no line with a time, a level and a text")
    try:
        print(clean(WORKFLOW.run({"log": log}).output))
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
