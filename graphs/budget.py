"""What a run may spend, and what it has spent. A budget is of the run: what earlier processes spent counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from nonet.errors import BudgetSpentError
from nonet.graphs.result import RunUsage
from nonet.runtimes import Usage

if TYPE_CHECKING:
    from nonet.runtimes.energy import EnergyMeter
    from nonet.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may spend over all its attempts and processes. None: no limit."""

    max_calls: int | None = None
    max_tokens: int | None = None
    """Of prompts and answers together. Looked at before each call, so that calls in flight may go beyond it."""
    max_seconds: float | None = None
    """Of work; the time a person takes to approve a plan is not counted."""
    max_joules: float | None = None
    """Of the machine's processors, where it tells."""

    @classmethod
    def of(cls, source: Settings | Mapping[str, Any]) -> Self:
        """From the settings, or from what `to_json` gave."""
        if isinstance(source, Mapping):
            return cls(**{each.name: source.get(each.name) for each in fields(cls)})
        return cls(source.max_calls, source.max_tokens, source.max_seconds, source.max_joules)

    def replaced_by(self, other: Limits) -> Self:
        """The limits that `other` gives instead of these."""
        return type(self)(**{**asdict(self), **{key: value for key, value in asdict(other).items() if value}})

    def to_json(self) -> dict[str, Any]:
        """Every limit by name."""
        return asdict(self)

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return any(getattr(self, each.name) is not None for each in fields(self))


@dataclass(slots=True)
class Budget:
    """Counts what a run spends, and stops it.

    Args:
        limits: over all processes.
        before: what earlier processes spent.
        meter: of this machine's energy; None where it is not known.
        resumed: earlier processes worked on the run.
    """

    limits: Limits = field(default_factory=Limits)
    before: RunUsage = field(default_factory=RunUsage)
    meter: EnergyMeter | None = None
    resumed: bool = False
    clock: Callable[[], float] = time.monotonic
    calls: int = field(default=0, init=False)
    usage: Usage = field(default_factory=Usage, init=False)
    _started: float = field(default=0.0, init=False)
    _joules_before: float | None = field(default=None, init=False)
    _timeout: asyncio.Timeout | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._joules_before = self.meter.joules() if self.meter is not None else None

    @property
    def seconds(self) -> float:
        """Worked so far."""
        return self.before.seconds + self.clock() - self._started

    @property
    def tokens(self) -> int:
        spent = self.before.prompt_tokens + self.before.completion_tokens
        return spent + self.usage.prompt_tokens + self.usage.completion_tokens

    @property
    def joules(self) -> float | None:
        """None where they are not known of every process that worked on the run."""
        if self.meter is None or self._joules_before is None or (self.resumed and self.before.joules is None):
            return None
        now = self.meter.joules()
        return None if now is None else now - self._joules_before + (self.before.joules or 0.0)

    def spent(self, *, swaps: int = 0, escalations: int = 0) -> RunUsage:
        """All that the run has cost; swaps and escalations are those of this process."""
        before, here = self.before, self.usage
        return RunUsage(
            calls=before.calls + self.calls,
            prompt_tokens=before.prompt_tokens + here.prompt_tokens,
            completion_tokens=before.completion_tokens + here.completion_tokens,
            seconds=self.seconds,
            swaps=before.swaps + swaps,
            escalations=before.escalations + escalations,
            joules=self.joules,
            cached_tokens=before.cached_tokens + here.cached_tokens,
        )

    def take_call(self) -> None:
        """Count one call before it is made. Raises BudgetSpentError when nothing is left for it."""
        if (refusal := self.refusal()) is not None:
            raise refusal
        self.calls += 1

    def refusal(self) -> BudgetSpentError | None:
        """Why no further call may be made; None where one may."""
        limits = self.limits
        if limits.max_calls is not None and self.before.calls + self.calls >= limits.max_calls:
            return _spent(f"The run has made the {limits.max_calls} calls it may make.", "calls")
        if limits.max_tokens is not None and self.tokens >= limits.max_tokens:
            return _spent(f"The run has used {self.tokens:,} of the {limits.max_tokens:,} tokens it may use.", "tokens")
        if limits.max_seconds is not None and self.seconds >= limits.max_seconds:
            return self._out_of_time()
        if limits.max_joules is not None and (joules := self.joules) is not None and joules >= limits.max_joules:
            return _spent(f"The run has used {joules:,.0f} of the {limits.max_joules:g} joules it may use.", "joules")
        return None

    def add(self, usage: Usage) -> None:
        """Count what a call cost."""
        self.usage += usage

    @asynccontextmanager
    async def deadline(self) -> AsyncIterator[None]:
        """Stop the block when the run's seconds are used up. Raises BudgetSpentError."""
        if self.limits.max_seconds is None:
            yield
            return
        left = asyncio.timeout(max(0.0, self.limits.max_seconds - self.seconds))
        try:
            async with left:
                self._timeout = left
                yield
        except TimeoutError as error:
            if not left.expired():
                raise
            raise self._out_of_time() from error
        finally:
            self._timeout = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time of the block: a person is asked something."""
        since = self.clock()
        until = self._timeout.when() if self._timeout is not None else None
        if self._timeout is not None:
            self._timeout.reschedule(None)
        try:
            yield
        finally:
            waited = self.clock() - since
            self._started += waited
            if self._timeout is not None and until is not None:
                self._timeout.reschedule(until + waited)

    def _out_of_time(self) -> BudgetSpentError:
        return _spent(f"The run has used the {self.limits.max_seconds:g} seconds it may use.", "seconds")


def _spent(message: str, what: str) -> BudgetSpentError:
    return BudgetSpentError(
        message,
        kept="Finished subtasks are kept.",
        next_step=f"Raise max_{what} and resume the run (`nonet runs resume --max-{what} N`).",
    )
