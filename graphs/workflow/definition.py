"""What a workflow is, as data: steps, what each reads, and its policies. Serialisable; a file holds exactly this.

Functions and types stand as import paths ("package.module:name"), types also as "str", "list[int]" or a JSON schema.
Where a step was written (file and line) is kept beside the data, not in it: moving code changes nothing.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nonet.specialists import SummaryOptions

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""Of steps, inputs and workflows: parameters of functions are named so."""
MOST_ROUNDS = 1000
AT_ONCE = 32
_EACH = re.compile(r"\s*([A-Za-z_]\w*)\s+in\s+([A-Za-z_]\w*)\s*")

TypeText = str | dict[str, Any]
"""A type by name or import path, or a JSON schema."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class InputDefinition(_Data):
    """Something that a workflow is given."""

    type: TypeText = "str"
    """Its type."""
    required: bool = True
    """False: it has a default."""
    default: Any = None
    """What it is where it is not given."""
    description: str = ""
    """For those who give it."""


class StepDefinition(_Data):
    """One step: a specialist, a function, or a workflow, and when and how often it is run."""

    name: str
    """Unique in its workflow; what reads the step's output uses it."""
    specialist: str | None = None
    """Who does it; with a `function`, that function writes the instruction."""
    function: str | None = None
    """Import path of a Python function."""
    workflow: WorkflowDefinition | None = None
    """A workflow that is run as one step."""
    instruction: str | None = None
    """For the specialist; `{name}` in it stands for the output of a step, or an input."""
    options: SummaryOptions | None = None
    """Of the specialist summarization: length, form, style, language and focus of the summary."""
    reads: tuple[str, ...] = ()
    """Steps and inputs that the specialist reads as sources, beside its instruction."""
    arguments: dict[str, str] = Field(default_factory=dict)
    """Parameter of the function or input of the workflow -> the step or input it reads, where the names differ."""
    output: TypeText = "str"
    """The type of what it gives; of one item with `each`."""
    each: str | None = None
    """"item in items": run it once for every item of that list, as many at a time as `at_once` says."""
    when: str | None = None
    """Run it only where this is true; else it is skipped, and so is what cannot do without it."""
    until: str | None = None
    """Run it again until this is true of its output, which goes by the step's name."""
    at_most: int = Field(default=1, ge=1, le=MOST_ROUNDS)
    """Rounds, with `until`."""
    carry: str | None = None
    """The parameter that gets the output of the round before."""
    retries: int = Field(default=0, ge=0, le=100)
    """Further tries of a step that raised, ran out of time or failed its checks."""
    retry_wait_seconds: float = Field(default=0.0, ge=0.0, le=86_400.0)
    """Before the first of them; doubled for each further one."""
    timeout_seconds: float | None = Field(default=None, gt=0.0)
    """For one try."""
    approve: str | None = None
    """A question that a person answers with yes before the step is run."""
    at_once: int = Field(default=AT_ONCE, ge=1, le=10_000)
    """Items in hand at a time, with `each`."""
    description: str = ""
    """In one line, for plans and pictures."""

    def item_and_source(self) -> tuple[str, str] | None:
        """Of `each`. Raises ValueError, in words."""
        if self.each is None:
            return None
        found = _EACH.fullmatch(self.each)
        if found is None:
            raise ValueError(f"each is written 'item in items', not {self.each!r}")
        return found[1], found[2]


class WorkflowDefinition(_Data):
    """A workflow: its inputs, its steps, and which step gives its output."""

    name: str
    """What it is called."""
    description: str = ""
    """In one line."""
    inputs: dict[str, InputDefinition] = Field(default_factory=dict)
    """By name."""
    steps: tuple[StepDefinition, ...] = ()
    """In any order: what a step reads decides when it runs."""
    output: str | None = None
    """The step whose output is the workflow's. Unset: the only one that no other reads."""


StepDefinition.model_rebuild()


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two identities of a workflow (`Workflow.identity`), in words, a line a step or input."""
    lines: list[str] = []
    for kind in ("inputs", "steps"):
        old, new = before.get(kind, {}), now.get(kind, {})
        word = kind.removesuffix("s")
        lines += [f"{word} {name} is gone" for name in old if name not in new]
        lines += [f"{word} {name} is new" for name in new if name not in old]
        for name in old:
            if name in new and old[name] != new[name]:
                lines.append(f"{word} {name}: {_changed(old[name], new[name])}")
    if before.get("output") != now.get("output"):
        lines.append(f"the output was {before.get('output')}, and is {now.get('output')}")
    return lines


def _changed(old: dict[str, Any], new: dict[str, Any]) -> str:
    said = []
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) == new.get(key):
            continue
        if key in ("code", "schema", "workflow"):
            said.append(f"its {key} changed")
        else:
            said.append(f"{key} was {_short(old.get(key))}, and is {_short(new.get(key))}")
    return ", ".join(said)


def _short(value: object) -> str:
    said = "not set" if value in (None, "", [], {}) else repr(value)
    return said if len(said) <= 60 else said[:57] + "..."  # noqa: PLR2004
