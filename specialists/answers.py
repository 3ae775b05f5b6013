"""A model's answer, cleaned and checked against the quotes that are to carry it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nonet.specialists.protocol import Citation, Evidence, Passage
from nonet.specialists.quotes import Match, check_quote, quotes_in
from nonet.specialists.support import AnswerSupport

LEAST_QUESTION_SHARE = 0.6
"""Of the question's stems, in the quotes and their titles, for `verified`."""
_DECLINED = re.compile(
    r"^\W*(?:not (?:stated|mentioned|given|specified|found|available|provided)|unknown|n/?a\b|none\b|no answer|"
    r"the (?:passages?|text|documents?) (?:do|does) not|(?:i )?(?:do not|don't) know|it is not (?:stated|mentioned))",
    re.IGNORECASE,
)


def cleaned(raw: str) -> tuple[str, set[int]]:
    """The answer without labels and marks, and the passage numbers it pointed at."""
    text = re.sub(r"^\W*(?:short\s+)?answer\s*[:\-]\s*", "", raw.strip(), flags=re.IGNORECASE)
    text = text.split("\n\n", 1)[0]
    cited = {int(number) for number in re.findall(r"\[(\d{1,2})\]", text)}
    text = re.sub(r"\s*\[\d{1,2}\](?:,?\s*(?=\[))?", "", text)
    return " ".join(text.split()).strip(), cited


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


def proof_of(support: AnswerSupport) -> Evidence:
    """What the comparison proves: passed only if the quotes carry the whole answer and speak of what was asked."""
    if support.missing:
        lacking = ", ".join(support.missing[:6])
        return Evidence("support", passed=False, detail=f"not in the quotes: {lacking}")
    if not support.new:
        return Evidence(
            "support", passed=None, detail="the answer adds no word to the question that quotes could prove"
        )
    if support.missing_names:
        lacking = ", ".join(support.missing_names[:6])
        return Evidence("support", passed=None, detail=f"the quotes do not speak of: {lacking}")
    if support.question_share < LEAST_QUESTION_SHARE:
        share = f"{support.question_share:.0%}"
        return Evidence("support", passed=None, detail=f"the quotes have {share} of the question's words")
    return Evidence(
        "support", passed=True, detail="every word of the answer is in the quotes, and they fit the question"
    )
