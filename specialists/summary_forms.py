"""Summaries in rows: a table with a row a section or document, and a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.errors import BudgetSpentError, ContextOverflowError, IncompleteAnswerError
from nonet.specialists.budget import Span, covered
from nonet.specialists.coverage import CoverageReport, cover, sections_of
from nonet.specialists.extract import extract
from nonet.specialists.forms import FormName, without_manner
from nonet.specialists.length import UNITS, LengthWish, enforce, without_length
from nonet.specialists.material import Material
from nonet.specialists.protocol import Assignment, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.quote_gate import gate_sources
from nonet.specialists.summary_answer import unusable
from nonet.specialists.summary_calls import Attempt, Partial, data_of
from nonet.specialists.summary_extract import sections_check
from nonet.specialists.summary_particular import particular
from nonet.specialists.support import all_there, faithfulness
from nonet.specialists.text import sentences
from nonet.specialists.together import together

_MOST_ROWS = 12
"""More sections are put together, so that a table stays one."""
_MOST_PARTICULAR = 6
_A_ROW = re.compile(
    r"\s*\b(?:an?|per|(?:(?:in|for|of)\s+)?(?:each|every))\s+(?:row|section|document|entry)\b", re.IGNORECASE
)
_LEAST_OVERLAP = 0.6
"""As for a summary in prose."""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    text: str
    """What it says."""
    note: str
    """Why its own words stand in for a summary, or what it says that is not there; empty where it is sound."""
    missing: tuple[str, ...]
    """Numbers and names in it that are not in its part."""
    characters: int
    """Of its part."""
    read: tuple[Span, ...]
    """What of its part went into calls, or was searched for the sentence that stands in: characters of all sources."""
    partials: tuple[Partial, ...]
    """What was made of each piece that was read, with its place among all sources."""
    history: tuple[Evidence, ...]
    """What is to be said of its calls."""
    quotes: tuple[Evidence, ...]
    """Of what it quoted, what is not in its part."""
    sought: bool
    """Only what speaks of the question was read."""
    extracted: bool
    """A sentence of its part stands in."""
    spent: BudgetSpentError | None
    """Why no further call might be made for it."""


async def table(material: Material, assignment: Assignment, desk: Desk, form: FormName) -> Outcome:
    """A row a document, or a section where there is one document; each row is summed up on its own.

    Raises BudgetSpentError where no call was left before a row was made. Rows that were made are kept.
    """
    several = len(material.sources) > 1
    parts = (
        [(source, material.offset(source)) for source in material.sources]
        if several
        else _sections(material.sources[0])
    )
    one = _of_a_row(material, len(parts))
    rows = await together([_row(part, at, one, assignment, desk) for part, at in parts])
    spent = _spent(rows)
    columns = [
        "document" if several else "section",
        "what it says",
        *(["only here"] if form == "comparison" else []),
    ]
    cells = [[row.name, row.text] for row in rows]
    if form == "comparison":
        for cell, only in zip(cells, particular([source.text for source in material.sources]), strict=True):
            cell.append(only)
    lines = [_line(columns), _line(["---"] * len(columns)), *(_line(cell) for cell in cells)]
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    language = material.options.language
    sound = all_there(" ".join(row.text for row in rows), "the part of its row", language)
    checks = [
        _coverage(rows),
        Evidence("support", passed=not notes, detail="; ".join(notes[:3]) or sound),
    ]
    checks += [told for row in rows for told in row.quotes]
    if language:
        checks.append(Evidence("overlap", passed=None, detail=f"in {language} it cannot be compared with the text"))
    checks = [*spent, *checks]
    verdict = Verdict.VERIFIED if all(check.passed for check in checks) else Verdict.UNVERIFIED
    report = _report(rows, material)
    evidence = (*(told for row in rows for told in row.history), *checks, sections_check(report))
    read = [span for row in rows for span in row.read]
    data = data_of(read, [partial for row in rows for partial in row.partials], report)
    return Outcome("\n".join(lines), verdict, evidence, data=data)


def _spent(rows: Sequence[_Row]) -> list[Evidence]:
    """That no call was left for some of the rows. Raises BudgetSpentError where that leaves nothing to keep."""
    error = next((row.spent for row in rows if row.spent is not None), None)
    if error is None:
        return []
    if all(row.extracted for row in rows):
        raise error
    without = sum(row.extracted and row.spent is not None for row in rows)
    said = f"{without} of {len(rows)} rows had to be extracted" if without else "not all calls of its rows were made"
    return [Evidence("call", passed=False, detail=f"{error.message.rstrip('.')}: {said}")]


def _coverage(rows: Sequence[_Row]) -> Evidence:
    """How much of the text went into the calls of all rows."""
    total = sum(row.characters for row in rows)
    share = sum(covered(row.read) for row in rows) / total
    of_all = f"{share:.0%} of {total:,} characters"
    if partly := sum(row.sought and covered(row.read) < row.characters for row in rows):
        whose = "each" if partly == len(rows) else f"{partly}"
        detail = f"{len(rows)} rows; for {whose} only what speaks of the question was read, together {of_all}"
        return Evidence("coverage", passed=None, detail=f"{detail}; the rest was not read")
    return Evidence("coverage", passed=share == 1.0, detail=f"{len(rows)} rows, which together read {of_all}")


def _report(rows: Sequence[_Row], material: Material) -> CoverageReport:
    """As of a summary in prose; a number of another row's part is missing in a row all the same."""
    report = cover("\n\n".join(row.text for row in rows), material)
    of_rows = [row for row in rows for _ in sentences(row.text)]
    basis = tuple(replace(item, missing=row.missing) for item, row in zip(report.basis, of_rows, strict=True))
    return replace(report, basis=basis)


def _sections(source: Source) -> list[tuple[Source, int]]:
    """The sections and where each begins, put together evenly where they are too many."""
    found = sections_of(source)
    step = -(-len(found) // _MOST_ROWS)
    groups = [found[at : at + step] for at in range(0, len(found), step)]
    return [
        (replace(source, name=group[0].heading, text=source.text[group[0].start : group[-1].end]), group[0].start)
        for group in groups
    ]


def _of_a_row(material: Material, rows: int) -> Material:
    """What is asked of each row: a sentence, or as many as a row is to have; words are shared out among them."""
    wish, most_words = material.wish, material.wish.words
    if most_words and not _A_ROW.search(material.request):
        most_words = max(1, most_words // rows)
    own = LengthWish(sentences=wish.sentences or (None if most_words else 1), words=most_words)
    question = material.question or (material.asked if material.focus else "")
    for unit in UNITS:
        question = without_length(question, unit)
    return replace(material, wish=own, question=without_manner(_A_ROW.sub("", question), "form"))


async def _row(part: Source, offset: int, material: Material, assignment: Assignment, desk: Desk) -> _Row:
    """Of a part that begins at `offset` of all sources."""
    attempt = Attempt(replace(material, sources=(part,)), assignment, desk)
    language = material.options.language
    missing: tuple[str, ...] = ()
    quotes: tuple[Evidence, ...] = ()
    try:
        raw = await attempt.summarize()
        reason = unusable(raw, part.text, material.request, language=language)
    except (ContextOverflowError, IncompleteAnswerError) as error:
        raw, reason = "", error.message
    except BudgetSpentError:
        raw, reason = "", "no call was left"
    if reason:
        spans = extract(
            part.text, focus=material.focus, most_sentences=material.wish.sentences, most_words=material.wish.words
        )
        text = " ".join(" ".join(span.text.split()) for span in spans)
        note = f"extracted, as {reason}"
        attempt.chunks, attempt.partials, attempt.sought = [(0, len(part.text))], [], False
    else:
        gated = gate_sources(enforce(raw, material.wish).text, [part], material.request)
        text, quotes = gated.text, gated.evidence()
        faith = faithfulness(text, part.text, translated=language is not None)
        missing = (*faith.missing_numbers, *faith.missing_names)
        few = language is None and faith.overlap < _LEAST_OVERLAP
        note = "few of its words are in its part" if few else ""
        note = f"not in its part: {', '.join(missing[:_MOST_PARTICULAR])}" if missing else note
    read = attempt.chunks
    partials = attempt.partials or [Partial(text, read[0][0], read[-1][1], extracted=bool(reason))]
    return _Row(
        part.name,
        text,
        note,
        missing,
        len(part.text),
        tuple((start + offset, end + offset) for start, end in read),
        tuple(replace(each, start=each.start + offset, end=each.end + offset) for each in partials),
        tuple(replace(told, detail=f"{part.name}: {told.detail}") for told in attempt.history()),
        tuple(replace(told, detail=f"{part.name}: {told.detail}") for told in quotes),
        sought=attempt.sought,
        extracted=bool(reason),
        spent=attempt.spent,
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |"
