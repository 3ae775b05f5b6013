"""What a summary is asked of: the text, the wish, and what the request wants to hear about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nonet.specialists.asked_for import asked_for
from nonet.specialists.forms import Manner
from nonet.specialists.length import AT_MOST, LengthWish
from nonet.specialists.protocol import Assignment, Source
from nonet.specialists.questions import is_asked, question_in, read_question
from nonet.specialists.text import Span, content_stems, sentences, words

_FEWEST_INLINE_WORDS = 12
"""What follows a colon and is shorter is part of the request ("in this style: plain")."""
_LONG_REQUEST_WORDS = 60
"""A request of more words holds its text without a mark between the two."""
_IN_WORDS = re.compile(
    rf"\s+(?:in|with|within|using|of)\s+(?:{AT_MOST}\s+)?"
    r"[\w,-]+(?:\s+(?:hundred|thousand))?\s+words\b(?:\s+or\s+(?:fewer|less))?",
    re.IGNORECASE,
)
"""What a sentence says of its length, beside what it is about."""
_ABOUT_SUMMARIES = frozenset(
    content_stems(
        """sum up summarise summarize summary summaries summarization condense shorten boil down digest abstract brief
        overview gist recap outline short concise brief plain simple clear main key point points bullet bullets idea
        ideas sentence sentences paragraph paragraphs word words text texts document documents file files article
        articles passage passages paper papers study report attached following above below first second third then next
        finally result results finding findings answer write give provide produce create need want most least language
        english plot story tale chapter describe explain tell discuss happen happens author them it whole
        entire content contents thing things everything evidence table timeline chronology chronological compare
        comparison contrast difference differences style formal formally technical technically everyday words language
        terms row rows section sections"""
    )
)


@dataclass(frozen=True, slots=True)
class Material:
    """A summarization request, read."""

    request: str
    """Without the text it may have carried."""
    sources: tuple[Source, ...]
    wish: LengthWish
    focus: frozenset[str]
    """Stems of what the summary is to speak of; empty for a plain summary."""
    options: Manner = field(default_factory=Manner)
    """Its form, style and language."""
    question: str = ""
    """What was asked of whoever found what is to be summed up, where that is a question and the request adds none; with
    options, what they or the request want to hear about."""
    notes: tuple[str, ...] = ()
    """What of the request its options overrule."""

    @property
    def text(self) -> str:
        """All sources one after the other; several are headed by their names, earlier results are not."""
        if len(self.sources) == 1:
            return self.sources[0].text
        return "\n\n".join(
            source.text if source.kind == "artifact" else f"{source.name}:\n\n{source.text}" for source in self.sources
        )

    @property
    def asked(self) -> str:
        """What is to be answered: the question behind the sources, else the request without what it says of length."""
        if self.question:
            return self.question
        said = [_IN_WORDS.sub("", span.text) for span in sentences(self.request)]
        about = [text for text in said if _stems_beside_form(text)]
        return " ".join(about or said)

    def offset(self, source: Source) -> int:
        """Where a source begins in `text`. Raises ValueError if it is not one of the sources."""
        at = 0
        for other in self.sources:
            heading = 0 if len(self.sources) == 1 or other.kind == "artifact" else len(other.name) + 3
            if other is source:
                return at + heading
            at += heading + len(other.text) + 2
        raise ValueError(source.name)

    def place(self, span: Span) -> tuple[Source, int] | None:
        """The source that holds a span of `text`, and where the span begins in it."""
        for source in self.sources:
            start = span.start - self.offset(source)
            if start >= 0 and source.text[start : start + len(span.text)] == span.text:
                return source, start
        return None


def read_material(assignment: Assignment) -> Material:
    """The sources of the subtask; without any, the text that the request carries itself."""
    sources = tuple(source for source in assignment.sources if source.text.strip())
    request = assignment.instruction.strip()
    if not sources:
        request, inline = _split_inline(request)
        sources = (Source("the request", inline, kind="inline"),) if inline else ()
    given = assignment.options
    asked = asked_for(request, len(sources), given)
    focus = _focus(asked.request, sources) - frozenset(content_stems(asked.manner.language or ""))
    notes = asked.notes
    question = "" if focus else _question_behind(sources)
    if given is not None and given.focus is not None:
        wanted = frozenset(content_stems(given.focus))
        if not focus <= wanted:
            notes += (f"the focus \u201c{given.focus}\u201d counts, not what else the request speaks of",)
        question, focus = _as_question(given.focus), wanted
    elif question:
        focus = frozenset(content_stems(question))
    material = Material(asked.request, sources, asked.wish, focus, asked.manner, question, notes)
    if given is None or question or not focus:
        return material
    return replace(material, question=material.asked)  # a prompt of ours, which the options can be put into


def _as_question(focus: str) -> str:
    """Words for a subject that a prompt can take for a question.

    >>> _as_question("the boiler"), _as_question("Who mended the boiler?")
    ('What does it say about the boiler?', 'Who mended the boiler?')
    """
    return focus if focus.endswith("?") or is_asked(focus) else f"What does it say about {focus}?"


def _question_behind(sources: Sequence[Source]) -> str:
    """The question that passages were found for; "" where one document was to be found, whatever it is about."""
    asked = {question_in(source.asked) if read_question(source.asked).count > 1 else "" for source in sources}
    question = asked.pop() if len(asked) == 1 else ""
    return question if question.rstrip().endswith("?") or is_asked(question) else ""


def _focus(request: str, sources: Sequence[Source]) -> frozenset[str]:
    named = {stem for source in sources for stem in content_stems(source.name)}
    return _stems_beside_form(request) - named


def _stems_beside_form(request: str) -> frozenset[str]:
    """Stems of what it is about, without those of how it is to be summed up."""
    return frozenset(stem for stem in content_stems(request) if stem not in _ABOUT_SUMMARIES and not stem.isdigit())


def _split_inline(request: str) -> tuple[str, str]:
    """(request, text): at a blank line, a colon, or around quotation marks; else after the first sentence."""
    for pattern in (r"^(.{1,400}?)\n\s*\n(.+)$", r"^([^\n]{1,400}?):\s+(.+)$", r"^([^\n]{1,400}?):\n(.+)$"):
        match = re.match(pattern, request, re.DOTALL)
        if match and len(words(match.group(2))) >= _FEWEST_INLINE_WORDS:
            return match.group(1).strip(), match.group(2).strip()
    if match := re.search(r"[\"\u201c\u00ab](.+)[\"\u201d\u00bb]", request, re.DOTALL):
        around = f"{request[: match.start()]} {request[match.end() :]}".strip()
        if len(words(match.group(1))) >= _FEWEST_INLINE_WORDS and around:
            return around, match.group(1).strip()
    spans = sentences(request)
    if len(words(request)) >= _LONG_REQUEST_WORDS and len(spans) > 1:
        return spans[0].text, request[spans[0].end :].strip()
    return request, ""
