"""Faults on the way: what is repaired, what it costs, and that no failure is told as a success."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.faulty import KINDS, PLAN, FaultyModel, inject

from nonet.specialists import Verdict


async def test_without_faults_a_call_a_subtask_is_enough(tmp_path: Path) -> None:
    injected = await inject(tmp_path, FaultyModel(0.0, seed=0))
    assert len(injected.ended_right) == len(PLAN.subtasks)
    assert injected.result.usage.calls == len(PLAN.subtasks)
    assert injected.result.usage.escalations == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_one_fault_of_each_kind_is_recovered_from_or_told(tmp_path: Path, kind: str) -> None:
    injected = await inject(tmp_path, FaultyModel(1.0, seed=1, kinds=(kind,), most=len(PLAN.subtasks)))
    assert injected.faults[kind] == len(PLAN.subtasks)
    assert injected.lies == []
    assert (
        len(injected.ended_right) >= len(PLAN.subtasks) - 1
    )  # noise is no error to `general`: unverified, and told so


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
async def test_no_failure_is_reported_as_a_success(tmp_path: Path, share: float) -> None:
    for seed in range(6):
        injected = await inject(tmp_path, FaultyModel(share, seed=seed))
        assert injected.lies == []


@pytest.mark.parametrize("most_calls", [1, 2, 5, 9])
async def test_noise_never_climbs_beyond_the_budget(tmp_path: Path, most_calls: int) -> None:
    for seed in range(3):
        model = FaultyModel(1.0, seed=seed, kinds=("noise",))
        injected = await inject(tmp_path, model, max_calls=most_calls)
        assert model.made.total() <= most_calls
        assert injected.result.usage.calls <= most_calls
        assert injected.lies == []


async def test_noise_without_a_budget_is_bounded_by_the_ladder(tmp_path: Path) -> None:
    """Two rungs, two attempts on each, and no revision that finds anything new."""
    model = FaultyModel(1.0, seed=0, kinds=("noise",))
    injected = await inject(tmp_path, model, max_attempts=2)
    assert injected.attempts <= 4 * len(PLAN.subtasks)
    assert model.made.total() <= 6 * injected.attempts  # code draws several answers where the first is wrong
    assert injected.result.verdict is not Verdict.VERIFIED
