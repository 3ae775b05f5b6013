"""The whole story of a run, from what the store keeps of it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nonet.agents.plan import Plan
from nonet.graphs.records import workflow_of_run
from nonet.render import VERDICT_STYLES, evidence_lines, limits_line, plan_lines, result_lines, text
from nonet.specialists import Evidence
from nonet.text import one_line

if TYPE_CHECKING:
    from nonet.graphs.result import RunResult
    from nonet.store import AttemptRecord, CallRecord, PlanRecord, RunRecord

_TASK_CHARACTERS = 2000
_WORTH_TELLING_SECONDS = 0.1


def story_lines(record: RunRecord, result: RunResult) -> list[Text]:
    """Task, plan, attempts and calls, notes, and how it ended."""
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created_at_s))
    times = f", taken up {record.leases} times" if record.leases > 1 else ""
    lines = [
        text(("Run ", "bold"), (record.id, "bold"), f"  {record.status}, {record.runtime} runtime, {started}{times}"),
        text(("Task", "bold"), f"  {one_line(record.task, _TASK_CHARACTERS)}"),
    ]
    if (workflow := workflow_of_run(record)) is not None:
        where = workflow.get("file") or workflow.get("module", "")
        lines.append(text(("Workflow", "bold"), f"  {workflow.get('name', '')}", (f"  {where}", "dim")))
    if record.status == "waiting" and record.options.get("waiting"):
        lines.append(text(("Waits", "bold"), f"  for somebody to approve {', '.join(record.options['waiting'])}"))
    if record.documents:
        lines.append(text(("Documents", "bold"), f"  {', '.join(record.documents)}"))
    if result.budget:
        lines.append(text(("Budget", "bold"), f"  at most {limits_line(result.budget)}"))
    lines.append(Text())
    for kept in _worked_on(record.plans):
        revision = (
            f"  revision {kept.revision}, {kept.status}" if len(record.plans) > 1 or kept.status != "accepted" else ""
        )
        head, *rest = plan_lines(Plan.model_validate_json(kept.plan_json))
        lines += [head.append(revision), *rest, Text()]
    planning = [each for each in record.calls if not each.subtask]
    if planning:
        lines[-1] = text(("Planning", "bold"), f"  {_calls(planning)} to {planning[0].model}")
        lines.append(Text())
    for name in dict.fromkeys(each.subtask for each in record.attempts):
        lines += _subtask_lines(record, name)
    if record.notes:
        lines += [text(("Notes", "bold"))]
        lines += [text(f"  {each.kind}: {one_line(each.text)}") for each in record.notes]
        lines += [Text()]
    return [*lines, *result_lines(result)]


def _worked_on(plans: Sequence[PlanRecord]) -> list[PlanRecord]:
    """The plans that were worked on, and the newest: a plan that was accepted as proposed is one."""
    newest = {kept.plan_json: kept for kept in plans}
    return [kept for kept in newest.values() if kept.status == "accepted" or kept is plans[-1]]


def _subtask_lines(record: RunRecord, name: str) -> list[Text]:
    attempts = [each for each in record.attempts if each.subtask == name]
    ends = [each.started_at_s for each in attempts[1:]] + [math.inf]
    lines = []
    for attempt, end in zip(attempts, ends, strict=True):
        # By time and not by number: after a resume, numbers begin anew.
        calls = [
            each for each in record.calls if each.subtask == name and attempt.started_at_s <= each.created_at_s < end
        ]
        verdict = attempt.verdict or "cut off"
        lines.append(
            text(
                (name, "bold"),
                f" attempt {attempt.number} on {attempt.model}: ",
                (verdict, VERDICT_STYLES.get(verdict, "red")),
                (f"  {_cost(attempt, calls)}", "dim"),
            )
        )
        lines += evidence_lines(evidence_of(attempt.evidence_json), indent="    ")
    for artifact in (each for each in record.subtasks if each.id == name):
        lines += [text("  | ", line) for line in artifact.text.splitlines()]
    return [*lines, Text()]


def evidence_of(evidence_json: str) -> tuple[Evidence, ...]:
    """As the store keeps it."""
    return tuple(Evidence(**item) for item in json.loads(evidence_json))


def _cost(attempt: AttemptRecord, calls: Sequence[CallRecord]) -> str:
    said = _calls(calls)
    if attempt.finished_at_s is not None:
        said += f", {max(0.0, attempt.finished_at_s - attempt.started_at_s):.1f} s"
    errors = [each.error for each in calls if each.error]
    return said + (f", error: {one_line(errors[0], 120)}" if errors else "")


def _calls(calls: Sequence[CallRecord]) -> str:
    tokens = sum(each.prompt_tokens + each.completion_tokens for each in calls)
    said = f"{len(calls)} call{'s' if len(calls) != 1 else ''}, {tokens:,} tokens"
    kept = sum(each.origin == "cache" for each in calls)
    shared = sum(each.origin == "shared" for each in calls)
    loading, waiting = sum(each.load_seconds for each in calls), sum(each.wait_seconds for each in calls)
    said += f", {kept} answered from the cache" if kept else ""
    said += f", {shared} answered with another call" if shared else ""
    said += f", {loading:.1f} s of loading" if loading else ""
    return said + (f", waited {waiting:.1f} s" if waiting >= _WORTH_TELLING_SECONDS else "")
