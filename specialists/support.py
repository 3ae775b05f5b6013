"""Whether a text says only what its sources say: the lexical proof behind the verdicts of retrieval and summarization.

It can be fooled (words in a wrong relation pass), so `verified` means "every word of weight, number and name is in the
quotes", and the evidence says just that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nonet.specialists.text import content_stems, names, number_words, numbers, share_found, stem, words


@dataclass(frozen=True, slots=True)
class AnswerSupport:
    """How far an answer is carried by its quotes."""

    new: tuple[str, ...]
    """Stems that the answer adds to the question; without any, words prove nothing ("yes", a choice of two)."""
    missing: tuple[str, ...]
    """Stems of the answer that no quote has."""
    question_share: float
    """Share of the question's stems that the quotes and their titles have, 0 to 1."""
    missing_names: tuple[str, ...]
    """Names and numbers of the question that neither quotes nor titles have."""


def answer_support(question: str, answer: str, quotes: Sequence[str], titles: Sequence[str]) -> AnswerSupport:
    """Compare an answer with the quotes that are cited for it."""
    asked = content_stems(question)
    given = content_stems(answer)
    quoted = set(content_stems("\n".join([*quotes, *titles])))
    key_names = {stem(name) for name in names(question)} | number_words(question)
    return AnswerSupport(
        new=tuple(dict.fromkeys(item for item in given if item not in asked)),
        missing=tuple(dict.fromkeys(item for item in given if item not in quoted)),
        question_share=share_found(set(asked), quoted),
        missing_names=tuple(sorted(key_names - quoted)),
    )


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
