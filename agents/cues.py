"""What the wording of a request says about who should get it: verbs, nouns, question forms, code signs.

Rules speak only of the four specialists that ship; a user's own specialist is routed by its examples alone. Scores are
coarse on purpose (0 = no sign, 1 = a clear sign, above 1 = several): they were set by hand from what the words mean,
not fitted to a data set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nonet.agents.masking import mask

CODE = "code"
RETRIEVAL = "retrieval"
SUMMARIZATION = "summarization"
GENERAL = "general"
BUILTIN = (CODE, RETRIEVAL, SUMMARIZATION, GENERAL)

CODE_NOUN = (
    r"(?:functions?|class(?:es)?|scripts?|programs?|methods?|routines?|modules?|decorators?|generators?|regex(?:es)?"
    r"|snippets?|helpers?|algorithms?|subroutines?|lambdas?|one-liners?|unit tests?|test cases?|converters?|parsers?"
    r"|queries|query|code|implementations?|iterators?|command[- ]line tools?|wrappers?|validators?)"
)
SUMMARY_NOUN = (
    r"(?:summar(?:y|ies)|synops[ie]s|gist|recaps?|digests?|tl;?dr|overviews?|outlines?|abridgements?|round-?ups?"
    r"|key points?|main points?|takeaways?|bullet points?|condensations?|précis|nutshell|short version|essence)"
)
SUMMARY_VERB = (
    r"(?:summari[sz](?:e[sd]?|ing)|sum(?:s|med|ming)? (?:\w+ ){0,6}?up|condens(?:e[sd]?|ing)|shorten(?:s|ed|ing)?"
    r"|compress(?:es|ed|ing)?|abridg(?:e[sd]?|ing)|digest|recap(?:s|ped|ping)?|boil(?:s|ed|ing)? (?:\S+ ){1,8}?down"
    r"|boil down|distil(?:l?s|led|ling|l)?|paraphras(?:e[sd]?|ing)|trim (?:\S+ ){1,6}?(?:down )?to|outline"
    r"|(?:reduce|cut|shrink|squeeze|get|bring) (?:\S+ ){1,8}?(?:down )?(?:in)?to (?:\w+ ){0,4}?(?:sentences?|lines?|paragraphs?|words|bullets?))"
)
RETRIEVAL_VERB = (
    r"(?:look(?:s|ed|ing)? (?:\w+ ){0,4}?up|look for|search(?:es|ed|ing)?|retriev(?:e[sd]?|ing)|locat(?:e[sd]?|ing)|dig (?:\w+ ){0,3}?(?:up|out)"
    r"|track (?:\w+ ){0,3}?down|find out|consult|hunt (?:\w+ ){0,3}?down|go through|pull (?:up|out)|fish out)"
)
COLLECTION_NOUN = (
    r"(?:collections?|notes?|documents?|docs|archives?|corpus|passages?|records?|files?|handbook|manuals?|knowledge base"
    r"|library|sources?|papers?|stud(?:y|ies)|index|database|literature|logs?|minutes|wiki|materials?|texts?|reports?)"
)
_MAKE = (
    r"(?:write|implement(?:ed|s)?|creat(?:e|ing)|build|defin(?:e|ing)|develop|make|give|need|want|like|produce|provide|add|fix"
    r"|refactor|debug|program|code|draft|design|generate|complete|put together|come up with|supply|sketch|port|rewrite"
    r"|optimi[sz]e|extend|wrap|turn)"
)
_LENGTH = r"(?:one|a|an|two|three|four|five|six|\d+|single|few|couple of)[- ](?:\w+ )?(?:sentences?|lines?|paragraphs?|words|bullets?(?: points?)?)"
_QUANTITY = re.compile(
    r"\bhow (?:many|much|long|far|old|fast|tall|often)\b|\b(?:total|altogether|in all|average|percent(?:age)?|profit|remaining|left over"
    r"|left|per|each|cost|combined|probability|sum|difference|twice|half)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w`])[$€£]?\d[\d,]*(?:\.\d+)?(?!\w)|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half|dozen|third|quarter)\b",
    re.I,
)

_I = re.IGNORECASE
_CODE_MADE = re.compile(rf"\b{_MAKE}\b(?: \S+){{0,12}}? {CODE_NOUN}\b", _I)
_CODE_WORD = re.compile(rf"\b{CODE_NOUN}\b", _I)
_CODE_STRONG = re.compile(
    r"\bimplement(?:ed|s|ation)?\b|\bmust (?:satisfy|pass)\b|\bassert\b|^\W*(?:re)?code\b|\brefactor\b|\bdebug\b|\btraceback\b"
    r"|\b\w+Error\b|\bunit tests?\b|\bpytest\b|\bcompil(?:e|er)\b|\bstack trace\b|\bpython (?:function|script|class|code|program)\b",
    _I,
)
_LANGUAGE = re.compile(
    r"\b(?:python|javascript|typescript|java|rust|golang|haskell|sql|bash|ruby|kotlin|swift|perl)\b|(?<!\w)c(?:\+\+|#)",
    _I,
)
_CODE_SIGN = re.compile(r"`\w+(?:\([^`]*\))?`|\b\w+\([^)]*\) ?[=!<>]=|^(?:def|class) \w|```|>>> ", re.MULTILINE)
_CODE_CALL = re.compile(r"\b[a-z]+(?:_\w+)+\b|`\w+\(")
_SUMMARY_VERB = re.compile(rf"\b{SUMMARY_VERB}\b", _I)
_SUMMARY_NOUN = re.compile(rf"\b{SUMMARY_NOUN}\b", _I)
_SUMMARY_LENGTH = re.compile(rf"\b{_LENGTH}\b", _I)
_MERGE = re.compile(
    r"\b(?:merge|combine|join|blend|fuse|unite|weave|integrate|compare|comparison)\b.*"
    r"\b(?:sentences?|summar|paragraphs?|statements?|results?|both|them|findings|two|text)",
    _I,
)
_WRITE_PROSE = re.compile(
    r"\b(?:write|compose|draft|produce|give|create)\b(?: \S+){0,5}? (?:paragraphs?|sentences?|statement)\b", _I
)
_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ment)s?|enclosed|(?:the|this|that|these|following|above|below) (?:\w+ ){0,2}?(?:documents?|abstracts?|articles?|reports?|texts?"
    r"|stor(?:y|ies)|meetings?|transcripts?|minutes|letters?|papers?|e?-?mails?|memos?|essays?|chapters?|discussions?))\b",
    _I,
)
_RETRIEVE_VERB = re.compile(rf"\b{RETRIEVAL_VERB}\b", _I)
_RETRIEVE_WEAK = re.compile(
    rf"\b(?:find|check|get|fetch|identify|determine|quote|cite|answer|tell me|which|see what|read up)\b(?: \S+){{0,14}}? {COLLECTION_NOUN}\b",
    _I,
)
_FIND = re.compile(r"^\W*(?:find|get|fetch|identify|determine|quote|cite|check)\b", _I)
_IN_COLLECTION = re.compile(
    rf"\b(?:in|from|according to|through|within|by|what|across|of|where) (?:do |does )?(?:the|our|my|these|those|all) (?:\w+ ){{0,2}}?{COLLECTION_NOUN}\b(?! ?{CODE_NOUN})",
    _I,
)
_CITE = re.compile(r"\b(?:cite|quote|citations?|quotes?|references?|verbatim)\b", _I)
_WH = re.compile(
    r"(?:^|[.,;:!?]\s+|\b(?:and|tell me|know|in|of|to|from|by|for|at|on|with) )(?:who|whom|whose|what|which|when|where|why|how)\b",
    _I,
)
_YES_NO = re.compile(
    r"(?:^|[:;,.!?]\s+)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might|am)\b (?!you\b|we\b|I\b)",
    _I,
)
_SECOND_PERSON = re.compile(r"\b(?:you|your|me|my|i|i'm|we|us)\b", _I)
_CHAT = re.compile(
    r"^\W*(?:hi|hello|hey|thanks?|thank you|good (?:morning|evening|afternoon|night)|bye|goodbye|how are you|nice to|who are you|what's up)\b"
    r"|\b(?:joke|poem|haiku|limerick|story about|song|birthday|greeting|slogan|translate|synonyms?|rhymes?|recipe|spell|define the word"
    r"|meaning of|pun|tagline|names? for|toast|riddle|antonyms?|brainstorm|capital letters|how do you say)\b",
    _I,
)
_ARITHMETIC = re.compile(
    r"\d\s*(?:[-+*/×÷^%]|plus|minus|times|divided by|percent of|% of)\s*\d|\bsquare root\b|\bpercent(?:age)? of\b|\bprime number\b|\bconvert \d",
    _I,
)


@dataclass(frozen=True, slots=True)
class Cues:
    """How clearly the wording speaks for each shipped specialist."""

    code: float = 0.0
    retrieval: float = 0.0
    summarization: float = 0.0
    general: float = 0.0

    def score(self, name: str) -> float:
        """The score of a shipped specialist, 0 for any other name."""
        return float(getattr(self, name)) if name in BUILTIN else 0.0


def read_cues(text: str, masked: str | None = None, *, has_document: bool = False) -> Cues:
    """The cues of one request or clause.

    Args:
        text: the words of the request.
        masked: the same with code and quotations hidden (`masking.mask`), if the caller has it.
        has_document: whether a document is attached.
    """
    words = masked if masked is not None else mask(text)
    return Cues(
        code=_code(text, words),
        retrieval=_retrieval(words, has_document=has_document),
        summarization=_summarization(words, has_document=has_document),
        general=_general(words, has_document=has_document),
    )


def is_question(masked: str) -> bool:
    """Whether the text asks something rather than orders it."""
    return masked.rstrip(" \"”’')").endswith("?") and bool(_WH.search(masked) or _YES_NO.search(masked))


def _code(text: str, words: str) -> float:
    score = 0.0
    if _CODE_MADE.search(words):
        score += 1.0
    elif _CODE_WORD.search(words):
        score += 0.3
    if _CODE_STRONG.search(words):
        score += 0.7
    if _LANGUAGE.search(words):
        score += 0.5
    if _CODE_SIGN.search(text):
        score += 0.6
    elif _CODE_CALL.search(text):
        score += 0.3
    return score


def _summarization(words: str, *, has_document: bool) -> float:
    score = 0.0
    if _SUMMARY_VERB.search(words):
        score += 1.2
    if _SUMMARY_NOUN.search(words):
        score += 0.9
    if _MERGE.search(words):
        score += 0.8
    if _WRITE_PROSE.search(words):
        score += 0.6
    if _SUMMARY_LENGTH.search(words):
        score += 0.3
    if has_document:
        score += 0.7
        if _ATTACHED.search(words) or _WH.search(words):
            score += 0.5
    return score


def _retrieval(words: str, *, has_document: bool) -> float:
    score = 0.0
    if _RETRIEVE_VERB.search(words):
        score += 0.9
    elif _FIND.search(words):
        score += 0.5
    if _RETRIEVE_WEAK.search(words):
        score += 0.5
    if _IN_COLLECTION.search(words):
        score += 0.4
    if _CITE.search(words):
        score += 0.4
    if not has_document and (_WH.search(words) or _YES_NO.search(words)):
        score += 0.5 if "?" in words else 0.3
        if not _SECOND_PERSON.search(words):
            score += 0.2
    return score


def _general(words: str, *, has_document: bool) -> float:
    if has_document:
        return 0.0
    score = 0.0
    if _CHAT.search(words):
        score += 0.9
    if _ARITHMETIC.search(words):
        score += 0.7
    numbers = len(_NUMBER.findall(words))
    quantities = len(_QUANTITY.findall(words))
    if numbers >= 2 and quantities:
        score += 0.5 + 0.2 * min(3, numbers - 2) + 0.2 * min(3, quantities)
    return score
