"""What `--json` prints, as pydantic models and as JSON schemas. Keys may be added, none is renamed or removed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from nonet.schema_base import Output, VerdictName
from nonet.schema_batch import BATCH_OUTPUTS
from nonet.schema_eval import EVAL_OUTPUTS
from nonet.schema_specialists import SPECIALIST_OUTPUTS
from nonet.schema_workflow import WORKFLOW_OUTPUTS, WaitingStepOut


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
    applied: list[str]
    """Files that were changed, relative to the project: with --file and --apply."""


class SkippedOut(Output):
    """A file that was not taken, and why."""

    path: str
    reason: str


class FailedOut(Output):
    """A file that was named and could not be read."""

    path: str
    reason: str
    next_step: str


class DuplicateOut(Output):
    """A file with the same bytes as a document that is kept under another name."""

    path: str
    document: str


class FileNoteOut(Output):
    """What to know of a file that was read: a suffix that misleads, parts that were left out."""

    path: str
    note: str


class DocsAddOut(Output):
    """`nonet docs add`: names of documents, and files that were not taken."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str]
    removed: list[str]
    """Their files are gone from a folder that was named."""
    duplicates: list[DuplicateOut]
    failed: list[FailedOut]
    """Named themselves; the exit status is 1."""
    skipped: list[SkippedOut]
    notes: list[FileNoteOut]


class DocsEmbedOut(Output):
    """`nonet docs embed`."""

    model: str
    """And the beginning of its digest."""
    made: int
    vectors: int
    """In all."""
    chunks: int
    """In all."""


class DocumentOut(Output):
    """A document that is kept."""

    name: str
    collection: str
    digest: str
    """SHA-256 of its text, hexadecimal."""
    media_type: str
    path: str
    size_bytes: int
    characters: int
    chunks: int
    modified: float
    """Modification time of the file, seconds since the epoch."""
    dated: float
    """When it was written (an e-mail says so), else the modification time."""
    added_at_s: float
    """Seconds since the epoch."""


class DocsListOut(Output):
    """`nonet docs list`."""

    documents: list[DocumentOut]


class HitOut(Output):
    """A passage: characters start to end of the document's text."""

    document: str
    chunk: int
    score: float
    """Higher is better; comparable within one search only."""
    start: int
    end: int
    text: str
    heading: str
    """What it stands under: "Setup > Linux"."""
    page: int | None
    """From 1; null for documents without pages."""
    media_type: str
    path: str
    dated: float
    """When the document was written, seconds since the epoch."""
    collection: str


class DocsSearchOut(Output):
    """`nonet docs search`, best first."""

    method: str
    """By words or by words and vectors, and what was missing, in words."""
    results: list[HitOut]


class DocsRemoveOut(Output):
    """`nonet docs remove`."""

    removed: list[str]


class RunSummaryOut(Output):
    """A line of `nonet runs list`."""

    run: str
    seq: int
    """Orders runs; the clock does not."""
    task: str
    """Its first 200 characters."""
    runtime: str
    status: str
    verdict: str
    created_at_s: float
    finished_at_s: float | None


class RunsListOut(Output):
    """`nonet runs list`, newest first."""

    runs: list[RunSummaryOut]


class HistoryOut(Output):
    """What happened, oldest first in each list."""

    created_at_s: float
    finished_at_s: float | None
    runtime: str
    documents: list[str]
    leases: int
    """How often it was started or resumed."""
    plans: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    notes: list[dict[str, Any]]


class RunsShowOut(RunOut):
    """`nonet runs show`."""

    history: HistoryOut


class RunsExportOut(Output):
    """`nonet runs export`."""

    title: str
    runs: list[RunOut]


class RunsPruneOut(Output):
    """`nonet runs prune`."""

    runs: int
    texts: int
    freed_bytes: int


class MemoryOut(Output):
    """A model in a host's memory."""

    name: str
    size_bytes: int
    context_tokens: int
    expires_in_seconds: float | None
    """null: the host does not say."""


class HostOut(Output):
    """An Ollama server."""

    host: str
    state: Literal["up", "down", "draining"]
    added: bool
    """By hand; false: it is one of the settings."""
    version: str | None
    answer_seconds: float
    fault: str
    """Why it says no more; empty where it does."""
    loaded: list[MemoryOut]
    models: list[str]
    """What it has."""
    tokens_per_second: float
    """Of answers, as earlier calls showed; 0: not known."""
    load_seconds: dict[str, float]
    """By model, as earlier calls showed."""


class HostsListOut(Output):
    """`nonet hosts list`; with --watch an object a look."""

    hosts: list[HostOut]


class HostsChangeOut(Output):
    """`nonet hosts add`, `drain` and `remove`."""

    host: str
    action: Literal["add", "drain", "remove"]


class AccountOut(Output):
    """What some calls cost together."""

    name: str
    calls: int
    from_cache: int
    """Answers that were kept from an earlier call."""
    shared: int
    """Calls that got the answer of another that was under way."""
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    """Of the prompts' tokens: computed for an earlier call, where the runtime tells."""
    wait_seconds: float
    load_seconds: float
    prompt_seconds: float
    generation_seconds: float
    seconds: float
    """Of the calls, loading included, waiting not."""
    swaps: int
    swaps_avoided: int
    joules: float | None
    """null: not known."""


class CacheOut(Output):
    """The response cache."""

    responses: int
    size_bytes: int
    hits: int


class StatsOut(Output):
    """`nonet stats`."""

    by: Literal["model", "host", "run", "subtask", "job"]
    since_s: float
    """Seconds since the epoch; 0: all calls."""
    total: AccountOut
    rows: list[AccountOut]
    """Those that took longest first."""
    cache: CacheOut


class RunsTraceOut(Output):
    """`nonet runs trace --output FILE`; without it the trace itself is printed."""

    trace: str
    format: Literal["perfetto", "svg"]
    path: str
    spans: int


class ModelOut(Output):
    """A model that is there."""

    name: str
    context_tokens: int
    size_bytes: int
    capabilities: list[str]
    """Of "chat" and "embed"."""
    loaded: bool
    digest: str


class AvailableModelOut(Output):
    """A model that `nonet models pull` can fetch."""

    name: str
    size_bytes: int
    use: str


class ModelsListOut(Output):
    """`nonet models list`."""

    runtime: str
    models: list[ModelOut]
    available: list[AvailableModelOut]


class ModelsPullOut(Output):
    """`nonet models pull`."""

    runtime: str
    pulled: list[str]
    """Names; those that were there already included."""


class CheckOut(Output):
    """One thing that the doctor looked at."""

    name: str
    status: Literal["ok", "warning", "problem"]
    """"problem": a task cannot run. "warning": it can, with less."""
    detail: str
    next_step: str
    data: dict[str, Any] = Field(default_factory=dict)


class DoctorOut(Output):
    """`nonet doctor`."""

    ready: bool
    """True: a task can run. The exit status is 0, else 3."""
    runtime: str | None
    """What would be chosen."""
    checks: list[CheckOut]


class IntervalOut(Output):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


class MeasuredOut(Output):
    """What a rule comes to: its accuracy, and its cost in seconds a task."""

    accuracy: IntervalOut
    cost: IntervalOut
    climbed: float
    """Share of the tasks that went beyond the first model."""


class CalibratedOut(Output):
    """One specialist's ladder."""

    specialist: str
    ladder: list[str]
    wanted: float
    tasks: int
    reachable: float
    """The highest accuracy that any bar has on these tasks."""
    set: bool
    """false: no bar has the accuracy, and nothing was changed."""
    bar: float | None
    """The confidence below which the next model is asked."""
    expected: MeasuredOut | None
    """On tasks that the bar was not chosen by."""
    first_only: MeasuredOut | None
    last_only: MeasuredOut | None
    always_up: MeasuredOut | None
    trials: list[dict[str, Any]]
    """A line each for another `nonet calibrate`, which then runs nothing."""


class CalibrateOut(Output):
    """`nonet calibrate`."""

    specialists: list[CalibratedOut]


class SettingOut(Output):
    """A setting and where it comes from."""

    model_config = ConfigDict(serialize_by_alias=True)

    value: Any
    source: str = Field(alias="from")


class ConfigOut(Output):
    """`nonet config`."""

    settings: dict[str, SettingOut]
    files: list[str]


class GraphOut(Output):
    """`nonet run --graph`."""

    mermaid: str


class ProblemOut(Output):
    """What happened, what was kept, what to do next."""

    kind: str
    message: str
    kept: str
    next_step: str


class ErrorOut(Output):
    """Any command that could not do its work."""

    error: ProblemOut


OUTPUTS: dict[str, type[Output]] = {
    "run": RunOut,
    "workflow-run": WorkflowRunOut,
    **WORKFLOW_OUTPUTS,
    "plan": PlanOut,
    "ask": AskOut,
    "graph": GraphOut,
    "docs-add": DocsAddOut,
    "docs-embed": DocsEmbedOut,
    "docs-list": DocsListOut,
    "docs-search": DocsSearchOut,
    "docs-remove": DocsRemoveOut,
    **BATCH_OUTPUTS,
    "runs-list": RunsListOut,
    "runs-show": RunsShowOut,
    "runs-export": RunsExportOut,
    "runs-prune": RunsPruneOut,
    "runs-trace": RunsTraceOut,
    "hosts-list": HostsListOut,
    "hosts-change": HostsChangeOut,
    "stats": StatsOut,
    "models-list": ModelsListOut,
    "models-pull": ModelsPullOut,
    **SPECIALIST_OUTPUTS,
    "doctor": DoctorOut,
    "calibrate": CalibrateOut,
    **EVAL_OUTPUTS,
    "config": ConfigOut,
    "error": ErrorOut,
}
"""By the name that `nonet schema` takes."""


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON schema (draft 2020-12) of every output."""
    return {name: output.model_json_schema() for name, output in OUTPUTS.items()}
