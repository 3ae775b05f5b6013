"""Which earlier work a clause reads: by its reference words ("that", "both", "the passages") and by type.

Edges come from data, not from order: "then" alone makes none, and two requests that stand side by side get none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nonet.agents.clauses import Clause
from nonet.agents.cues import CODE, RETRIEVAL, SUMMARIZATION
from nonet.agents.lexicon import CODE_NOUN, RESULT_NOUN, RETRIEVED, any_of, compiled
from nonet.agents.masking import FILLER

_NAMING = compiled(r"\(?\b(?:name|call)(?:ed)? (?:it|this|that|them)\b|\bso that\b|\bit (?:must|should|has to|is) ")
"""Pronouns that mean what the clause itself is about."""
_ALL = any_of(
    r"both|(?:the|these|those|all|your)(?: of)?(?: the)? (?:two|three|four|five|\d+)|each (?:result|answer|summary)",
    rf"all of (?:that|this|these|those|them|it|the above)|all (?:the )?{RESULT_NOUN}",
    rf"(?:these|those) (?:\w+ )?{RESULT_NOUN}|the (?:sentences|summaries|results|answers|paragraphs|findings|outputs)",
    "everything|them|they|together|the above|these|those|how their \\w+ (?:differ|compare|agree|disagree|relate)",
)
_SEVERAL = compiled(rf"\b{_ALL}\b")
_VAGUE = frozenset({"them", "they", "these", "those", "together", "everything"})
_FOUND = compiled(
    r"\bwhat(?:ever)? (?:you(?:'ve| have)?|it|was|is|turns?|comes?) (?:find|found|learn(?:ed|t)?|get|got|see|saw"
    r"|discover(?:ed)?|retrieved?|located?|says?|up|collected|gathered)\b"
    r"|\b(?:based|building|drawing|relying) (?:up)?on (?:that|this|it|them|these|those|the|what|your)\b"
    r"|\b(?:from|with|using|given|taking) (?:that|this|it|them|these|those|what|there)\b"
    r"|\b(?:the|your|its|their|these|those|that|this) (?:\w+ ){0,2}?(?:findings?|results?)\b"
    r"|\b(?:that|this|said|the (?:same|above|found|retrieved|resulting|short|correct|right)|your) "
    + RESULT_NOUN
    + r"\b|\bhow it works\b|\bthe (?:same|latter|former|aforementioned)\b|\bthereof\b|\btherein\b|\bthereby\b"
    r"|\b(?:they|it) (?:mentions?|says?|describes?|contains?|names?|reports?|gives?|lists?|states?|tells?)\b"
)
_THE_RESULT = compiled(
    r"\bthe (?:found |retrieved |relevant |short |final |resulting )?(?:answers?|results?|findings?|passages?|sentence"
    r"|evidence|output|study|quotes?|fact|value|number|figure|text|section|excerpt|information|difference)\b"
    r"(?! (?:to|below|in the|from the|that (?:answer|mention|describe)|which|at index"
    r"|(?:of|on|about|by|for|with) (?!(?:that|this|it|them|these|those|both|the two)\b)))"
)
_OWN_MATTER = compiled(rf"\b(?:the|my|our|their)\s+(?!(?:\w+ )?(?:{RESULT_NOUN}|{CODE_NOUN}|above)\b)[a-z]")
"""Something that no code is: "the policy", "my meeting notes"."""
_PRONOUN = compiled(r"\b(?:it|its|that|this|them|their|they|these|those|he|she|his|her)\b")
_CONJUNCTION = compiled(
    r"\b(?:that|this)\s+(?:is|are|has|have|does|can|will|would|was|were|you|we|i|they|it|he|she|the|an?|\w+s|\w+ed)\b"
)
_AS_OBJECT = compiled(r"(?:that|this)(?: (?:in|into|as|inside)\b|\W*$)")
"""Put that in a constant": a thing, not a conjunction."""
_ANTECEDENT = compiled(
    r"\b(?:an?|the|any|each|every|some|two|three|all|given|attached)\s+(?!function|python|script|program|class|short"
    r"|brief|one|single|last|final|closing|sentence|summary|paragraph|line|method|routine)[a-z][\w-]*"
)
_DEFINITE = compiled(r"\b(the|that|this|those|these)\s+((?:[a-z][\w'-]*\s+){0,2}[a-z][\w'-]*)")
_WORD = re.compile(r"[a-z]{4,}")
_TWO = compiled(r"\b(?:both|two)\b")
_NO_ARGUMENTS = compiled(r"\w\(\)|\bwithout (?:any )?(?:arguments|parameters)\b")
_ASKED_NOUNS = (
    (compiled(r"\bwhen\b"), "year date day time month century"),
    (compiled(r"\bwho(?:m|se)?\b"), "person man woman people author"),
    (compiled(r"\bwhere\b"), "place city town country location site"),
    (compiled(r"\bhow (?:many|much)\b"), "count total amount quantity price cost"),
    (
        compiled(r"\bhow (?:tall|high|deep|long|far|old|big|large|heavy|fast)\b"),
        "height depth length distance age size",
    ),
)
"""What a question's answer is called by the next sentence: "When was it built? Use the year to ..."."""
_PLAIN = compiled(
    r"(?:function|python|list|string|number|value|element|sentence|line|word|class|method|program|script|code|input"
    r"|output|name|that|this|with|from|into|attached|same|first|second|last|two|return)s?$"
)
"""Nouns that two unrelated requests may well share."""
_SEQUENCE = compiled(
    r"\b(?:then|finally|after(?:wards?| that| this)|once|lastly|in the end|thereafter|subsequently|at last)\b"
)
_INDEPENDENT = compiled(
    r"\b(?:independently|separately|unrelated(?:ly)?|meanwhile|in parallel|at the same time|while)\b"
)
_OF_WHAT = compiled(
    r"\b(?:of|about|on) (?!(?:at most|up to|no more|\d|one|two|three|four|five|that|this|it|its|them"
    r"|those|these|both|each)\b)(?!the (?:two|three)\b)\w"
)
_OWN_COLLECTION = compiled(
    r"\b(?:lists?|strings?|arrays?|tuples?|integers?|numbers|dictionar\w*|arguments?|sides?|ends?)\b"
)
_MEANS_RETRIEVAL = compiled(
    r"\b(?:the|that|this|those|these) (?:same |short )?(?:passages?|stud(?:y|ies)|evidence|quotes?|section|documents?"
    rf"|answer|fact|excerpts?|entry|entries|record)\b|\byou (?:find|found)\b|\b{RETRIEVED}\b|\bsearch\b"
    r"|\bthey (?:mention|say|describe|contain|report|state|tell)\b"
)
_MEANS_SUMMARY = compiled(
    r"\b(?:this|that|the|these|those) (?:one )?(?:sentences?|summar(?:y|ies)|paragraphs?|gist|recap|digest)\b"
)
_THE_SUMMARY = compiled(
    r"\b(?:the|this|that|these|those) (?:summar(?:y|ies)|gist|recap|digest|nutshell|headline|line|sentences?|paragraph"
    r"|statement)\b(?! (?:of|with|that|which|on|about|to|in)\b)"
)
_MEANS_CODE = compiled(r"\b(?:the|that|this) (?:function|code|script|program|class)\b")
_BARE = compiled(r"\b(?:of|about|on) (?:the|that|this) \w+\W*$")
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
        return _several_meant(several.group(), earlier)
    repeats = not reads_documents and _repeats_noun(words, specialist, earlier)
    if repeats or _names_result(clause, words, specialist, earlier):
        return (_meant(everything, specialist, earlier),)
    if specialist == SUMMARIZATION and not reads_documents and _lacks_matter(clause, words, earlier):
        return _summed_up(clause, words, earlier, _meant(everything, specialist, earlier))
    return ()


def _summed_up(clause: Clause, words: str, earlier: Sequence[Known], meant: int) -> tuple[int, ...]:
    """What a summary reads that says little of what: not the code beside it, where it names something else."""
    if _SEQUENCE.search(clause.opening):
        return _unread(earlier)
    return () if earlier[meant].specialist == CODE and _OWN_MATTER.search(words) else (meant,)


def is_open(clause: Clause, specialist: str, earlier: Sequence[Known], reads: Sequence[int]) -> bool:
    """Whether the words leave open which earlier subtasks a clause reads.

    It says "then" and nothing of what; or it refers to one of several results by a word that fits them all.

    Args:
        clause: the clause.
        specialist: who gets it.
        earlier: the subtasks before it, in plan order.
        reads: what `reads_of` found.
    """
    if not earlier or clause.shares or _INDEPENDENT.search(clause.opening):
        return False
    words = f"{clause.opening} {clause.masked}"
    if not reads:
        return _SEQUENCE.search(words) is not None
    return len(reads) == 1 and len(earlier) > 1 and not _wanted(words, specialist)


def _several_meant(words: str, earlier: Sequence[Known]) -> tuple[int, ...]:
    unread = _unread(earlier)
    if _TWO.search(words):
        return unread if len(unread) > 1 else tuple(range(len(earlier)))[-2:]
    return _texts(unread, earlier)


def _names_result(clause: Clause, words: str, specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether a clause speaks of one earlier result: by a reference word, a pronoun, or what it must return."""
    return (
        _FOUND.search(f"{clause.opening} {words}") is not None
        or (specialist != RETRIEVAL and _THE_RESULT.search(words) is not None and _has_result(specialist, earlier))
        or (points_outside(words, specialist) and not _of_the_document(specialist, earlier))
        or _returns_what_was_found(clause, specialist, earlier)
        or (_THE_SUMMARY.search(words) is not None and any(known.specialist == SUMMARIZATION for known in earlier))
    )


def _of_the_document(specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether "it" is what the summaries before were made of: "Shorten the study. Who paid for it?"."""
    return specialist == RETRIEVAL and all(each.specialist == SUMMARIZATION and not each.reads for each in earlier)


def _lacks_matter(clause: Clause, words: str, earlier: Sequence[Known]) -> bool:
    """Whether a summary can only be of earlier work: it says nothing of what, or just "of the entry"."""
    return not has_matter(clause) or (_BARE.search(words) is not None and earlier[-1].specialist != SUMMARIZATION)


def points_outside(words: str, specialist: str) -> bool:
    """Whether a pronoun points out of the clause: nothing before it in the clause could be meant."""
    for match in _PRONOUN.finditer(words):
        word = match.group().casefold()
        joins = word in {"that", "this"} and not _AS_OBJECT.match(words, match.start())
        if joins and (specialist == CODE or _CONJUNCTION.match(words, match.start())):
            continue
        return _ANTECEDENT.search(words, 0, match.start()) is None
    return False


def has_matter(clause: Clause) -> bool:
    """Whether a summary says of what ("of the flood", "report.md"), or brings its own text."""
    own = clause.payload or len(clause.masked) > _OWN_TEXT_CHARACTERS or FILLER in clause.masked
    return own or _OF_WHAT.search(clause.masked) is not None


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


def _returns_what_was_found(clause: Clause, specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether it is a function without arguments after a look-up: what it returns can only be what was found."""
    if specialist != CODE or earlier[-1].specialist == CODE:
        return False
    found = any(known.specialist == RETRIEVAL for known in earlier)
    return found and _NO_ARGUMENTS.search(clause.text) is not None


def _texts(numbers: tuple[int, ...], earlier: Sequence[Known]) -> tuple[int, ...]:
    """Of several, those that "they" can mean: not functions, where there is anything else."""
    texts = tuple(number for number in numbers if earlier[number].specialist != CODE)
    if texts or any(known.specialist != CODE for known in earlier):
        return texts or tuple(number for number, known in enumerate(earlier) if known.specialist != CODE)[-1:]
    return numbers


def _meant(words: str, specialist: str, earlier: Sequence[Known]) -> int:
    """The one earlier subtask that is meant: the last that gives the kind of result named, else the last."""
    wanted = _wanted(words, specialist) or _source(words, specialist, earlier)
    for number in range(len(earlier) - 1, -1, -1):
        if earlier[number].specialist == wanted:
            return number
    return len(earlier) - 1


def _source(words: str, specialist: str, earlier: Sequence[Known]) -> str:
    """What a function is made of after "find the rate, sum it up, ...": the rate and not its summary."""
    side = specialist == CODE and earlier[-1].specialist == SUMMARIZATION and not _SEQUENCE.search(words)
    return RETRIEVAL if side and any(earlier[n].specialist == RETRIEVAL for n in earlier[-1].reads) else ""


def _wanted(words: str, specialist: str) -> str:
    """The specialist whose kind of result the words name, or none."""
    if _MEANS_SUMMARY.search(words) or _THE_SUMMARY.search(words):
        return SUMMARIZATION
    if _MEANS_RETRIEVAL.search(words):
        return RETRIEVAL
    if specialist != CODE:
        return CODE if _MEANS_CODE.search(words) else ""
    return RETRIEVAL if _NO_ARGUMENTS.search(words) else ""


def _has_result(specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether "the answer" can mean earlier work: a function's own result is spoken of likewise."""
    return specialist != CODE or any(known.specialist in {RETRIEVAL, SUMMARIZATION} for known in earlier)


def _repeats_noun(words: str, specialist: str, earlier: Sequence[Known]) -> bool:
    """Whether it says "with that factor" after "find the factor": a definite noun that the clause before brought up."""
    if specialist == RETRIEVAL:
        return False
    last = {_singular(word) for word in _WORD.findall(earlier[-1].masked.casefold())}
    for asks, nouns_asked in _ASKED_NOUNS:
        if earlier[-1].specialist == RETRIEVAL and asks.search(earlier[-1].masked):
            last.update(nouns_asked.split())
    both_code = specialist == CODE == earlier[-1].specialist
    for match in _DEFINITE.finditer(words):
        if both_code and match.group(1).casefold() == "the":
            continue
        nouns = [_singular(word) for word in _WORD.findall(match.group(2).casefold())]
        if any(noun in last and not _PLAIN.match(noun) for noun in nouns):
            return True
    return False


def _singular(word: str) -> str:
    return word.removesuffix("s")
