"""Whether a step is run at all: what it reads may have failed, its condition may not hold, a person may say no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nonet.graphs.workflow import conditions
from nonet.graphs.workflow.flow import FAILED, SKIPPED, WAITING, Approval, Ended, Flow, State, Value
from nonet.graphs.workflow.keeping import failed
from nonet.graphs.workflow.step import Step
from nonet.graphs.workflow.values import accepts_none


@dataclass(slots=True)
class Gate:
    """Before one step of one run."""

    flow: Flow
    step: Step[..., Any, Any]
    values: Mapping[str, Value]
    """What is known so far, by step and input."""
    id: str
    left_out: set[str] = field(default_factory=set)
    """Sources that were skipped, and that the step can do without."""

    async def closed(self) -> Ended | None:
        """How the step ended without being run; None: it is to be run."""
        values = {name: self.values[name] for name in self.step.needs if name in self.values}
        broken = [name for name, value in values.items() if value.state is State.FAILED]
        if broken:
            return self._failed(f"not run: it reads {', '.join(broken)}, which failed")
        if any(value.state is State.WAITING for value in values.values()):
            return Ended(WAITING)
        for name, value in values.items():
            if value.state is State.SKIPPED and not self._can_do_without(name):
                return self._skipped(f"it reads {name}, which was skipped")
        empty = [name for name, value in values.items() if not value.is_ground]
        if empty and self.step.definition.specialist is not None:
            return self._failed(f"not run: it reads {', '.join(empty)}, which found nothing")
        return self._by_condition() or await self._by_person()

    def _by_condition(self) -> Ended | None:
        if self.step.definition.when is None:
            return None
        condition = conditions.parse(self.step.definition.when)
        try:
            if condition.holds({name: self.values[name].read() for name in condition.names}):
                return None
        except ValueError as error:
            return self._failed(f"its condition {error}")
        return self._skipped(f"{condition.text} is not so")

    async def _by_person(self) -> Ended | None:
        question = self.step.definition.approve
        if question is None:
            return None
        answer = self.flow.answers.get(self.id)
        if answer is None:
            said = await self._asked(question)
            if said is None:
                return Ended(WAITING)
            answer = self.flow.answers[self.id] = "accept" if said else "refuse"
            self.flow.keep_answers()
            self.flow.context.notice("approval", f"{self.id}: {'approved' if said else 'refused'}")
        return None if answer == "accept" else self._skipped("it was not approved")

    async def _asked(self, question: str) -> bool | None:
        inputs = {name: self.values[name].read() for name in self.step.needs if name in self.values}
        approval = Approval(self.flow.context.run, self.id, question, inputs)
        said = None
        if self.flow.ask is not None:
            async with self.flow.asking:  # one question at a time
                with self.flow.context.budget.paused():
                    said = await self.flow.ask(approval)
        if said is None:
            self.flow.waiting.append(approval)
        return said

    def _can_do_without(self, name: str) -> bool:
        step = self.step
        if name in (*step.inlined, *step.deciding) or (step.item is not None and step.item[1] == name):
            return False
        for parameter in step.parameters:
            wanted = parameter.type.annotation
            takes_none = accepts_none(wanted) and wanted is not Any
            if step.source_of(parameter.name) == name and parameter.required and not takes_none:
                return False
        self.left_out.add(name)
        read = step.definition.reads
        return name not in read or not self.left_out.issuperset(read)

    def _skipped(self, why: str) -> Ended:
        told = f"{self.id} is skipped: {why}"
        if told not in self.flow.context.notes:
            self.flow.context.notice("skipped", told)
        return Ended(SKIPPED)

    def _failed(self, detail: str) -> Ended:
        return Ended(FAILED, failed(self.step, self.id, "input", detail))
