"""Energy counters: what the machine tells, and nothing where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nonet.runtimes.apple import find_chips
from nonet.runtimes.energy import find_meter
from nonet.runtimes.nvml import find_cards

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


class NvmlError(Exception):
    """As the bindings raise it."""


class Nvml:
    """The functions of NVIDIA's bindings that are used, as they are documented."""

    NVMLError = NvmlError

    def __init__(self, *millijoules: int | None, driver: bool = True) -> None:
        self.millijoules = list(millijoules)
        self.driver = driver

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise NvmlError("NVML Shared Library Not Found")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.millijoules)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        told = self.millijoules[handle]
        if told is None:
            raise NvmlError("Not Supported")
        return told


def test_graphics_cards_count_beside_the_processors(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    nvml = Nvml(7_000, None, 100)  # the second is too old to count
    meter = find_meter(tmp_path, lambda: find_cards(nvml))
    assert meter is not None
    package.write_text("1000000")
    nvml.millijoules[0] = 9_500
    nvml.millijoules[2] = 50  # its driver was started again
    assert meter.joules() == 3.5
    nvml.millijoules[0] = None
    assert meter.joules() is None


def test_cards_alone_are_told_and_without_a_driver_there_are_none(tmp_path: Path) -> None:
    nvml = Nvml(0)
    meter = find_meter(tmp_path, lambda: find_cards(nvml))
    assert meter is not None
    nvml.millijoules[0] = 2_000
    assert meter.joules() == 2.0
    assert find_meter(tmp_path, lambda: find_cards(Nvml(0, driver=False))) is None
    assert find_meter(tmp_path, lambda: find_cards(Nvml(None))) is None


@dataclass
class AppleEnergy:
    """What zeus-apple-silicon documents: parts that the chip does not count are None."""

    cpu_total_mj: int | None = None
    gpu_mj: int | None = None
    ane_mj: int | None = None


class AppleSilicon:
    """The library's one class, as it is documented."""

    def __init__(self, energy: AppleEnergy | None) -> None:
        self.energy = energy

    def AppleEnergyMonitor(self) -> AppleSilicon:  # noqa: N802
        if self.energy is None:
            raise RuntimeError("Failed to create energy subscription")
        return self

    def get_cumulative_energy(self) -> AppleEnergy:
        if self.energy is None:
            raise RuntimeError("Failed to sample")
        return self.energy


def test_an_apple_processor_counts_all_of_its_parts(tmp_path: Path) -> None:
    library = AppleSilicon(AppleEnergy(cpu_total_mj=1_000, gpu_mj=500))
    meter = find_meter(tmp_path, list, lambda: find_chips(library))
    assert meter is not None
    library.energy = AppleEnergy(cpu_total_mj=2_500, gpu_mj=4_500)
    assert meter.joules() == 5.5
    library.energy = None
    assert meter.joules() is None
    assert find_meter(tmp_path, list, lambda: find_chips(AppleSilicon(None))) is None
    assert find_meter(tmp_path, list, lambda: find_chips(AppleSilicon(AppleEnergy()))) is None
