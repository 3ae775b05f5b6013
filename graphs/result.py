"""What a run gives back, and the JSON of it (docs/json.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nonet.agents.plan import Plan
from nonet.specialists import Citation, Evidence, Verdict

if TYPE_CHECKING:
    from nonet.graphs.budget import Limits


@dataclass(frozen=True, slots=True)
class SubtaskResult:
    """How one subtask ended."""

    id: str
    specialist: str
    instruction: str
    inputs: tuple[str, ...]
    verdict: Verdict | None
    """None: it was not run (the run stopped before it)."""
    attempts: int
    model: str
    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[Citation, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the specialist gave beside its text, as JSON values: a typed output under "output"."""


@dataclass(frozen=True, slots=True)
class RunUsage:
    """What the run cost, over all its attempts and resumes."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    swaps: int = 0
    escalations: int = 0
    joules: float | None = None
    """Of the machine's processors while it worked. None: not known."""
    cached_tokens: int = 0
    """Of the prompts: tokens that were computed for an earlier call, where the runtime tells."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished, failed or interrupted run."""

    run: str
    task: str
    status: str
    """"done", "failed", "interrupted", "waiting" (for approval), "refused" (the plan was)."""
    verdict: Verdict
    answer: str
    plan: Plan | None
    subtasks: tuple[SubtaskResult, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: RunUsage = field(default_factory=RunUsage)
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the answer lacks: subtasks that failed or were not run, in words."""
    call_errors: tuple[str, ...] = ()
    """What went wrong in calls, each as "Class: message", oldest first."""
    budget: Limits | None = None
    """What it might spend. None: of a run that kept none."""

    def to_json(self) -> dict[str, Any]:
        """The object `nonet run --json` prints."""
        return {
            "run": self.run,
            "task": self.task,
            "status": self.status,
            "verdict": str(self.verdict),
            "answer": self.answer,
            "subtasks": [
                {
                    "id": subtask.id,
                    "specialist": subtask.specialist,
                    "instruction": subtask.instruction,
                    "inputs": list(subtask.inputs),
                    "verdict": str(subtask.verdict) if subtask.verdict else None,
                    "attempts": subtask.attempts,
                    "model": subtask.model,
                    "evidence": [asdict(item) for item in subtask.evidence],
                    "data": dict(subtask.data),
                }
                for subtask in self.subtasks
            ],
            "citations": [asdict(citation) for citation in self.citations],
            "usage": asdict(self.usage),
            "budget": self.budget.to_json() if self.budget is not None else None,
            "notes": list(self.notes),
            "missing": list(self.missing),
        }
