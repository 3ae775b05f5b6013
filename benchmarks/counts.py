"""What one job costs in things that can be counted: the same on every machine, so a test can hold it to a bound.

    python benchmarks/counts.py [--record]

The job is that of job.py (a plan, three specialists, one answer) on the scripted runtime, in one process. Counted are
model calls and bytes of prompt, calls of Python functions (in all threads; of which nonet's own), SQL statements,
transactions (with synchronous=FULL, each is a sync of the disk), bytes that the database grows by, and the modules
that commands load beyond `import typer`. The least of five runs, because a group commit or a collection may come in
between. counts.json beside this file has the bounds that `tests/unit/test_counts.py` holds them to; --record writes
them anew, 10 % above what was counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from job_peers import Nonet, task_text

BOUNDS = Path(__file__).with_name("counts.json")
ROOMS = ("agents", "graphs", "runtimes", "specialists", "store", "src")
HOME = Path(__file__).resolve().parents[1]
RUNS = 5
ALLOWED, ROOM = 1.10, 2
"""Of what was counted, what a bound allows: a tenth more, and two for what is counted in ones."""


@dataclass
class Tally:
    """Counts while it is switched on."""

    on: bool = False
    python: int = 0
    ours: int = 0
    statements: int = 0
    transactions: int = 0
    connections: list[sqlite3.Connection] = field(default_factory=list)
    _own: dict[str, bool] = field(default_factory=dict)

    def start(self) -> None:
        """From zero, on every connection that is open."""
        for connection in self.connections:
            with suppress(sqlite3.ProgrammingError):  # closed
                connection.set_trace_callback(self.stated)
        self.python = self.ours = self.statements = self.transactions = 0
        self.on = True

    def called(self, frame: FrameType, event: str, _argument: object) -> None:
        """As sys.setprofile wants it."""
        if self.on and event == "call":
            self.python += 1
            name = frame.f_code.co_filename
            if name not in self._own:
                self._own[name] = any(Path(name).is_relative_to(HOME / room) for room in ROOMS)
            self.ours += self._own[name]

    def stated(self, statement: str) -> None:
        """As sqlite3's trace callback wants it; statements of triggers come as comments."""
        if self.on and not statement.startswith("--"):
            self.statements += 1
            self.transactions += statement.lstrip()[:6].upper() == "COMMIT"


def watch(tally: Tally) -> None:
    """Count from now on, in every thread and connection that is made."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect/handle":
            tally.connections.append(arguments[0])  # it is not ready for a callback yet

    sys.addaudithook(audit)
    threading.setprofile(tally.called)
    sys.setprofile(tally.called)


def size_bytes(path: Path) -> int:
    """Of the database with all that is still in its log."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


async def count_job() -> dict[str, float]:
    tally = Tally()
    watch(tally)
    peer = Nonet(runtime="scripted")
    await peer.start()
    path = Path(peer.folder.name) / "nonet.db"
    for number in range(3):
        await peer.run(task_text(number))
    rows: list[dict[str, float]] = []
    before = size_bytes(path)
    for number in range(3, 3 + RUNS):
        asked = len(peer.session.runtime.requests)
        tally.start()
        await peer.run(task_text(number))
        tally.on = False
        requests = list(peer.session.runtime.requests)[asked:]
        rows.append(
            {
                "model calls": len(requests),
                "prompt bytes": sum(len(each.content.encode()) for one in requests for each in one.messages),
                "Python calls": tally.python,
                "of which nonet's": tally.ours,
                "SQL statements": tally.statements,
                "transactions": tally.transactions,
            }
        )
    grown = size_bytes(path) - before
    sys.setprofile(None)
    threading.setprofile(None)
    await peer.stop()
    return {name: min(row[name] for row in rows) for name in rows[0]} | {"database bytes": grown / RUNS}


def modules(code: str) -> int:
    program = f"{code}\nimport sys\nprint('#', len(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "NONET_DB": ""}
    )
    return int(done.stdout.rpartition("#")[2])


def count_modules() -> dict[str, float]:
    floor = modules("import typer")
    words = {"--help": "['--help']", "runs --help": "['runs', '--help']"}
    return {
        f"modules of `nonet {name}` beyond typer": modules(f"from nonet.cli import main\nmain({argument})") - floor
        for name, argument in words.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write the bounds anew")
    parser.add_argument("--json", action="store_true", help="print one object and no table")
    options = parser.parse_args()
    counted = asyncio.run(count_job()) | count_modules()
    if options.record:
        bounds = {
            name: value if name == "model calls" else round(value * ALLOWED) + ROOM for name, value in counted.items()
        }
        BOUNDS.write_text(json.dumps(bounds, indent=2) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(counted))
        return
    at_most = json.loads(BOUNDS.read_text("utf-8"))
    print("| one job | counted | at most | share |\n|---|---:|---:|---:|")
    for name, value in counted.items():
        print(f"| {name} | {value:,.0f} | {at_most[name]:,} | {value / at_most[name]:.0%} |")


if __name__ == "__main__":
    main()
