"""Compares two versions of a contract, clause by clause.

    python examples/contracts.py examples/data/lease-2023.txt examples/data/lease-2026.txt
    python examples/contracts.py old.txt new.txt --question "Who pays for water damage?"

Which clauses are new, gone or changed, and which amounts, periods and dates differ, is found by code. Questions
(`--question`, or the usual ones) get from both versions the sentence that comes nearest, word for word, by the
retrieval specialist: a contract is not to be retold by a small model.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import nonet
from nonet.text import clean

HEADING = re.compile(r"^(\d+(?:\.\d+)*)\.?\s+(\S.*)$", re.MULTILINE)
FIGURE = re.compile(
    r"\d[\d,.]*(?:\s(?:euros|percent|square metres|months|years|days))?"
    r"|\b(?:one|two|three|four|five|six|ten|twelve)\s(?:months?|years?|weeks?|days?)\b"
)


QUESTIONS = [
    "How much is the rent a month?",
    "With how many months' notice may a party end the lease?",
    "Who bears repairs of the heating?",
]


class Change(BaseModel):
    """A clause that reads otherwise now."""

    title: str
    old: str
    new: str


def clauses(text: str) -> dict[str, str]:
    """Title -> text, of clauses with a number before their title."""
    found = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in found[1:]), len(text)]
    return {
        heading[2].strip(): " ".join(text[heading.end() : end].split())
        for heading, end in zip(found, ends, strict=False)  # of none there is still the end
    }


@nonet.step
def changed(old_clauses: dict[str, str], new_clauses: dict[str, str]) -> list[Change]:
    return [
        Change(title=title, old=old_clauses[title], new=text)
        for title, text in new_clauses.items()
        if title in old_clauses and old_clauses[title] != text
    ]


@nonet.step(specialist="retrieval", each="question in questions", reads=["old"], returns=str | None)
def old_answers(question: str) -> str:
    return f"Quote the sentence that answers: {question}"


@nonet.step(specialist="retrieval", each="question in questions", reads=["new"], returns=str | None)
def new_answers(question: str) -> str:
    return f"Quote the sentence that answers: {question}"


@nonet.step
def report(
    *,
    old_clauses: dict[str, str],
    new_clauses: dict[str, str],
    changed: list[Change],
    questions: list[str],
    old_answers: list[str | None],
    new_answers: list[str | None],
) -> str:
    """The comparison in Markdown."""
    gone = [title for title in old_clauses if title not in new_clauses]
    new = [title for title in new_clauses if title not in old_clauses]
    same = len(new_clauses) - len(new) - len(changed)
    lines = [f"{same} clauses are the same, {len(changed)} changed, {len(new)} new, {len(gone)} gone."]
    for change in changed:
        lines += ["", f"## Changed: {change.title}", "", marked(change.old, change.new)]
        before, after = figures(change.old), figures(change.new)
        if before != after:
            lines += ["", f"Figures: {', '.join(before) or 'none'} -> {', '.join(after) or 'none'}"]
    for title in new:
        lines += ["", f"## New: {title}", "", new_clauses[title]]
    for title in gone:
        lines += ["", f"## Gone: {title}", "", old_clauses[title]]
    lines += ["", "## Questions, and the sentences that come nearest", "", "| | before | now |", "|---|---|---|"]
    for question, before, now in zip(questions, old_answers, new_answers, strict=True):
        cells = [question, *(" ".join((answer or "").split()) for answer in (before, now))]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def figures(text: str) -> list[str]:
    """Amounts, periods and dates, in their order."""
    return [found.rstrip(".,") for found in FIGURE.findall(text)]


def marked(old: str, new: str) -> str:
    """The clause with what went ~~struck out~~ and what came **bold**."""
    before, after = old.split(), new.split()
    words = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            words += before[a:b]
            continue
        words += [f"~~{' '.join(before[a:b])}~~"] if a < b else []
        words += [f"**{' '.join(after[c:d])}**"] if c < d else []
    return " ".join(words)


WORKFLOW = nonet.Workflow("contracts", [changed, old_answers, new_answers, report], output=report)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a text file with numbered clauses")
    parser.add_argument("new", type=Path, help="its newer version")
    parser.add_argument("--question", action="append", help="in place of the usual ones; may be repeated")
    options = parser.parse_args()
    inputs: dict[str, Any] = {"questions": options.question or QUESTIONS}
    for name, path in (("old", options.old), ("new", options.new)):
        try:
            found = clauses(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"cannot read {path}: {error}")
        if not found:
            parser.error(f"{path} has no clauses: a clause begins with a line such as `3. Deposit`")
        inputs |= {f"{name}_clauses": found, name: "\n\n".join(found.values())}
    try:
        print(clean(WORKFLOW.run(inputs).output))
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
