"""Writes product descriptions from a CSV file: thousands of rows, in a queue that survives a crash.

    python examples/products.py examples/data/products.csv --output descriptions.csv

Each row becomes a short text by a specialist of this program. It is held against the row: every number in it must
stand there, the name must be in it, and no word that sells what the row does not say. A row whose text does not pass,
not on the larger models of the ladder either, has a reason in place of a description. Run it again and it goes on where
it was; what was done is not done again.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import nonet
from nonet.graphs.batch_events import BatchEvent, JobDone, JobFailed
from nonet.store import JobRecord
from nonet.text import clean

MOST_WORDS = 60
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
PROMISES = re.compile(
    r"\b(?:best|perfect|unique|amazing|finest|ultimate|guarantee\w*|durab\w+|sturdy|robust|long-lasting|light-?weight"
    r"|styl\w+|elegant|luxur\w+|comfort\w*|co[sz]y|soft\w*|practical|functional|versatile|withstand\w*|easy|ideal\w*)\b",
    re.IGNORECASE,
)
"""Words that sell. A model adds them to anything; where the row has one, it may be said."""


def true_to_the_row(text: str, assignment: nonet.Assignment) -> Iterator[nonet.Evidence]:
    """Nothing measured or promised that the row does not say, its name, and not too long."""
    row = assignment.sources[0].text
    strange = sorted(set(NUMBER.findall(text)) - set(NUMBER.findall(row)))
    yield nonet.Evidence("numbers", not strange, f"numbers that the row does not have: {', '.join(strange) or 'none'}")
    name = row.partition("name: ")[2].partition("\n")[0]
    yield nonet.Evidence("name", name.lower() in text.lower(), f"it names {name!r}")
    words = len(text.split())
    yield nonet.Evidence("length", words <= MOST_WORDS, f"{words} words, at most {MOST_WORDS}")
    promised = {found.lower() for found in PROMISES.findall(text)} - {found.lower() for found in PROMISES.findall(row)}
    told = ", ".join(sorted(promised)) or "none"
    yield nonet.Evidence("promises", not promised, f"words that promise what the row does not: {told}")


@nonet.specialist(verify=true_to_the_row, examples=["Describe this product for the shop."])
def copywriter(assignment: nonet.Assignment) -> str:
    """Describes a product in two plain sentences."""
    return (
        f"A product of our shop:\n{assignment.text}\n\nDescribe it in two plain sentences, with its name. Say only "
        "what stands above: no other numbers, materials, qualities or uses."
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows. Raises ValueError, in words, for what is no table of products."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not rows[0].get("name"):
        raise ValueError("it needs a first line with column names, one of them `name`, and a product a line")
    names = [row["name"] for row in rows]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"these names stand there twice: {', '.join(sorted(twice))}")
    return rows


def tell(event: BatchEvent) -> None:
    """Progress, a line a row."""
    if isinstance(event, JobDone):
        print(clean(f"{event.job.document}: {event.verdict}, {event.seconds:.1f} s"), file=sys.stderr)
    elif isinstance(event, JobFailed):
        print(clean(f"{event.job.document}: {event.message}"), file=sys.stderr)


def describe(rows: list[dict[str, str]], queue_name: str) -> list[list[str]]:
    """What has become of each row."""
    texts = {row["name"]: "\n".join(f"{key}: {value}" for key, value in row.items() if value) for row in rows}
    with nonet.Queue(queue_name) as queue:
        queue.add_texts(texts, task="Describe this product for the shop.", workflow="copywriter")
        queue.configure(max_attempts=1)  # the ladder of models is climbed within one
        queue.run(specialists=[copywriter], on_event=tell)
        return [[clean(cell) for cell in described(job)] for job in queue.results() if job.document in texts]


def described(job: JobRecord) -> list[str]:
    """Name, verdict and description of a finished row; of one that failed the reasons in place of a description."""
    if job.status == "done":
        return [job.document, job.verdict, job.output, ""]
    checks = json.loads(job.detail)["subtasks"][0]["evidence"] if job.detail else []
    reasons = [check["detail"] for check in checks if check["passed"] is False] or [e.message for e in job.errors[-1:]]
    return [job.document, "failed", "", "; ".join(reasons)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="a CSV file with a column `name`")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the descriptions go; else printed")
    options = parser.parse_args()
    try:
        rows = rows_of(options.table)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        parser.error(f"cannot use {options.table}: {error}")
    try:
        found = describe(rows, f"products-{options.table.stem}")
        with contextlib.ExitStack() as stack:
            file: TextIO = sys.stdout
            if options.output is not None:
                file = stack.enter_context(options.output.open("w", encoding="utf-8", newline=""))
            csv.writer(file).writerows([["name", "verdict", "description", "reason"], *found])
    except nonet.NonetError as error:
        print(clean(f"Error: {error}"), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("Interrupted. What is done is kept; run it again to go on.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"Error: {options.output} cannot be written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
