"""Writes the minutes of a meeting from its transcript: a summary, decisions, and who does what by when.

    python examples/minutes.py examples/data/meeting.txt

A transcript has a turn a line: `Nora: Let us begin.` Decisions are quoted word for word. Tasks are read out of single
turns by a specialist of this program, whose answer is checked: the person takes part, and the words were said.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

import nonet

TURN = re.compile(r"^\s*([A-Z][\w .'-]{0,30}?):\s+(.+)$", re.MULTILINE)
DECIDED = re.compile(r"\b(?:decided|we go with|it is settled)\b", re.IGNORECASE)
AGREED = re.compile(r"^agreed\b", re.IGNORECASE)
"""What was agreed to is what was said before."""
TASK = re.compile(r"\b(?:I will|I'll|please|can you|could you)\b", re.IGNORECASE)
DUE = re.compile(r"\bby ([A-Z]\w+day|tomorrow|tonight|\d[\w. ]*)|\b(today|tomorrow)\b")
ENOUGH = 0.8
"""Of the words of a task that must have been said."""


class Task(BaseModel):
    """Something that somebody is to do."""

    who: str = Field(description="the first name of the person who is to do it")
    what: str = Field(description="what is to be done, in the words of the turn, without the name")


def said(task: Task, assignment: nonet.Assignment) -> Iterator[nonet.Evidence]:
    """The person is one of those present, and the task is made of words of the turn."""
    present = re.findall(r"\w+", assignment.instruction.partition("\n")[0])
    yield nonet.Evidence("person", task.who in present, f"{task.who} takes part")
    words = re.findall(r"\w+", task.what.lower())
    turn = set(re.findall(r"\w+", assignment.instruction.lower()))
    share = sum(word in turn for word in words) / max(1, len(words))
    yield nonet.Evidence("words", bool(words) and share >= ENOUGH, f"{share:.0%} of its words were said")


@nonet.specialist(output=Task, verify=said)
def taskreader(assignment: nonet.Assignment) -> str:
    """Reads a task out of a turn of a meeting."""
    return f"{assignment.instruction}\n\nWho is to do what, according to this turn?"


@nonet.step
def turns(transcript: str) -> list[tuple[str, str]]:
    return TURN.findall(transcript)


@nonet.step
def decisions(turns: list[tuple[str, str]]) -> list[str]:
    found = []
    for (who_before, before), (who, text) in itertools.pairwise([("", ""), *turns]):
        if AGREED.search(text):
            found.append(f"{before} ({who_before}; {who} agreed)")
        found += [f"{sentence} ({who})" for sentence in sentences(text) if DECIDED.search(sentence)]
    return found


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+", text)


@nonet.step
def candidates(turns: list[tuple[str, str]]) -> list[str]:
    """Sentences with a task in them, each with who said it, and who was there."""
    present = ", ".join(dict.fromkeys(who for who, _ in turns))
    return [
        f"Present: {present}\n{who} says: {sentence}"
        for who, text in turns
        for sentence in sentences(text)
        if TASK.search(sentence) and len(sentence.split()) > 3  # noqa: PLR2004  "I'll do that." is no task of its own
    ]


@nonet.step(specialist=taskreader, each="turn in candidates", returns=Task | None)
def tasks(turn: str) -> str:
    return turn


@nonet.step(specialist="summarization", reads=["transcript"])
def summary() -> str:
    return "Summarize this meeting in two sentences."


@nonet.step
def minutes(
    turns: list[tuple[str, str]], summary: str, decisions: list[str], candidates: list[str], tasks: list[Task | None]
) -> str:
    """All of it in Markdown."""
    lines = [f"Present: {', '.join(dict.fromkeys(who for who, _ in turns))}", "", summary, "", "## Decisions", ""]
    lines += [f"- {decision}" for decision in decisions] or ["- none"]
    lines += ["", "## Tasks", "", "| who | what | by |", "|---|---|---|"]
    doubtful = []
    for turn, task in zip(candidates, tasks, strict=True):
        sentence = turn.partition("\n")[2]
        due = DUE.search(sentence)
        if task is None:
            doubtful.append(sentence)
        else:
            lines.append(f"| {task.who} | {task.what.strip(' .')} | {(due[1] or due[2]) if due else ''} |")
    if doubtful:
        lines += ["", "To be looked at, as it did not pass its checks:", "", *(f"- {each}" for each in doubtful)]
    return "\n".join(lines)


WORKFLOW = nonet.Workflow("minutes", [turns, decisions, candidates, tasks, summary, minutes], output=minutes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("transcript", type=Path, help="a text file with a turn a line")
    options = parser.parse_args()
    try:
        transcript = options.transcript.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"cannot read {options.transcript}: {error}")
    if not TURN.search(transcript):
        parser.error(f"{options.transcript} is no transcript: a turn is a line such as `Nora: Let us begin.`")
    try:
        print(WORKFLOW.run({"transcript": transcript}).output)
    except nonet.NonetError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
