"""The scripted oracle: right where it is always right, the same twice, and never worse than the plain pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ORACLE = Path(__file__).parents[2] / "benchmarks" / "oracle.py"


def measured(*words: str) -> list[list[str]]:
    command = [sys.executable, str(ORACLE), "--seeds", "1", "--accuracies", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    rows = [
        line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| 0.") or "| 1." in line
    ]
    return [row for row in rows if len(row) == 9]


@pytest.mark.slow
def test_the_oracle_measures_the_orchestration_alone() -> None:
    half, whole = measured("0.5", "1.0")
    assert whole[:4] == ["1.0", "1.00", "1.00", "1.00"]
    plain, nonet, two = map(float, half[1:4])
    assert plain <= nonet < two
    assert measured("0.5") == [half]
