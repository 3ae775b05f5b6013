"""Whether an answer is proved by single sentences of the documents.

Words in a sentence are no logic, so `verified` asks for more than their presence: one sentence must carry all that the
answer adds to the question, no other sentence may fit the question better, and the answer must be of the kind asked
for. That makes two independent readers agree: the model, and the ranking by words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nonet.specialists.kinds import asks_number, asks_yes_or_no, role_spoken_of, without_yes_or_no, wrong_kind
from nonet.specialists.protocol import Evidence, Passage
from nonet.specialists.questions import Question
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.subjects import speaks_of, spoken_of, subjects
from nonet.specialists.text import content_stems, names, numbers, sentences, share_found, stem, words

LEAST_QUESTION_SHARE = 0.6
"""Of the question's stems, around the sentence that carries the answer, for `verified`."""
_LEAST_SHARE = 0.4
"""Of the question's stems, around the sentence that carries the answer, below which it speaks of something else. Of
MuSiQue's single steps no right answer of 19 is in such a sentence, and 3 of 14 wrong ones are."""
_LEAST_COSINE = 0.4
"""Of the best passage with the question (all-MiniLM-L6-v2), below which the sentence that carries the answer must speak
of the question as it must for `verified`."""
_SHORT_STEMS = 6
"""Up to so many stems a question asks one fact of what it names. MuSiQue's single steps: with their passages no right
answer of 20 is in one that lacks a name of the question, and 8 of 20 wrong ones are; without, 16 of 24 answers are."""
_SENTENCES_BEFORE = 2
"""Which name what "she" and "the contract" stand for."""
_NO_WORSE = 0.001


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found for an answer."""

    carriers: tuple[RankedSentence, ...]
    """Sentences to cite: those that carry the answer; without any, those that come nearest."""
    evidence: Evidence
    """passed: True proved; None nothing speaks against it; False the documents found speak against it."""
    thin: str = ""
    """Why the documents do not say it, in words: most of what the answer adds is in none that was found, or the
    sentence that carries it hardly speaks of the question. Empty where they may."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    sentence: RankedSentence
    said: frozenset[str]
    """Stems of the sentence and of its document's title."""
    around: frozenset[str]
    """And of the sentences before it, which name what "she" and "it" stand for."""
    share: float
    """Of the question's stems that it has; those that only the sentences before it have count half."""


def prove(
    question: Question,
    answer: str,
    passages: Sequence[Passage],
    ranked: Sequence[RankedSentence],
    cosine: float | None = None,
) -> Proof:
    """Look for sentences that carry the answer, one for each of its own sentences.

    Args:
        cosine: of the best passage with the question; None where it is not known.
    """
    asked = frozenset(content_stems(question.query))
    candidates = _candidates(asked, passages, ranked)
    # That it is so or not is for no word of a document to say.
    said = without_yes_or_no(answer) if asks_yes_or_no(question.text) else answer
    claims = [frozenset(content_stems(span.text)) - asked for span in sentences(said)]
    claims = [claim for claim in claims if claim]
    carriers = [_carrier(claim, answer, candidates) for claim in claims]
    found = [carrier for carrier in carriers if carrier is not None]
    if not claims and asks_yes_or_no(question.text) and (about := about_its_subject(question, passages)):
        # A bare yes or no has no words that lead to its ground: it is to be one that speaks of what is asked about.
        candidates = [item for item in candidates if item.sentence.passage in about] or candidates
    if len(found) < len(claims) or not found:
        return _not_carried(claims, candidates, cosine)
    cited = tuple(dict.fromkeys(carrier.sentence for carrier in found))
    thin = _hardly_spoken_of(found, cosine) or _of_others(question, found, passages)
    return Proof(cited, _judge(question, answer, found, candidates), thin)


def _hardly_spoken_of(carriers: Sequence[_Candidate], cosine: float | None) -> str:
    """Why the sentences that carry an answer, or come nearest, are about something else."""
    share = max((carrier.share for carrier in carriers), default=0.0)
    if share < _LEAST_SHARE:
        return f"the sentence that has it speaks of {share:.0%} of what is asked"
    if cosine is not None and cosine < _LEAST_COSINE and share < LEAST_QUESTION_SHARE:
        return "what was found is hardly like the question"
    return ""


def _of_others(question: Question, carriers: Sequence[_Candidate], passages: Sequence[Passage]) -> str:
    """Why the passages of the carriers are of others than a short question names, in words.

    A long question may name what only leads to the answer.
    """
    if len(set(content_stems(question.text))) > _SHORT_STEMS:
        return ""
    spoken = _around(carriers) | spoken_of([passages[carrier.sentence.passage] for carrier in carriers])
    named = subjects(question.text)
    if not named or any(speaks_of(subject, spoken) for subject in named):
        return ""
    return f"the passage that has it never speaks of {named[0].phrase}"


def about_its_subject(question: Question, passages: Sequence[Passage]) -> frozenset[int]:
    """The passages that speak of one that a short question names; none where it names nobody, or is long."""
    named = subjects(question.text)
    if not named or len(set(content_stems(question.text))) > _SHORT_STEMS:
        return frozenset()
    spoken = [spoken_of([passage]) for passage in passages]
    return frozenset(at for at, said in enumerate(spoken) if any(speaks_of(subject, said) for subject in named))


def _candidates(
    asked: frozenset[str], passages: Sequence[Passage], ranked: Sequence[RankedSentence]
) -> list[_Candidate]:
    in_order = sorted(ranked, key=lambda item: (item.passage, item.start))
    texts = [content_stems(item.text) for item in in_order]
    before: dict[tuple[int, int], frozenset[str]] = {}
    for at, item in enumerate(in_order):
        near = [place for place in range(max(0, at - _SENTENCES_BEFORE), at) if in_order[place].passage == item.passage]
        before[item.passage, item.start] = frozenset(each for place in near for each in texts[place])
    candidates: list[_Candidate] = []
    for item in ranked:
        said = frozenset(content_stems(f"{title(passages[item.passage].document)} \n{item.text}"))
        around = said | before[item.passage, item.start]
        share = (share_found(asked, said) + share_found(asked, around)) / 2
        candidates.append(_Candidate(item, said, around, share))
    return candidates


def _carrier(claim: frozenset[str], answer: str, candidates: Sequence[_Candidate]) -> _Candidate | None:
    phrase = f" {' '.join(words(answer))} "

    def fitness(candidate: _Candidate) -> tuple[float, ...]:
        return (candidate.share, phrase in f" {' '.join(words(candidate.sentence.text))} ", candidate.sentence.score)

    return max((item for item in candidates if claim <= item.said), key=fitness, default=None)


def _not_carried(claims: Sequence[frozenset[str]], candidates: Sequence[_Candidate], cosine: float | None) -> Proof:
    wanted = frozenset[str]().union(*claims)
    nearest = sorted(candidates, key=lambda item: (-len(item.said & wanted), -item.share))[:2]
    cited = tuple(item.sentence for item in nearest if item.said & wanted or item.share)
    thin = _hardly_spoken_of(nearest, cosine)
    missing = sorted(wanted - frozenset[str]().union(*(item.said for item in candidates)))
    if missing:
        detail = f"not in the documents found: {', '.join(missing[:6])}"
        thin = "most of it is not in the documents found" if 2 * len(missing) > len(wanted) else thin
        return Proof(cited, Evidence("support", passed=False, detail=detail), thin)
    if wanted:
        return Proof(cited, Evidence("support", passed=None, detail="no single sentence has the whole answer"), thin)
    detail = "the answer adds no word that quotes could prove"
    return Proof(cited, Evidence("support", passed=None, detail=detail), thin)


def _judge(
    question: Question, answer: str, carriers: Sequence[_Candidate], candidates: Sequence[_Candidate]
) -> Evidence:
    if against := _speaks_against(question, answer, carriers, candidates):
        return Evidence("support", passed=False, detail=against)
    if doubt := _leaves_open(question, carriers):
        return Evidence("support", passed=None, detail=doubt)
    detail = "a sentence has every word of the answer, and none fits the question better"
    return Evidence("support", passed=True, detail=detail)


def _speaks_against(
    question: Question, answer: str, carriers: Sequence[_Candidate], candidates: Sequence[_Candidate]
) -> str:
    if reason := wrong_kind(question.text, answer):
        return reason
    if lacking := sorted(_key_words(question) - _around(carriers)):
        return f"the quotes do not speak of: {', '.join(lacking[:6])}"
    share = max(carrier.share for carrier in carriers)
    best = max(candidate.share for candidate in candidates)
    if LEAST_QUESTION_SHARE <= share < best - _NO_WORSE:
        return "another sentence fits the question better than the quotes"
    return ""


def _leaves_open(question: Question, carriers: Sequence[_Candidate]) -> str:
    """What keeps the quotes from being a proof, though nothing speaks against them."""
    share = max(carrier.share for carrier in carriers)
    if share < LEAST_QUESTION_SHARE:
        return f"the quotes have {share:.0%} of the question's words"
    if reason := _ambiguous(question.text, carriers):
        return reason
    if not role_spoken_of(question.text, " ".join(carrier.sentence.text for carrier in carriers)):
        return "the quotes do not tell the relation that is asked for"
    if not _key_words(question) and not frozenset(content_stems(question.text)) <= _around(carriers):
        return "the question names nobody and nothing, and the quotes lack words of it"
    return ""


def _around(carriers: Sequence[_Candidate]) -> frozenset[str]:
    return frozenset[str]().union(*(carrier.around for carrier in carriers))


def _key_words(question: Question) -> set[str]:
    """Names and numbers that must be spoken of."""
    return {stem(name) for name in names(question.text)} | numbers(question.text)


def _ambiguous(question: str, carriers: Sequence[_Candidate]) -> str:
    """A sentence with several numbers does not say which of them answers."""
    if not asks_number(question):
        return ""
    most = 3  # "3 May 1688" is two, and one more may count something else
    crowded = any(len(numbers(carrier.sentence.text)) > most for carrier in carriers)
    return "the quote has several numbers, of which any might be meant" if crowded else ""
