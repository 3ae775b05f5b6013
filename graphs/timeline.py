"""Who ran when: the calls of a run as spans of time, for a trace and for a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from nonet.store import AttemptRecord, CallRecord, RunRecord

SpanKind = Literal["attempt", "wait", "call", "load", "prompt", "answer"]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time. Seconds since the epoch."""

    kind: SpanKind
    group: str
    """What the row belongs to: "host NAME" or "run ID"."""
    row: str
    """Spans of one row do not overlap, but for those within one another."""
    name: str
    began_s: float
    ended_s: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Rows:
    """Gives each call of a host the first row that is free, as a slot would be."""

    _ends: dict[str, list[float]] = field(default_factory=dict)

    def take(self, group: str, began_s: float, ended_s: float) -> str:
        """Calls come in the order in which they began, or nearly so."""
        ends = self._ends.setdefault(group, [])
        for number, end_s in enumerate(ends):
            if end_s <= began_s:
                ends[number] = ended_s
                return f"slot {number + 1}"
        ends.append(ended_s)
        return f"slot {len(ends)}"


def timeline(records: Iterable[RunRecord]) -> list[Span]:
    """The spans of runs, oldest first."""
    spans: list[Span] = []
    calls: list[tuple[str, CallRecord]] = []
    for record in records:
        spans += [_attempt(record.id, each, record.finished_at_s) for each in record.attempts]
        calls += [(record.id, call) for call in record.calls]
    rows = Rows()
    for run, call in sorted(calls, key=lambda each: each[1].created_at_s - each[1].seconds):
        spans += call_spans(run, call, rows)
    return sorted(spans, key=lambda span: (span.began_s, -span.ended_s))


def call_spans(run: str, call: CallRecord, rows: Rows) -> list[Span]:
    """A call in its slot with what it spent its time on, and on its subtask's row with its wait."""
    ended_s = call.created_at_s
    began_s = ended_s - call.seconds
    name = f"{call.subtask or 'planning'} {call.model}"
    group, subtask = f"run {run}", call.subtask or "planning"
    spans = [Span("call", group, subtask, call.model, began_s, ended_s)]
    if call.wait_seconds > 0:
        spans.append(Span("wait", group, subtask, "wait", began_s - call.wait_seconds, began_s))
    if not call.host:  # no host was asked
        return spans
    host = f"host {call.host}"
    row = rows.take(host, began_s, ended_s)
    spans.append(Span("call", host, row, name, began_s, ended_s, _facts(run, call)))
    answer_s = ended_s - call.generation_seconds
    parts: Sequence[tuple[SpanKind, float, float]] = (
        ("load", began_s, began_s + call.load_seconds),
        ("prompt", answer_s - call.prompt_seconds, answer_s),
        ("answer", answer_s, ended_s),
    )
    # The server's clock and ours differ by little, but nothing may stand out of its call.
    spans += [Span(kind, host, row, kind, max(since, began_s), until) for kind, since, until in parts if until > since]
    return spans


def _attempt(run: str, attempt: AttemptRecord, finished_at_s: float | None) -> Span:
    ended_s = attempt.finished_at_s or finished_at_s or attempt.started_at_s
    name = f"attempt {attempt.number} {attempt.verdict or 'unfinished'}"
    return Span("attempt", f"run {run}", attempt.subtask, name, attempt.started_at_s, ended_s)


def _facts(run: str, call: CallRecord) -> dict[str, Any]:
    facts = {
        "run": run,
        "subtask": call.subtask,
        "attempt": call.attempt,
        "model": call.model,
        "prompt_tokens": call.prompt_tokens,
        "cached_tokens": call.cached_tokens,
        "completion_tokens": call.completion_tokens,
        "wait_seconds": call.wait_seconds,
        "load_seconds": call.load_seconds,
        "swapped_out": call.swapped_out,
        "joules": call.joules,
        "finish": call.finish,
        "error": call.error,
    }
    return {key: value for key, value in facts.items() if value not in ("", None)}
