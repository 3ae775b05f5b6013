"""What benchmarks print is read back number by number, and two runs are compared by what can be compared."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

_module: Any = importlib.import_module("suite_results")
Figure, compared, figures_of = _module.Figure, _module.compared, _module.figures_of
machine, newest, number_of, read_figures = _module.machine, _module.newest, _module.number_of, _module.read_figures

TWO_NAMES = "| shape | peer | CPU us |\n|---|---|---|\n| chain | bare | 7 |\n| chain | nonet | 8 |\n"
PRINTED = """Some words | with a bar
| peer | CPU ms | x floor | of ideal | note |
|---|---:|---:|---:|---|
| ours | 1,234.5 | 1.12 | 95 % | kept |
| bare | 1000 | 1.00 | 97%, 99% | NO |

| peer | CPU ms |
|---|---:|
| ours | 7 |
"""


def test_every_number_of_every_table_is_found() -> None:
    figures = figures_of("job", PRINTED)
    assert [(each.table, each.row, each.column, each.value) for each in figures] == [
        (0, "ours", "CPU ms", 1234.5),
        (0, "ours", "x floor", 1.12),
        (0, "ours", "of ideal", 0.95),
        (0, "bare", "CPU ms", 1000.0),
        (0, "bare", "x floor", 1.0),
        (0, "bare", "of ideal", 0.97),
        (1, "ours", "CPU ms", 7.0),
    ]
    assert [each.row for each in figures_of("w", TWO_NAMES)] == ["chain, bare", "chain, nonet"]
    assert [each.column for each in figures if each.is_ratio] == ["x floor", "of ideal"] * 2


@pytest.mark.parametrize(
    ("cell", "value"), [("-3.5", -3.5), (".43 of 9", 0.43), ("", None), ("-", None), ("a 1", None)]
)
def test_what_is_a_number(cell: str, value: float | None) -> None:
    assert number_of(cell) == value


def test_two_runs_are_compared_by_their_ratios(tmp_path: Path) -> None:
    then = figures_of("job", PRINTED)
    (tmp_path / "2026-01-01.jsonl").write_text("", encoding="utf-8")
    path = tmp_path / "2026-02-01.jsonl"
    lines = [json.dumps({"benchmark": "job", "machine": machine()}), *[json.dumps(asdict(each)) for each in then]]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert newest(tmp_path) == path
    assert read_figures(path) == then
    now = figures_of("job", PRINTED.replace("1.12", "2.24").replace("1,234.5", "9"))
    told = compared(read_figures(path), now, everything=False)
    assert "| job | ours | x floor | 1.12 | 2.24 | 2.00 |" in told
    assert "CPU ms" not in told
    assert "4 numbers compared, 1 differ" in told
    assert "CPU ms" in compared(then, now, everything=True)
    assert compared(then, then, everything=True) == "7 numbers compared, 0 differ by more than 2%."
    assert Figure("a", 0, "b", "c", 1.0).is_ratio is False
