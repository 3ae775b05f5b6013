"""The gate that every answer from texts goes through: what stands in quotation marks is in the texts, or no quote.

What is nearly a sentence of them is replaced by that sentence; what is nowhere loses its marks. Either way the answer
is not `verified`, and the evidence names the quote. What repeats the request, or names a text, quotes no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nonet.specialists.protocol import Citation, Evidence, Passage, Source
from nonet.specialists.quote_marks import Quotation, quotations
from nonet.specialists.quotes import SHORTEST_REPAIR, Match, QuoteCheck, Sought
from nonet.specialists.ranking import title
from nonet.specialists.text import words

_MOST_TOLD = 3
_LONGEST_TOLD = 80


@dataclass(frozen=True, slots=True)
class Gated:
    """An answer behind the gate."""

    text: str
    citations: tuple[Citation, ...]
    """Of the quotes that are in it; of a few words, which may be a title or a term, there is none."""
    replaced: tuple[str, ...] = ()
    """Quotes that were nearly a sentence of the texts."""
    unmarked: tuple[str, ...] = ()
    """Quotes that are nowhere in them."""

    @property
    def sound(self) -> bool:
        """Whether every quote is in the texts."""
        return not self.replaced and not self.unmarked

    def evidence(self, *, doubt: bool = False) -> tuple[Evidence, ...]:
        """What was done to which quotes.

        Args:
            doubt: what is nowhere is for a larger model to settle. Else it only keeps the answer from `verified`.
        """
        return (
            *_told(self.replaced, "is not verbatim; the nearest sentence replaced it", passed=None),
            *_told(
                self.unmarked,
                "is nowhere in what was read; its quotation marks were dropped",
                passed=False if doubt else None,
            ),
        )

    def noticed(self) -> tuple[Evidence, ...]:
        """The same of an answer that is left as it was."""
        return tuple(_told((*self.replaced, *self.unmarked), "is not in what was read", passed=None))


def _told(quotes: Sequence[str], what: str, *, passed: bool | None) -> list[Evidence]:
    more = f" (and {len(quotes) - _MOST_TOLD} more)" if len(quotes) > _MOST_TOLD else ""
    shown = [f"the quote \u201c{quote[:_LONGEST_TOLD]}\u201d {what}" for quote in quotes[:_MOST_TOLD]]
    return [
        Evidence("quote", passed=passed, detail=f"{each}{more if number == len(shown) else ''}")
        for number, each in enumerate(shown, start=1)
    ]


def gate_passages(answer: str, passages: Sequence[Passage], asked: str) -> Gated:
    """Check what an answer quotes from passages that were found.

    Args:
        answer: what a model wrote.
        passages: what it may have read.
        asked: the request; words of it are no quotes.
    """
    return _Gate(passages, [asked]).checked(answer)


def gate_sources(answer: str, sources: Sequence[Source], asked: str) -> Gated:
    """Check what an answer quotes from whole texts; only what is in documents is cited.

    Args:
        answer: what a model wrote.
        sources: what it read.
        asked: the request; words of it are no quotes.
    """
    passages = [Passage(source.name, at, 0.0, 0, len(source.text), source.text) for at, source in enumerate(sources)]
    gated = _Gate(passages, [asked, *(source.asked for source in sources)]).checked(answer)
    cited = tuple(
        replace(citation, chunk=None)
        for citation in gated.citations
        if citation.chunk is not None and sources[citation.chunk].kind == "document"
    )
    return replace(gated, citations=cited)


class _Gate:
    def __init__(self, passages: Sequence[Passage], asked: Sequence[str]) -> None:
        names = dict.fromkeys(passage.document for passage in passages)
        beside = [*asked, *names, *map(title, names)]
        self._sought = Sought(passages)
        self._beside = Sought([Passage("", 0, 0.0, 0, len(text), text) for text in beside])
        self._citations: dict[Citation, None] = {}
        self._replaced: dict[str, None] = {}
        self._unmarked: dict[str, None] = {}

    def checked(self, answer: str) -> Gated:
        text = self._shown(answer)
        return Gated(text, tuple(self._citations), tuple(self._replaced), tuple(self._unmarked))

    def _shown(self, text: str) -> str:
        shown, at = "", 0
        for quotation in quotations(text, self._is_known):
            shown += text[at : quotation.start] + self._quotation(text, quotation)
            at = quotation.end
        return shown + text[at:]

    def _is_known(self, quote: str) -> bool:
        return _found(self._sought, quote) is not None

    def _quotation(self, text: str, quotation: Quotation) -> str:
        quote = quotation.text
        check = _found(self._sought, quote)
        if check is None and words(quote) and _found(self._beside, quote) is None:
            check = self._sought.check(quote)
        marked = text[quotation.start : quotation.end]
        if check is None:
            return marked
        if check.citation is None or (check.match is Match.NEAREST and not quotation.closed):
            self._unmarked[quote] = None
            within = quote if quotation.closed else marked[1:]
            return self._shown(within)  # what is quoted within it may well be there
        if len(words(quote)) >= SHORTEST_REPAIR:
            self._citations[check.citation] = None
        if check.match is Match.NEAREST:
            self._replaced[quote] = None
            return marked.replace(quote, " ".join(check.citation.quote.split()))
        return marked


def _found(sought: Sought, quote: str) -> QuoteCheck | None:
    return sought.find(quote) or sought.elided(quote)
