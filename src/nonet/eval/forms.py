"""What the forms of JSON Lines have in common: a row, where it stands, and the documents beside it.

The forms of the public sets are taken as they are (docs/eval.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from nonet.eval.items import Item

Text = Annotated[str, Field(min_length=1)]


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
