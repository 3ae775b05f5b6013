"""Forms of what is planned: who gets a request, the plan that it should get, and whole tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nonet.eval.forms import Place, Row, Text
from nonet.eval.items import Answers, Check, Graph, Item, Label, References, UnitTests


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
