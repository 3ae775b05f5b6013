"""Who gets a request: wording cues and the nearest of the specialists' examples, with a margin.

The cues know the four specialists that ship; those of a user's own are read from their examples (own_cues).
Nearness is the cosine of embeddings where an embedding model is there, else BM25.
"""

from __future__ import annotations

import base64
import math
import operator
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nonet.agents.cues import BUILTIN, Cues, read_cues
from nonet.agents.examples import with_more
from nonet.agents.lexical import ExampleIndex
from nonet.agents.masking import mask
from nonet.agents.own_cues import OwnCues
from nonet.agents.plan import Routing

_NEIGHBOURS = 3
"""Examples a class is judged by."""
_SHOWN = 3
_MAX_CHARACTERS = 1_000
"""Of a request that are compared: its first words say who should get it."""
_EMBEDDING_WEIGHT = 2.0
_LEXICAL_WEIGHT = 0.7
_NEAR = 0.3
"""Similarity from which an example of a user's specialist speaks for it."""
_DECIDED = 1.0
"""A cue margin from which the examples are not asked."""
_SURE_EMBEDDING = 0.25
_SURE_LEXICAL = 0.25


class Embedder(Protocol):
    """Unit vectors of texts, or None where no embedding model answers."""

    async def __call__(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be routed."""

    text: str
    has_document: bool = False
    masked: str | None = None
    """The text with code and quotations hidden, if the caller has it."""


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a request goes, and why."""

    specialist: str
    routing: Routing
    scores: Mapping[str, float]


class Router:
    """Routes requests to specialists.

    Args:
        specialists: name -> example requests; at least one name. One of a user's own without examples gets no request.
        embed: gives vectors; None, or an embedder that gives None, leaves BM25.
    """

    def __init__(self, specialists: Mapping[str, Sequence[str]], embed: Embedder | None = None) -> None:
        if not specialists:
            raise ValueError("a router needs at least one specialist")
        told = {name: tuple(examples) for name, examples in specialists.items() if examples or name in BUILTIN}
        self._examples = with_more(told or dict.fromkeys(specialists, ()))
        self._names = tuple(self._examples)
        self._flat = [(name, example) for name in self._names for example in self._examples[name]]
        self._embed = embed
        self._vectors: list[tuple[float, ...]] | None = None
        self._index: ExampleIndex | None = None
        self._only_builtin = all(name in BUILTIN for name in self._names)
        self._own_cues = None if self._only_builtin else OwnCues(self._examples)

    @property
    def names(self) -> frozenset[str]:
        """The specialists it knows."""
        return frozenset(self._names)

    async def prepare(self, known: Mapping[str, str] | None = None) -> dict[str, str]:
        """Embed the examples, once.

        Args:
            known: what an earlier call gave for the same embedding model; only new examples are embedded.

        Returns:
            example -> its vector as base64 of little-endian half floats (JSON-able); empty without an embedder.
        """
        if self._embed is None:
            return {}
        packed = dict(known or {})
        missing = [example for _, example in self._flat if example not in packed]
        if missing:
            vectors = await self._embed(missing)
            if vectors is None or len(vectors) != len(missing):
                self._embed = None
                return {}
            packed.update({text: _pack(vector) for text, vector in zip(missing, vectors, strict=True)})
        kept = {example: packed[example] for _, example in self._flat}
        self._vectors = [_unpack(kept[example]) for _, example in self._flat]
        return kept

    async def route(self, text: str, *, has_document: bool = False) -> Routed:
        """Route one request; any text is taken."""
        return (await self.route_many((Request(text, has_document),)))[0]

    async def route_many(self, requests: Sequence[Request]) -> tuple[Routed, ...]:
        """Route several, embedding in one call those whose wording does not decide."""
        masked = [
            (request.masked if request.masked is not None else mask(request.text[:_MAX_CHARACTERS]))[:_MAX_CHARACTERS]
            for request in requests
        ]
        cues = [
            read_cues(request.text[:_MAX_CHARACTERS], words, has_document=request.has_document)
            for request, words in zip(requests, masked, strict=True)
        ]
        routed: list[Routed | None] = [self._by_cues(cue) for cue in cues]
        open_ = [number for number, done in enumerate(routed) if done is None]
        similar, method = await self._similarities([requests[number].text for number in open_])
        for number, similarities in zip(open_, similar, strict=True):
            own: Mapping[str, float] = {}
            if self._own_cues is not None:
                has_document = requests[number].has_document
                own = self._own_cues.scores(masked[number], cues[number], has_document=has_document)
            routed[number] = self._combine(cues[number], own, similarities, method)
        return tuple(result for result in routed if result is not None)

    async def nearest(self, texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """For each text its nearest examples, nearest first; also where its wording decided and nobody compared."""
        similar, _ = await self._similarities(texts)
        return tuple(map(self._nearest, similar))

    def _nearest(self, similarities: Sequence[float]) -> tuple[str, ...]:
        order = sorted(range(len(self._flat)), key=lambda number: -similarities[number])
        return tuple(self._flat[number][1] for number in order[:_SHOWN] if similarities[number] > 0)

    def _by_cues(self, cues: Cues) -> Routed | None:
        """The wording's choice where it is plain and no specialist of the user's could know better."""
        if len(self._names) == 1:
            return Routed(self._names[0], Routing(method="rule"), {self._names[0]: 1.0})
        if not self._only_builtin:
            return None
        scores = {name: cues.score(name) for name in self._names}
        best, second = _two_best(scores)
        margin = scores[best] - scores[second]
        if margin < _DECIDED:
            return None
        return Routed(best, Routing(method="rule", margin=round(min(2.0, margin), 4)), scores)

    async def _similarities(self, texts: Sequence[str]) -> tuple[list[list[float]], str]:
        """For each text its similarity to every example, and by which method."""
        if not texts:
            return [], "rule"
        shortened = [text[:_MAX_CHARACTERS] for text in texts]
        vectors = await self._embedded(shortened)
        if vectors is not None and self._vectors is not None:
            return [[_dot(vector, example) for example in self._vectors] for vector in vectors], "embedding"
        if self._index is None:
            self._index = ExampleIndex([example for _, example in self._flat])
        found = [self._index.similarities(text) for text in shortened]
        return [[scores.get(number, 0.0) for number in range(len(self._flat))] for scores in found], "lexical"

    async def _embedded(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        if self._embed is not None and self._vectors is None:
            await self.prepare()
        if self._embed is None or self._vectors is None:
            return None
        vectors = await self._embed(texts)
        return vectors if vectors is not None and len(vectors) == len(texts) else None

    def _combine(self, cues: Cues, own: Mapping[str, float], similarities: Sequence[float], method: str) -> Routed:
        embedded = method == "embedding"
        weight = _EMBEDDING_WEIGHT if embedded else _LEXICAL_WEIGHT
        by_name: dict[str, list[float]] = {name: [] for name in self._names}
        for (name, _), similarity in zip(self._flat, similarities, strict=True):
            by_name[name].append(similarity)
        scores = {
            name: (cues.score(name) if name in BUILTIN else own.get(name, 0.0) + _own_cue(by_name[name]))
            + weight * _top_mean(by_name[name])
            for name in self._names
        }
        best, second = _two_best(scores)
        margin = scores[best] - scores[second]
        sure = margin >= (_SURE_EMBEDDING if embedded else _SURE_LEXICAL)
        routing = Routing(
            method=method, margin=round(min(2.0, margin), 4), sure=sure, nearest=self._nearest(similarities)
        )
        return Routed(best, routing, scores)


def _two_best(scores: Mapping[str, float]) -> tuple[str, str]:
    """The best and the next; the order the specialists were given in breaks ties."""
    ranked = sorted(scores, key=lambda name: -scores[name])
    return ranked[0], ranked[1] if len(ranked) > 1 else ranked[0]


def _own_cue(similarities: Sequence[float]) -> float:
    """What stands for wording cues where a specialist has none: how near its nearest example is."""
    return 2.0 * max(0.0, max(similarities, default=0.0) - _NEAR) / (1.0 - _NEAR)


def _top_mean(similarities: Sequence[float]) -> float:
    best = sorted(similarities, reverse=True)[:_NEIGHBOURS]
    return math.fsum(best) / len(best) if best else 0.0


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    if sys.version_info >= (3, 12):  # several times as fast
        return math.sumprod(left, right)
    return math.fsum(map(operator.mul, left, right))


def _pack(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}e", *vector)).decode("ascii")


def _unpack(packed: str) -> tuple[float, ...]:
    raw = base64.b64decode(packed)
    return struct.unpack(f"<{len(raw) // 2}e", raw)
