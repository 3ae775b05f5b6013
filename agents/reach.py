"""What a request can read: what is attached, what it names of the collection, or what it takes for granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nonet.agents.clauses import MAX_SPLIT_CHARACTERS, Clause
from nonet.agents.cues import is_told, read_cues
from nonet.agents.documents import DocumentInfo, named_documents, named_in_collection
from nonet.agents.lexicon import STORE_NOUN, compiled
from nonet.agents.presumed import presumed_attachments, presumed_text
from nonet.agents.steps import points_to_attached

_MANY_DOCUMENTS = 3
"""Up to this many attached documents a question is answered by reading them whole; of more, by searching them."""
_CUE_CHARACTERS = 1_000
_SUMMARY_CUE = 0.9
_STORE = compiled(rf"\b(?:the|our|my|these|those|all|your) (?:\w+ ){{0,2}}?{STORE_NOUN}\b")
_ASKS = compiled(r"\b(?:tell me|know|find|say|see) (?:who|whom|whose|what|which|when|where|why|how|whether|if)\b")


@dataclass(frozen=True, slots=True)
class Reach:
    """What a request can read."""

    attached: Sequence[DocumentInfo]
    collection: Sequence[DocumentInfo]
    how: Literal["given", "named", "presumed"]
    """Whether what is attached was given by the user, named in the request, or taken for granted there and missing."""

    @property
    def nothing(self) -> bool:
        """Whether there is no document at all."""
        return not self.collection and (self.how == "presumed" or not self.attached)


def reach_of(
    parts: Sequence[Clause],
    attached: Sequence[DocumentInfo],
    collection: Sequence[DocumentInfo],
    *,
    task: str,
    as_things_are: bool,
) -> Reach:
    """What the parts of a task can read.

    Args:
        parts: the task's clauses.
        attached: what the user attached.
        collection: what can be searched.
        task: the whole request.
        as_things_are: a question that is about some text is not given one that is not there.
    """
    found = attached_or_named(parts, attached, collection, task=task)
    if found:
        return Reach(found, collection, "given" if attached else "named")
    words = [part.masked for part in parts]
    presumed = presumed_attachments(" ".join(words))
    if not (presumed or collection or as_things_are):
        presumed = presumed_text(words)
    return Reach(presumed, collection, "presumed")


def attached_or_named(
    parts: Sequence[Clause], attached: Sequence[DocumentInfo], collection: Sequence[DocumentInfo], *, task: str
) -> Sequence[DocumentInfo]:
    """What is attached; else the documents of the collection that the request names, read as if attached.

    A question names what it asks about, and that may well be some document's title: "Who directed Moby Dick?" is no
    order to read the article on Moby Dick and nothing else. Only a file's name is an order in a question.
    """
    if attached or not collection:
        return attached
    asks = all(_asks(part) for part in parts)
    names = set(named_in_collection(task[:MAX_SPLIT_CHARACTERS], collection, titles=not asks))
    return tuple(document for document in collection if document.name in names)


def _asks(clause: Clause) -> bool:
    return clause.kind == "question" or bool(clause.kind in {"other", "whole"} and _ASKS.search(clause.masked))


def reads_whole(clause: Clause, reach: Reach) -> bool:
    """Whether the clause has a document to read.

    A question to many documents has to search them, and so has one to "the archive", unless that is what is attached.
    A document of the collection that is only named, or one that is taken for granted, is read whole for a summary and
    for what can only be told from it; for anything else it is searched.
    """
    attached = reach.attached
    if reach.how != "given" and attached:
        cues = read_cues(clause.text[:_CUE_CHARACTERS], clause.masked[:_CUE_CHARACTERS])
        if cues.summarization >= _SUMMARY_CUE and cues.summarization > cues.retrieval:
            return True
        return reach.how == "presumed" and (is_told(clause.masked) or points_to_attached(clause, attached))
    if not attached or not _asks(clause):
        return bool(attached)
    searched = _STORE.search(clause.masked) and not named_documents(clause.masked, clause.text, attached)
    return len(attached) <= _MANY_DOCUMENTS and not searched
