"""What `nonet runs` prints with --json."""

from __future__ import annotations

from typing import Any, Literal

from nonet.schema_base import Output
from nonet.schema_run import RunOut


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

    workflow: dict[str, str] | None
    """The "name", the "file" and the "module" of the workflow that it ran. null: a task."""
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


class RunsTraceOut(Output):
    """`nonet runs trace --output FILE`; without it the trace itself is printed."""

    trace: str
    format: Literal["perfetto", "svg"]
    path: str
    spans: int


RUNS_OUTPUTS: dict[str, type[Output]] = {
    "runs-list": RunsListOut,
    "runs-show": RunsShowOut,
    "runs-export": RunsExportOut,
    "runs-prune": RunsPruneOut,
    "runs-trace": RunsTraceOut,
}
