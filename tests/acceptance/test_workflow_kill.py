"""kill -9 within a workflow, again and again: what had ended is never done a second time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

NURSERY = Path(__file__).with_name("workflow_nursery.py")
AT_ONCE = 3


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 22))])
def test_a_killed_run_goes_on_and_repeats_nothing_that_had_ended(tmp_path: Path, seed: int) -> None:
    command = [sys.executable, str(NURSERY), str(tmp_path / "flow.db"), str(tmp_path / "log"), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    output, kills = map(int, done.stdout.split())
    assert output == sum(2 * item for item in range(7, 19))
    assert kills >= 3
    lives = [life.split() for life in (tmp_path / "log").read_text().split("killed\n")]
    assert len(lives) == kills + 1
    begun = Counter(name for life in lives for name in life)
    assert set(begun) == {*(f"s{n}" for n in range(6)), "several", *(f"item{n}" for n in range(7, 19)), "total"}
    for before, after in pairwise(lives):
        in_hand = {name for name in before if name.startswith("item")}
        repeated = set(before) & set(after)
        # A life ends in its last step, or with some items of the list in hand.
        assert repeated <= {before[-1]} | in_hand, (before, after)
        assert len(repeated) <= AT_ONCE
    assert all(begun[f"s{n}"] == 1 + sum(life[-1] == f"s{n}" for life in lives[:-1]) for n in range(6))
