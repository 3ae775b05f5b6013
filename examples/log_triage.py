"""Sorts the warnings and errors of a log: how often each kind came, since when, what is worst, and what happened.

    python examples/log_triage.py examples/data/server.log

Lines that differ only in numbers, paths and addresses are one kind; counting them is code's work. The model names the
area of each kind, out of six, which nothing proves: it is printed as a guess. The summarization specialist tells the
story of the worst quarter of an hour, in words and figures that stand in the log.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

import nonet

LINE = re.compile(
    r"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)\S*\s+"
    r"\[?(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\]?:?\s+(.*)$",
    re.MULTILINE,
)
VARIABLE = re.compile(r"\S+@\S+|\S*/\S+|\d[\d.:]*")
WEIGHT = {"WARN": 1, "WARNING": 1, "ERROR": 3, "CRITICAL": 9, "FATAL": 9}
WINDOW = timedelta(minutes=15)


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


class Area(BaseModel):
    """What a kind of line is about."""

    area: Literal["database", "disk", "login", "mail", "network", "program"] = Field(description="what it is about")


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


@nonet.step(specialist="general", each="kind in kinds", returns=Area | None)
def areas(kind: Kind) -> str:
    question = "What is it about: database, disk, login, mail, network or program?"
    return f"A line of a server's log: {kind.example}\n\n{question}"


@nonet.step
def worst(entries: list[Entry]) -> str:
    """The lines of the quarter of an hour in which most went wrong."""
    windows = [[each for each in entries if start.time <= each.time < start.time + WINDOW] for start in entries]
    heaviest = max(windows, key=lambda window: sum(WEIGHT[each.level] for each in window), default=[])
    return "\n".join(f"At {each.time:%H:%M:%S} {each.text}." for each in heaviest)


@nonet.step(specialist="summarization", reads=["worst"], when="len(worst) > 0")
def story() -> str:
    return "Tell in two sentences what went wrong."


@nonet.step
def triage(kinds: list[Kind], areas: list[Area | None], story: str | None) -> str:
    """The report in Markdown."""
    if not kinds:
        return "No warnings and no errors."
    lines = ["| level | times | first | last | area (a guess) | line |", "|---|---:|---|---|---|---|"]
    for kind, area in zip(kinds, areas, strict=True):
        guess = area.area if area else ""
        text = kind.pattern.replace("|", "\\|")
        lines.append(
            f"| {kind.level} | {kind.count} | {kind.first:%H:%M:%S} | {kind.last:%H:%M:%S} | {guess} | {text} |"
        )
    return "\n".join([*lines, "", "## The worst quarter of an hour", "", story or ""])


WORKFLOW = nonet.Workflow("log_triage", [entries, kinds, areas, worst, story, triage], output=triage)


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
        print(WORKFLOW.run({"log": log}).output)
    except nonet.NonetError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
