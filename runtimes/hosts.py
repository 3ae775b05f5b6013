"""What the scheduler knows of one host: its slots, what is loaded there, how fast it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from nonet.runtimes.lines import Line, Priority

LOAD_SECONDS = 3.0
"""Of a model whose load was never measured (0.5 to 5 s were seen with models of 0.1B to 1.5B on two cores)."""
CALL_SECONDS = 2.0
"""Of a call to a model that was never called."""
_NEWEST_SHARE = 0.25
"""Of the newest measurement in a running mean."""


def blend(old: float, new: float) -> float:
    """A running mean; 0 stands for "nothing measured yet"."""
    return old + _NEWEST_SHARE * (new - old) if old else new


@dataclass(slots=True)
class Loaded:
    """A model in a host's memory, or on its way into it."""

    turn_since_s: float
    """When it was loaded."""
    used_s: float
    """When a call of it last began or ended."""
    ready: bool = False
    """It has answered, so that it is really there."""
    running: list[int] = field(default_factory=lambda: [0] * len(Priority))
    """Calls at work, by priority."""

    @property
    def busy(self) -> int:
        return sum(self.running)


@dataclass(slots=True, frozen=True)
class Drain:
    """A host makes room: no new calls of `victim`, so that `line` gets its model."""

    line: Line
    victim: str


@dataclass(slots=True, eq=False)
class Host:
    """One server, or the embedded runtime.

    Args:
        name: as the user knows it.
        slots: calls at once.
        room: models in memory at once.
        present: the models it has; None: all.
        pinned: models that stay loaded where there is room for another beside them.
    """

    name: str
    slots: int = 4
    room: int = 3
    present: frozenset[str] | None = None
    pinned: frozenset[str] = frozenset()
    up: bool = True
    """False while its breaker is open."""
    leaving: bool = False
    """True: it finishes what it has and gets nothing new."""
    loaded: OrderedDict[str, Loaded] = field(default_factory=OrderedDict)
    """Least recently used first."""
    running: int = 0
    tokens_per_second: float = 0.0
    """Of an answer, as measured; 0: unknown."""
    load_seconds: dict[str, float] = field(default_factory=dict)
    """By model, as measured."""
    drain: Drain | None = None
    ahead: int = 0
    """Calls sent beyond the slots, so that a slot is filled again without a way there and back."""
    others_running: int = 0
    """Calls of other processes that we leave slots to."""
    others_at_work: int = 0
    """Calls of other processes that it computes, or keeps waiting for a slot."""
    others_use: frozenset[str] = frozenset()
    """Models that other processes have calls for; they are not pushed out."""
    yields: frozenset[str] = frozenset()
    """Models of ours that another process's had the room before: no new calls until that has had its turn."""
    others_want: str = ""
    """A model that another process has waited for long enough: one of ours makes room for it."""

    def __post_init__(self) -> None:
        if self.slots < 1 or self.room < 1:
            raise ValueError("slots and room must be at least 1")

    @property
    def serves(self) -> bool:
        return self.up and not self.leaving

    @property
    def free(self) -> int:
        """Slots that a call could have now."""
        return self.slots - self.running - self.others_running

    @property
    def takes(self) -> int:
        """Calls it could be sent now: its free slots, and a few that wait at the server while all are at work."""
        return self.free + (self.ahead if self.drain is None else 0)

    def has(self, model: str) -> bool:
        return self.present is None or model in self.present

    def load_cost_s(self, model: str) -> float:
        return self.load_seconds.get(model, LOAD_SECONDS)

    def admits(self, model: str) -> bool:
        """The model is loaded, and is not to make room."""
        if model not in self.loaded or model in self.yields:
            return False
        if self.drain is not None and self.drain.victim == model:
            return False
        wanted = self.others_want
        return not wanted or wanted == model or wanted in self.loaded or len(self.loaded) < self.room

    def may_push_out(self, model: str) -> bool:
        """A loaded model that is neither pinned nor used by another process."""
        return model not in self.others_use and not (self.room > 1 and model in self.pinned)

    def idle(self) -> list[str]:
        """Loaded models that could be pushed out now."""
        return [name for name, model in self.loaded.items() if not model.busy and self.may_push_out(name)]

    def see_loaded(self, models: Iterable[str], now_s: float) -> None:
        """Believe what the server says is in its memory. Models at work stay: some are still being loaded."""
        seen = set(models)
        for name in [name for name, model in self.loaded.items() if name not in seen and not model.busy]:
            del self.loaded[name]
        for name in seen - self.loaded.keys():
            self.loaded[name] = Loaded(now_s, now_s, ready=True)

    def start(self, model: str, priority: Priority, now_s: float) -> bool:
        """A call begins; whether its model has answered before."""
        self.running += 1
        state = self.loaded[model]
        state.running[priority] += 1
        state.used_s = now_s
        self.loaded.move_to_end(model)
        return state.ready

    def finish(self, model: str, priority: Priority, now_s: float) -> None:
        """A call has ended."""
        self.running -= 1
        state = self.loaded.get(model)
        if state is not None and state.running[priority]:
            state.running[priority] -= 1
            state.used_s = now_s
            state.ready = True
