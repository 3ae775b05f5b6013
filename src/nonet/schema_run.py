"""What the commands print with --json that do work: run, plan, ask."""

from __future__ import annotations

from typing import Any, Literal

from nonet.schema_base import Output, VerdictName
from nonet.schema_workflow import WaitingStepOut


class EvidenceOut(Output):
    """One check and what it found."""

    kind: str
    passed: bool | None
    """null: the check could not be made."""
    detail: str


class CitationOut(Output):
    """A verbatim quote: characters start to end of the document's text."""

    document: str
    quote: str
    start: int
    end: int
    chunk: int | None
    """Of the document's chunks, from 0."""
    page: int | None
    """From 1; null for documents without pages."""


class UsageOut(Output):
    """What a run cost, over all its attempts and resumes."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    swaps: int
    """Models that had to be loaded in place of others."""
    escalations: int
    """Steps up a ladder of models."""
    joules: float | None
    """Of the machine's processors while it worked. null: not known."""
    cached_tokens: int
    """Of the prompts: tokens that were computed for an earlier call, where the runtime tells."""


class BudgetOut(Output):
    """What a run may spend over all its attempts and resumes. null: no limit."""

    max_calls: int | None
    max_tokens: int | None
    max_seconds: float | None
    max_joules: float | None


class SubtaskOut(Output):
    """How one subtask ended."""

    id: str
    specialist: str
    instruction: str
    inputs: list[str]
    """Ids of the subtasks whose results it read."""
    verdict: VerdictName | None
    """null: it was not run."""
    attempts: int
    model: str
    evidence: list[EvidenceOut]
    data: dict[str, Any]
    """What the specialist gave beside its text: a typed output under `output`."""


class RunOut(Output):
    """`nonet run`, `nonet runs resume`, `nonet runs fork`, `nonet demo`."""

    run: str
    task: str
    status: Literal["done", "failed", "interrupted", "running", "waiting", "refused"]
    """"waiting": for approval of its plan. "refused": the plan was."""
    verdict: VerdictName
    answer: str
    subtasks: list[SubtaskOut]
    citations: list[CitationOut]
    usage: UsageOut
    budget: BudgetOut | None
    """null: of a run that was made before budgets were kept."""
    notes: list[str]
    missing: list[str]
    """What the answer lacks, in words."""


class WorkflowRunOut(RunOut):
    """`nonet run --workflow`, and `nonet runs resume` and `fork` of such a run."""

    workflow: str
    """Its name."""
    output: Any
    """Of the workflow, of its type. null where there is none."""
    waiting: list[WaitingStepOut]
    """Steps that a person has to approve before the run can go on."""


class RoutingOut(Output):
    """Why a subtask went to its specialist."""

    method: str
    """"rule": its wording is plain. "embedding", "lexical": nearest examples. "model": a model chose."""
    margin: float
    """How far the chosen specialist is ahead of the next, 0 to 2."""
    sure: bool
    """false: the margin is below what routing was measured to need."""
    nearest: list[str]
    """The examples that were nearest, nearest first."""


class TriedOut(Output):
    """A way of planning that was tried."""

    planner: str
    used: bool
    why: str
    """Why it was used or left."""
    calls: int
    """To a model."""


class OptionsOut(Output):
    """How a summary is to be; null: as its request says."""

    words: int | None
    sentences: int | None
    bullets: int | None
    paragraphs: int | None
    form: str | None
    style: str | None
    language: str | None
    focus: str | None


class PlanSubtaskOut(Output):
    """One subtask of a plan."""

    id: str
    specialist: str
    instruction: str
    inputs: list[str]
    documents: list[str]
    """Names of documents it reads whole."""
    routing: RoutingOut | None
    """null: the user chose the specialist."""
    options: OptionsOut | None
    """Of a summary that was given any."""


class PlanOut(Output):
    """`nonet plan`."""

    planner: str
    """Which planner made it: "rules", "stepwise", "one-shot" or "user"."""
    subtasks: list[PlanSubtaskOut]
    notes: list[str]
    doubts: list[str]
    """Of the notes, those that speak against the plan."""
    tried: list[TriedOut]
    """The ways of planning that were tried, in order; one of them made the plan."""
    model: str
    """The model that was asked; empty: none was."""


class AskOut(Output):
    """`nonet ask`."""

    run: str
    specialist: str
    model: str
    verdict: VerdictName
    output: str
    evidence: list[EvidenceOut]
    citations: list[CitationOut]
    usage: UsageOut
    budget: BudgetOut | None
    missing: list[str]
    """What the answer lacks, in words."""
    notes: list[str]
    data: dict[str, Any]
    """What the specialist gave beside its text: a typed output under `output`."""
    applied: list[str]
    """Files that were changed, relative to the project: with --file and --apply."""


class GraphOut(Output):
    """`nonet run --graph`."""

    mermaid: str


RUN_OUTPUTS: dict[str, type[Output]] = {
    "run": RunOut,
    "workflow-run": WorkflowRunOut,
    "plan": PlanOut,
    "ask": AskOut,
    "graph": GraphOut,
}
