"""Whether a summary says only what its source says: the lexical proof behind the verdicts of summarization.

It can be fooled (words in a wrong relation pass), so `verified` means "every number and name, and most words of weight,
are in the text", and the evidence says just that.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonet.specialists.text import content_stems, names, number_words, numbers, share_found, stem, words


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How far a summary stays with its source."""

    missing_numbers: tuple[str, ...]
    missing_names: tuple[str, ...]
    overlap: float
    """Share of the summary's content stems that the source has, 0 to 1."""
    vocabulary: float
    """Share of all the summary's words that the source has; very low when the language is another one."""


def faithfulness(summary: str, source: str) -> Faithfulness:
    """Compare a summary with all that it sums up."""
    stems = set(content_stems(source))
    vocabulary = set(words(source))
    known_numbers = number_words(source)
    spoken = set(words(summary))
    return Faithfulness(
        missing_numbers=tuple(sorted(numbers(summary) - known_numbers)),
        missing_names=tuple(sorted(name for name in names(summary) if not _known(name, vocabulary, stems))),
        overlap=share_found(set(content_stems(summary)), stems),
        vocabulary=share_found(spoken, vocabulary),
    )


def _known(name: str, vocabulary: set[str], stems: set[str]) -> bool:
    parts = words(name)
    return all(part in vocabulary or stem(part) in stems for part in parts)
