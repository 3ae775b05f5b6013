"""Which documents a clause is about: by file name, title, label ("the first", "B"), else all that are attached.

Names and titles come from outside, so they are only ever compared with the request's words, never read as orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_I = re.IGNORECASE
_WORD = re.compile(r"[^\W_]+")
_STOP = frozenset(
    "a an and are as at by document documents file for from in is it its of on or our report text that the this to with what which who"
    " one two first second about into notes note paper article abstract study attached".split()
)
_ORDINALS = {
    "first": 0,
    "1st": 0,
    "former": 0,
    "second": 1,
    "2nd": 1,
    "latter": -1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "last": -1,
}
_DOCUMENT_NOUN = r"(?:documents?|abstracts?|papers?|articles?|reports?|texts?|files?|attachments?|stor(?:y|ies)|letters?|stud(?:y|ies)|transcripts?|minutes|meetings?|one|essays?|chapters?)"
_ORDINAL = re.compile(rf"\bthe ({'|'.join(_ORDINALS)})(?: (?:attached|of the|{_DOCUMENT_NOUN}))", _I)
_EACH = re.compile(
    rf"\beach(?: one)?(?: of (?:them|these|those|the)(?: (?:two|three|four|five|\d+))?)?(?: (?:attached|enclosed))?(?: {_DOCUMENT_NOUN})?\b"
    rf"|\b(?:every|per)(?: (?:attached|enclosed))? {_DOCUMENT_NOUN}\b"
    rf"|\b(?:both|all|the two)(?: of)?(?: (?:them|the|attached|enclosed|two|\d+))*(?: {_DOCUMENT_NOUN})?(?=[^.;]*\b(?:separately|individually|apiece|respectively|one by one|one after the other)\b)",
    _I,
)
_EACH_SCOPE = re.compile(rf"\b(?:each|every|per|separately|individually|apiece|respectively)\b", _I)
_MIN_TITLE_WORDS = 2


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the planner may know of a document: never its text."""

    name: str
    title: str = ""
    """Its first heading or line. Untrusted."""
    characters: int = 0


def documents_read(masked: str, text: str, attached: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """The attached documents that a clause names, or all of them if it names none."""
    return named_documents(masked, text, attached) or tuple(document.name for document in attached)


def named_documents(masked: str, text: str, attached: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """Those a clause names by file name, label, place in the order, or title; in the order they are attached."""
    named = {document.name for document in attached if _names(text, document)}
    for match in _ORDINAL.finditer(masked):
        place = _ORDINALS[match.group(1).casefold()]
        if -1 <= place < len(attached) and len(attached) > 1:
            named.add(attached[place].name)
    if not named and len(attached) > 1:
        named = _by_title(text, attached)
    return tuple(document.name for document in attached if document.name in named)


def named_in_collection(text: str, collection: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """Documents of the collection that the words name clearly: a file name, or at least two words of a title."""
    words = _content(text)
    found = []
    for document in collection:
        title = _content(document.title)
        stem = _content(_stem(document.name))
        if _names(text, document, labels=False) or _covers(words, title) or _covers(words, stem):
            found.append(document.name)
    return tuple(found)


def wants_each(masked: str) -> bool:
    """Whether the clause wants its work done once per document."""
    return _EACH_SCOPE.search(masked) is not None and _EACH.search(masked) is not None


def for_one(text: str, name: str) -> str:
    """A clause about each document, reworded for one of them."""
    leading = re.match(r"\s*for\s+" + _EACH.pattern + r"\s*,?\s*", text, _I)
    if leading and leading.end() < len(text):
        return f"{text[leading.end() :].rstrip(' .')} of {name}."
    return _EACH.sub(lambda _: name, text, count=1)


def _names(text: str, document: DocumentInfo, *, labels: bool = True) -> bool:
    """Whether the document's name or, unless it is as short as "A", its stem stands in the text."""
    for name in {document.name, _stem(document.name)}:
        if len(name) < 3 and not labels:
            continue
        flags = 0 if len(name) == 1 else _I
        if (
            name
            and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, flags)
            and not (name in {"A", "I"} and not _labelled(text, name))
        ):
            return True
    return False


def _labelled(text: str, name: str) -> bool:
    """A lone capital A or I is a label only where no article or pronoun could stand."""
    return (
        re.search(rf"(?<![\w-]){name}(?=\s*(?:[,.;:)?]|and\b|or\b|$))|{_DOCUMENT_NOUN} {name}(?![\w-])", text)
        is not None
    )


def _by_title(text: str, attached: Sequence[DocumentInfo]) -> set[str]:
    """Documents whose title or name shares a telling word with the text: one that the others do not have."""
    words = _content(text)
    bags = {document.name: _content(document.title) | _content(_stem(document.name)) for document in attached}
    found = set()
    for name, bag in bags.items():
        others = set().union(*(other for key, other in bags.items() if key != name))
        if words & (bag - others):
            found.add(name)
    return found


def _covers(words: frozenset[str] | set[str], title: frozenset[str] | set[str]) -> bool:
    shared = words & title
    return len(shared) >= _MIN_TITLE_WORDS and 2 * len(shared) > len(title)


def _stem(name: str) -> str:
    base = name.rsplit("/", 1)[-1]
    return base.rsplit(".", 1)[0] if "." in base[1:] else base


def _content(text: str) -> set[str]:
    return {word for word in (match.casefold() for match in _WORD.findall(text)) if len(word) > 2 and word not in _STOP}
