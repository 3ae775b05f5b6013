"""What a batch tells while it works. Doors render these; text from documents and models in them is raw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nonet.graphs.events import Event
from nonet.store import Job, JobStatus, JobUsage


@dataclass(frozen=True, slots=True)
class JobStarted:
    job: Job


@dataclass(frozen=True, slots=True)
class JobStep:
    """Something that the run of a job told."""

    job: Job
    event: Event


@dataclass(frozen=True, slots=True)
class JobDone:
    job: Job
    verdict: str
    seconds: float
    usage: JobUsage


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A try went wrong."""

    job: Job
    status: JobStatus
    """DELAYED: it is tried again; DEAD: it is not."""
    kind: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class JobReturned:
    """It was given back, or taken away; no try of it was used up."""

    job: Job
    reason: str


@dataclass(frozen=True, slots=True)
class ServerFailed:
    """Nothing is begun until the server is well."""

    reason: str


@dataclass(frozen=True, slots=True)
class ServerWell:
    seconds: float
    """How long it was not."""


@dataclass(frozen=True, slots=True)
class BatchNotice:
    """Anything else that must not pass in silence."""

    kind: str
    text: str


BatchEvent = JobStarted | JobStep | JobDone | JobFailed | JobReturned | ServerFailed | ServerWell | BatchNotice
OnBatchEvent = Callable[[BatchEvent], None]
