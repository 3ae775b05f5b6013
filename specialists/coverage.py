"""What a summary stands on: the place in the source that says each of its sentences, and the sections left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nonet.specialists.budget import split_chars
from nonet.specialists.material import Material
from nonet.specialists.protocol import Source
from nonet.specialists.text import content_stems, names, number_words, numbers, sentences, share_found, stem, words

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_FEWEST_HEADINGS = 2
_SECTION_CHARS = (1_500, 3_000)
"""Of a text without headings."""
_OPENING_WORDS = 8
_LEAST_SHARE = 0.3
"""Of a sentence's stems in one place of the source; with less, it stands on no place in particular."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a source: text[start:end]."""

    source: str
    heading: str
    """Its heading, or its first words where it has none."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Basis:
    """A sentence of a summary, and what it stands on."""

    sentence: str
    source: str
    """Empty where no one place says it."""
    start: int
    end: int
    section: int | None
    """Index among the sections."""
    missing: tuple[str, ...]
    """Numbers and names in it that are nowhere in the sources: it is flagged."""

    @property
    def flagged(self) -> bool:
        return bool(self.missing)


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Which sections a summary stands on, and which it leaves out."""

    sections: tuple[Section, ...]
    basis: tuple[Basis, ...]

    @property
    def used(self) -> tuple[Section, ...]:
        """Sections that at least one sentence stands on, in order."""
        at = {item.section for item in self.basis}
        return tuple(section for index, section in enumerate(self.sections) if index in at)

    @property
    def left_out(self) -> tuple[Section, ...]:
        """The others."""
        at = {item.section for item in self.basis}
        return tuple(section for index, section in enumerate(self.sections) if index not in at)

    @property
    def flagged(self) -> tuple[Basis, ...]:
        """Sentences with numbers or names that are nowhere in the sources."""
        return tuple(item for item in self.basis if item.flagged)

    def to_data(self) -> dict[str, Any]:
        """As JSON values."""

        def place(section: Section) -> dict[str, Any]:
            return {
                "document": section.source, "heading": section.heading, "start": section.start, "end": section.end,
            }  # fmt: skip

        return {
            "used": [place(section) for section in self.used],
            "left_out": [place(section) for section in self.left_out],
            "sentences": [
                {
                    "text": item.sentence, "document": item.source, "start": item.start, "end": item.end,
                    "missing": list(item.missing),
                }
                for item in self.basis
            ],
        }  # fmt: skip


def cover(summary: str, material: Material) -> CoverageReport:
    """Find what every sentence of a summary stands on."""
    sections = [section for source in material.sources for section in sections_of(source)]
    places = [
        (source.name, span.start, span.end, frozenset(content_stems(span.text)))
        for source in material.sources
        for span in sentences(source.text)
    ]
    vocabulary = set(words(material.text))
    known = number_words(material.text)
    basis = [_basis(span.text, places, sections, _missing(span.text, vocabulary, known)) for span in sentences(summary)]
    return CoverageReport(tuple(sections), tuple(basis))


def sections_of(source: Source) -> list[Section]:
    """By Markdown's headings where there are some, else pieces of two or three paragraphs."""
    marks = [(match.start(), match.group(1)) for match in _HEADING.finditer(source.text)]
    if len(marks) < _FEWEST_HEADINGS:
        return [
            Section(source.name, _opening(source.text[start:end]), start, end)
            for start, end in split_chars(source.text, _SECTION_CHARS)
            if source.text[start:end].strip()
        ]
    bounds = [*marks, (len(source.text), "")]
    found = [Section(source.name, title, start, end) for (start, title), (end, _) in pairwise(bounds)]
    before = source.text[: marks[0][0]]
    return [Section(source.name, _opening(before), 0, marks[0][0]), *found] if before.strip() else found


def _opening(text: str) -> str:
    return " ".join(text.split()[:_OPENING_WORDS])


def _basis(
    sentence: str,
    places: Sequence[tuple[str, int, int, frozenset[str]]],
    sections: Sequence[Section],
    missing: tuple[str, ...],
) -> Basis:
    said = set(content_stems(sentence))
    shares = [len(said & stems) for *_, stems in places]
    best = max(range(len(places)), key=lambda at: shares[at], default=-1)
    if best < 0 or not said or share_found(said, places[best][3]) < _LEAST_SHARE:
        return Basis(sentence, "", 0, 0, None, missing)
    name, start, end, _ = places[best]
    section = next(
        (at for at, each in enumerate(sections) if each.source == name and each.start <= start < each.end), None
    )
    return Basis(sentence, name, start, end, section, missing)


def _missing(sentence: str, vocabulary: set[str], known: set[str]) -> tuple[str, ...]:
    absent = [name for name in sorted(names(sentence)) if not _is_known(name, vocabulary)]
    return (*sorted(numbers(sentence) - known), *absent)


def _is_known(name: str, vocabulary: set[str]) -> bool:
    stems = {stem(word) for word in words(name)}
    return (
        all(word in vocabulary or word.removesuffix("s") in vocabulary for word in words(name)) or stems <= vocabulary
    )
