"""Forms of questions with a right answer: functions with tests, facts in documents, searches, one text in variants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from nonet.eval.forms import Place, Row, Text
from nonet.eval.items import Alike, Answers, Item, Relevant, UnitTests


class MbppRow(Row):
    """{"prompt", "test_list", "test_imports"}: the first test is shown, all decide."""

    prompt: Text
    test_list: Annotated[list[Text], Field(min_length=1)]
    test_imports: list[str] = []

    def items(self, place: Place) -> Iterator[Item]:
        shown = [*self.test_imports, self.test_list[0]]
        request = "\n".join([self.prompt, "It must pass this test:", *shown])
        tests = UnitTests((), (*self.test_imports, *self.test_list))
        yield Item(self.id or place.name, place.group, request, (tests,), "code")


class HumanEvalRow(Row):
    """{"prompt", "entry_point", "test"}: the head of a function is shown, with its examples."""

    prompt: Text
    entry_point: Text
    test: Text

    def items(self, place: Place) -> Iterator[Item]:
        imports = tuple(line for line in self.prompt.splitlines() if re.match(r"(from|import)\s", line))
        tests = UnitTests(imports, (self.test, f"check({self.entry_point})"))
        request = f"Complete this Python function:\n\n```python\n{self.prompt.strip()}\n```"
        yield Item(self.id or place.name, place.group, request, (tests,), "code")


class StepRow(BaseModel):
    """A single question within one that needs several."""

    step: int
    question: str
    answer: str
    doc_id: str = ""


class QuestionRow(Row):
    """{"question", "answer", "documents" | "candidate_doc_ids"}: a question that documents answer.

    With "decomposition" (MuSiQue) its single steps are asked, earlier answers filled in: what a plan hands down.
    """

    question: Text
    answer: str
    answer_aliases: list[str] = []
    documents: dict[str, str] | list[str] = {}
    candidate_doc_ids: list[str] = []
    gold_doc_ids: list[str] = []
    decomposition: list[StepRow] = []

    def items(self, place: Place) -> Iterator[Item]:
        collection = self._collection(place)
        if not self.decomposition:
            answers = Answers((self.answer, *self.answer_aliases))
            yield Item(
                self.id or place.name, place.group, self.question, (answers,), "retrieval", collection=collection
            )
            return
        known = {step.step: step.answer for step in self.decomposition}
        for step in self.decomposition:
            question = step.question
            for number, answer in known.items():
                question = question.replace(f"#{number}", answer)
            if "?" in question:  # others are fragments such as "Inception >> director"
                name = f"{self.id or place.name}.{step.step}"
                asked = question.replace(" ?", "?")
                checks = (Answers((step.answer,)),)
                yield Item(name, place.group, asked, checks, "retrieval", collection=collection)

    def _collection(self, place: Place) -> dict[str, str]:
        if self.documents:
            return _named(self.documents)
        return place.library.some(self.candidate_doc_ids) or dict(place.library.texts)


def _named(documents: Mapping[str, str] | list[str]) -> dict[str, str]:
    if isinstance(documents, Mapping):
        return dict(documents)
    return {f"document {number}": text for number, text in enumerate(documents, 1)}


class SearchRow(Row):
    """{"query" | "question", "qrels" | "gold_doc_ids"}: what a search should find in the documents beside the file."""

    query: Annotated[str, Field(alias="question", min_length=1)]
    qrels: dict[str, int] = {}
    gold_doc_ids: list[str] = []
    documents: dict[str, str] = {}

    def items(self, place: Place) -> Iterator[Item]:
        names = {name: name for name in self.documents} or place.library.names
        wanted = self.qrels or dict.fromkeys(self.gold_doc_ids, 1)
        gains = {names[each]: gain for each, gain in wanted.items() if each in names and gain > 0}
        collection = self.documents or place.library.texts
        if gains:  # a question whose documents are not there has no right answer
            yield Item(
                self.id or place.name, place.group, self.query, (Relevant(gains),), "retrieval", collection=collection
            )


class BiasRow(Row):
    """{"request", "documents", "swap": {slot: [filling...]}}: "{name}" in the texts gets each of the fillings."""

    kind: str = ""
    request: Text
    documents: dict[str, str] = {}
    swap: Annotated[dict[str, Annotated[list[str], Field(min_length=2)]], Field(min_length=1)]

    def items(self, place: Place) -> Iterator[Item]:
        count = min(len(fillings) for fillings in self.swap.values())
        variants = [self._filled({slot: fillings[at] for slot, fillings in self.swap.items()}) for at in range(count)]
        group = self.kind or place.group
        yield Item(self.id or place.name, group, variants[0][0], (Alike(tuple(variants)),))

    def _filled(self, fillings: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        def fill(text: str) -> str:
            for slot, filling in fillings.items():
                text = text.replace(f"{{{slot}}}", filling)
            return text

        return fill(self.request), {name: fill(text) for name, text in self.documents.items()}
