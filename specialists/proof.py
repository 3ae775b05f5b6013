"""Whether an answer is proved by single sentences of the documents.

Words in a sentence are no logic, so `verified` asks for more than their presence: one sentence must carry all that the
answer adds to the question, no other sentence may fit the question better, and the answer must be of the kind asked
for. That makes two independent readers agree: the model, and the ranking by words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nonet.specialists.kinds import asks_number, asks_yes_or_no, role_spoken_of, without_yes_or_no, wrong_kind
from nonet.specialists.protocol import Evidence, Passage
from nonet.specialists.questions import Question
from nonet.specialists.ranking import RankedSentence, title
from nonet.specialists.spans import name_phrases
from nonet.specialists.text import content_stems, names, number_words, numbers, sentences, share_found, stem, words

LEAST_QUESTION_SHARE = 0.6
"""Of the question's stems, around the sentence that carries the answer, for `verified`."""
_LEAST_SHARE = 0.3
"""Of the question's stems, around the sentence that carries the answer, below which it speaks of something else."""
_SHORT_STEMS = 6
"""Up to so many stems a question asks one fact of what it names. MuSiQue's single steps: with their passages no right
answer of 20 is in one that lacks a name of the question, and 8 of 20 wrong ones are; without, 16 of 24 answers are."""
_NO_WORSE = 0.001


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
    # That it is so or not is for no word of a document to say.
    said = without_yes_or_no(answer) if asks_yes_or_no(question.text) else answer
    claims = [frozenset(content_stems(span.text)) - asked for span in sentences(said)]
    claims = [claim for claim in claims if claim]
    carriers = [_carrier(claim, answer, candidates) for claim in claims]
    found = [carrier for carrier in carriers if carrier is not None]
    if len(found) < len(claims) or not found:
        return _not_carried(claims, candidates)
    cited = tuple(dict.fromkeys(carrier.sentence for carrier in found))
    thin = max(carrier.share for carrier in found) < _LEAST_SHARE or _of_others(question, found, passages)
    return Proof(cited, _judge(question, answer, found, candidates), thin=thin)


def _of_others(question: Question, carriers: Sequence[_Candidate], passages: Sequence[Passage]) -> bool:
    """Whether the passages of the carriers never name somebody or something that a short question names.

    A long question may name what only leads to the answer.
    """
    if len(set(content_stems(question.text))) > _SHORT_STEMS:
        return False
    told = [passages[carrier.sentence.passage] for carrier in carriers]
    spoken = _around(carriers) | _spoken_of(told)
    subjects = _subjects(question)
    return bool(subjects) and not any(subject <= spoken for subject in subjects)


def about_its_subject(question: Question, passages: Sequence[Passage]) -> frozenset[int]:
    """The passages that speak of one that a short question names; none where it names nobody, or is long."""
    subjects = _subjects(question)
    if not subjects or len(set(content_stems(question.text))) > _SHORT_STEMS:
        return frozenset()
    spoken = [_spoken_of([passage]) for passage in passages]
    return frozenset(at for at, said in enumerate(spoken) if any(subject <= said for subject in subjects))


def _subjects(question: Question) -> list[frozenset[str]]:
    """The stems of each name in the question: of two that are compared, a passage speaks of one."""
    named = {stem(name) for name in names(question.text)}
    found = [frozenset(content_stems(phrase)) & named for phrase in name_phrases(question.text)]
    return [subject for subject in found if subject]


def _spoken_of(passages: Sequence[Passage]) -> frozenset[str]:
    text = " ".join(f"{title(passage.document)} {passage.text}" for passage in passages)
    return frozenset(content_stems(text)) | number_words(text)


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
