"""Energy that an Apple processor has used: its cores, graphics, neural engine and memory count it, in millijoules.

Read through zeus-apple-silicon (the extra `apple`), which asks the counters that powermetrics shows, without root's
rights. Not run on a Mac by those who wrote this: tested against what the library documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_MICROJOULES_A_MILLIJOULE = 1000
_PARTS = ("cpu_total_mj", "gpu_mj", "gpu_sram_mj", "ane_mj", "dram_mj")
"""They do not overlap; an older chip leaves some out."""


@dataclass(slots=True)
class Chip:
    """All of the processor's counters, added up."""

    monitor: Any
    last: int

    def advance(self) -> int:
        """Microjoules since it was last asked. Raises OSError where the chip does not tell any more."""
        now = _millijoules(self.monitor)
        used, self.last = max(now - self.last, 0), now
        return used * _MICROJOULES_A_MILLIJOULE


def find_chips(library: Any = None) -> list[Chip]:  # noqa: ANN401 - the bindings have no types
    """The processor, where it is Apple's and tells; else none.

    Args:
        library: what offers AppleEnergyMonitor; None: zeus_apple_silicon.
    """
    if library is None:
        if find_spec("zeus_apple_silicon") is None:
            return []
        library = import_module("zeus_apple_silicon")
    try:
        monitor = library.AppleEnergyMonitor()
        return [Chip(monitor, _millijoules(monitor))]
    except (OSError, RuntimeError):
        return []


def _millijoules(monitor: Any) -> int:  # noqa: ANN401
    try:
        energy = monitor.get_cumulative_energy()
    except RuntimeError as error:
        raise OSError(str(error)) from error
    told = [value for part in _PARTS if (value := getattr(energy, part, None)) is not None]
    if not told:
        raise OSError("the processor counts no energy")
    return sum(map(int, told))
