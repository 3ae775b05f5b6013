"""A model's answer, cleaned and checked against the quotes that are to carry it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nonet.specialists.protocol import Citation, Evidence, Passage
from nonet.specialists.quotes import Match, check_quote, quotes_in

_DECLINED = re.compile(
    r"^\W*(?:not (?:stated|mentioned|given|specified|found|available|provided)|unknown|n/?a\b|none\b|no answer|"
    r"the (?:passages?|text|documents?) (?:do|does) not|(?:i )?(?:do not|don't) know|it is not (?:stated|mentioned))",
    re.IGNORECASE,
)


def cleaned(raw: str) -> str:
    """The answer's first paragraph, without labels and passage numbers."""
    text = re.sub(r"^\W*(?:short\s+)?answer\s*[:\-]\s*", "", raw.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s*\[\d{1,2}\](?:,?\s*(?=\[))?", "", text.split("\n\n", 1)[0])
    return " ".join(text.split())


def declines(answer: str) -> bool:
    """Whether the answer says that there is none."""
    return bool(_DECLINED.match(answer))


def repair_quotes(answer: str, passages: Sequence[Passage]) -> tuple[str, list[Citation], list[Evidence]]:
    """Put the document's words where the answer misquotes; take the quotation marks off what is nowhere."""
    citations: list[Citation] = []
    notes: list[Evidence] = []
    for quote in quotes_in(answer):
        check = check_quote(quote, passages)
        if check.citation is not None:
            citations.append(check.citation)
        if check.match is Match.NEAREST and check.citation is not None:
            answer = answer.replace(quote, check.citation.quote)
            notes.append(
                Evidence("quote", passed=None, detail="a quote was not verbatim; the nearest sentence replaced it")
            )
        elif check.match is Match.ABSENT:
            for marked in (f'"{quote}"', f"\u201c{quote}\u201d"):
                answer = answer.replace(marked, quote)
            notes.append(
                Evidence("quote", passed=False, detail="a quote is in no passage; its quotation marks were dropped")
            )
    return answer, citations, notes
