"""Answers from a FAQ. Code ranks the entries; a model only says which of the best few answers, or none of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.runtimes import Message
from nonet.specialists import Assignment, Citation, Desk, Evidence, Outcome, Source, Verdict
from nonet.specialists.ranking import bm25, fuse
from nonet.specialists.retrieval import NOT_FOUND
from nonet.specialists.text import content_stems, neutral, share_found
from nonet_faq.entries import Entry, read_entries

_SHOWN = 4
"""Entries that the model chooses from."""
_ANSWER_SHOWN = 240
"""Characters of each answer that it sees; the whole answer goes to the customer."""
_CHOICE_TOKENS = 24
_NONE = "none"
_LEAST_COSINE = 0.35
"""As retrieval has it: below it, and with less than half of the question's words, an entry is not shown to the model,
which would rather choose one than none."""
_PLAIN_SHARE = 0.5
"""Of the question's words of weight in the entry, from which the words alone bear the choice out."""
_PLAIN_COSINE = 0.6
_ADVICE = "Please contact our support; the FAQ has no entry about this."


@dataclass(frozen=True, slots=True)
class _Ranked:
    entry: Entry
    share: float
    """Of the question's words of weight that are in the entry."""
    cosine: float | None
    """None: there is no embedding model."""


class FaqSpecialist:
    """Answers a customer's question with the entry of the FAQ that answers it, word for word."""

    name = "faq"
    description = "answers customers' questions from a FAQ, word for word"
    examples = (
        "Answer the customer from the FAQ: how long does delivery take?",
        "Answer this customer's question from the FAQ.",
        "What does the FAQ say about returns?",
        "Look in the FAQ: can I change my order?",
        "Is there an entry in the FAQ about warranties?",
        "A customer asks whether we ship abroad.",
        "A customer wants to know how to reset a password.",
        "A customer asks how to return a parcel.",
        "Reply to this support question from our FAQ.",
        "Reply to the customer: can I pay by bank transfer?",
        "Customer support: how do I cancel my subscription?",
        "Customer support question: where is my parcel?",
    )

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """Rank, let the model choose, quote. That nothing answers is an answer, and unverified."""
        documents = [each for each in assignment.sources if each.kind != "artifact"]
        entries = [entry for each in documents for entry in read_entries(each.name, each.text)]
        if not entries:
            detail = "there is no FAQ to read; give it as a document whose headings are questions"
            return Outcome("", Verdict.FAILED, (Evidence("request", passed=False, detail=detail),))
        question = " ".join([assignment.instruction, *_asked(assignment.sources)])
        ranked = await _rank(question, entries, desk)
        if not ranked:
            return _nothing(f"none of {len(entries)} entries is near the question")
        chosen = await _choose(question, ranked, desk)
        if chosen is None:
            return _nothing(f"none of the {len(ranked)} nearest of {len(entries)} entries answers it")
        return _quoted(chosen, ranked)


def _asked(sources: Sequence[Source]) -> list[str]:
    """What an earlier part of the run made of the customer's letter is part of the question."""
    return [each.text for each in sources if each.kind == "artifact"]


async def _rank(question: str, entries: Sequence[Entry], desk: Desk) -> list[_Ranked]:
    """The best few, best first: by words and by meaning, fused."""
    texts = [f"{entry.question} {entry.answer}" for entry in entries]
    asked = content_stems(question)
    stems = [content_stems(text) for text in texts]
    shares = [share_found(set(asked), set(each)) if asked else 0.0 for each in stems]
    scores = bm25(asked, stems)
    vectors = await desk.embed([question, *(entry.question for entry in entries)])
    cosines = [None] * len(entries) if vectors is None else [_dot(vectors[0], each) for each in vectors[1:]]
    by_words = [at for at in sorted(range(len(entries)), key=lambda at: -scores[at]) if scores[at] > 0]
    by_meaning = [] if vectors is None else sorted(range(len(entries)), key=lambda at: -(cosines[at] or 0.0))
    near = [at for at in fuse([by_words, by_meaning]) if _is_near(shares[at], cosines[at])]
    return [_Ranked(entries[at], shares[at], cosines[at]) for at in near[:_SHOWN]]


def _is_near(share: float, cosine: float | None) -> bool:
    return share > 0 if cosine is None else share >= _PLAIN_SHARE or cosine >= _LEAST_COSINE


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


async def _choose(question: str, ranked: Sequence[_Ranked], desk: Desk) -> _Ranked | None:
    """One constrained call: a number, or none."""
    numbers = [str(number) for number in range(1, len(ranked) + 1)]
    lines = [
        f"{n}. {neutral(each.entry.question)} {_start(each.entry)}" for n, each in zip(numbers, ranked, strict=True)
    ]
    prompt = "\n".join(
        [
            "Entries of a FAQ:",
            *lines,
            "",
            f"A customer asks: {neutral(question)}",
            "",
            f"Which entry answers exactly this question? Its number, or {_NONE} if no entry answers it.",
        ]
    )
    schema = {
        "type": "object",
        "properties": {"entry": {"type": "string", "enum": [*numbers, _NONE]}},
        "required": ["entry"],
        "additionalProperties": False,
    }
    response = await desk.chat([Message("user", prompt)], schema=schema, max_completion_tokens=_CHOICE_TOKENS)
    said = json.loads(response.text)["entry"]
    return None if said == _NONE else ranked[int(said) - 1]


def _start(entry: Entry) -> str:
    answer = " ".join(neutral(entry.answer).split())
    return answer if len(answer) <= _ANSWER_SHOWN else f"{answer[:_ANSWER_SHOWN].rsplit(' ', 1)[0]} ..."


def _nothing(why: str) -> Outcome:
    return Outcome(_ADVICE, Verdict.UNVERIFIED, (Evidence("search", passed=None, detail=why),), data=NOT_FOUND)


def _quoted(chosen: _Ranked, ranked: Sequence[_Ranked]) -> Outcome:
    """The entry's own words. Verified where the ranking has it first, too, and words or meaning are plainly near."""
    entry = chosen.entry
    citation = Citation(entry.document, entry.answer, entry.start, entry.end)
    plain = chosen.share >= _PLAIN_SHARE or (chosen.cosine or 0.0) >= _PLAIN_COSINE
    borne_out = chosen is ranked[0] and plain
    nearness = f"{chosen.share:.0%} of the question's words are in it"
    if chosen.cosine is not None:
        nearness += f", similarity {chosen.cosine:.2f}"
    place = "the nearest entry" if chosen is ranked[0] else f"only the {ranked.index(chosen) + 1}. nearest entry"
    evidence = (
        Evidence("quote", passed=True, detail=f"the answer is the entry \u201c{entry.question}\u201d, word for word"),
        Evidence("search", passed=True if borne_out else None, detail=f"{place}: {nearness}"),
    )
    verdict = Verdict.VERIFIED if borne_out else Verdict.UNVERIFIED
    return Outcome(entry.answer, verdict, evidence, (citation,), data={"entry": entry.question})
