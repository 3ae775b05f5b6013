"""Summaries in other forms: a table with a row a section or document, a comparison, and a timeline without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.specialists.coverage import cover, sections_of
from nonet.specialists.dates import first_date, written
from nonet.specialists.extract import extract
from nonet.specialists.forms import Form
from nonet.specialists.length import LengthWish, enforce
from nonet.specialists.material import Material
from nonet.specialists.protocol import Assignment, Citation, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.summary_answer import unusable
from nonet.specialists.summary_calls import Attempt, together
from nonet.specialists.support import faithfulness
from nonet.specialists.text import names, numbers, sentences, words

_MOST_ROWS = 12
"""More sections are put together, so that a table stays one."""
_FEWEST_DATES = 2
_MOST_EVENTS = 40
_MOST_PARTICULAR = 6
_ROW = LengthWish(sentences=1)
_LEAST_OVERLAP = 0.6
"""As for a summary in prose."""


def timeline(material: Material) -> Outcome | None:
    """Dated sentences in the order of their dates, verbatim; None where there are fewer than two."""
    events = [
        (date, source, span)
        for source in material.sources
        for span in sentences(source.text)
        if (date := first_date(span.text)) is not None
    ]
    if len(events) < _FEWEST_DATES:
        return None
    wish = material.wish.bullets or material.wish.sentences or _MOST_EVENTS
    chosen = sorted(events[:wish], key=lambda event: event[0])
    several = len(material.sources) > 1
    lines = [
        f"- {written(date)}: {' '.join(span.text.split())}{f' ({source.name})' if several else ''}"
        for date, source, span in chosen
    ]
    left = len(events) - len(chosen)
    rest = f"; {left} more are left out" if left else ""
    found = Evidence("extract", passed=True, detail=f"{len(chosen)} dated sentences of the text, verbatim{rest}")
    citations = tuple(
        Citation(source.name, span.text, span.start, span.end)
        for _, source, span in chosen
        if source.kind == "document"
    )
    text = "\n".join(lines)
    report = cover("\n".join(span.text for _, _, span in chosen), material)
    return Outcome(text, Verdict.VERIFIED, (found,), citations, {"coverage": report.to_data()})


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    text: str
    """One sentence about it."""
    note: str
    """Why its own words stand in for a summary, or what it says that is not there; empty where it is sound."""


async def table(material: Material, assignment: Assignment, desk: Desk, form: Form) -> Outcome:
    """A row a document, or a section where there is one document; each row is summed up on its own."""
    parts = list(material.sources) if len(material.sources) > 1 else _sections(material.sources[0])
    rows = await together([_row(part, material, assignment, desk) for part in parts])
    head = "document" if len(material.sources) > 1 else "section"
    columns = [head, "what it says", *(["only here"] if form is Form.COMPARISON else [])]
    cells = [[row.name, row.text] for row in rows]
    if form is Form.COMPARISON:
        for cell, only in zip(cells, _particular(material.sources), strict=True):
            cell.append(only)
    lines = [_line(columns), _line(["---"] * len(columns)), *(_line(cell) for cell in cells)]
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    checks = [
        Evidence("coverage", passed=True, detail=f"{len(rows)} rows, which together read all of the text"),
        Evidence(
            "support", passed=not notes, detail="; ".join(notes[:3]) or "every number and name of a row is in its part"
        ),
    ]
    report = cover(" ".join(row.text for row in rows), material)
    verdict = Verdict.UNVERIFIED if notes else Verdict.VERIFIED
    return Outcome("\n".join(lines), verdict, tuple(checks), data={"coverage": report.to_data()})


def _sections(source: Source) -> list[Source]:
    """The sections, put together evenly where they are too many."""
    found = sections_of(source)
    step = -(-len(found) // _MOST_ROWS)
    groups = [found[at : at + step] for at in range(0, len(found), step)]
    return [
        replace(source, name=group[0].heading, text=source.text[group[0].start : group[-1].end]) for group in groups
    ]


async def _row(part: Source, material: Material, assignment: Assignment, desk: Desk) -> _Row:
    own = replace(material, sources=(part,), wish=_ROW)
    try:
        raw = await Attempt(own, assignment, desk).summarize()
        reason = unusable(raw, part.text, material.request, language=material.options.language)
    except (ContextOverflowError, IncompleteAnswerError) as error:
        raw, reason = "", error.message
    if reason:
        spans = extract(part.text, focus=material.focus, most_sentences=1)
        return _Row(part.name, " ".join(" ".join(span.text.split()) for span in spans), f"extracted, as {reason}")
    text = enforce(raw, _ROW).text
    faith = faithfulness(text, part.text)
    missing = [*faith.missing_numbers, *faith.missing_names]
    if missing:
        return _Row(part.name, text, f"not in its part: {', '.join(missing[:_MOST_PARTICULAR])}")
    return _Row(part.name, text, "" if faith.overlap >= _LEAST_OVERLAP else "few of its words are in its part")


def _particular(sources: Sequence[Source]) -> list[str]:
    """Names and numbers that each document has alone, the most frequent first."""
    marks = [names(source.text) | numbers(source.text) for source in sources]
    found: list[str] = []
    for at, source in enumerate(sources):
        others = set[str]().union(*(mark for other, mark in enumerate(marks) if other != at))
        said = words(source.text)
        alone = sorted(marks[at] - others, key=lambda mark: (-said.count(mark), mark))
        found.append(", ".join(alone[:_MOST_PARTICULAR]))
    return found


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |"
