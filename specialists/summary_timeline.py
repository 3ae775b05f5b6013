"""A timeline: the dated sentences of the texts, in their own words and the order of their dates. It asks no model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nonet.specialists.coverage import cover, sections_of
from nonet.specialists.dates import Dated, day_first, first_date
from nonet.specialists.material import Material
from nonet.specialists.protocol import Citation, Evidence, Outcome, Source, Verdict
from nonet.specialists.text import Span, content_stems, sentences, stem, words

_FEWEST_DATES = 2
_MOST_EVENTS = 40
_MOST_SAID = 3
_NEARLY = 0.75
"""Of the words of the focus that the best sentence has, for another to speak of it, too. Of two or three it is all: in
a log of repairs, those of the pump speak of "repairs", and not of "the boiler repairs"."""
_OF_ANY_EVENT = frozenset(
    content_stems("event events date dates dated history development developments milestone order time")
)
"""What a request for a timeline says of the form, and no sentence has to say."""
_LOOKS_BACK = re.compile(r"(?:it|they|this|that|these|those|he|she)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Event:
    dated: Dated
    source: Source
    span: Span
    said: frozenset[str]
    """Stems of what it speaks of: its own, its heading's, and those of the sentence before where it looks back."""


def timeline(material: Material) -> Outcome | None:
    """What has a date and speaks of the focus, in the order of the dates; None where fewer than two have a date."""
    events = [event for source in material.sources for event in _events(source)]
    if len(events) < _FEWEST_DATES:
        return None
    found, of_focus = _about(events, material)
    chosen = sorted(_few_enough(found, material), key=lambda event: event.dated.date)
    several = len(material.sources) > 1
    lines = [
        f"- {event.dated.written}: {' '.join(event.span.text.split())}{f' ({event.source.name})' if several else ''}"
        for event in chosen
    ]
    left = len(found) - len(chosen)
    rest = f"; {left} more are left out" if left else ""
    count = "1 dated sentence" if len(chosen) == 1 else f"{len(chosen)} dated sentences"
    evidence = [Evidence("extract", passed=True, detail=f"{count} of the text, verbatim{rest}"), *of_focus]
    if unclear := [event.dated.text for event in chosen if event.dated.ambiguous]:
        said = ", ".join(unclear[:_MOST_SAID])
        detail = f"which is the day and which the month is not plain: {said}; put in order by the year alone"
        evidence.append(Evidence("dates", passed=None, detail=detail))
    if material.options.style:
        detail = f"a timeline is the text's own sentences: none was put into a {material.options.style} style"
        evidence.append(Evidence("options", passed=None, detail=detail))
    citations = tuple(
        Citation(event.source.name, event.span.text, event.span.start, event.span.end)
        for event in chosen
        if event.source.kind == "document"
    )
    report = cover("\n".join(event.span.text for event in chosen), material)
    verdict = Verdict.VERIFIED if all(check.passed for check in evidence) else Verdict.UNVERIFIED
    return Outcome("\n".join(lines), verdict, tuple(evidence), citations, {"coverage": report.to_data()})


def _events(source: Source) -> Iterator[_Event]:
    order = day_first(source.text)
    headings = [
        (section.start, section.end, frozenset(content_stems(section.heading)))
        for section in sections_of(source)
        if source.text[section.start : section.end].lstrip().startswith("#")
    ]
    before: frozenset[str] = frozenset()
    for span in sentences(source.text):
        said = frozenset(content_stems(span.text))
        if _LOOKS_BACK.match(span.text):
            said |= before
        dated = first_date(span.text, day_first=order)
        if dated is not None:
            heading = next((stems for start, end, stems in headings if start <= span.start < end), frozenset[str]())
            yield _Event(dated, source, span, said | heading)
        before = said


def _about(events: Sequence[_Event], material: Material) -> tuple[list[_Event], list[Evidence]]:
    """The events that speak of the focus, and what is to be said of the others."""
    focus = material.focus - _OF_ANY_EVENT
    if not focus:
        return list(events), []
    shares = [len(focus & event.said) / len(focus) for event in events]
    best = max(shares)
    asked = {stem(word): word for word in words(f"{material.request} {material.question}")}
    if not best:
        detail = f"no dated sentence speaks of {_named(focus, asked)}: all are listed"
        return list(events), [Evidence("focus", passed=None, detail=detail)]
    chosen = [event for event, share in zip(events, shares, strict=True) if share >= _NEARLY * best]
    whole = best == 1.0
    about = f"{'they speak' if whole else 'none speaks of more than a part'} of {_named(focus, asked)}"
    left, partly = len(events) - len(chosen), sum(0 < share < _NEARLY * best for share in shares)
    rest = f"; {left} other dated sentence{'s are' if left != 1 else ' is'} left out" if left else ""
    part = f", {partly} of which speak{'s' * (partly == 1)} of a part of it" if partly else ""
    return chosen, [Evidence("focus", passed=whole or None, detail=f"{about}{rest}{part}")]


def _named(stems: frozenset[str], asked: dict[str, str]) -> str:
    """Stems by the words that were asked, in their order."""
    found = [word for each, word in asked.items() if each in stems] or sorted(stems)
    return "\u201c" + " ".join(found) + "\u201d"


def _few_enough(events: Sequence[_Event], material: Material) -> Sequence[_Event]:
    """As many as were asked for, in whole sentences."""
    wish = material.wish
    kept = events[: wish.bullets or wish.sentences or _MOST_EVENTS]
    while wish.words and len(kept) > 1 and sum(len(words(event.span.text)) for event in kept) > wish.words:
        kept = kept[:-1]
    return kept
