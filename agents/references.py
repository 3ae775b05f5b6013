"""Which earlier work a clause reads: by its reference words ("that", "both", "the passages") and by type.

Edges come from data, not from order: "then" alone makes none, and two requests that stand side by side get none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.agents.clauses import Clause
from nonet.agents.cues import CODE, RETRIEVAL, SUMMARIZATION
from nonet.agents.lexicon import RESULT_NOUN, RETRIEVED, any_of, compiled

_NAMING = compiled(r"\(?\b(?:name|call)(?:ed)? (?:it|this|that|them)\b|\bso that\b|\bit (?:must|should|has to|is) ")
"""Pronouns that mean what the clause itself is about."""
_ALL = any_of(
    r"both|(?:the|these|those|all|your)(?: of)?(?: the)? (?:two|three|four|five|\d+)|each (?:result|answer|summary)",
    rf"all of (?:that|this|these|those|them|it|the above)|all (?:the )?{RESULT_NOUN}",
    rf"(?:these|those) (?:\w+ )?{RESULT_NOUN}|the (?:sentences|summaries|results|answers|paragraphs|findings|outputs)",
    "everything|them|together|the above|these|those",
)
_SEVERAL = compiled(rf"\b{_ALL}\b")
_VAGUE = frozenset({"them", "these", "those", "together", "everything"})
_FOUND = compiled(
    r"\bwhat(?:ever)? (?:you(?:'ve| have)?|it|was|is|turns?|comes?) (?:find|found|learn(?:ed|t)?|get|got|see|saw"
    r"|discover(?:ed)?|retrieved?|located?|says?|up|collected|gathered)\b"
    r"|\b(?:based|building|drawing|relying) (?:up)?on (?:that|this|it|them|these|those|the|what|your)\b"
    r"|\b(?:from|with|using|given|taking) (?:that|this|it|them|these|those|what|there)\b"
    r"|\b(?:the|your|its|their|these|those|that|this) (?:\w+ ){0,2}?(?:findings?|results?)\b"
    r"|\b(?:that|this|said|the (?:same|above|found|retrieved|resulting|short|correct|right)|your) "
    + RESULT_NOUN
    + r"\b|\bhow it works\b|\bthe (?:same|latter|former|aforementioned)\b|\bthereof\b|\btherein\b|\bthereby\b"
)
_THE_RESULT = compiled(
    r"\bthe (?:found |retrieved |relevant |short |final |resulting )?(?:answers?|results?|findings?|passages?|sentence"
    r"|evidence|output|study|quotes?|fact|value|number|figure|text|section|excerpt|information|difference)\b"
    r"(?! (?:to|below|in the|from the|that (?:answer|mention|describe)|which|of an?|of each|of two|at index))"
)
_PRONOUN = compiled(r"\b(?:it|its|that|this|them|their|they|these|those|he|she|his|her)\b")
_CONJUNCTION = compiled(
    r"\b(?:that|this)\s+(?:is|are|has|have|does|can|will|would|was|were|you|we|i|they|it|he|she|the|an?|\w+s|\w+ed)\b"
)
_ANTECEDENT = compiled(
    r"\b(?:an?|the|any|each|every|some|two|three|all|given|attached)\s+(?!function|python|script|program|class|short"
    r"|brief|one|single|sentence|summary|paragraph|line|method|routine)[a-z][\w-]*"
)
_DEFINITE = compiled(r"\b(the|that|this|those|these)\s+((?:[a-z][\w'-]*\s+){0,2}[a-z][\w'-]*)")
_WORD = re.compile(r"[a-z]{4,}")
_SEQUENCE = compiled(
    r"\b(?:then|finally|after(?:wards?| that| this)|once|lastly|in the end|thereafter|subsequently|at last)\b"
)
_INDEPENDENT = compiled(
    r"\b(?:independently|separately|unrelated(?:ly)?|meanwhile|in parallel|at the same time|while)\b"
)
_OF_WHAT = compiled(
    r"\b(?:of|about|on) (?!(?:at most|up to|no more|\d|one|two|three|four|five|that|this|it|its|them|those|these)\b)\w"
)
_OWN_COLLECTION = compiled(
    r"\b(?:lists?|strings?|arrays?|tuples?|integers?|numbers|dictionar\w*|arguments?|sides?|ends?)\b"
)
_MEANS_RETRIEVAL = compiled(
    r"\b(?:the|that|this|those|these) (?:same |short )?(?:passages?|stud(?:y|ies)|evidence|quotes?|section|documents?"
    rf"|answer|fact|excerpts?)\b|\byou (?:find|found)\b|\b{RETRIEVED}\b|\bsearch\b"
)
_MEANS_SUMMARY = compiled(
    r"\b(?:this|that|the|these|those) (?:one )?(?:sentences?|summar(?:y|ies)|paragraphs?|gist|recap|digest)\b"
)
_MEANS_CODE = compiled(r"\b(?:the|that|this) (?:function|code|script|program|class)\b")
_OWN_TEXT_CHARACTERS = 400
_NEAR = 40


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier subtask, as far as later clauses can refer to it."""

    specialist: str
    masked: str
    reads: tuple[int, ...] = ()


def reads_of(clause: Clause, specialist: str, earlier: Sequence[Known], *, reads_documents: bool) -> tuple[int, ...]:
    """Positions of the earlier subtasks that a clause reads.

    Args:
        clause: the clause.
        specialist: who gets it.
        earlier: the subtasks before it, in plan order.
        reads_documents: whether it names documents of its own.
    """
    if not earlier or _INDEPENDENT.search(clause.opening):
        return ()
    if clause.shares and earlier[-1].reads:
        return earlier[-1].reads
    words = _NAMING.sub(" ", clause.masked)
    everything = f"{clause.opening} {words}"
    several = _SEVERAL.search(everything)
    if several and _means_earlier(everything, several, specialist, earlier, reads_documents=reads_documents):
        return _unread(earlier)
    if (
        _FOUND.search(everything)
        or (_THE_RESULT.search(words) and _has_result(specialist, earlier))
        or points_outside(words, specialist)
        or (not reads_documents and _repeats_noun(words, specialist, earlier))
    ):
        return (_meant(everything, specialist, earlier),)
    if specialist == SUMMARIZATION and not reads_documents and not has_matter(clause):
        unread = _unread(earlier)
        return unread if _SEQUENCE.search(clause.opening) else (_meant(everything, specialist, earlier),)
    return ()


def points_outside(words: str, specialist: str) -> bool:
    """Whether a pronoun points out of the clause: nothing before it in the clause could be meant."""
    for match in _PRONOUN.finditer(words):
        word = match.group().casefold()
        if word in {"that", "this"} and (specialist == CODE or _CONJUNCTION.match(words, match.start())):
            continue
        return _ANTECEDENT.search(words, 0, match.start()) is None
    return False


def has_matter(clause: Clause) -> bool:
    """Whether a summary says of what ("of the flood"), or brings its own text."""
    return clause.payload or len(clause.masked) > _OWN_TEXT_CHARACTERS or _OF_WHAT.search(clause.masked) is not None


def _means_earlier(
    words: str, several: re.Match[str], specialist: str, earlier: Sequence[Known], *, reads_documents: bool
) -> bool:
    """Whether "both", "them" or "the two" mean earlier results, not something within the clause or its documents."""
    vague = several.group().casefold() in _VAGUE
    if len(earlier) == 1 and not vague:
        return False
    within = _ANTECEDENT.search(words, 0, several.start()) is not None
    if specialist == CODE:
        if _OWN_COLLECTION.search(words, several.start(), several.end() + _NEAR):
            return False
        return not ((vague or several.group().casefold() == "both") and within)
    return not (vague and (reads_documents or (specialist == RETRIEVAL and within)))


def _unread(earlier: Sequence[Known]) -> tuple[int, ...]:
    """Earlier subtasks that nothing has read yet."""
    read = {number for known in earlier for number in known.reads}
    found = tuple(number for number in range(len(earlier)) if number not in read)
    return found or (len(earlier) - 1,)


def _meant(words: str, specialist: str, earlier: Sequence[Known]) -> int:
    """The one earlier subtask that is meant: the last that gives the kind of result named, else the last."""
    wanted = ""
    if _MEANS_SUMMARY.search(words):
        wanted = SUMMARIZATION
    elif _MEANS_RETRIEVAL.search(words):
        wanted = RETRIEVAL
    elif specialist != CODE and _MEANS_CODE.search(words):
        wanted = CODE
    for number in range(len(earlier) - 1, -1, -1):
        if earlier[number].specialist == wanted:
            return number
    return len(earlier) - 1


def _has_result(specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether "the answer" can mean earlier work: a function's own result is spoken of likewise."""
    return specialist != CODE or any(known.specialist in {RETRIEVAL, SUMMARIZATION} for known in earlier)


def _repeats_noun(words: str, specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether it says "with that factor" after "find the factor": a definite noun that the clause before brought up."""
    if specialist == RETRIEVAL:
        return False
    last = set(_WORD.findall(earlier[-1].masked.casefold()))
    both_code = specialist == CODE == earlier[-1].specialist
    for match in _DEFINITE.finditer(words):
        if both_code and match.group(1).casefold() == "the":
            continue
        nouns = _WORD.findall(match.group(2).casefold())
        if any(noun in last for noun in nouns[-1:]):
            return True
    return False
