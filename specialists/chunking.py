"""A document into chunks along its structure: headings, pages, functions, rows; each with where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from nonet.specialists.budget import Span, split_chars
from nonet.specialists.code_cuts import CODE_SUFFIXES
from nonet.specialists.ingest_kinds import Kind

CHUNK_CHARS = (1_200, 1_800)
"""200 to 300 words of English: long enough to answer from, short enough that several fit a small window."""
CHUNK_OVERLAP_CHARS = 200
"""One or two sentences, so that what a cut separates still stands together once."""
_MOST_CODE_CHARACTERS = 400_000
"""A longer source file is generated or data; it is cut by lines."""
DEFINITION = re.compile(
    r"^(?P<indent>[ \t]*)(?:(?:export|default|pub(?:\([a-z]+\))?|async|static|public|private|protected|abstract|final|"
    r"unsafe|extern|const) )*(?:def|class|func|fn|function|struct|interface|impl|enum|trait|type|module)\s+"
    r"(?:\([^)\n]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)",
    re.MULTILINE,
)
_DEEPEST_INDENT = 8
_LONGEST_HEADER = 300


def has_functions(text: str, kind: Kind, suffix: str) -> bool:
    """Whether it is worth to look for functions in it."""
    return kind is Kind.CODE and suffix in CODE_SUFFIXES and len(text) <= _MOST_CODE_CHARACTERS


def chunks_of(
    text: str, kind: Kind, pages: Sequence[tuple[int, int]], *, functions: Sequence[Span], markdown: bool
) -> list[Span]:
    """Spans that overlap a little and cover the whole text; chunks of code do not overlap, and none spans two pages.

    Args:
        text: the document.
        kind: what it was read from.
        pages: (offset, page) of each.
        functions: the spans of code along its functions, where they are known.
        markdown: cut along Markdown's structure.
    """
    if pages:
        bounds = [*(start for start, _ in pages), len(text)]
        return [
            (start + a, start + b)
            for start, end in pairwise(bounds)
            for a, b in split_chars(text[start:end], CHUNK_CHARS, overlap=CHUNK_OVERLAP_CHARS)
        ]
    if functions:
        return list(functions)
    overlap = 0 if kind in (Kind.CODE, Kind.TABLE) else CHUNK_OVERLAP_CHARS
    return split_chars(text, CHUNK_CHARS, overlap=overlap, markdown=markdown)


def pages_of(chunks: Sequence[Span], pages: Sequence[tuple[int, int]]) -> tuple[int | None, ...]:
    """The page that each chunk stands on."""
    starts = [start for start, _ in pages]
    return tuple(pages[max(0, bisect_right(starts, start) - 1)][1] if pages else None for start, _ in chunks)


def headings_of(text: str, kind: Kind, chunks: Sequence[Span]) -> tuple[str, ...]:
    """What each chunk stands under where Markdown's headings do not say it: a table's first row, a definition's name.

    Empty: the store finds Markdown's own headings.
    """
    if kind is Kind.TABLE:
        header = " ".join(text[: text.find("\n")].split())[:_LONGEST_HEADER]
        return tuple("" if start == 0 else header for start, _ in chunks)
    if kind is Kind.CODE:
        marks = _definitions(text)
        starts = [start for start, _ in marks]
        return tuple(_under(marks, starts, text, chunk) for chunk in chunks)
    return ()


def _definitions(text: str) -> list[tuple[int, str]]:
    """Where functions and classes are defined, with what they are defined in: "Store > open"."""
    marks: list[tuple[int, str]] = []
    trail: list[tuple[int, str]] = []
    for match in DEFINITION.finditer(text):
        depth = len(match.group("indent").expandtabs(4))
        if depth <= _DEEPEST_INDENT:
            trail = [entry for entry in trail if entry[0] < depth] + [(depth, match.group("name"))]
            marks.append((match.start(), " > ".join(name for _, name in trail)))
    return marks


def _under(marks: Sequence[tuple[int, str]], starts: Sequence[int], text: str, chunk: Span) -> str:
    begin = chunk[0] + len(text[slice(*chunk)]) - len(text[slice(*chunk)].lstrip())
    at = bisect_right(starts, begin) - 1
    first = next((name for start, name in marks[at + 1 : at + 2] if start < chunk[1]), "")
    return marks[at][1] if at >= 0 else first
