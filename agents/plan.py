"""The plan: subtasks and what each reads. A DAG by construction, because inputs may name earlier subtasks only."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nonet.specialists import SummaryOptions

MAX_SUBTASKS = 12
"""Unless the settings raise it (DESIGN, section 5)."""
_NUMBERED = re.compile(r"s[1-9][0-9]{0,2}")


class Routing(BaseModel):
    """Why a subtask went to its specialist."""

    model_config = ConfigDict(frozen=True)

    method: str
    """"rule" (the wording is plain), "embedding" or "lexical" (nearest examples), "model" (a model chose)."""
    margin: float = 0.0
    """Score of the chosen specialist less that of the next, 0 to 2; for "model" shares of its answers are compared."""
    sure: bool = True
    """False: the margin is below what routing was measured to need."""
    nearest: tuple[str, ...] = ()
    """The examples that decided, nearest first."""


class Subtask(BaseModel):
    """One piece of work for one specialist."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
    """"s1", "s2", ... in what planners make; the steps of a workflow have names."""
    specialist: str
    instruction: str = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    """Ids of earlier subtasks whose artifacts it reads."""
    documents: tuple[str, ...] = ()
    """Names of documents it reads whole (a summary does); retrieval searches the collection instead."""
    routing: Routing | None = None
    options: SummaryOptions | None = None
    """Of a summary: how it is to be, beside what the instruction says."""


class Tried(BaseModel):
    """One way of planning that was tried, and what became of its plan."""

    model_config = ConfigDict(frozen=True)

    planner: str
    used: bool
    why: str
    """Why it was used or left, in words."""
    calls: int = 0
    """Calls to a model."""


class Plan(BaseModel):
    """An ordered tuple of subtasks; whatever made it, this validation decides whether it may run."""

    model_config = ConfigDict(frozen=True)

    planner: str
    """Which rung of the planner ladder made it: "rules", "stepwise", "one-shot", or "user"."""
    subtasks: tuple[Subtask, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    """What the planner wants the user to know: a routing below its margin, a clause left out."""
    doubts: tuple[str, ...] = ()
    """Of the notes, those that make its planner unsure of it: the next way of planning is tried, if there is one."""
    tried: tuple[Tried, ...] = ()
    """The ways of planning that were tried, in order."""
    model: str = ""
    """The model that was asked, if one was."""

    @model_validator(mode="after")
    def _is_a_dag(self) -> Self:
        seen: set[str] = set()
        for subtask in self.subtasks:
            if subtask.id in seen:
                raise ValueError(f"two subtasks are called {subtask.id}")
            unknown = [name for name in subtask.inputs if name not in seen]
            if unknown:
                raise ValueError(f"{subtask.id} reads {', '.join(unknown)}, which no earlier subtask is called")
            if len(set(subtask.inputs)) != len(subtask.inputs):
                raise ValueError(f"{subtask.id} names an input twice")
            seen.add(subtask.id)
        return self

    def check(
        self, specialists: frozenset[str], max_subtasks: int = MAX_SUBTASKS, max_depth: int | None = None
    ) -> None:
        """Raise ValueError unless every specialist exists, no work stands twice, and the plan is within bounds."""
        if len(self.subtasks) > max_subtasks:
            raise ValueError(f"{len(self.subtasks)} subtasks, at most {max_subtasks} are allowed")
        if max_depth is not None and self.depth() > max_depth:
            raise ValueError(f"{self.depth()} subtasks build on one another, at most {max_depth} may")
        work: set[tuple[object, ...]] = set()
        for subtask in self.subtasks:
            if not _NUMBERED.fullmatch(subtask.id):
                raise ValueError(f"a subtask is called {subtask.id!r}; they are called s1, s2, ...")
            if subtask.specialist not in specialists:
                raise ValueError(f"{subtask.id} wants the specialist {subtask.specialist!r}, which does not exist")
            said = subtask.instruction.casefold().strip()
            key = (subtask.specialist, said, subtask.inputs, subtask.documents, subtask.options)
            if key in work:
                raise ValueError(f"{subtask.id} repeats an earlier subtask")
            work.add(key)

    def depth(self) -> int:
        """How many subtasks the longest chain of them has."""
        depths: dict[str, int] = {}
        for subtask in self.subtasks:
            depths[subtask.id] = 1 + max((depths[name] for name in subtask.inputs), default=0)
        return max(depths.values())

    def sorter(self) -> TopologicalSorter[str]:
        """A prepared sorter for the executor: take what is ready, mark it done, take again."""
        sorter = TopologicalSorter({subtask.id: subtask.inputs for subtask in self.subtasks})
        sorter.prepare()
        return sorter

    def subtask(self, subtask_id: str) -> Subtask:
        """The subtask of that id. Raises KeyError."""
        for subtask in self.subtasks:
            if subtask.id == subtask_id:
                return subtask
        raise KeyError(subtask_id)

    def leaves(self) -> tuple[str, ...]:
        """Ids that no other subtask reads, in plan order: what the answer is composed of."""
        read = {name for subtask in self.subtasks for name in subtask.inputs}
        return tuple(subtask.id for subtask in self.subtasks if subtask.id not in read)
