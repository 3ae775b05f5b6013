"""Takes fields out of a text: those that the request names, or those of a pydantic model of yours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from nonet import PromptSpecialist
from nonet.errors import ContextOverflowError
from nonet.runtimes import Message
from nonet.specialists import Assignment, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.budget import split_tokens
from nonet.specialists.own import OUTPUT, OutputType
from nonet_extraction.requests import fields_of, key_of, no_list
from nonet_extraction.sources import source_checks

Model = TypeVar("Model", bound=BaseModel)
_AS = "Extract the invoice number, the date and the total from the letter."
_PIECE_SHARE = 0.5
"""Of the window, for a piece of a text that no window holds."""
_PROMPT = (
    "You take facts out of texts. Copy each value exactly as it stands in the text, without its label and without"
    " words of your own. What the text does not say is null."
)


class Extraction(PromptSpecialist[Mapping[str, Any]]):
    """Takes the fields out of a text that the request names, each verbatim."""

    name = "extraction"
    prompt = _PROMPT
    examples = (
        _AS,
        "Extract the names of the parties from the agreement.",
        "Extract all contact details: phone, e-mail, address.",
        "Extract these fields: start date, end date, notice period.",
        "Extract the product, the price and the quantity as JSON.",
        "Pull out the company, the address and the phone number.",
        "Pull the order number and the deadline out of this e-mail.",
        "Take the serial number and the model out of the report.",
        "Read the patient's weight and height out of the form.",
        "Fill in the fields date of birth and city from this application.",
        "Give me these fields as JSON: sender, subject, amount.",
        "Get the invoice number and the total amount as structured data.",
    )

    def output_for(self, assignment: Assignment) -> OutputType:
        """A text or null for each field."""
        fields = fields_of(assignment.instruction)
        return {
            "type": "object",
            "properties": {key_of(field): {"type": ["string", "null"], "description": field} for field in fields},
            "required": [key_of(field) for field in fields],
            "additionalProperties": False,
        }

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """As PromptSpecialist.work; a request that names no fields, or has no text, is told so without a call."""
        problem = ""
        if not fields_of(assignment.instruction):
            problem = no_list("fields", _AS)
        elif not assignment.text.strip():
            problem = "there is no text to take them from; give it as a document"
        if problem:
            return Outcome("", Verdict.FAILED, (Evidence("request", passed=False, detail=problem),))
        try:
            return await super().work(assignment, desk)
        except ContextOverflowError:
            return await self._in_pieces(assignment, desk)

    async def _in_pieces(self, assignment: Assignment, desk: Desk) -> Outcome:
        """For what no window holds: a call a piece, of each field the first value; all are held against the whole."""
        text = "\n\n".join(source.text for source in assignment.sources)
        found: dict[str, Any] = {key_of(field): None for field in fields_of(assignment.instruction)}
        room = int(desk.window_tokens * _PIECE_SHARE)

        async def count(piece: str) -> int:
            return await desk.count_tokens([Message("user", piece)])

        spans = await split_tokens(text, room, count)
        for start, end in spans:
            piece = replace(assignment, sources=(Source("piece", text[start:end]),), feedback=(), previous="")
            outcome = await super().work(piece, desk)
            for key, value in outcome.data.get(OUTPUT, {}).items():
                if found.get(key) is None:
                    found[key] = value
        read = Evidence("coverage", passed=None, detail=f"read in {len(spans)} pieces; of each field the first value")
        return self.judged(found, assignment, (read,))

    def verify(self, output: Mapping[str, Any], assignment: Assignment) -> Iterator[Evidence]:
        """Each value verbatim in the text, near the words of its field."""
        yield from source_checks(output, assignment)


class Extractor(PromptSpecialist[Model]):
    """Takes the fields of a pydantic model out of a text, each verbatim.

    Args:
        name: of the specialist.
        output: the model; the descriptions of its fields tell what is wanted.
        examples: requests it should get.
    """

    prompt = _PROMPT

    def __init__(self, name: str, output: type[Model], examples: Sequence[str] = ()) -> None:
        self.name = name
        self.description = (output.__doc__ or f"takes {name} out of a text").strip().splitlines()[0]
        self.output = output
        self.examples = tuple(examples)

    def verify(self, output: Model, assignment: Assignment) -> Iterator[Evidence]:
        """As Extraction.verify."""
        yield from source_checks(output, assignment)
