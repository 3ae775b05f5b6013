"""Compares two versions of a contract, clause by clause.

    python examples/contracts.py examples/data/lease-2023.txt examples/data/lease-2026.txt

Which clauses are new, gone or changed, and which amounts, periods and dates differ, is found by code. The summarization
specialist says in a sentence what a changed clause says now; only a sentence whose every number stands in the clause is
printed.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from pathlib import Path

from pydantic import BaseModel

import nonet

HEADING = re.compile(r"^(\d+(?:\.\d+)*)\.?\s+(\S.*)$", re.MULTILINE)
FIGURE = re.compile(
    r"\d[\d,.]*(?:\s(?:euros|percent|square metres|months|years|days))?"
    r"|\b(?:one|two|three|four|five|six|ten|twelve)\s(?:months?|years?|weeks?|days?)\b"
)


class Change(BaseModel):
    """A clause that reads otherwise now."""

    title: str
    old: str
    new: str


@nonet.step
def old_clauses(old: str) -> dict[str, str]:
    return clauses(old)


@nonet.step
def new_clauses(new: str) -> dict[str, str]:
    return clauses(new)


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


@nonet.step
def texts(changed: list[Change]) -> list[str]:
    return [change.new for change in changed]


@nonet.step(specialist="summarization", each="text in texts", reads=["text"], returns=str | None)
def sentences() -> str:
    return "Say in one sentence what this clause obliges whom to do."


@nonet.step
def report(
    old_clauses: dict[str, str], new_clauses: dict[str, str], changed: list[Change], sentences: list[str | None]
) -> str:
    """The comparison in Markdown."""
    gone = [title for title in old_clauses if title not in new_clauses]
    new = [title for title in new_clauses if title not in old_clauses]
    same = len(new_clauses) - len(new) - len(changed)
    lines = [f"{same} clauses are the same, {len(changed)} changed, {len(new)} new, {len(gone)} gone."]
    for change, sentence in zip(changed, sentences, strict=True):
        lines += ["", f"## Changed: {change.title}", "", marked(change.old, change.new)]
        before, after = figures(change.old), figures(change.new)
        if before != after:
            lines += ["", f"Figures: {', '.join(before) or 'none'} -> {', '.join(after) or 'none'}"]
        if sentence is not None:
            lines += ["", f"In a sentence: {sentence}"]
    for title in new:
        lines += ["", f"## New: {title}", "", new_clauses[title]]
    for title in gone:
        lines += ["", f"## Gone: {title}", "", old_clauses[title]]
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


WORKFLOW = nonet.Workflow("contracts", [old_clauses, new_clauses, changed, texts, sentences, report], output=report)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a text file with numbered clauses")
    parser.add_argument("new", type=Path, help="its newer version")
    options = parser.parse_args()
    inputs = {}
    for name, path in (("old", options.old), ("new", options.new)):
        try:
            inputs[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"cannot read {path}: {error}")
        if not clauses(inputs[name]):
            parser.error(f"{path} has no clauses: a clause begins with a line such as `3. Deposit`")
    try:
        print(WORKFLOW.run(inputs).output)
    except nonet.NonetError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
