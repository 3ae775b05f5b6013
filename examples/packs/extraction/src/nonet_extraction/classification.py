"""Sorts a text into one of the classes that the request names, and quotes why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nonet import PromptSpecialist
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Passage, Verdict
from nonet.specialists.own import OutputType
from nonet.specialists.quotes import Match, check_quote
from nonet_extraction.requests import classes_of, no_list

_MOST_CHARACTERS = 300
_AS = "Classify the letter as complaint, order or question."


class Classification(PromptSpecialist[Mapping[str, Any]]):
    """Sorts a text into one of the classes that the request names, with a verbatim quote."""

    name = "classification"
    prompt = (
        "You sort texts into classes. First quote the few words of the text that decide, exactly as they stand there,"
        " then name the class."
    )
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
        """The quote first: what is written before the class is what it can rest on."""
        return {
            "type": "object",
            "properties": {
                "because": {
                    "type": "string",
                    "maxLength": _MOST_CHARACTERS,
                    "description": "the words of the text that decide, verbatim",
                },
                "label": {"type": "string", "enum": list(classes_of(assignment.instruction))},
            },
            "required": ["because", "label"],
            "additionalProperties": False,
        }

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """As PromptSpecialist.work; a request that names no classes, or has no text, is told so without a call."""
        problem = ""
        if not classes_of(assignment.instruction):
            problem = no_list("classes", _AS)
        elif not assignment.text.strip():
            problem = "there is no text to sort; give it as a document"
        if problem:
            return Outcome("", Verdict.FAILED, (Evidence("request", passed=False, detail=problem),))
        return await super().work(assignment, desk)

    def verify(self, output: Mapping[str, Any], assignment: Assignment) -> Iterator[Evidence]:
        """The quote is checked; that the class is right is not, so a class is never called verified."""
        sources = [Passage(each.name, 0, 0.0, 0, len(each.text), each.text) for each in assignment.sources]
        there = check_quote(output["because"], sources).match in (Match.VERBATIM, Match.ALIKE)
        found = "stands in the text" if there else "is not in the text"
        yield Evidence("quote", passed=there, detail=f"{output['because']!r} {found}")
        yield Evidence("class", passed=None, detail=f"nothing proves that it is {output['label']}")
