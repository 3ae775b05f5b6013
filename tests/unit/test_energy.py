"""Energy counters: what the machine tells, and nothing where it does not."""

from __future__ import annotations

from pathlib import Path

from nonet.runtimes.energy import find_meter

MOST = 1_000_000_000


def zone(folder: Path, name: str, says: str, microjoules: int) -> Path:
    place = folder / name
    place.mkdir()
    (place / "name").write_text(says + "\n")
    (place / "max_energy_range_uj").write_text(f"{MOST}\n")
    (place / "energy_uj").write_text(f"{microjoules}\n")
    return place / "energy_uj"


def test_packages_are_summed_and_their_parts_left_out(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 0)
    part = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    whole = zone(tmp_path, "intel-rapl:2", "psys", 0)
    meter = find_meter(tmp_path)
    assert meter is not None
    assert meter.joules() == 0.0
    first.write_text("7500000")
    second.write_text("1000000")
    part.write_text("900000000")
    whole.write_text("900000000")
    assert meter.joules() == 3.5


def test_a_counter_that_wraps_goes_on(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", MOST - 2_000_000)
    meter = find_meter(tmp_path)
    assert meter is not None
    counter.write_text("1000000")
    assert meter.joules() == 3.0


def test_no_counter_is_unknown_and_never_zero(tmp_path: Path) -> None:
    assert find_meter(tmp_path) is None
    assert find_meter(tmp_path / "missing") is None
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = find_meter(tmp_path)
    assert meter is not None
    counter.unlink()
    assert meter.joules() is None
    counter.write_text("no number")
    assert find_meter(tmp_path) is None
