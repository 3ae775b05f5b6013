"""What a run tells while it works. Doors render these; nothing here prints.

Every event is small and frozen; text from models and documents in them is raw and must be cleaned before a terminal
sees it (nonet.render does).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nonet.agents.plan import Plan
from nonet.graphs.budget import Limits
from nonet.graphs.result import RunUsage
from nonet.specialists import Verdict


@dataclass(frozen=True, slots=True)
class RunStarted:
    run: str
    task: str
    runtime: str
    models: tuple[tuple[str, str], ...]
    """(specialist, model) pairs."""
    resumed: bool = False
    budget: Limits = field(default_factory=Limits)
    """What it may spend."""


@dataclass(frozen=True, slots=True)
class PlanReady:
    run: str
    plan: Plan
    revision: int = 1
    """Above 1: what was left of the plan before failed in part, and is planned anew."""


@dataclass(frozen=True, slots=True)
class SubtaskStarted:
    subtask: str
    specialist: str
    model: str
    attempt: int
    """1 for the first; later ones repair or climb the ladder."""


@dataclass(frozen=True, slots=True)
class SubtaskText:
    subtask: str
    text: str
    """The next piece of the model's answer."""


@dataclass(frozen=True, slots=True)
class CallFinished:
    usage: RunUsage
    """What the run has cost so far."""


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    subtask: str
    attempt: int
    model: str
    verdict: Verdict
    detail: str
    """The first failed check, or the check that decided."""


@dataclass(frozen=True, slots=True)
class SubtaskFinished:
    subtask: str
    verdict: Verdict
    attempts: int
    seconds: float
    reused: bool = False
    """True: the artifact was there from before a resume, and nothing was run."""


@dataclass(frozen=True, slots=True)
class ArtifactKept:
    """Of a workflow's step: what it gave is in the store."""

    subtask: str
    digest: str
    """SHA-256 of the text; of a list of outputs, over the digests of its items."""
    text: str
    """JSON, where it is no text."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must not happen in silence: a swap, a retry, an escalation, a skipped document."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    run: str
    status: str
    verdict: Verdict


Event = (
    RunStarted
    | PlanReady
    | SubtaskStarted
    | SubtaskText
    | CallFinished
    | AttemptFinished
    | SubtaskFinished
    | ArtifactKept
    | Notice
    | RunFinished
)
OnEvent = Callable[[Event], None]
