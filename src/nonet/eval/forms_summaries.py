"""Forms of what is to be summed up or translated, beside what people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, Field

from nonet.eval.forms import Place, Row, Text
from nonet.eval.items import Item, References

STORY_WORDS = 240
"""A mean SQuALITY reference."""
MEETING_WORDS = 70
"""A mean QMSum reference."""


class AbstractRow(Row):
    """{"source": text or sentences, "refs": [summary...]} (SciTLDR)."""

    source: Text | list[str]
    refs: Annotated[list[Text], Field(min_length=1)]
    request: str = "Summarize the abstract in one sentence."

    def items(self, place: Place) -> Iterator[Item]:
        text = self.source if isinstance(self.source, str) else " ".join(self.source)
        yield _summary(self.id or place.name, place, self.request, text, tuple(self.refs))


class QueryRow(BaseModel):
    """A question to a long text, and what people wrote."""

    q: Text
    refs: Annotated[list[Text], Field(min_length=1)]


class StoryRow(Row):
    """{"document", "questions": [{"q", "refs"}]} (SQuALITY)."""

    document: Text
    questions: Annotated[list[QueryRow], Field(min_length=1)]

    def items(self, place: Place) -> Iterator[Item]:
        for number, each in enumerate(self.questions, 1):
            request = f"{each.q} Answer in at most {STORY_WORDS} words."
            yield _summary(f"{self.id or place.name}.{number}", place, request, self.document, tuple(each.refs))


class MeetingQueryRow(BaseModel):
    """A question to a meeting."""

    query: Text
    answer: Text


class MeetingRow(Row):
    """{"turns", "general": [{"query", "answer"}], "specific": [...]} (QMSum)."""

    turns: Annotated[list[str], Field(min_length=1)]
    general: list[MeetingQueryRow] = []
    specific: list[MeetingQueryRow] = []

    def items(self, place: Place) -> Iterator[Item]:
        text = "\n".join(self.turns)
        for number, each in enumerate((*self.general, *self.specific), 1):
            request = f"{each.query} Answer in at most {MEETING_WORDS} words."
            yield _summary(f"{self.id or place.name}.{number}", place, request, text, (each.answer,))


def _summary(name: str, place: Place, request: str, text: str, references: tuple[str, ...]) -> Item:
    return Item(name, place.group, request, (References(references),), "summarization", documents={"text.txt": text})


class TranslationRow(Row):
    """{"source", "references": [text...], "language", "specialist"}: into a language, by a specialist."""

    source: Text
    references: Annotated[list[Text], Field(min_length=1)]
    language: str = "English"
    specialist: str = "general"

    def items(self, place: Place) -> Iterator[Item]:
        request = f"Translate into {self.language}, and write nothing but the translation:\n\n{self.source}"
        check = References(tuple(self.references), "translation")
        yield Item(self.id or place.name, place.group, request, (check,), self.specialist)
