"""What is asked, and how its answer is told to be right: the same for every way of answering."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nonet.graphs.result import RunUsage


@dataclass(frozen=True, slots=True)
class UnitTests:
    """Code is right when a program with these lines behind it runs to its end."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """A text is right when one of these stands in it, compared as SQuAD does."""

    answers: tuple[str, ...]
    in_code: bool = True
    """Whether it may stand in a code block, too."""


@dataclass(frozen=True, slots=True)
class References:
    """A summary is compared with these by ROUGE, a translation by chrF and BLEU."""

    texts: tuple[str, ...]
    metric: str = "rouge"
    """"rouge"; "rouge1-any": of the best paragraph or sentence; "translation"."""


@dataclass(frozen=True, slots=True)
class Label:
    """Which specialist a request belongs to."""

    specialist: str
    has_cue: bool = False
    """A word of the request gives it away."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Which plan a request should get: specialists, and which of them reads which, by place."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Relevant:
    """Which documents a search should find, and how much each is worth."""

    gains: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Alike:
    """The same request in several wordings that must be treated alike."""

    variants: tuple[tuple[str, Mapping[str, str]], ...]
    """(request, documents) each."""


@dataclass(frozen=True, slots=True)
class Likely:
    """A text whose own likelihood is what is measured; nothing is asked."""


Check = UnitTests | Answers | References | Label | Graph | Relevant | Alike | Likely


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to ask."""

    id: str
    group: str
    """The kind of item: a data set, or a pattern within it."""
    request: str
    checks: tuple[Check, ...]
    specialist: str = ""
    """Who is asked; empty: nonet plans it."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """Texts that come with the request, by name."""
    collection: Mapping[str, str] = field(default_factory=dict)
    """Texts to look things up in, by name."""
    has_document: bool = False
    """Whether a document comes with a request that is only routed."""
    known_documents: tuple[tuple[str, str], ...] = ()
    """(name, title) of documents that a plan may speak of, where their texts are not there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a way of answering gave for an item."""

    text: str
    verdict: str = ""
    usage: RunUsage = field(default_factory=RunUsage)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else is known: its plan, its ranking, what was cut, an error."""


def tokens_of(usage: Mapping[str, Any]) -> int:
    """Of prompts and answers together."""
    return int(usage.get("prompt_tokens", 0)) + int(usage.get("completion_tokens", 0))


def sample(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """So many items, from every group in turn. A larger count begins with the same items.

    Args:
        count: 0 for all.
        seed: of the order within each group.
    """
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.group].append(item)
    for name, group in groups.items():
        random.Random(f"{seed}/{name}").shuffle(group)  # noqa: S311  a sample is no secret
    chosen: list[Item] = []
    for place in range(max(map(len, groups.values()), default=0)):
        chosen += [group[place] for group in groups.values() if place < len(group)]
    return chosen[:count] if count else chosen


def digest(items: Sequence[Item]) -> str:
    """SHA-256 of all that the items say."""
    hashed = hashlib.sha256()
    known: dict[int, str] = {}  # many items look things up in one and the same collection

    def texts(documents: Mapping[str, str]) -> str:
        if id(documents) not in known:
            said = json.dumps(dict(documents), sort_keys=True).encode("utf-8", "surrogatepass")
            known[id(documents)] = hashlib.sha256(said).hexdigest()
        return known[id(documents)]

    for item in items:
        said = (
            item.id,
            item.group,
            item.request,
            item.checks,
            item.specialist,
            item.has_document,
            item.known_documents,
        )
        parts = (repr(said), texts(item.documents), texts(item.collection))
        hashed.update("\0".join(parts).encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()
