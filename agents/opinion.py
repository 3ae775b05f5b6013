"""A second opinion on what the rules leave open: a model chooses among what exists, in several orders.

Only a model that `nonet doctor` has seen choose better than chance is asked, and only a clear choice counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nonet.agents.desk import PlanDesk
from nonet.runtimes.choosing import Ask, Choice, Option, choose

MAX_QUESTIONS = 4
"""Of one plan; each costs up to four calls."""
_CANDIDATES = 4
_CHARACTERS = 600
NOTHING = "nothing"
ALL = "all"


class SecondOpinion:
    """Asks one model.

    Args:
        desk: asks it.
        specialists: name -> what it does.
        routing: whether it may be asked who should get a request.
        edges: whether it may be asked what a step reads.
    """

    def __init__(self, desk: PlanDesk, specialists: Mapping[str, str], *, routing: bool, edges: bool) -> None:
        self._desk = desk
        self._specialists = specialists
        self.routing = routing
        self.edges = edges
        self._left = MAX_QUESTIONS

    def begin(self) -> None:
        """A new plan: as many questions as a plan may have."""
        self._left = MAX_QUESTIONS

    async def specialist(self, request: str, scores: Mapping[str, float]) -> Choice | None:
        """Who should get a request, of those with the best scores; None where it may not be asked."""
        names = sorted(scores, key=lambda name: -scores[name])[:_CANDIDATES]
        if not self.routing or len(names) < 2 or not self._take():  # noqa: PLR2004
            return None
        options = [Option(name, self._specialists.get(name, "")) for name in self._specialists if name in names]
        return await ask_specialist(self._desk.ask, request, options)

    async def reads(self, instruction: str, earlier: Sequence[str]) -> tuple[int, ...] | None:
        """Places of the earlier steps that a step needs; None where it may not be asked or is not sure."""
        if not self.edges or not self._take():
            return None
        return await ask_reads(self._desk.ask, instruction, earlier)

    def _take(self) -> bool:
        self._left -= 1
        return self._left >= 0


async def ask_specialist(ask: Ask, request: str, options: Sequence[Option]) -> Choice:
    """The question who should get a request, as a plan asks it and as `doctor` measures it."""
    return await choose(ask, f"Request: {_short(request)}\n\nWho does it?", options)


async def ask_reads(ask: Ask, instruction: str, earlier: Sequence[str]) -> tuple[int, ...] | None:
    """The question which of the last earlier steps a step needs, as a plan asks it and as `doctor` measures it."""
    first = max(0, len(earlier) - (_CANDIDATES - 1))
    shown = earlier[first:]
    options = [Option(f"step {first + number}", _short(text)) for number, text in enumerate(shown, 1)]
    options.append(Option(NOTHING, "it can be done without any of them"))
    if len(shown) > 1:
        options.append(Option(ALL, "it builds on every one of them"))
    question = f"Step {len(earlier) + 1}: {_short(instruction)}\n\nThe result of which earlier step does it need?"
    choice = await choose(ask, question, options)
    if not choice.sure:
        return None
    if choice.name == NOTHING:
        return ()
    if choice.name == ALL:
        return tuple(range(first, len(earlier)))
    return (int(choice.name.removeprefix("step ")) - 1,)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else f"{line[: _CHARACTERS - 1]}\u2026"
