"""The forms of JSON Lines that the suites read. The forms of the public sets are taken as they are (docs/eval.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nonet.eval.items import Alike, Answers, Check, Graph, Item, Label, References, Relevant, UnitTests

Text = Annotated[str, Field(min_length=1)]
STORY_WORDS = 240
"""A mean SQuALITY reference."""
MEETING_WORDS = 70
"""A mean QMSum reference."""


@dataclass(frozen=True, slots=True)
class Library:
    """Documents that stand in files beside the items."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """By name, as they are shown."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names by the ids that the items use."""

    def some(self, ids: list[str]) -> dict[str, str]:
        """Those with these ids, those that are not there left out."""
        return {self.names[each]: self.texts[self.names[each]] for each in ids if each in self.names}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands, and what there is beside it."""

    group: str
    number: int
    library: Library = field(default_factory=Library)
    """Of the documents beside this file."""
    collections: Mapping[str, Library] = field(default_factory=dict)
    """Of other sets, by name."""
    candidates: Mapping[str, Mapping[frozenset[str], list[str]]] = field(default_factory=dict)
    """Of other sets: the documents that a question is asked of, by those that hold its answer."""

    @property
    def name(self) -> str:
        return f"{self.group}/{self.number}"


class Row(BaseModel):
    """One line of a file."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    id: str = ""

    def items(self, place: Place) -> Iterator[Item]:
        """What it asks; one row may ask several things."""
        raise NotImplementedError


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


class RoutingRow(Row):
    """{"request", "label", "has_document"}: which specialist it belongs to."""

    request: Text
    label: Text
    has_document: bool = False
    lexical_cue: bool = False

    def items(self, place: Place) -> Iterator[Item]:
        check = Label(self.label, self.lexical_cue)
        yield Item(self.id or place.name, self.label, self.request, (check,), has_document=self.has_document)


class CheckRow(BaseModel):
    """One check of an end-to-end task."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    kind: Literal["unit_tests", "answer", "contains", "rouge", "retrieval"]
    test_imports: list[str] = []
    test_list: list[str] = []
    answers: list[str] = []
    any_of: Annotated[list[str], Field(alias="any")] = []
    refs: list[str] = []
    collection: str = ""
    gold_doc_ids: list[str] = []

    def check(self) -> Check | None:
        """None: retrieval is a means. What was found shows in the answer, and an arm without search has none."""
        match self.kind:
            case "unit_tests":
                return UnitTests((), (*self.test_imports, *self.test_list))
            case "answer":
                return Answers(tuple(self.answers))
            case "contains":
                return Answers(tuple(self.any_of), in_code=False)
            case "rouge":
                return References(tuple(self.refs), "rouge1-any")
            case "retrieval":
                return None


def _looked_up(checks: Sequence[CheckRow], place: Place) -> dict[str, str]:
    """The documents of other sets that a task is to look things up in, as files."""
    found: dict[str, str] = {}
    for row in checks:
        if row.collection in place.collections:
            library = place.collections[row.collection]
            candidates = place.candidates.get(row.collection, {}).get(frozenset(row.gold_doc_ids))
            some = library.some(candidates) if candidates else library.texts
            found |= {f"{name}.txt": text for name, text in some.items()}
    return found


class NodeRow(BaseModel):
    """A step of a plan."""

    id: str
    specialist: str


class GoldPlanRow(BaseModel):
    """The plan that a request should get."""

    nodes: Annotated[list[NodeRow], Field(min_length=1)]
    edges: list[tuple[str, str]] = []


class PlanRow(Row):
    """{"request", "gold_plan": {"nodes": [{"id", "specialist"}], "edges": [[id, id]]}, "documents": {name: text}}."""

    request: Text
    pattern: str = ""
    documents: dict[str, str] = {}
    gold_plan: GoldPlanRow
    checks: list[CheckRow] = []

    def items(self, place: Place) -> Iterator[Item]:
        ids = [node.id for node in self.gold_plan.nodes]
        edges = tuple((ids.index(a), ids.index(b)) for a, b in self.gold_plan.edges if a in ids and b in ids)
        graph = Graph(tuple(node.specialist for node in self.gold_plan.nodes), edges)
        group = self.pattern or place.group
        known = tuple((name, text.partition("\n")[0]) for name, text in _looked_up(self.checks, place).items())
        yield Item(
            self.id or place.name, group, self.request, (graph,), documents=self.documents, known_documents=known
        )


class OwnPlanRow(Row):
    """{"request", "nodes": [specialist...], "edges": [[place, place]], "attached", "collection": [[name, title]]}."""

    request: Text
    nodes: Annotated[list[str], Field(min_length=1)]
    edges: list[tuple[int, int]] = []
    attached: list[tuple[str, str]] = []
    collection: list[tuple[str, str]] = []
    set: int | str = ""

    def items(self, place: Place) -> Iterator[Item]:
        group = f"own set {self.set}" if self.set != "" else place.group
        graph = Graph(tuple(self.nodes), tuple(self.edges))
        documents = dict.fromkeys((name for name, _ in self.attached), "")
        known = (*self.attached, *self.collection)
        yield Item(
            self.id or place.name, group, self.request, (graph,), documents=documents, known_documents=tuple(known)
        )


class TaskRow(Row):
    """{"request", "documents": {name: text}, "checks": [{"kind", ...}]}: a whole task."""

    request: Text
    pattern: str = ""
    documents: dict[str, str] = {}
    collection: dict[str, str] = {}
    checks: Annotated[list[CheckRow], Field(min_length=1)]

    def items(self, place: Place) -> Iterator[Item]:
        collection = {**self.collection, **_looked_up(self.checks, place)}
        checks = tuple(check for row in self.checks if (check := row.check()) is not None)
        documents = {f"{name}.txt": text for name, text in self.documents.items()}
        group = self.pattern or place.group
        if checks:
            yield Item(self.id or place.name, group, self.request, checks, documents=documents, collection=collection)


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


class DocumentRow(BaseModel):
    """A line of a file of documents: {"doc_id", "title", "text" | "sentences"}."""

    model_config = ConfigDict(extra="ignore")

    doc_id: str
    title: str = ""
    text: str = ""
    sentences: list[str] = []

    def whole(self) -> str:
        return self.text or "".join(self.sentences)


def library_of(rows: list[DocumentRow], *, titled: bool) -> Library:
    """The documents under names that tell what they are.

    Args:
        titled: named by their titles; else by their ids, with the title as the first line of the text.
    """
    texts: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in rows:
        title = row.title.replace("/", " ").strip()
        name, text = row.doc_id, row.whole()
        if titled and title:
            name = title if title not in texts else f"{title} ({row.doc_id})"
        elif title:
            text = f"{title}\n\n{text}"
        texts[name], names[row.doc_id] = text, name
    return Library(texts, names)


def form_of(kinds: tuple[type[Row], ...], value: Mapping[str, Any]) -> type[Row]:
    """The form of a row: the one of whose required keys the largest share is there; its error tells what is missing."""

    def share(kind: type[Row]) -> float:
        needed = [{name, field.alias or name} for name, field in kind.model_fields.items() if field.is_required()]
        return sum(bool(keys & value.keys()) for keys in needed) / len(needed)

    return max(kinds, key=share)
