"""What is kept of a step that ended, and what it means."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from nonet.graphs.records import evidence_of, is_no_ground, record_of
from nonet.graphs.workflow.flow import Value
from nonet.graphs.workflow.step import Step
from nonet.specialists import Evidence, Outcome, SummaryOptions, Verdict
from nonet.store import SubtaskRecord

FUNCTION, WORKFLOW, INPUT = "python", "workflow", "input"
"""What stands in the place of a specialist's name for the other kinds of step, and for inputs."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One run of a step, as subtasks are named and kept."""

    id: str
    specialist: str
    instruction: str
    inputs: tuple[str, ...] = ()
    options: SummaryOptions | None = None


def doer(step: Step[..., Any, Any]) -> str:
    """The specialist, or the kind of step."""
    if step.definition.specialist is not None:
        return step.definition.specialist
    return WORKFLOW if step.workflow is not None else FUNCTION


def described(step: Step[..., Any, Any]) -> str:
    """The step in one line."""
    said = step.definition.description or step.definition.instruction
    if not said and step.function is not None:
        said = (inspect.getdoc(step.function) or "").strip().partition("\n")[0]
    if not said and step.workflow is not None:
        said = step.workflow.description
    return said or step.name


def record(
    step: Step[..., Any, Any],
    outcome: Outcome,
    *,
    id_: str,
    digest: str = "",
    inputs: tuple[str, ...] = (),
    attempts: int = 0,
    seconds: float = 0.0,
) -> SubtaskRecord:
    """Of a step, or one run of it, that no specialist did."""
    piece = Piece(id_, doer(step), described(step), inputs)
    return record_of(piece, outcome, input_digest=digest, attempts=attempts, seconds=seconds)


def failed(step: Step[..., Any, Any], id_: str, kind: str, detail: str) -> SubtaskRecord:
    """Of a step that has no output."""
    return record(step, Outcome("", Verdict.FAILED, (Evidence(kind, passed=False, detail=detail),)), id_=id_)


def why(ended: SubtaskRecord | None) -> str:
    """What went wrong, in words."""
    found = [each.detail for each in evidence_of(ended.evidence_json) if each.passed is False] if ended else []
    return found[0] if found else "it has no result"


def value_of(step: Step[..., Any, Any], kept: SubtaskRecord) -> Value:
    """The value of one run of a step, from what is kept of it."""
    return Value.of(step.one, kept.text, is_ground=not is_no_ground(kept))
