"""What model planners share: how the task is put, and how subtasks of a model's words become a plan.

Whatever a model answers, the specialist comes from those that exist, the inputs from the subtasks before it, and the
documents from what the user attached. What it says is checked here again, because a runtime may not have constrained
it; what cannot be used is a PlanError, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nonet.agents.clauses import Clause
from nonet.agents.coverage import doubts_of, with_material
from nonet.agents.documents import DocumentInfo, named_documents
from nonet.agents.masking import mask
from nonet.agents.plan import Plan, Routing, Subtask
from nonet.agents.steps import read_whole
from nonet.errors import PlanError

INSTRUCTION_CHARACTERS = 200
"""One sentence; a longer one is a model that does not stop."""
DECISION_TOKENS = 110
"""Enough for a decision with an instruction of that length."""
MOST_STEPS = 24
"""Of a model's plan, whatever the settings allow: one that plans more has lost the thread."""
_MAX_ANSWER_CHARACTERS = 100_000
_SHOWN_DOCUMENTS = 12
_NAME_CHARACTERS = 60
TASK_CHARACTERS = 8_000
"""A longer task is text to work on, which no model of these sizes plans from."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A subtask in a model's words."""

    specialist: str
    instruction: str
    inputs: tuple[str, ...] = ()


def situation(task: str, attached: Sequence[DocumentInfo], specialists: Mapping[str, str]) -> str:
    """The task, the documents' names and the team, as a prompt begins.

    Raises:
        PlanError: the task is too long to plan from.
    """
    if len(task) > TASK_CHARACTERS:
        raise PlanError(f"the task has {len(task):,} characters, and a model plans from at most {TASK_CHARACTERS:,}")
    team = "\n".join(f"- {name}: {description}" for name, description in specialists.items())
    names = ", ".join(" ".join(each.name.split())[:_NAME_CHARACTERS] for each in attached[:_SHOWN_DOCUMENTS])
    documents = f"Attached documents: {names}\n" if names else ""
    return f"Task: {task.strip()}\n\n{documents}Who can work on it:\n{team}\n"


def parsed(answer: str) -> Mapping[str, Any]:
    """The JSON object that was asked for. Raises PlanError."""
    if len(answer) > _MAX_ANSWER_CHARACTERS:
        raise PlanError(f"its answer has {len(answer):,} characters")
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise PlanError("its answer is not JSON") from error
    if not isinstance(value, dict):
        raise PlanError("its answer is not an object")
    return value


def draft_of(value: Mapping[str, Any], specialists: Mapping[str, str], earlier: Sequence[str]) -> Draft:
    """A subtask of a decision. Raises PlanError for anything that does not exist."""
    specialist, said, reads = value.get("specialist"), value.get("instruction"), value.get("reads", [])
    if not isinstance(specialist, str) or specialist not in specialists:
        raise PlanError("it names a specialist that does not exist")
    if not isinstance(said, str) or not (instruction := " ".join(said.split())):
        raise PlanError("it gives a step without an instruction")
    if len(instruction) > INSTRUCTION_CHARACTERS:
        raise PlanError(f"it gives an instruction of {len(instruction):,} characters")
    if not isinstance(reads, list) or any(name not in earlier for name in reads):
        raise PlanError("it lets a step read what is not before it")
    return Draft(specialist, instruction, tuple(name for name in earlier if name in reads))


def plan_of(planner: str, task: str, drafts: Sequence[Draft], *, attached: Sequence[DocumentInfo]) -> Plan:
    """The drafts as a plan. A lone subtask gets the task word for word; of several, each what must not be reworded.

    Raises:
        PlanError: a step stands twice, or it is no DAG.
    """
    if len(set(drafts)) != len(drafts):
        raise PlanError("it repeats a step")
    said = [(draft.specialist, draft.instruction) for draft in drafts]
    texts = [task.strip()] if len(drafts) == 1 else with_material(task, said)
    subtasks = tuple(
        _subtask(f"s{number}", replace(draft, instruction=text), attached)
        for number, (draft, text) in enumerate(zip(drafts, texts, strict=True), 1)
    )
    doubts = tuple(doubts_of(task, subtasks, texts if len(drafts) == 1 else [text for _, text in said]))
    try:
        return Plan(planner=planner, subtasks=subtasks, notes=doubts, doubts=doubts)
    except ValueError as error:
        raise PlanError(str(error).splitlines()[0]) from error


def checked(plan: Plan, specialists: Mapping[str, str], max_subtasks: int, max_depth: int | None) -> Plan:
    """The plan, if it passes what every plan must. Raises PlanError."""
    try:
        plan.check(frozenset(specialists), max_subtasks, max_depth)
    except ValueError as error:
        raise PlanError(str(error)) from error
    return plan


def _subtask(name: str, draft: Draft, attached: Sequence[DocumentInfo]) -> Subtask:
    masked = mask(draft.instruction)
    named = named_documents(masked, draft.instruction, attached)
    clause = Clause(draft.instruction, masked)
    return Subtask(
        id=name,
        specialist=draft.specialist,
        instruction=draft.instruction,
        inputs=draft.inputs,
        documents=read_whole(clause, draft.specialist, named, attached, reads=bool(draft.inputs)),
        routing=Routing(method="model"),
    )
