"""What a worker's events add up to: what is in hand, at which stage, what failed lately, and what it cost."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field

from nonet.graphs.batch_events import (
    BatchEvent,
    JobDone,
    JobFailed,
    JobReturned,
    JobStarted,
    JobStep,
    ServerFailed,
    ServerWell,
)
from nonet.graphs.events import Notice, PlanReady, SubtaskFinished, SubtaskStarted
from nonet.runtimes.energy import EnergyMeter, find_meter

_FAILURES = 5


@dataclass(slots=True)
class InHand:
    """A document at work."""

    job: int
    document: str
    started: float
    stages: dict[str, str] = field(default_factory=dict)
    """Subtasks at work, and who works on them."""
    planned: bool = False

    @property
    def stage(self) -> str:
        """Where it is, in a word or two."""
        if self.stages:
            return ", ".join(sorted(set(self.stages.values())))
        return "finishing" if self.planned else "planning"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


@dataclass(slots=True)
class Track:
    """Takes the events of one worker."""

    in_hand: dict[int, InHand] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    done: int = 0
    dead: int = 0
    tried_again: int = 0
    returned: int = 0
    tokens: int = 0
    calls: int = 0
    swaps: int = 0
    server: str = ""
    """What the server does wrong at the moment."""
    failures: deque[JobFailed] = field(default_factory=lambda: deque(maxlen=_FAILURES))
    slowest: tuple[float, str] = (0.0, "")
    started: float = field(default_factory=time.monotonic)
    _meter: EnergyMeter | None = field(default_factory=find_meter)

    def __call__(self, event: BatchEvent) -> None:
        match event:
            case JobStarted():
                job = event.job
                self.in_hand[job.seq] = InHand(job.seq, job.document, time.monotonic())
            case JobStep():
                self._step(event)
            case JobDone():
                self._done(event)
            case JobFailed():
                self.in_hand.pop(event.job.seq, None)
                self.failures.append(event)
                self.dead += event.status == "dead"
                self.tried_again += event.status != "dead"
            case JobReturned():
                self.in_hand.pop(event.job.seq, None)
                self.returned += 1
            case ServerFailed():
                self.server = event.reason
            case ServerWell():
                self.server = ""
            case _:
                pass

    def _step(self, event: JobStep) -> None:
        found = self.in_hand.get(event.job.seq)
        if isinstance(event.event, Notice) and event.event.kind == "swap":
            self.swaps += 1
        if found is None:
            return
        match event.event:
            case PlanReady():
                found.planned = True
            case SubtaskStarted() as step:
                found.planned = True
                found.stages[step.subtask] = step.specialist
            case SubtaskFinished() as step:
                found.stages.pop(step.subtask, None)
            case _:
                pass

    def _done(self, event: JobDone) -> None:
        self.in_hand.pop(event.job.seq, None)
        self.done += 1
        self.verdicts[event.verdict] += 1
        self.calls += event.usage.calls
        self.tokens += event.usage.prompt_tokens + event.usage.completion_tokens
        self.slowest = max(self.slowest, (event.seconds, event.job.document))

    def stages(self) -> dict[str, int]:
        """How many documents are at each stage."""
        return dict(Counter(each.stage for each in list(self.in_hand.values())).most_common())

    def joules(self) -> float | None:
        """What the processors took since the start, where the machine tells."""
        return None if self._meter is None else self._meter.joules()
