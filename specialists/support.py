"""Whether a summary says only what its source says: the lexical proof behind the verdicts of summarization.

It can be fooled (words in a wrong relation pass), so `verified` means "every number and name, and most words of weight,
are in the text", and the evidence says just that.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonet.specialists.figures import figures_of
from nonet.specialists.text import content_stems, names, sentences, share_found, stem, words


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How far a summary stays with its source."""

    missing_numbers: tuple[str, ...]
    """And dates, as the summary writes them."""
    missing_names: tuple[str, ...]
    weakest: float
    """The least share that a sentence of three stems or more has of its own; 1 where there is none."""
    overlap: float
    """Share of the summary's content stems that the source has, 0 to 1; next to none in another language."""


def faithfulness(summary: str, source: str, *, translated: bool = False) -> Faithfulness:
    """Compare a summary with all that it sums up.

    Args:
        summary: what a model made of it.
        source: the text.
        translated: a language was asked for; then names are not looked for: they may be written otherwise, and German
            nouns look like names.
    """
    stems = set(content_stems(source))
    vocabulary = set(words(source))
    figures = figures_of(source)
    said = set[str]() if translated else names(figures.without_dates(summary)) - figures.months
    return Faithfulness(
        missing_numbers=figures.missing(summary, translated=translated),
        missing_names=tuple(sorted(name for name in said if not _known(name, vocabulary, stems))),
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


def all_there(summary: str, where: str, language: str | None) -> str:
    """In words, that nothing is missing in a summary, and which names were not looked for.

    Args:
        summary: what was compared.
        where: "the text".
        language: that was asked for, if one was.
    """
    if language is not None:
        return f"every number is in {where}; names, which in {language} may be written otherwise, were not looked for"
    letters = [letter for letter in summary if letter.isalpha()]
    if all(letter.upper() != letter.lower() for letter in letters if not letter.isascii()):
        return f"every number and name is in {where}"
    what = "number and name" if any(letter.upper() != letter.lower() for letter in letters) else "number"
    return f"every {what} is in {where}; names in a script without capitals were not looked for"
