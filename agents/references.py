"""Which earlier work a clause reads: by its reference words ("that", "both", "the passages") and by type.

Edges come from data, not from order: "then" alone makes none, and two requests that stand side by side get none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.agents.cues import CODE, GENERAL, RETRIEVAL, SUMMARIZATION

_I = re.IGNORECASE
_RESULT_NOUN = (
    r"(?:answers?|results?|findings?|passages?|sentences?|summar(?:y|ies)|paragraphs?|quotes?|values?|numbers?|facts?|outputs?|figures?|names?|texts?|functions?|lines?|stud(?:y|ies)"
    r"|information|data|evidence|response|section|year|date|factor|formula|list|code|conclusions?|statements?|extracts?|excerpts?|gist|recaps?|digests?|points?|title|word|amount|height|depth)"
)
_SEVERAL = re.compile(
    rf"\b(?:both|(?:the|these|those|all|your)(?: of)?(?: the)? (?:two|three|four|five|\d+)|each (?:of )?(?:result|answer|summary|sentence)|all of (?:that|this|these|those|them|it|the above)|all (?:the )?{_RESULT_NOUN}"
    rf"|(?:these|those) (?:\w+ )?{_RESULT_NOUN}|the (?:sentences|summaries|results|answers|paragraphs|findings|outputs)|everything|them|together|the above|these|those)\b",
    _I,
)
_FOUND = re.compile(
    r"\bwhat(?:ever)? (?:you(?:'ve|’ve| have)?|it|was|is|turns?|comes?) (?:find|found|learn(?:ed|t)?|get|got|see|saw|discover(?:ed)?|retrieved?|located?|says?|up|collected|gathered)\b"
    r"|\b(?:based|building|drawing|relying) (?:up)?on (?:that|this|it|them|these|those|the|what|your)\b|\bfrom (?:that|this|it|them|these|those|what|there)\b"
    r"|\b(?:with|using|given|taking) (?:that|this|it|them|these|those|what)\b|\b(?:the|your|its|their|these|those|that|this) (?:\w+ ){0,2}?(?:findings?|results?)\b"
    r"|\b(?:that|this|said|the same|the above|the found|the retrieved|the resulting|your|the short|the correct|the right) "
    + _RESULT_NOUN
    + r"\b"
    r"|\bhow it works\b|\bthe (?:same|latter|former|aforementioned)\b|\bthereof\b|\btherein\b|\bthereby\b",
    _I,
)
_THE_RESULT = re.compile(
    rf"\bthe (?:found |retrieved |relevant |short |final |resulting )?(?:answers?|results?|findings?|passages?|sentence|evidence|output|study|quotes?|fact|value|number|figure|text|section|excerpt|information|difference)\b(?! (?:to|below|in the|from the|that (?:answer|mention|describe)|which|of a|of an|of each|of two|at index))",
    _I,
)
_PRONOUN = re.compile(
    r"\b(?:it|its|that|this|them|their|they|these|those|he|she|his|her)\b(?! (?:is|are) (?:possible|necessary)\b)", _I
)
_THAT_CLAUSE = re.compile(
    r"\b(?:that|this)\s+(?:is|are|has|have|returns?|takes?|checks?|finds?|does|can|will|would|converts?|\w+s|you|we|i|they|it|he|she|the|an?|was|were)\b",
    _I,
)
_ANTECEDENT = re.compile(
    r"\b(?:an?|the|any|each|every|some|two|three|all|given|attached)\s+(?!function|python|script|program|class|short|brief|one|single|sentence|summary|paragraph|line|method|routine)[a-z][\w-]*",
    _I,
)
_DEFINITE = re.compile(r"\b(?:the|that|this|those|these)\s+((?:[a-z][\w'’-]*\s+){0,2}[a-z][\w'’-]*)", _I)
_WORD = re.compile(r"[a-z]{4,}")
_SEQUENCE = re.compile(
    r"\b(?:then|finally|after(?:wards?| that| this)|once|next|lastly|in the end|thereafter|subsequently)\b", _I
)
_OWN_CONTENT = re.compile(r"\b(?:of|about|on|from|what|how|why|whether)\b", _I)
_INDEPENDENT = re.compile(
    r"\b(?:independently|separately|unrelated(?:ly)?|meanwhile|in parallel|at the same time|while)\b", _I
)


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier subtask, as far as later clauses can refer to it."""

    specialist: str
    masked: str
    inputs: tuple[int, ...] = ()


def inputs_of(
    masked: str, opening: str, specialist: str, earlier: Sequence[Known], *, reads_documents: bool
) -> tuple[int, ...]:
    """Positions of the earlier subtasks that a clause reads.

    Args:
        masked: the clause with code and quotations hidden.
        opening: what stood before its verb ("then", "from what you find,").
        specialist: who gets it.
        earlier: the subtasks before it, in plan order.
        reads_documents: whether it names documents of its own.
    """
    if not earlier or _INDEPENDENT.search(opening):
        return ()
    words = f"{opening} {masked}"
    several = _SEVERAL.search(words)
    if several and _refers_to_several(words, several, specialist, earlier, reads_documents=reads_documents):
        return _leaves(earlier)
    if _FOUND.search(words) or _THE_RESULT.search(masked) and _fits(specialist, earlier):
        return _nearest(masked, opening, specialist, earlier)
    if _outside_pronoun(masked, specialist):
        return _nearest(masked, opening, specialist, earlier)
    if _repeats_noun(masked, specialist, earlier) and not reads_documents:
        return _nearest(masked, opening, specialist, earlier)
    if specialist == SUMMARIZATION and not reads_documents and not _has_matter(masked):
        return (
            _leaves(earlier)
            if len(_leaves(earlier)) > 1 and _SEQUENCE.search(opening)
            else _nearest(masked, opening, specialist, earlier)
        )
    return ()


def _refers_to_several(
    words: str, several: re.Match[str], specialist: str, earlier: Sequence[Known], *, reads_documents: bool
) -> bool:
    if len(earlier) == 1 and several.group().casefold() not in {"them", "these", "those", "everything"}:
        return False
    if specialist == CODE:
        after = words[several.start() : several.end() + 40]
        if re.search(r"\b(?:lists?|strings?|arrays?|tuples?|integers?|dictionar|arguments?|sides?|ends?)\b", after, _I):
            return False
        before = words[: several.start()]
        return several.group().casefold() not in {
            "them",
            "these",
            "those",
            "both",
            "together",
        } or not _ANTECEDENT.search(before)
    before = words[: several.start()]
    return not (several.group().casefold() in {"them", "these", "those", "together"} and reads_documents) and not (
        several.group().casefold() in {"them", "these", "those"}
        and specialist == RETRIEVAL
        and _ANTECEDENT.search(before)
    )


def _leaves(earlier: Sequence[Known]) -> tuple[int, ...]:
    """Earlier subtasks that nothing has read yet."""
    read = {number for known in earlier for number in known.inputs}
    found = tuple(number for number in range(len(earlier)) if number not in read)
    return found or (len(earlier) - 1,)


def _nearest(masked: str, opening: str, specialist: str, earlier: Sequence[Known]) -> tuple[int, ...]:
    """The one earlier subtask that is meant.

    The one whose kind of result is named; else, for sentences that share "from what you find", the retrieval they
    share; else the last one.
    """
    words = f"{opening} {masked}".casefold()
    wanted: tuple[str, ...] = ()
    if re.search(
        r"\bthe (?:same )?(?:passages?|stud(?:y|ies)|evidence|quotes?|section|documents?)\b|\b(?:you find|you found|looked up|search)\b|\bthat (?:answer|fact|study|passage)\b",
        words,
    ):
        wanted = (RETRIEVAL,)
    elif re.search(
        r"\b(?:this|that|the|these|those) (?:one )?(?:sentences?|summar(?:y|ies)|paragraphs?|gist|recap|digest)\b",
        words,
    ):
        wanted = (SUMMARIZATION,)
    elif re.search(r"\b(?:the|that|this) (?:function|code|script|program|class)\b", words) and specialist != CODE:
        wanted = (CODE,)
    for number in range(len(earlier) - 1, -1, -1):
        if earlier[number].specialist in wanted:
            return (number,)
    last = len(earlier) - 1
    if _shares(opening) and earlier[last].inputs and _shares_opening(earlier, last):
        return earlier[last].inputs
    return (last,)


def _shares(opening: str) -> bool:
    return re.match(r"(?:from|based on|using|with|given|taking|out of|for)\b", opening, _I) is not None


def _shares_opening(earlier: Sequence[Known], last: int) -> bool:
    return earlier[last].specialist in {SUMMARIZATION, CODE, GENERAL}


def _fits(specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether "the answer" can mean earlier work: a function's own result is spoken of likewise."""
    return specialist != CODE or any(known.specialist in {RETRIEVAL, SUMMARIZATION} for known in earlier)


def _outside_pronoun(masked: str, specialist: str) -> bool:
    """Whether a pronoun points out of the clause: nothing before it in the clause could be meant."""
    for match in _PRONOUN.finditer(masked):
        word = match.group().casefold()
        if word in {"that", "this"} and _THAT_CLAUSE.match(masked, match.start()):
            continue
        before = masked[: match.start()]
        if _ANTECEDENT.search(before):
            return False
        if specialist == CODE and word in {"that", "which"}:
            continue
        return True
    return False


def _repeats_noun(masked: str, specialist: str, earlier: Sequence[Known]) -> bool:
    """ "its depth ... that depth", "the factor ... with that factor": a definite noun that the clause before brought up."""
    if specialist == RETRIEVAL:
        return False
    last = {word for word in _WORD.findall(earlier[-1].masked.casefold())}
    for match in _DEFINITE.finditer(masked):
        if match.group().casefold().startswith("the ") and specialist == CODE and earlier[-1].specialist == CODE:
            continue
        words = _WORD.findall(match.group(1).casefold())
        if words and words[-1] in last:
            return True
    return False


def _has_matter(masked: str) -> bool:
    """Whether a summary says of what ("of the flood"), or brings its own text."""
    return (
        bool(
            re.search(
                r"\b(?:of|about|on) (?!(?:at most|up to|no more|\d|one|two|three|four|five|that|this|it|them))\w",
                masked,
                _I,
            )
        )
        or len(masked) > 400
    )
