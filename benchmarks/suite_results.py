"""Numbers out of the Markdown tables that benchmarks print; the machine they were measured on; comparing two runs."""

from __future__ import annotations

import itertools
import json
import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGES = (
    "nonet",
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "aiohttp",
    "pydantic",
    "sqlmodel",
    "typer",
    "prompt_toolkit",
)
_NUMBER = re.compile(r"^[+-]?[\d,]*\.?\d+\s*%?")
_RATIO = re.compile(
    r"^x |\bx (?:own|bare|LangGraph|the imports|reading)|of ideal|share|of the ideal|ratio|right a call|of_langgraph|%"
)
_CHANGED = 0.02


@dataclass(frozen=True)
class Figure:
    """One number of one table."""

    benchmark: str
    table: int
    row: str
    column: str
    value: float

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What names it in every run."""
        return self.benchmark, self.table, self.row, self.column

    @property
    def is_ratio(self) -> bool:
        """It can be compared between machines: a ratio, a share, or a thing that is counted."""
        return self.benchmark in {"counts", "store_growth", "oracle"} or bool(_RATIO.search(self.column))


def figures_of(benchmark: str, text: str) -> list[Figure]:
    """Every cell that is a number, of every Markdown table.

    >>> figures_of("b", "| peer | CPU ms | x |\\n|---|---:|---:|\\n| ours | 1,234.5 | 45% |\\n")[0].value
    1234.5
    """
    found: list[Figure] = []
    for table, (heads, rows) in enumerate(_tables(text)):
        seen: dict[str, int] = {}
        for cells in rows:
            row = _label(cells)
            seen[row] = seen.get(row, 0) + 1
            name = row if seen[row] == 1 else f"{row} ({seen[row]})"
            for column, cell in zip(heads[1:], cells[1:], strict=False):
                if (value := number_of(cell)) is not None:
                    found.append(Figure(benchmark, table, name, column, value))
    return found


def _label(cells: Sequence[str]) -> str:
    """What names a row: its first cell, and those behind it that are words."""
    words = list(itertools.takewhile(lambda cell: cell and number_of(cell) is None, cells[1:]))
    return ", ".join([cells[0], *words[: len(cells) - 2]])


def number_of(cell: str) -> float | None:
    """The number that a cell begins with, a percentage as a share; None where it begins with something else.

    >>> number_of("1,160 (x 2)"), number_of("97 %"), number_of("NO")
    (1160.0, 0.97, None)
    """
    match = _NUMBER.match(cell.strip())
    if match is None:
        return None
    text = match[0].replace(",", "").strip()
    return round(float(text[:-1]) / 100, 6) if text.endswith("%") else float(text)


def _tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    block: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            block.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if len(block) > 2 and set("".join(block[1])) <= set("-: "):
            yield block[0], block[2:]
        block = []


def machine() -> dict[str, Any]:
    """What the numbers depend on, without the machine's name."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "commit": _commit(),
        "packages": found,
    }


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def newest(folder: Path) -> Path | None:
    """The last file of results, by its name, which begins with the time."""
    return max(folder.glob("*.jsonl"), default=None, key=lambda path: path.name)


def read_figures(path: Path) -> list[Figure]:
    """What a file of results holds; the lines that tell of the machine are passed over."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    return [Figure(**row) for row in rows if "value" in row]


def compared(earlier: Sequence[Figure], now: Sequence[Figure], *, everything: bool) -> str:
    """A Markdown table of what changed by more than 2 %."""
    before = {figure.key: figure.value for figure in earlier}
    both = [figure for figure in now if figure.key in before and (everything or figure.is_ratio)]
    lines = ["| benchmark | row | column | then | now | now / then |", "|---|---|---|---:|---:|---:|"]
    for figure in both:
        then = before[figure.key]
        share = figure.value / then if then else float("inf") if figure.value else 1.0
        if abs(share - 1) > _CHANGED:
            cells = (figure.benchmark, figure.row, figure.column, f"{then:g}", f"{figure.value:g}", f"{share:.2f}")
            lines.append(f"| {' | '.join(cells)} |")
    told = f"{len(both)} numbers compared, {len(lines) - 2} differ by more than {_CHANGED:.0%}."
    return "\n".join([*lines, "", told] if len(lines) > 2 else [told])
