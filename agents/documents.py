"""Which documents a clause is about: by file name, title, label ("the first", "B"), else all that are attached.

Names and titles come from outside, so they are only ever compared with the request's words, never read as orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.agents.lexicon import DOCUMENT_NOUN, compiled

_WORD = re.compile(r"[^\W_]+")
_NOT_TELLING = compiled(
    r"(?:and|are|documents?|file|for|from|its|our|report|text|that|the|this|with|what|which|who|one|two|first|second"
    r"|about|into|notes?|paper|article|abstract|study|attached|write|sentences?|each|both)$"
)
"""Words of a title that tell no document from another."""
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
_ORDINAL = compiled(rf"\bthe ({'|'.join(_ORDINALS)})(?: (?:attached|of the|one|{DOCUMENT_NOUN}))")
_WHICH = r"(?: (?:attached|enclosed|two|three|four|five|\d+))*"
_EACH = compiled(
    rf"\beach(?: one)?(?: of (?:them|these|those|the){_WHICH})?{_WHICH}(?: {DOCUMENT_NOUN})?\b"
    rf"|\b(?:every|per){_WHICH} {DOCUMENT_NOUN}\b"
    rf"|\b(?:both|all|the two)(?: of)?(?: them| the)?{_WHICH}(?: {DOCUMENT_NOUN})?"
    r"(?=[^.;]*\b(?:separately|individually|apiece|respectively|one by one|one after the other)\b)"
)
_GROUP = compiled(
    rf"\b(?:both|all|the|these|those)(?: of)?(?: (?:them|the|these|those))?{_WHICH}(?: {DOCUMENT_NOUN}| notes)?\b"
)
_APART = compiled(r"\b(?:separately|individually|apiece|one by one|one after the other)\b")
_APIECE = compiled(r",?\s*\b(?:each|separately|individually|apiece|respectively|one by one|one after the other)\b")
_FOR_EACH = compiled(r"\s*for\s+(?:" + _EACH.pattern + r")\s*,?\s*")
_LABELLED = rf"(?<![\w-]){{name}}(?=\s*(?:[,.;:)?]|and\b|or\b|$))|{DOCUMENT_NOUN} {{name}}(?![\w-])"
_MIN_TITLE_WORDS = 2
_TITLE_SHARE = 0.7
"""Of a title's telling words that have to stand in a request that names it."""
_MIN_NAME = 3
_PARTED = re.compile(r"[^\W\d_]{3,}(?:[\s_-]+|(?=\d))(?:[^\W_]+[\s_-]*)*")
"""A stem of several words or of a word and a number."""
_NUMBERED = re.compile(r"[a-z]\d{1,3}", re.IGNORECASE)
_ARTICLES = frozenset({"A", "I", "a"})


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the planner may know of a document: never its text."""

    name: str
    title: str = ""
    """Its first heading or line. Untrusted."""
    characters: int = 0


def named_documents(masked: str, text: str, attached: Sequence[DocumentInfo]) -> tuple[str, ...]:
    """Those a clause names by file name, label, place in the order, or title; in the order they are attached."""
    named = {document.name for document in attached if _names(text, document)}
    for match in _ORDINAL.finditer(masked):
        place = _ORDINALS[match.group(1).casefold()]
        if place < len(attached) and len(attached) > 1:
            named.add(attached[place].name)
    if not named and len(attached) > 1:
        named = _by_title(text, attached)
    return tuple(document.name for document in attached if document.name in named)


def named_in_collection(text: str, collection: Sequence[DocumentInfo], *, titles: bool = True) -> tuple[str, ...]:
    """Documents that the words name clearly: by a file name, or with `titles` by most of a title or name."""
    words = _content(text) if titles else set()
    return tuple(
        document.name
        for document in collection
        if _names(text, document, labels=False, stems=titles)
        or _covers(words, _content(document.title))
        or _covers(words, _content(_stem(document.name)))
    )


def wants_each(masked: str, named: int = 0) -> bool:
    """Whether the clause wants its work done once per document; `named`: so many documents it names itself."""
    return _EACH.search(masked) is not None or (named > 1 and _APART.search(masked) is not None)


def for_one(text: str, name: str, names: Sequence[str] = ()) -> str:
    """A clause about each document, reworded for one of them.

    >>> for_one("Boil each down to one sentence.", "B")
    'Boil B down to one sentence.'
    >>> for_one("For each of the two papers give me one sentence.", "B")
    'give me one sentence of B.'
    >>> for_one("Summarise a.md and b.md in one line each.", "b.md", ["a.md", "b.md"])
    'Summarise b.md in one line.'
    >>> for_one("Shorten the notes, and the menu too, separately please.", "menu.txt")
    'Shorten the notes, and the menu too, separately please (menu.txt alone).'
    """
    leading = _FOR_EACH.match(text)
    if leading and leading.end() < len(text):
        return f"{text[leading.end() :].rstrip(' .')} of {name}."
    listed = re.search(r"(?:,? and |, )".join(re.escape(one) for one in names), text) if len(names) > 1 else None
    group = listed or _GROUP.search(text)
    apiece = _APIECE.search(text)
    if group and apiece and group.end() <= apiece.start() and (listed or group.group().split()[0].lower() != "the"):
        return f"{text[: group.start()]}{name}{text[group.end() : apiece.start()]}{text[apiece.end() :]}"
    reworded, count = _EACH.subn(lambda _: name, text, count=1)
    return reworded if count else f"{text.rstrip(' .')} ({name} alone)."


def _names(text: str, document: DocumentInfo, *, labels: bool = True, stems: bool = True) -> bool:
    """Whether the document's name or stem stands in the text, or its label if `labels` ("B")."""
    for name in {document.name, _stem(document.name)} if stems else {document.name}:
        if not name or (len(name) < _MIN_NAME and not labels):
            continue
        quoted = loosely(name)
        if name in _ARTICLES:
            pattern, flags = _LABELLED.replace("{name}", quoted), 0
        else:
            pattern, flags = rf"(?<![\w-]){quoted}(?![\w-])", 0 if len(name) == 1 else re.IGNORECASE
        if re.search(pattern, text, flags):
            return True
    return False


def loosely(name: str) -> str:
    """A pattern for a name as it is typed: "chapter 3" for chapter3.txt, "statement q1" for statement-q1.pdf."""
    parts = re.findall(r"[^\W\d_]+|\d+|[^\w\s]+(?=[^\W_])", name) if _PARTED.fullmatch(name) else []
    parts = [part for part in parts if part[0].isalnum()]
    return r"[\s_-]*".join(parts) if len(parts) > 1 else re.escape(name)


def _by_title(text: str, attached: Sequence[DocumentInfo]) -> set[str]:
    """Documents whose title or name shares a telling word with the text: one that the others do not have."""
    words = _content(text)
    bags = [_content(document.title) | _content(_stem(document.name)) for document in attached]
    found = set()
    for number, document in enumerate(attached):
        others: set[str] = set().union(*(bag for place, bag in enumerate(bags) if place != number))
        if words & (bags[number] - others):
            found.add(document.name)
    return found


def _covers(words: set[str], title: set[str]) -> bool:
    shared = words & title
    return len(shared) >= _MIN_TITLE_WORDS and len(shared) >= _TITLE_SHARE * len(title)


def _stem(name: str) -> str:
    base = name.rsplit("/", 1)[-1]
    return base.rsplit(".", 1)[0] if "." in base[1:] else base


def _content(text: str) -> set[str]:
    words = (match.casefold() for match in _WORD.findall(text))
    return {
        word for word in words if (len(word) >= _MIN_NAME and not _NOT_TELLING.match(word)) or _NUMBERED.fullmatch(word)
    }
