"""Makes a table of a folder of papers or abstracts: what was found, by which kind of study, in how many people.

    python examples/literature.py examples/data/papers

The finding is a sentence by the summarization specialist. Design and number of participants are read out by a
specialist of this program, which must quote the words it takes them from; a quote that does not stand in the text, or
has not the number in it, leaves the cell empty. One paper that cannot be read does not stop the others.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

import nonet
from nonet.text import clean


class Paper(BaseModel):
    """A text with its first line as the title."""

    file: str
    title: str
    text: str


class Study(BaseModel):
    """How something was studied."""

    design: Literal["randomised trial", "cohort study", "survey", "other"] = Field(description="the kind of study")
    participants: int = Field(description="how many people took part, a number of the text")
    quote: str = Field(description="the words of the text that have this number, copied letter by letter")


def quoted(study: Study, assignment: nonet.Assignment) -> Iterator[nonet.Evidence]:
    """The quote stands in the text, and has the number in it."""
    text = " ".join(assignment.text.split())
    quote = " ".join(study.quote.split())
    yield nonet.Evidence("quote", bool(quote) and quote in text, f"{quote!r} stands in the text")
    numbers = [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", quote)]
    yield nonet.Evidence("number", study.participants in numbers, f"{study.participants} stands in the quote")


@nonet.specialist(output=Study, verify=quoted)
def studyreader(assignment: nonet.Assignment) -> str:
    """Reads design and size of a study out of its abstract."""
    return f"{assignment.text}\n\n{assignment.instruction}"


@nonet.step
def texts(papers: list[Paper]) -> list[str]:
    return [paper.text for paper in papers]


@nonet.step(specialist="summarization", each="text in texts", reads=["text"], returns=str | None)
def findings() -> str:
    return "Say in one sentence what was found."


@nonet.step(specialist=studyreader, each="text in texts", reads=["text"], returns=Study | None)
def studies() -> str:
    return "What kind of study is it, and how many people took part?"


@nonet.step
def table(papers: list[Paper], findings: list[str | None], studies: list[Study | None]) -> str:
    """A row a paper, in Markdown."""
    lines = ["| paper | design | participants | finding |", "|---|---|---:|---|"]
    for paper, finding, study in zip(papers, findings, studies, strict=True):
        design, size = (study.design, f"{study.participants:,}") if study else ("", "")
        cells = [f"{paper.title} ({paper.file})", design, size, finding or ""]
        lines.append("| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |")
    return "\n".join(lines)


WORKFLOW = nonet.Workflow("literature", [texts, findings, studies, table], output=table)


def read(folder: Path) -> Iterator[Paper]:
    """The texts of a folder, by name; what cannot be read is told and left out."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in {".txt", ".md"}:
            continue
        try:
            title, _, text = path.read_text(encoding="utf-8").strip().partition("\n")
        except (OSError, UnicodeDecodeError) as error:
            print(f"{path.name} is left out: {error}", file=sys.stderr)
            continue
        if text.strip():
            yield Paper(file=path.name, title=title.strip("# "), text=text.strip())
        else:
            print(f"{path.name} is left out: it has nothing below its title", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="text or Markdown files, each with its title in the first line")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder")
    papers = list(read(options.folder))
    if not papers:
        parser.error(f"there is no paper in {options.folder}: it takes .txt and .md files")
    try:
        result = WORKFLOW.run({"papers": papers})
        print(clean(result.output))
        for note in result.notes:
            print(clean(note), file=sys.stderr)
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
