"""The specialists that ship."""

from __future__ import annotations

from nonet.specialists.code import CodeSpecialist
from nonet.specialists.general import GeneralSpecialist
from nonet.specialists.protocol import Specialist
from nonet.specialists.retrieval import RetrievalSpecialist
from nonet.specialists.summarization import SummarizationSpecialist


def default_specialists() -> dict[str, Specialist]:
    """A fresh mapping by name, in the order in which doors list them."""
    shipped: tuple[Specialist, ...] = (
        CodeSpecialist(),
        RetrievalSpecialist(),
        SummarizationSpecialist(),
        GeneralSpecialist(),
    )
    return {specialist.name: specialist for specialist in shipped}
