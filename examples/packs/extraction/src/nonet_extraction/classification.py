"""Sorts a text into one of the classes that the request names, and cites the sentence that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nonet import PromptSpecialist
from nonet.runtimes import Message
from nonet.specialists import Assignment, Citation, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.own import OUTPUT, OutputType
from nonet.specialists.text import Span, neutral, sentences
from nonet_extraction.requests import classes_of, no_list

_MOST_NUMBERED = 99
"""Sentences that can be named as deciding; what follows is read, too."""
_AS = "Classify the letter as complaint, order or question."


class Classification(PromptSpecialist[Mapping[str, Any]]):
    """Sorts a text into one of the classes that the request names, and cites why."""

    name = "classification"
    prompt = "You sort texts into classes."
    examples = (
        _AS,
        "Classify this e-mail as billing, delivery or other.",
        "Classify the sentiment of this comment as positive, neutral or negative.",
        "Is this review positive or negative?",
        "Is the tone of this comment positive, negative or neutral?",
        "Which category does this ticket belong to: hardware, software or network?",
        "Which of these categories is it: invoice, contract or letter?",
        "Label the message as spam or not spam.",
        "Label this ticket as urgent or normal.",
        "Sort this message into one of these classes: refund, exchange, information.",
        "Sort the letters into classes: complaint, order, question.",
        "Put the document into one of these categories: politics, sport, science.",
    )

    def output_for(self, assignment: Assignment) -> OutputType:
        """The sentence first, by its number: what is written before the class is what it can rest on."""
        numbers = [str(number) for number, _ in enumerate(_numbered(assignment), start=1)]
        return {
            "type": "object",
            "properties": {
                "because": {
                    "type": "string",
                    "enum": numbers,
                    "description": "the number of the sentence that decides",
                },
                "label": {"type": "string", "enum": list(classes_of(assignment.instruction))},
            },
            "required": ["because", "label"],
            "additionalProperties": False,
        }

    def messages(self, assignment: Assignment) -> tuple[Message, ...]:
        """The text with its sentences numbered, then the request."""
        spans = [span for _, span in _sentences(assignment)]
        lines = [f"[{number}] {span.text}" for number, span in enumerate(spans[:_MOST_NUMBERED], start=1)]
        lines += [span.text for span in spans[_MOST_NUMBERED:]]
        task = f"{neutral(chr(10).join(lines))}\n\n{neutral(assignment.instruction)}"
        return Message("system", self.prompt), Message("user", task)

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """As PromptSpecialist.work; a request that names no classes, or has no text, is told so without a call."""
        problem = ""
        if not classes_of(assignment.instruction):
            problem = no_list("classes", _AS)
        elif not _numbered(assignment):
            problem = "there is no text to sort; give it as a document"
        if problem:
            return Outcome("", Verdict.FAILED, (Evidence("request", passed=False, detail=problem),))
        outcome = await super().work(assignment, desk)
        if OUTPUT not in outcome.data:
            return outcome
        label = outcome.data[OUTPUT]["label"]
        source, span = _numbered(assignment)[int(outcome.data[OUTPUT]["because"]) - 1]
        output = {"label": label, "because": span.text}
        # A sentence does not prove a judgement, so a class is never called verified.
        evidence = (Evidence("class", passed=None, detail=f"nothing proves that it is {label}"),)
        citation = Citation(source.name, span.text, span.start, span.end)
        return replace(
            outcome, text=self.wording(output), evidence=evidence, citations=(citation,), data={OUTPUT: output}
        )


def _sentences(assignment: Assignment) -> list[tuple[Source, Span]]:
    return [(source, span) for source in assignment.sources for span in sentences(source.text)]


def _numbered(assignment: Assignment) -> list[tuple[Source, Span]]:
    return _sentences(assignment)[:_MOST_NUMBERED]
