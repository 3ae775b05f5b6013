"""Whether an answer is proved by single sentences of the documents.

Words in a sentence are no logic, so `verified` asks for more than their presence: one sentence must carry all that the
answer adds to the question, no other sentence may fit the question better, and the answer must be of the kind asked
for. That makes two independent readers agree: the model, and the ranking by words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nonet.specialists.protocol import Evidence, Passage
from nonet.specialists.questions import Question
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.text import content_stems, names, number_words, numbers, sentences, share_found, stem, words

LEAST_QUESTION_SHARE = 0.6
"""Of the question's stems, around the sentence that carries the answer, for `verified`."""
_LEAST_SHARE = 0.3
"""Of the question's stems, around the sentence that carries the answer, below which it speaks of something else."""
_NO_WORSE = 0.001
_NUMBER_ASKED = re.compile(
    r"\b(?:when|how\s+(?:many|much|old|long|far|tall|high|large|big|often|deep|fast)|what\s+percent\w*|"
    r"(?:what|which|in\s+(?:what|which))\s+(?:year|date|day|percentage|number|amount|population|age|rank\w*))\b",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(
    r"\b(?:who|whom|whose|(?:what|which|in\s+(?:what|which))\s+(?:country|city|state|continent|town|river|person|"
    r"company|team|organi[sz]ation|university|nationality|province|county|island))\b",
    re.IGNORECASE,
)
_ACRONYM_ASKED = re.compile(r"\b(?:acronym|abbreviation|initials)\b", re.IGNORECASE)
_ACRONYM = re.compile(r"\b[A-Z][A-Z0-9.&-]+\b")


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found for an answer."""

    carriers: tuple[RankedSentence, ...]
    """Sentences to cite: those that carry the answer; without any, those that come nearest."""
    evidence: Evidence
    """passed: True proved; None nothing speaks against it; False the documents found speak against it."""
    thin: bool = False
    """Most of what the answer adds is in no document found, or the sentence that carries it hardly speaks of the
    question: the documents do not say it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: RankedSentence
    said: frozenset[str]
    """Stems of the sentence and of its document's title."""
    around: frozenset[str]
    """And of the sentence before it, which names what "she" and "it" stand for."""
    share: float
    """Of the question's stems that it has; those that only the sentence before it has count half."""


def prove(question: Question, answer: str, passages: Sequence[Passage], ranked: Sequence[RankedSentence]) -> Proof:
    """Look for sentences that carry the answer, one for each of its own sentences."""
    asked = frozenset(content_stems(question.query))
    candidates = _candidates(asked, passages, ranked)
    claims = [frozenset(content_stems(span.text)) - asked for span in sentences(answer)]
    claims = [claim for claim in claims if claim]
    carriers = [_carrier(claim, answer, candidates) for claim in claims]
    found = [carrier for carrier in carriers if carrier is not None]
    if len(found) < len(claims) or not found:
        return _not_carried(claims, candidates)
    cited = tuple(dict.fromkeys(carrier.sentence for carrier in found))
    thin = max(carrier.share for carrier in found) < _LEAST_SHARE
    return Proof(cited, _judge(question, answer, found, candidates), thin=thin)


def _candidates(
    asked: frozenset[str], passages: Sequence[Passage], ranked: Sequence[RankedSentence]
) -> list[_Candidate]:
    in_order = sorted(ranked, key=lambda item: (item.passage, item.start))
    before = {(item.passage, item.start): previous for previous, item in pairwise(in_order)}
    candidates: list[_Candidate] = []
    for item in ranked:
        said = frozenset(content_stems(f"{title(passages[item.passage].document)} \n{item.text}"))
        previous = before.get((item.passage, item.start))
        near = previous is not None and previous.passage == item.passage
        around = said | frozenset(content_stems(previous.text)) if near and previous is not None else said
        share = (share_found(asked, said) + share_found(asked, around)) / 2
        candidates.append(_Candidate(item, said, around, share))
    return candidates


def _carrier(claim: frozenset[str], answer: str, candidates: Sequence[_Candidate]) -> _Candidate | None:
    phrase = f" {' '.join(words(answer))} "

    def fitness(candidate: _Candidate) -> tuple[float, ...]:
        return (candidate.share, phrase in f" {' '.join(words(candidate.sentence.text))} ", candidate.sentence.score)

    return max((item for item in candidates if claim <= item.said), key=fitness, default=None)


def _not_carried(claims: Sequence[frozenset[str]], candidates: Sequence[_Candidate]) -> Proof:
    wanted = frozenset[str]().union(*claims)
    nearest = sorted(candidates, key=lambda item: (-len(item.said & wanted), -item.share))[:2]
    cited = tuple(item.sentence for item in nearest if item.said & wanted or item.share)
    missing = sorted(wanted - frozenset[str]().union(*(item.said for item in candidates)))
    if missing:
        detail = f"not in the documents found: {', '.join(missing[:6])}"
        return Proof(cited, Evidence("support", passed=False, detail=detail), thin=2 * len(missing) > len(wanted))
    if wanted:
        return Proof(cited, Evidence("support", passed=None, detail="no single sentence has the whole answer"))
    detail = "the answer adds no word that quotes could prove"
    return Proof(cited, Evidence("support", passed=None, detail=detail))


def _judge(
    question: Question, answer: str, carriers: Sequence[_Candidate], candidates: Sequence[_Candidate]
) -> Evidence:
    around = frozenset[str]().union(*(carrier.around for carrier in carriers))
    share = max(carrier.share for carrier in carriers)
    best = max(candidate.share for candidate in candidates)
    lacking = sorted(_key_words(question) - around)
    if reason := _wrong_kind(question.text, answer):
        return Evidence("support", passed=False, detail=reason)
    if lacking:
        detail = f"the quotes do not speak of: {', '.join(lacking[:6])}"
        return Evidence("support", passed=False, detail=detail)
    if share < LEAST_QUESTION_SHARE:
        return Evidence("support", passed=None, detail=f"the quotes have {share:.0%} of the question's words")
    if share < best - _NO_WORSE:
        return Evidence("support", passed=False, detail="another sentence fits the question better than the quotes")
    if reason := _ambiguous(question.text, carriers):
        return Evidence("support", passed=None, detail=reason)
    detail = "a sentence has every word of the answer, and none fits the question better"
    return Evidence("support", passed=True, detail=detail)


def _key_words(question: Question) -> set[str]:
    """Names and numbers that must be spoken of."""
    return {stem(name) for name in names(question.text)} | numbers(question.text)


def _wrong_kind(question: str, answer: str) -> str:
    if _ACRONYM_ASKED.search(question):
        return "" if _ACRONYM.search(answer) else "an acronym is asked for, and the answer is none"
    if _NUMBER_ASKED.search(question) and not number_words(answer):
        return "a number or date is asked for, and the answer has none"
    asked = set(words(question))
    named = any(word[0].isupper() and not set(words(word)) <= asked for word in answer.split())
    if _NAME_ASKED.search(question) and not named:
        return "a name is asked for, and the answer has none"
    return ""


def _ambiguous(question: str, carriers: Sequence[_Candidate]) -> str:
    """A sentence with several numbers does not say which of them answers."""
    if not _NUMBER_ASKED.search(question):
        return ""
    most = 3  # "3 May 1688" is two, and one more may count something else
    crowded = any(len(numbers(carrier.sentence.text)) > most for carrier in carriers)
    return "the quote has several numbers, of which any might be meant" if crowded else ""
