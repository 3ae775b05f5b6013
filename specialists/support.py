"""Whether a summary says only what its source says: the lexical proof behind the verdicts of summarization.

It can be fooled (words in a wrong relation pass), so `verified` means "every number and name, and most words of weight,
are in the text", and the evidence says just that.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonet.specialists.text import content_stems, names, number_words, numbers, sentences, share_found, stem, words


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How far a summary stays with its source."""

    missing_numbers: tuple[str, ...]
    missing_names: tuple[str, ...]
    weakest: float
    """The least share that a sentence of three stems or more has of its own; 1 where there is none."""
    overlap: float
    """Share of the summary's content stems that the source has, 0 to 1; next to none in another language."""


def faithfulness(summary: str, source: str) -> Faithfulness:
    """Compare a summary with all that it sums up."""
    stems = set(content_stems(source))
    vocabulary = set(words(source))
    known_numbers = number_words(source)
    return Faithfulness(
        missing_numbers=tuple(sorted(numbers(summary) - known_numbers)),
        missing_names=tuple(sorted(name for name in names(summary) if not _known(name, vocabulary, stems))),
        weakest=_weakest(summary, stems),
        overlap=share_found(set(content_stems(summary)), stems),
    )


def _weakest(summary: str, stems: set[str]) -> float:
    said = [set(content_stems(span.text)) for span in sentences(summary)]
    fewest = 3  # "It does." says nothing that could be missing
    return min((share_found(each, stems) for each in said if len(each) >= fewest), default=1.0)


def _known(name: str, vocabulary: set[str], stems: set[str]) -> bool:
    parts = words(name)
    return all(part in vocabulary or stem(part) in stems or part.removesuffix("s") in vocabulary for part in parts)
