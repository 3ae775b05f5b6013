"""Looks things up: finds passages, lets the model word a short answer, and proves it by verbatim quotes.

Code chooses the evidence; the model only writes the answer. Asked for passages themselves, no model is called at all.
What a document says is data: it reaches the prompt between marks, with turn marks broken up, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nonet.specialists.budget import split_chars
from nonet.specialists.checks import language_check
from nonet.specialists.hopping import seek
from nonet.specialists.proof import LEAST_QUESTION_SHARE, prove
from nonet.specialists.protocol import Assignment, Citation, Desk, Evidence, Outcome, Passage, Source, Verdict
from nonet.specialists.questions import Question, Want, read_question
from nonet.specialists.quote_gate import gate_passages
from nonet.specialists.quotes import cite
from nonet.specialists.ranking import RankedSentence, bm25, rank_sentences, rerank, title
from nonet.specialists.reading import Reader
from nonet.specialists.subjects import unspoken
from nonet.specialists.text import content_stems, degeneration, share_found

_CANDIDATES = 12
"""Passages searched for and reranked."""
_READ = 8
"""Passages whose sentences are weighed."""
_LEAST_MATCH = 0.2
"""Share of the question's stems in the best passage below which, without a similar embedding, nothing was found."""
_LEAST_COSINE = 0.35
_MOST_CITATIONS = 3
NOT_FOUND: Mapping[str, Any] = {"found": False}
"""In the data of an outcome that says that the documents hold no answer: nothing can be built on it."""
_EXAMPLES = (
    "Who founded the observatory mentioned in the notes?",
    "When was the bridge opened to traffic?",
    "What does the manual say about resetting the device?",
    "Which file mentions the delivery date?",
    "Find the passages that talk about water rights.",
    "In what city was the composer of that opera born?",
    "Look up the maximum operating temperature of the pump.",
    "How many employees did the company have in 2019?",
    "Search the documents for the reason the project was delayed.",
    "Which of the two rivers is longer according to the articles?",
    "What is the name of the author's second novel?",
    "Quote the sentence that defines a quorum.",
    "Is aspirin effective for preventing migraine in adolescents?",
    "Where in the contract is the notice period described?",
    "What nationality was the director of the film that won that year?",
    "Find the study that compares the two surgical techniques.",
    "Which team did the player who scored the winning goal later join?",
    "List the documents that discuss data retention.",
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search gave for one question."""

    question: Question
    passages: tuple[Passage, ...]
    ranked: tuple[RankedSentence, ...]
    cosine: float | None = None
    """Of the best passage; None without vectors."""


class RetrievalSpecialist:
    """Answers from the documents of the run, with quotes that are verbatim in them."""

    name = "retrieval"
    description = "looks things up in the documents and answers with verbatim quotes"
    examples = _EXAMPLES

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """Search, answer in one call or two, check. That nothing was found is an answer, and unverified."""
        outcome = await self._answered(assignment, desk)
        is_collection = all(source.kind == "artifact" for source in assignment.sources)
        if desk.searcher is None or not is_collection or not desk.searcher.lacking:
            return outcome
        said = Evidence("method", passed=None, detail=f"searched by words alone: {desk.searcher.lacking}")
        return replace(outcome, evidence=(*outcome.evidence, said))

    async def _answered(self, assignment: Assignment, desk: Desk) -> Outcome:
        artifacts = [source for source in assignment.sources if source.kind == "artifact"]
        question = read_question(assignment.instruction, artifacts)
        documents = [source for source in assignment.sources if source.kind != "artifact"]
        candidates = await _search(question, documents, desk)
        passages, cosine = await rerank(question.query, candidates, desk)
        if not _matches(question, passages, cosine):
            return _nothing(question)
        read = tuple(passages[:_READ])
        found = _Found(question, read, tuple(rank_sentences(question.query, read)), cosine)
        if question.want is Want.PASSAGES:
            return _whole_passages(found)
        if question.want is Want.QUOTES or not found.ranked:
            return _single_sentences(found)
        if strangers := unspoken(question.text, passages):
            return _of_others(found, strangers)
        return await _answer(found, assignment, desk)


async def _search(question: Question, documents: Sequence[Source], desk: Desk) -> list[Passage]:
    """Documents that were named are read instead of the collection."""
    if documents:
        pieces = [
            Passage(source.name, number, 0.0, start, end, source.text[start:end])
            for source in documents
            for number, (start, end) in enumerate(split_chars(source.text, (1_200, 1_800), overlap=200))
        ]
        scores = bm25(content_stems(question.query), [content_stems(piece.text) for piece in pieces])
        best = sorted(range(len(pieces)), key=lambda at: -scores[at])[:_CANDIDATES]
        return [pieces[at] for at in best if scores[at] > 0]
    if desk.searcher is None:
        return []
    if question.want is Want.ANSWER:
        return await seek(question.query, desk.searcher, _CANDIDATES)
    broad = question.want is Want.PASSAGES and question.count > 1
    return list(await desk.searcher.search(question.query, _CANDIDATES, broad=broad))


def _matches(question: Question, passages: Sequence[Passage], cosine: float | None) -> bool:
    asked = set(content_stems(question.query))
    if not passages:
        return False
    if cosine is not None and cosine >= _LEAST_COSINE:
        return True
    shares = [share_found(asked, set(content_stems(f"{title(p.document)} {p.text}"))) for p in passages]
    return max(shares) >= _LEAST_MATCH


def _nothing(question: Question) -> Outcome:
    evidence = Evidence("search", passed=False, detail="nothing in the collection matches")
    text = f"I found nothing about \u201c{question.text}\u201d in the documents."
    return Outcome(text, Verdict.UNVERIFIED, (evidence,), data=NOT_FOUND)


def _places(passages: Sequence[Passage]) -> dict[str, list[dict[str, str | int]]]:
    return {"passages": [{"document": p.document, "start": p.start, "end": p.end} for p in passages]}


def _quoted(citations: Sequence[Citation]) -> Evidence:
    plural = "quote is" if len(citations) == 1 else "quotes are"
    return Evidence("quote", passed=True, detail=f"{len(citations)} {plural} verbatim in the documents")


def _whole_passages(found: _Found) -> Outcome:
    """The best passages as they stand; they prove themselves, and how well they match is in the evidence."""
    chosen = _one_each(found)
    citations = tuple(_trimmed(passage) for passage in chosen)
    text = "\n\n".join(f"{citation.document}:\n{citation.quote}" for citation in citations)
    return Outcome(
        text, _verdict_of_match(found, text), (_quoted(citations), _match(found, text)), citations, _places(chosen)
    )


def _one_each(found: _Found) -> list[Passage]:
    """The best passages, of different documents as long as there are any."""
    firsts: list[Passage] = []
    others: list[Passage] = []
    for passage in found.passages:
        known = {chosen.document for chosen in firsts}
        (others if passage.document in known else firsts).append(passage)
    return [*firsts, *others][: found.question.count]


def _trimmed(passage: Passage) -> Citation:
    start = len(passage.text) - len(passage.text.lstrip())
    return cite(passage, start, len(passage.text.rstrip()))


def _single_sentences(found: _Found) -> Outcome:
    by_words = sorted(found.ranked, key=lambda sentence: -sentence.lexical)
    if not by_words:
        return _whole_passages(found)
    chosen = by_words[: found.question.count]
    citations = tuple(cite(found.passages[item.passage], item.start, item.end) for item in chosen)
    text = "\n".join(f"\u201c{citation.quote}\u201d ({citation.document})" for citation in citations)
    evidence = (_quoted(citations), _match(found, text))
    places = _places([found.passages[item.passage] for item in chosen])
    return Outcome(text, _verdict_of_match(found, text), evidence, citations, places)


def _match_share(found: _Found, text: str) -> float:
    return share_found(set(content_stems(found.question.text)), set(content_stems(text)))


def _match(found: _Found, text: str) -> Evidence:
    share = _match_share(found, text)
    passed = share >= LEAST_QUESTION_SHARE
    return Evidence("search", passed=passed, detail=f"{share:.0%} of the words asked for are in what was found")


def _verdict_of_match(found: _Found, text: str) -> Verdict:
    return Verdict.VERIFIED if _match_share(found, text) >= LEAST_QUESTION_SHARE else Verdict.UNVERIFIED


async def _answer(found: _Found, assignment: Assignment, desk: Desk) -> Outcome:
    reading = await Reader(found.question, found.passages, found.ranked, assignment, desk).read()
    notes = list(reading.notes)
    if reading.declined:
        return _declined(found, notes)
    if not reading.answer:
        return _extract(found, notes)
    if reason := degeneration(reading.answer, found.question.text):
        return _extract(found, [*notes, Evidence("degeneration", passed=False, detail=reason)])
    return _checked(found, reading.answer, assignment, notes, chosen=reading.chosen)


def _checked(
    found: _Found, answer: str, assignment: Assignment, notes: Sequence[Evidence], *, chosen: bool = False
) -> Outcome:
    gated = gate_passages(answer, found.passages, assignment.instruction)
    answer, citations = gated.text, list(gated.citations)
    proof = prove(found.question, answer, found.passages, found.ranked, found.cosine)
    for item in proof.carriers:
        citation = cite(found.passages[item.passage], item.start, item.end)
        if all(citation.quote not in other.quote for other in citations):
            citations.append(citation)
    citations = citations[:_MOST_CITATIONS]
    spoken = language_check(found.question.text, answer)
    shape = [*notes, *gated.evidence(doubt=True), *([spoken] if spoken is not None and not spoken.passed else [])]
    if proof.thin:
        detail = f"the model's answer, \u201c{answer[:200]}\u201d, is not shown: {proof.thin}"
        return _thin(found, detail, [*shape, proof.evidence], citations)
    sound = gated.sound and proof.evidence.passed and all(item.passed is not False for item in shape)
    evidence = (*shape, *([_quoted(citations)] if citations else []), proof.evidence)
    # Who had to be asked a second time, among phrases, is no second witness beside the words of the text.
    verdict = Verdict.VERIFIED if sound and not chosen else Verdict.UNVERIFIED
    return Outcome(answer, verdict, evidence, tuple(citations), _places(found.passages))


def _of_others(found: _Found, strangers: Sequence[str]) -> Outcome:
    """Nothing that was found names who or what is asked about; the model is not asked what it remembers."""
    detail = f"no passage found speaks of: {', '.join(strangers[:4])}"
    return _thin(found, detail, [], [_best_sentence(found)])


def _thin(found: _Found, detail: str, evidence: Sequence[Evidence], nearest: Sequence[Citation]) -> Outcome:
    """That the documents do not say it is the answer, with what comes nearest."""
    said = Evidence("answer", passed=False, detail=detail)
    text = f"I did not find an answer to \u201c{found.question.text}\u201d in the documents."
    if nearest:
        text += f" What comes nearest: \u201c{nearest[0].quote}\u201d ({nearest[0].document})"
        evidence = [*evidence, _quoted(nearest)]
    data = {**_places(found.passages), **NOT_FOUND}
    return Outcome(text, Verdict.UNVERIFIED, (said, *evidence), tuple(nearest), data)


def _declined(found: _Found, notes: Sequence[Evidence]) -> Outcome:
    note = Evidence("answer", passed=False, detail="the model finds no answer in the passages")
    best = max((_match_share(found, item.text) for item in found.ranked), default=0.0)
    if best < LEAST_QUESTION_SHARE / 2:
        nothing = _nothing(found.question)
        return Outcome(nothing.text, nothing.verdict, (*notes, note, *nothing.evidence), data=NOT_FOUND)
    return _extract(found, [*notes, note])


def _extract(found: _Found, notes: Sequence[Evidence]) -> Outcome:
    """The best evidence sentence in place of an answer."""
    citation = _best_sentence(found)
    said = Evidence("extract", passed=None, detail="the best matching sentence stands in for the model's answer")
    evidence = (*notes, said, _quoted([citation]))
    return Outcome(citation.quote, Verdict.UNVERIFIED, evidence, (citation,), _places(found.passages))


def _best_sentence(found: _Found) -> Citation:
    best = max(found.ranked, key=lambda sentence: sentence.lexical)
    return cite(found.passages[best.passage], best.start, best.end)
