"""Answers questions from a folder of documents, each with the quote it stands on.

    python examples/research.py examples/data/heat_network --questions examples/data/heat_network/questions.txt

Prints a report in Markdown. What no document says is reported as not found, and not made up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import nonet
from nonet.graphs.ask import AskResult
from nonet.settings import load
from nonet.text import clean


async def ask(folder: Path, questions: list[str]) -> list[AskResult]:
    """All questions in one session: the folder is read once, and the models are loaded once."""
    async with await nonet.Session.open(load().settings) as session:
        first = await nonet.ask_specialist(session, "retrieval", questions[0], inputs=[folder])
        others = (nonet.ask_specialist(session, "retrieval", question, inputs=[folder]) for question in questions[1:])
        return [first, *await asyncio.gather(*others)]


def section(question: str, answer: AskResult) -> str:
    """The question, the answer, where it stands, and what that is worth."""
    lines = [f"## {question}", "", answer.output, ""]
    for citation in answer.citations:
        place = f"{Path(citation.document).name}, characters {citation.start} to {citation.end}"
        lines += [f"> {' '.join(citation.quote.split())}", "", place, ""]
    doubts = "; ".join(check.detail for check in answer.evidence if check.passed is not True)
    lines.append(f"*{answer.verdict}*" + (f": {doubts}" if answer.verdict != nonet.Verdict.VERIFIED and doubts else ""))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="documents: text, Markdown, PDF, Word, HTML")
    parser.add_argument("question", nargs="*", help="one or more questions")
    parser.add_argument("--questions", type=Path, metavar="FILE", help="a file with a question a line")
    options = parser.parse_args()
    questions = list(options.question)
    if options.questions is not None:
        try:
            questions += options.questions.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"cannot read {options.questions}: {error}")
    questions = [question.strip() for question in questions if question.strip()]
    if not questions:
        parser.error("there is no question: give one, or a file with --questions")
    try:
        answers = asyncio.run(ask(options.folder, questions))
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    sections = (section(question, answer) for question, answer in zip(questions, answers, strict=True))
    print(clean("\n\n".join(sections)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
