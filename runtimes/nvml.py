"""Energy that NVIDIA's graphics cards have used, by NVML: cards from Volta on count it, in millijoules.

Read through nvidia-ml-py, NVIDIA's own bindings (the extra `nvidia`). Not run on a card by those who wrote this: tested
against what the bindings document.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_MICROJOULES_A_MILLIJOULE = 1000


@dataclass(slots=True)
class Card:
    """One card's counter."""

    library: Any
    handle: Any
    last: int

    def advance(self) -> int:
        """Microjoules since it was last asked. Raises OSError where the card does not tell any more."""
        try:
            now = int(self.library.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        except self.library.NVMLError as error:
            raise OSError(str(error)) from error
        used, self.last = max(now - self.last, 0), now  # it begins anew with the driver
        return used * _MICROJOULES_A_MILLIJOULE


def find_cards(library: Any = None) -> list[Card]:  # noqa: ANN401 - the bindings have no types
    """Every card that counts its energy; none without the bindings, a driver or such cards.

    Args:
        library: what offers pynvml's functions; None: pynvml.
    """
    if library is None:
        if find_spec("pynvml") is None:
            return []
        library = import_module("pynvml")
    try:
        library.nvmlInit()
        handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
    except library.NVMLError:
        return []
    cards = []
    for handle in handles:
        try:
            cards.append(Card(library, handle, int(library.nvmlDeviceGetTotalEnergyConsumption(handle))))
        except library.NVMLError:  # an older card does not count
            continue
    return cards
