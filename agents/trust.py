"""What a model may decide in planning, read from its measured profile, never from its name.

`nonet doctor` lets each model choose and plan on requests of our own whose answers are known (`measuring`). It is
trusted with a decision only where that showed, with 95 % confidence, that it does better: than chance with room to
spare for a choice, than the rules on the same requests for a whole plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nonet.runtimes.choosing import better_than_chance

STEPWISE = "stepwise"
ONE_SHOT = "one-shot"
RUNGS = (STEPWISE, ONE_SHOT)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Trust:
    """What one model may decide."""

    routing: bool = False
    """Who gets a request that the rules are not sure of."""
    edges: bool = False
    """What a step reads where its words leave that open."""
    before: tuple[str, ...] = ()
    """Ways of planning that are better than the rules on any request: tried before them."""
    after: tuple[str, ...] = ()
    """Ways of planning that are better where the rules doubt their own plan: tried after them."""

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Orders models by what they may decide."""
        return len(self.before), len(self.after), int(self.edges), int(self.routing)


def trust_of(profile: Mapping[str, Any] | None) -> Trust:
    """From the JSON of a stored profile; None, or one that lacks what is needed, gives none."""
    if profile is None:
        return Trust()
    planning = profile.get("planning")
    planning = planning if isinstance(planning, Mapping) else {}
    rungs = planning.get("rungs")
    rungs = rungs if isinstance(rungs, Mapping) else {}
    found = [name for name in RUNGS if isinstance(rungs.get(name), Mapping)]
    before = tuple(name for name in found if _wins(rungs[name], "won", "lost"))
    return Trust(
        routing=_chooses(planning, "routing"),
        edges=_chooses(planning, "edges"),
        before=before,
        after=tuple(name for name in found if name not in before and _wins(rungs[name], "won_unsure", "lost_unsure")),
    )


def better_than_rules(won: int, lost: int) -> bool:
    """Whether a model's plans are better than the rules': it wins more often than it loses where only one is right.

    >>> better_than_rules(3, 0), better_than_rules(4, 1), better_than_rules(0, 0)
    (True, False, False)
    """
    return better_than_chance(won, won + lost, _HALF, room=0.0)


def _wins(rung: Mapping[str, Any], won: str, lost: str) -> bool:
    return better_than_rules(_count(rung, won), _count(rung, lost))


def _chooses(planning: Mapping[str, Any], what: str) -> bool:
    measured = planning.get(what)
    if not isinstance(measured, Mapping):
        return False
    chance = measured.get("chance")
    known = isinstance(chance, int | float) and 0 < chance < 1
    return known and better_than_chance(_count(measured, "right"), _count(measured, "asked"), float(chance or 0))


def _count(source: Mapping[str, Any], name: str) -> int:
    value = source.get(name)
    return value if isinstance(value, int) and value > 0 else 0
