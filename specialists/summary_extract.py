"""Sentences of the text itself in place of a summary: what the user gets where a model does worse."""

from __future__ import annotations

from collections.abc import Sequence

from nonet.specialists.coverage import CoverageReport, cover
from nonet.specialists.extract import extract
from nonet.specialists.length import enforce
from nonet.specialists.material import Material
from nonet.specialists.protocol import Citation, Evidence, Outcome, Verdict
from nonet.specialists.speakers import is_transcript, speaker_at, spoken
from nonet.specialists.summary_calls import Attempt
from nonet.specialists.text import Span

_MOST_NAMED = 6
"""Sections that are named as left out."""


def sections_check(report: CoverageReport) -> Evidence:
    """Which sections the summary stands on, in words."""
    used, left = report.used, report.left_out
    names = ", ".join(section.heading for section in left[:_MOST_NAMED])
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    rest = f"; left out: {names}{more}" if left else ""
    detail = f"it stands on {len(used)} of {len(report.sections)} sections{rest}"
    return Evidence("sections", passed=None if left else True, detail=detail)


async def extracted(attempt: Attempt, reason: Evidence) -> Outcome:
    """The central sentences of the whole text, verbatim, in the length asked for."""
    material, wish, text = attempt.material, attempt.material.wish, attempt.material.text
    spans = extract(
        text,
        focus=material.focus,
        most_sentences=wish.sentences or wish.bullets,
        most_words=wish.words,
        said=lambda span: _said(text, span),
    )
    said = [_said(text, span) for span in spans]
    trimmed = enforce((" " if wish.bullets is None else "\n\n").join(said), wish)
    attempt.chunks = [(0, len(text))]
    count = "1 sentence" if len(spans) == 1 else f"{len(spans)} sentences"
    stands_in = Evidence(
        "extract", passed=None, detail=f"{count} of the text stand{'s' * (len(spans) == 1)} in for a summary"
    )
    report = cover(trimmed.text, material)
    evidence = (*attempt.history(), reason, stands_in, attempt.coverage(), sections_check(report), *trimmed.evidence)
    return Outcome(trimmed.text, Verdict.UNVERIFIED, evidence, _citations(material, spans), attempt.data(report))


def _said(text: str, span: Span) -> str:
    """In one line; of a transcript with who says it, and without sounds."""
    if not is_transcript(text):
        return " ".join(span.text.split())
    speaker = speaker_at(text, span.start)
    return f"{speaker}: {spoken(span.text)}" if speaker else spoken(span.text)


def _citations(material: Material, spans: Sequence[Span]) -> tuple[Citation, ...]:
    """Of what was taken out of documents, where it stands in them."""
    placed = [(material.place(span), span) for span in spans]
    return tuple(
        Citation(place[0].name, span.text, place[1], place[1] + len(span.text))
        for place, span in placed
        if place is not None and place[0].kind == "document"
    )
