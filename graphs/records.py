"""Between what the store keeps (text and JSON) and what specialists, agents and doors speak of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from nonet.agents.composer import SubtaskText
from nonet.agents.plan import Plan, Subtask
from nonet.errors import UsageError
from nonet.graphs.budget import Limits
from nonet.graphs.result import RunResult, RunUsage, SubtaskResult
from nonet.specialists import Citation, Evidence, Outcome, SummaryOptions, Verdict
from nonet.store import SubtaskRecord

if TYPE_CHECKING:
    from nonet.store import CallRecord, RunRecord


WORKFLOW = "workflow"
"""Of a run's options: the workflow that it ran."""


class Work(Protocol):
    """What is to be done: a subtask of a plan, or one run of a workflow's step."""

    @property
    def id(self) -> str: ...
    @property
    def specialist(self) -> str: ...
    @property
    def instruction(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def options(self) -> SummaryOptions | None: ...


def record_of(
    subtask: Work, outcome: Outcome, *, input_digest: str, model: str = "", attempts: int = 0, seconds: float = 0.0
) -> SubtaskRecord:
    """What the store keeps of a subtask that ended."""
    return SubtaskRecord(
        id=subtask.id,
        specialist=subtask.specialist,
        instruction=subtask.instruction,
        verdict=str(outcome.verdict),
        text=outcome.text,
        inputs=subtask.inputs,
        attempts=attempts,
        model=model,
        seconds=seconds,
        evidence_json=evidence_json(outcome.evidence),
        citations_json=json.dumps([asdict(citation) for citation in outcome.citations]),
        data_json=json.dumps(dict(outcome.data)),
        input_digest=input_digest,
    )


def is_no_ground(record: SubtaskRecord) -> bool:
    """Whether nothing can be built on a result: it failed, or says that the documents hold no answer."""
    return record.verdict == Verdict.FAILED or json.loads(record.data_json).get("found") is False


def evidence_json(evidence: Sequence[Evidence]) -> str:
    """A JSON list of checks."""
    return json.dumps([asdict(item) for item in evidence])


def evidence_of(stored: str) -> tuple[Evidence, ...]:
    """The checks of a stored list."""
    return tuple(Evidence(**item) for item in json.loads(stored))


def citations_of(stored: str) -> tuple[Citation, ...]:
    """The quotes of a stored list."""
    return tuple(Citation(**item) for item in json.loads(stored))


def outcomes_of(records: Mapping[str, SubtaskRecord]) -> dict[str, SubtaskText]:
    """What the reviewer and the composer read."""
    return {
        name: SubtaskText(record.text, Verdict(record.verdict), citations_of(record.citations_json))
        for name, record in records.items()
    }


def subtask_results(plan: Plan | None, records: Mapping[str, SubtaskRecord]) -> tuple[SubtaskResult, ...]:
    """How each subtask of the plan ended, in plan order."""
    subtasks = plan.subtasks if plan is not None else ()
    return tuple(_subtask_result(subtask, records.get(subtask.id)) for subtask in subtasks)


def plan_of(run: RunRecord) -> Plan | None:
    """The newest revision of a stored run's plan."""
    return Plan.model_validate_json(run.plans[-1].plan_json) if run.plans else None


def earlier_plans(run: RunRecord) -> list[Plan]:
    """The plans that were worked on before the newest, oldest first; each edit or revision is another one."""
    worked_on = dict.fromkeys(kept.plan_json for kept in run.plans if kept.status == "accepted")
    newest = run.plans[-1].plan_json if run.plans else ""
    return [Plan.model_validate_json(each) for each in worked_on if each != newest]


def result_of_run(run: RunRecord) -> RunResult:
    """A stored run as its result."""
    plan = plan_of(run)
    subtasks = subtask_results(plan, {record.id: record for record in run.subtasks})
    return RunResult(
        run=run.id,
        task=run.task,
        status=run.status,
        verdict=Verdict(run.verdict) if run.verdict else Verdict.UNVERIFIED,
        answer=run.answer,
        plan=plan,
        subtasks=subtasks,
        citations=tuple(dict.fromkeys(citation for subtask in subtasks for citation in subtask.citations)),
        usage=usage_of_run(run),
        notes=(*(plan.notes if plan else ()), *(note.text for note in run.notes)),
        missing=run.missing,
        call_errors=call_errors_of(run),
        budget=limits_of(run),
    )


def call_errors_of(run: RunRecord) -> tuple[str, ...]:
    """What went wrong in a stored run's calls, oldest first."""
    return tuple(call.error for call in run.calls if call.error)


def workflow_of_run(run: RunRecord) -> Mapping[str, str] | None:
    """The "name" and the "file" of the workflow that it ran; None of the run of a task."""
    kept = run.options.get(WORKFLOW)
    return kept if isinstance(kept, dict) else None


def refuse_workflow(run: RunRecord) -> None:
    """Raise UsageError for the run of a workflow: only that workflow can go on with it."""
    kept = workflow_of_run(run)
    if kept is not None:
        raise UsageError(
            f"Run {run.id} is of the workflow {kept.get('name')!r}, which alone can go on with it.",
            next_step=f"`nonet runs resume {run.id}` and `nonet runs fork {run.id}` find it; in Python, its own "
            "resume() and fork().",
        )


def part_text(run: RunRecord, part: str) -> str:
    """What a finished part gave. Of a workflow's step that went through a list: its items, a blank line between them.

    Raises:
        KeyError: there is no such part.
    """
    kept = {each.id: each for each in run.subtasks}
    found = kept[part]
    count = json.loads(found.data_json).get("items") if not found.text else None
    if not isinstance(count, int):
        return found.text
    items = [kept.get(f"{part}[{index}]") for index in range(count)]
    return "\n\n".join(each.text for each in items if each is not None)


def limits_of(run: RunRecord) -> Limits | None:
    """What a stored run may spend; None of a run of the time before they were kept."""
    kept = run.options.get("budget")
    return Limits.of(kept) if isinstance(kept, dict) else None


def _subtask_result(subtask: Subtask, record: SubtaskRecord | None) -> SubtaskResult:
    if record is None:
        return SubtaskResult(subtask.id, subtask.specialist, subtask.instruction, subtask.inputs, None, 0, "")
    return SubtaskResult(
        id=subtask.id,
        specialist=subtask.specialist,
        instruction=subtask.instruction,
        inputs=subtask.inputs,
        verdict=Verdict(record.verdict),
        attempts=record.attempts,
        model=record.model,
        text=record.text,
        evidence=evidence_of(record.evidence_json),
        citations=citations_of(record.citations_json),
        data=json.loads(record.data_json),
    )


def usage_of_run(run: RunRecord) -> RunUsage:
    """What a stored run has cost, counted anew from its calls and notes: a process that was killed wrote no sum."""
    told = Counter(note.kind for note in run.notes)
    return RunUsage(
        calls=len(run.calls),
        prompt_tokens=sum(call.prompt_tokens for call in run.calls),
        completion_tokens=sum(call.completion_tokens for call in run.calls),
        seconds=max(float(run.usage.get("seconds", 0.0)), _busy_seconds(run.calls)),
        swaps=told["swap"],
        escalations=told["escalation"],
        joules=run.usage.get("joules"),
        cached_tokens=sum(call.cached_tokens for call in run.calls),
    )


def _busy_seconds(calls: Sequence[CallRecord]) -> float:
    """The time in which at least one call was under way."""
    total, reach = 0.0, 0.0
    for start, end in sorted((call.created_at_s - call.seconds, call.created_at_s) for call in calls):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total
