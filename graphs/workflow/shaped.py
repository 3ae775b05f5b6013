"""A specialist whose answer must be of a type: the model is constrained to its schema, and the answer is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.errors import IncompleteAnswerError
from nonet.graphs.workflow.values import ValueType
from nonet.runtimes import Message
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Specialist, Verdict
from nonet.specialists.output_schema import described

_SYSTEM = "Put what the text says into the form that is asked for. Add nothing."
OBEYS = "structured"
"""The attribute of specialists that obey `Assignment.schema` themselves."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """Works as the specialist does; a text that is not of the type is put into form by one more, constrained call."""

    specialist: Specialist
    type: ValueType
    """Of what is kept."""
    asked: ValueType
    """Of what the model writes; for a free text it is not constrained."""

    @property
    def name(self) -> str:
        return self.specialist.name

    @property
    def description(self) -> str:
        return self.specialist.description

    @property
    def examples(self) -> Sequence[str]:
        return self.specialist.examples

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One attempt. An answer that is not of the type has failed, and says why."""
        obeys = getattr(self.specialist, OBEYS, False)
        asked = replace(assignment, schema=self.asked.schema()) if obeys else assignment
        try:
            outcome = await self.specialist.work(asked, desk)
            text = outcome.text
            if not (obeys or self.asked.is_text) and outcome.verdict is not Verdict.FAILED:
                text = await self._formed(assignment, text, desk)
        except IncompleteAnswerError as error:
            return Outcome(error.partial, Verdict.FAILED, (Evidence("schema", passed=False, detail=error.message),))
        if outcome.verdict is Verdict.FAILED:
            return outcome
        try:
            kept = self.type.to_text(self.asked.of_text(text))
        except ValueError as error:
            evidence = (*outcome.evidence, Evidence("schema", passed=False, detail=str(error)))
            return replace(outcome, text=text, verdict=Verdict.FAILED, evidence=evidence)
        passed = Evidence("schema", passed=True, detail=f"it is {_article(self.asked.name)}")
        return replace(outcome, text=kept, evidence=(*outcome.evidence, passed))

    async def _formed(self, assignment: Assignment, text: str, desk: Desk) -> str:
        try:
            self.asked.of_text(text)
        except ValueError:
            schema = self.asked.schema() or {}
            wanted = f"{described(schema)}{_findings(assignment.feedback)}"
            said = Message("user", f"{assignment.instruction}\n\n{text}\n\n{wanted}")
            return (await desk.chat([Message("system", _SYSTEM), said], schema=schema)).text
        return text


def _findings(feedback: Sequence[Evidence]) -> str:
    wrong = [each.detail for each in feedback if each.kind == "schema"]
    return f"\n\nLast time it was wrong: {wrong[0]}" if wrong else ""


def _article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
