"""Writes the minutes of a meeting from its transcript: what was decided, and who does what by when.

    python examples/minutes.py examples/data/meeting.txt

A transcript has a turn a line: `Nora: Let us begin.` Decisions are quoted word for word. Who is to do something follows
from who says "I will", or whose name is called; the model only puts the task into a few words, and these are checked:
they were said. What cannot be told so is listed for a person to look at.
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
from nonet.text import clean

TURN = re.compile(r"^\s*([A-Z][\w .'-]{0,30}?):\s+(.+)$", re.MULTILINE)
DECIDED = re.compile(r"\b(?:decided|we go with|it is settled)\b", re.IGNORECASE)
AGREED = re.compile(r"^agreed\b", re.IGNORECASE)
"""What was agreed to is what was said before."""
PROMISE = re.compile(r"\b(?:I will|I'll|I can)\b")
REQUEST = re.compile(r"\b(?:please|can you|could you)\b", re.IGNORECASE)
DUE = re.compile(r"\s*\b(?:by ([A-Z]\w+day|tomorrow|tonight|\d[\w. ]*)|(today|tomorrow))\b")
EMPTY = {"that", "it", "this", "so"}
"""A sentence that ends so speaks of another, which has the task."""
ENOUGH = 0.8
"""Of the words of a task that must have been said."""


class Candidate(BaseModel):
    """A sentence that gives somebody a task."""

    who: str
    """Empty where it cannot be told."""
    sentence: str
    """Without the name that is called."""


class Task(BaseModel):
    """Something that somebody is to do."""

    what: str = Field(description="what is to be done, in a few words of the sentence, beginning with the verb")


def said(task: Task, assignment: nonet.Assignment) -> Iterator[nonet.Evidence]:
    """The task is made of words of the sentence."""
    words = re.findall(r"\w+", task.what.lower())
    heard = set(re.findall(r"\w+", assignment.instruction.lower()))
    share = sum(word in heard for word in words) / max(1, len(words))
    yield nonet.Evidence("words", bool(words) and share >= ENOUGH, f"{share:.0%} of its words were said")
    yield nonet.Evidence("form", "?" not in task.what, "it must be what is to be done, not a question")


@nonet.specialist(output=Task, verify=said)
def taskreader(assignment: nonet.Assignment) -> str:
    """Puts a task that was given in a meeting into a few words."""
    return f"Said in a meeting: {assignment.instruction}\n\nWhat is to be done?"


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
def candidates(turns: list[tuple[str, str]]) -> list[Candidate]:
    """Sentences with a promise or a request in them, and whom they bind."""
    present = {who for who, _ in turns}
    found = []
    for who, text in turns:
        for sentence in sentences(text):
            called, _, rest = sentence.partition(", ")
            if sentence.rstrip(".?!").rpartition(" ")[2] in EMPTY:
                continue
            if PROMISE.search(sentence):
                found.append(Candidate(who=who, sentence=sentence))
            elif REQUEST.search(sentence):
                found.append(
                    Candidate(who=called, sentence=rest) if called in present else Candidate(who="", sentence=sentence)
                )
    return found


@nonet.step(specialist=taskreader, each="candidate in candidates", returns=Task | None)
def tasks(candidate: Candidate) -> str:
    return candidate.sentence


@nonet.step
def minutes(
    turns: list[tuple[str, str]], decisions: list[str], candidates: list[Candidate], tasks: list[Task | None]
) -> str:
    """All of it in Markdown."""
    lines = [f"Present: {', '.join(dict.fromkeys(who for who, _ in turns))}", "", "## Decisions", ""]
    lines += [f"- {decision}" for decision in decisions] or ["- none"]
    lines += ["", "## Tasks", "", "| who | what | by |", "|---|---|---|"]
    doubtful = []
    for candidate, task in zip(candidates, tasks, strict=True):
        if task is None or not candidate.who:
            doubtful.append(candidate.sentence)
            continue
        due = DUE.search(candidate.sentence)
        what = DUE.sub("", task.what).strip(" .").removeprefix("To ").removeprefix("to ")
        lines.append(f"| {candidate.who} | {what} | {(due[1] or due[2]) if due else ''} |")
    if doubtful:
        lines += ["", "To be looked at by a person:", "", *(f"- {each}" for each in doubtful)]
    return "\n".join(lines)


WORKFLOW = nonet.Workflow("minutes", [turns, decisions, candidates, tasks, minutes], output=minutes)


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
        print(clean(WORKFLOW.run({"transcript": transcript}).output))
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
