"""A workflow at work: what the steps of one run share, and the values that they gave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from nonet.graphs.workflow.values import ANYTHING, ValueType, digest_of_parts
from nonet.store import digest_of

if TYPE_CHECKING:
    from nonet.graphs.context import RunContext
    from nonet.graphs.outlook import PlanOutlook
    from nonet.graphs.workflow.step import Step
    from nonet.store import SubtaskRecord

THREADS = 32
"""For functions that are not async."""
ANSWERS, WAITING_FOR = "answers", "waiting"
"""Of a run's options: what people said of its steps, and the steps that wait to be approved."""


class State(Enum):
    """What a step came to."""

    DONE = "done"
    SKIPPED = "skipped"
    """A condition or a person said no, or what it reads was skipped."""
    FAILED = "failed"
    WAITING = "waiting"
    """For a person, or for a step that does."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a step gave, as it is kept: a text, or the texts of a list's items."""

    state: State
    type: ValueType = ANYTHING
    text: str = ""
    items: tuple[str | None, ...] | None = None
    """With `each`. None stands for an item that failed, where the type allows it."""
    digest: str = ""
    is_ground: bool = True
    """False: a specialist says that there is nothing to be found."""

    @classmethod
    def of(cls, type_: ValueType, text: str, *, is_ground: bool = True) -> Value:
        """A step's output."""
        return cls(State.DONE, type_, text, digest=digest_of(text), is_ground=is_ground)

    @classmethod
    def of_items(cls, type_: ValueType, items: tuple[str | None, ...]) -> Value:
        """The outputs of a list's items; `type_` is that of the list."""
        digest = digest_of_parts([None if each is None else digest_of(each) for each in items])
        return cls(State.DONE, type_, items=items, digest=digest)

    def read(self) -> Any:  # noqa: ANN401  of its type
        """The value, made anew: what one reader changes in it, no other sees. None where there is none."""
        if self.state is not State.DONE:
            return None
        if self.items is None:
            return self.type.of_text(self.text)
        item = self.type.item()
        return [None if each is None else item.of_text(each) for each in self.items]

    def texts(self) -> tuple[str | None, ...]:
        """Of a list: its items, each as it is kept. Raises ValueError, in words, where it is none."""
        if self.items is not None:
            return self.items
        listed, item = self.read(), self.type.item()
        if not isinstance(listed, list | tuple | set | frozenset):
            raise ValueError(f"it is no list, but a {type(listed).__name__}")  # noqa: TRY004  as all of a value is told
        return tuple(item.to_text(each) for each in listed)

    def as_json(self) -> Any:  # noqa: ANN401  any JSON value
        """The value as JSON has it; None where there is none."""
        if self.state is not State.DONE:
            return None
        return self.text if self.items is None and self.type.is_text else json.loads(self.as_text())

    def as_text(self) -> str:
        """The text, or the list as JSON."""
        return self.text if self.items is None else self.type.to_text(self.read())


SKIPPED = Value(State.SKIPPED)
FAILED = Value(State.FAILED)
WAITING = Value(State.WAITING)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step, or one run of it, ended."""

    value: Value
    record: SubtaskRecord | None = None
    """What is kept of it; None of what was skipped, or waits."""
    reused: bool = False
    """An earlier process had done it."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person is asked before a step runs."""

    run: str
    step: str
    question: str
    inputs: Mapping[str, Any]
    """What the step would read, by name."""


AskPerson = Callable[[Approval], Awaitable[bool | None]]
"""True: go on. False: skip the step. None: nobody can be asked now, and the run waits."""
Answer = Literal["accept", "refuse"]


@dataclass(slots=True)
class Flow:
    """One run of a workflow at work."""

    context: RunContext
    ask: AskPerson | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """The run's."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """What was said of approvals, by step."""
    waiting: list[Approval] = field(default_factory=list)
    calls_models: bool = True
    """False in a replay: what a specialist said before stands, or the step fails."""
    missing: list[str] = field(default_factory=list)
    """What failed, in words."""
    specialists: list[str] = field(default_factory=list)
    """Verdicts of what specialists did; those of functions prove and disprove nothing."""
    outlook: PlanOutlook | None = None
    """Tells the scheduler what models the steps to come will ask."""
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _threads: ThreadPoolExecutor | None = None
    _identities: dict[int, dict[str, Any]] = field(default_factory=dict)

    def identity(self, step: Step[..., Any, Any]) -> dict[str, Any]:
        """As Step.identity, made once: every item of a list asks for it."""
        if id(step) not in self._identities:
            self._identities[id(step)] = step.identity()
        return self._identities[id(step)]

    def threads(self) -> ThreadPoolExecutor:
        """For functions that are not async; made at first use."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="nonet-step")
        return self._threads

    def close(self) -> None:
        """Let go of the threads; what they still do is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def finished(self, id_: str, digest: str) -> SubtaskRecord | None:
        """What an earlier process made of the very same inputs, unless it failed."""
        before = self.context.finished.get(id_)
        return before if before is not None and before.input_digest == digest and before.verdict != "failed" else None

    def keep_answers(self) -> None:
        """What people said, and what they are still to say, with the run."""
        if self.answers or self.waiting:
            options = {**self.options, ANSWERS: self.answers, WAITING_FOR: [each.step for each in self.waiting]}
            self.context.session.store.runs.save_options(self.context.lease, options)

    def keep(self, record: SubtaskRecord) -> None:
        """Hand a step's end to the store."""
        self.context.session.store.runs.finish_subtask(self.context.lease, record)

    async def kept(self) -> None:
        """Wait until all that was handed over is on disk."""
        await self.context.session.store.runs.flush(self.context.lease)
