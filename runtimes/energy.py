"""Energy that this machine has used, where it tells: processors by RAPL (Linux's powercap), Apple's, NVIDIA's cards.

Reading RAPL is a root's privilege on most distributions (CVE-2020-8694). Where only the cards tell, theirs is what is
told: they do the models' work then. Where nothing tells, nothing is said. What is counted is the whole machine's, not
one process's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nonet.runtimes.apple import find_chips
from nonet.runtimes.nvml import find_cards

POWERCAP = Path("/sys/class/powercap")
_MICROJOULES = 1e6


class Counter(Protocol):
    """A part of the machine that counts its energy."""

    def advance(self) -> int:
        """Microjoules since it was last asked. Raises OSError or ValueError where it tells no more."""
        ...


@dataclass(slots=True)
class _Zone:
    """One counter, in microjoules; it wraps at `most`."""

    path: Path
    most: int
    last: int

    def advance(self) -> int:
        now = int(self.path.read_text("ascii"))
        used = now - self.last if now >= self.last else now + self.most - self.last
        self.last = now
        return used


@dataclass(slots=True)
class EnergyMeter:
    """Joules since it was made. Read it more often than its counters wrap (about an hour under full load)."""

    counters: Sequence[Counter]
    _used: int = field(default=0, init=False)

    def joules(self) -> float | None:
        """None once a counter cannot be read any more."""
        try:
            self._used += sum(counter.advance() for counter in self.counters)
        except (OSError, ValueError):
            self.counters = ()
        return self._used / _MICROJOULES if self.counters else None


@dataclass(slots=True)
class EnergyShares:
    """Shares what the machine uses among the calls that are at work at the same time, in equal parts.

    Calls of other processes have their parts as well, as far as these processes tell of them (neighbours.py); what else
    the machine does is not known, and is in the calls' parts.
    """

    meter: EnergyMeter
    _at_work: int = field(default=0, init=False)
    _a_call: float = field(default=0.0, init=False)
    """Joules that a call would have used that was at work all the time."""
    _last: float | None = field(default=None, init=False)

    def begin(self, others: int = 0) -> float:
        """A call begins; give what this returns to `end`. `others`: calls of other processes at work now."""
        self._advance(others)
        self._at_work += 1
        return self._a_call

    def end(self, since: float, others: int = 0) -> float | None:
        """The call's joules; None where the meter cannot be read any more."""
        self._advance(others)
        self._at_work -= 1
        return None if self._last is None else self._a_call - since

    def _advance(self, others: int) -> None:
        now = self.meter.joules()
        if now is not None and self._last is not None and self._at_work:
            self._a_call += (now - self._last) / (self._at_work + others)
        self._last = now


def find_meter(
    powercap: Path = POWERCAP,
    cards: Callable[[], Sequence[Counter]] = find_cards,
    chips: Callable[[], Sequence[Counter]] = find_chips,
) -> EnergyMeter | None:
    """A meter of every processor and graphics card; None where the machine does not tell, or not us."""
    counters = [*_packages(powercap), *cards(), *chips()]
    return EnergyMeter(counters) if counters else None


def _packages(powercap: Path) -> list[_Zone]:
    """All of them or none: a sum without one would be too low."""
    zones = []
    for folder in sorted(powercap.glob("intel-rapl:*")):  # AMD's counters stand there too
        if folder.name.count(":") > 1:
            continue  # a part of a package, which is counted already
        try:
            if (folder / "name").read_text("ascii").startswith("package"):
                counter = folder / "energy_uj"
                most = int((folder / "max_energy_range_uj").read_text("ascii"))
                zones.append(_Zone(counter, most, int(counter.read_text("ascii"))))
        except (OSError, ValueError):
            return []
    return zones
