"""What one job costs in things that can be counted does not grow unseen: the guard against slow decay.

Counts, never seconds: they are the same on every machine and do not depend on what else it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BOUNDS: dict[str, float] = json.loads((BENCHMARKS / "counts.json").read_text(encoding="utf-8"))
HINT = "If that is meant, say why in the commit and run: python benchmarks/counts.py --record"


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    command = [sys.executable, str(BENCHMARKS / "counts.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", BOUNDS)
def test_a_job_costs_no_more_than_its_bound(counted: dict[str, float], name: str) -> None:
    assert counted[name] <= BOUNDS[name], HINT


def test_all_that_is_counted_is_bounded_and_something_was_counted(counted: dict[str, float]) -> None:
    assert counted.keys() == BOUNDS.keys()
    assert all(value > 0 for value in counted.values())
