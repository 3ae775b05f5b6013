"""What the wording of a request says about who should get it: verbs, nouns, question forms, code signs.

Rules speak only of the four specialists that ship; a user's own specialist is routed by its examples alone. Scores are
coarse on purpose (0: no sign, 1: a clear sign, above 1: several): they were set by hand from what the words mean, not
fitted to a data set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nonet.agents.code_cues import code_cue
from nonet.agents.lexicon import (
    CODE_NOUN,
    COLLECTION_NOUN,
    DOCUMENT_NOUN,
    LENGTH,
    PROSE_NOUN,
    RETRIEVAL_VERB,
    STORE_NOUN,
    SUMMARY_NOUN,
    SUMMARY_VERB,
    SUMMARY_VERB_TOLD,
    TEXT_NOUN,
    compiled,
)
from nonet.agents.masking import mask

CODE = "code"
RETRIEVAL = "retrieval"
SUMMARIZATION = "summarization"
GENERAL = "general"
BUILTIN = (CODE, RETRIEVAL, SUMMARIZATION, GENERAL)

_SUMMARY_VERB = compiled(rf"\b{SUMMARY_VERB}\b")
_SUMMARY_TOLD = compiled(rf"\b{SUMMARY_VERB_TOLD}\b")
_SUMMARY_NOUN = compiled(rf"\b{SUMMARY_NOUN}\b")
_LENGTH = compiled(rf"\b{LENGTH}\b")
_MERGE = compiled(
    r"\b(?:merge|combine|join|blend|fuse|unite|weave|integrate|compare|comparison)\b.*"
    r"\b(?:sentences?|summar|paragraphs?|statements?|results?|both|them|findings|two|text)"
)
_WRITE_PROSE = compiled(
    rf"\b(?:write|compose|draft|produce|give|create)\b(?: \S+){{0,5}}? (?:{TEXT_NOUN}|{PROSE_NOUN})\b"
)
_PROSE_FIRST = compiled(
    r"\W*(?:(?:and|then|finally|lastly|also|plus)\W+)*(?:an?|one) (?:\w+ ){0,2}?"
    rf"{TEXT_NOUN} (?:about|on|of|for|that)\b"
)
_ATTACHED = compiled(
    r"\b(?:attach(?:ed|ment)s?|enclosed"
    rf"|(?:the|this|that|these|following|above|below) (?:\w+ ){{0,2}}?{DOCUMENT_NOUN})\b"
)

_RETRIEVAL_VERB = compiled(rf"\b{RETRIEVAL_VERB}\b")
_FIND_IN = compiled(
    r"\b(?:find|check|get|fetch|identify|determine|quote|cite|answer|tell me|which|see what|read up)\b"
    rf"(?: \S+){{0,14}}? {COLLECTION_NOUN}\b"
)
_FIND = compiled(r"^\W*(?:find|get|fetch|identify|determine|quote|cite|check)\b")
_LOOK_FOR = compiled(
    r"^\W*(?:from [^,.;]{1,60}? )?(?:(?:find|identify|determine|check)\b"
    r"|(?:pull|grab|fetch|extract)(?: me)? (?:the|all|any|every)\b)"
)
_FIND_IT = compiled(r"(?:^|[.!?;,]\s+|\band )(?:find|fetch|get|check) (?:it|that|this)\b(?! (?:down|into|to|in)\b)")
_IN_COLLECTION = compiled(
    r"\b(?:in|from|according to|through|within|by|what|across|of|where) (?:do |does )?"
    rf"(?:the|our|my|these|those|all) (?:\w+ ){{0,2}}?{COLLECTION_NOUN}\b(?! ?{CODE_NOUN})"
)
_STORE = compiled(rf"\b(?:the|our|my|these|those|all|your) (?:\w+ ){{0,2}}?{STORE_NOUN}\b")
_CITE = compiled(r"\b(?:cite|quote|citations?|quotes?|references?|verbatim)\b")
_QUOTE = compiled(
    r"(?:^|[,.;:]\s+|\b(?:and|you|please) )(?:quote|cite)\b|\b(?:verbatim|word for word|exact words)\b"
    r"|\bthe (?:\w+ )?(?:sentence|passage|line|bit|paragraph|clause) (?:where|in which|that (?:says|mentions|states))\b"
)
_WH_WORD = "(?:who|whom|whose|what|which|when|where|why|how)"
_WH = compiled(
    rf"(?:^|[.,;:!?]\s+|\b(?:and|tell me|know|in|of|to|from|by|for|at|on|with|was|is|are|were) )\W?{_WH_WORD}\b"
)
_AUXILIARY = "(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would|should|may|must)"
_TOLD_NOUN = (
    r"(?:plots?|story|stories|settings?|points?|conclusions?|status|significance|relationships?|roles?|purpose|ideas?"
    r"|opinions?|views?|decisions?|discussions?|gist|summary|themes?|message|topics?|overview|differences?|contents?"
    r"|attitudes?|arguments?|background|reasons?|outcomes?|results?|traits?|characters?|society|thing|things|deal)"
)
_FACT_ASKED = compiled(
    rf"(?:^|[.,;:!?]\s+|\b(?:and|tell me|know|just|so|of|to|from|by|for|at|on|in) )\W?(?:"
    rf"(?:(?:when|where)(?:['\u2019]?s)?|which(?! ones?\b| of\b)|whose"
    r"|how (?:many|much|long|old|far|often|big|high|late|soon)) "
    r"|whom |who(?!'?s?(?: is| are| was)? \w+ and)(?:'?s| (?!is [A-Z])[a-z]+)"
    r"|what(?:'?s| is| are| was| were) (?:the|my|our|their|his|her|its) "
    rf"(?!(?:\w+ )?{_TOLD_NOUN}\b)|what (?!{_AUXILIARY}\b)(?!{_TOLD_NOUN}\b)[a-z]+ (?:\w+ ){{0,2}}?{_AUXILIARY}\b)"
)
"""A question whose answer is a name, a number, a date or a few words."""
_ASKED = re.compile(r"[^.!?\n]{4,}\?")
_SAYS_ANYTHING = compiled(
    r"\b(?:say|says|mention|mentions|state|states|contain|contains|have|is there|are there)\W+"
    r"(?:any ?thing|something|any|a word) (?:\w+ )?(?:about|on|for|of|regarding)\b"
    r"|\b(?:tell me|know|check|see) (?:if|whether)\b"
)
_TOLD_AT_LENGTH = compiled(
    r"\b(?:throughout|happen(?:s|ed)?|think|thought|feel|felt|discuss\w*|recommend\w*|decid\w+|agree[sd]?|argue\w*"
    r"|talk(?:s|ed|ing)?|why|each|both|stor(?:y|ies)|plot|novel|tale|characters?|significance|relates?|changes?|differ\w*)\b"
)
_TOLD_BY = compiled(
    r"\b(?:throughout|happen(?:s|ed)?|think|thought|felt|discuss\w*|recommend\w*|decid\w+|decisions?|agreed|argued?"
    r"|talk(?:s|ed|ing)? about|opinion|conclusions?|plot|significance)\b"
)
"""Signs of a question to one text that need no noun for it."""
_OF_A_TEXT = compiled(
    r"\b(?:the|this|that) (?:\w+ ){0,1}?(?:stor(?:y|ies)|plot|novella?|tale|meeting|discussion|debate|conversation"
    r"|interview|hearing|narrator|speakers?|participants?|attendees|team|group|committee|panel)\b"
)
_COUNTABLE = compiled(
    r"^\W*(?:which|who(?!.* and (?:how|what|why)\b)|whose|when|where|how (?:many|much|old|long|far|tall))\b"
)
"""Its answer is a name or a number."""
_NOT_WANTED = compiled(
    r"(?<!why )\b(?:do not|don['\u2019]?t|no need to|you need not|not asked to|not(?= an? )|rather than|instead of)"
    r"(?! (?:forget|hesitate|mind)\b) \w+\b[^,.;:!?]*"
)
_WH_LAST = compiled(rf"\b{_WH_WORD}\W*$")
_YES_NO = compiled(
    r"(?:^|[:;,.!?–—-]\s*)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might|am)\b"  # noqa: RUF001
    r" (?!you\b|we\b|I\b)"
)
_MAY_I = compiled(
    r"(?:^|[:;,.!?]\s*)(?:can|could|may|must|should|do|does|did|am|are|will|would|have|has|is) (?:i|we|my|our)\b"
)
"""A yes-or-no question of the one who asks: of a document at hand it is a fact, without one it is small talk."""
_SECOND_PERSON = compiled(r"\b(?:you|your|me|my|i|i'm|we|us)\b")

_CHAT = compiled(
    r"^\W*(?:hi|hello|hey|thanks?|thank you|good (?:morning|evening|afternoon|night)|bye|goodbye|how are you|nice to"
    r"|who are you|what's up)\b"
    r"|\b(?:what|how|who|where|why) (?:can|could|do|are|would|will|should) you\b"
    r"|\bideas? for\b|\bwhat to (?:call|name)\b|\bcome up with (?:\S+ ){0,5}?(?:names?|slogan|rhyme)\b"
    r"|\b(?:tell|write|give|make|compose|suggest|sing|needs?|wants?|recommend|invent|think of)\b(?: \S+){0,5}?"
    r" (?:jokes?|poems?|haikus?|limericks?|story|song|greeting|slogan|synonyms?|rhymes?|recipe|pun|tagline|names?|toast"
    r"|riddles?|antonyms?)\b|\b(?:translate|spell|define the word|meaning of|brainstorm|capital letters"
    r"|how do you say|good idea|your (?:opinion|favou?rite)|good name|should i|(?:opposite|plural|past tense) of)\b"
)
_EXPLAIN = compiled(r"\W*(?:please )?(?:explain|define)\b(?! (?:it|that|this|them|how|what|why|in)\b)")
_COLLECTION = compiled(rf"\b{COLLECTION_NOUN}\b")
_ARITHMETIC = compiled(
    r"\d\s*(?:[+*^×÷]|plus|minus|times|divided by|percent of|% of)\s*\d|\d\s+[-/]\s+\d"  # noqa: RUF001
    r"|(?:^|\bis|\bcalculate|\bcompute)\s*[\d(][\d\s()+*/.^-]*[-/][\d\s()+*/.^-]*\W*$|\bsquare root\b"
    r"|\bpercent(?:age)? of \d|\bprime number\b|\bconvert \d"
)
_NUMBER = compiled(
    r"(?<![\w`])(?!(?:1[5-9]|20)\d\d\b)[$€£]?\d[\d,]*(?:\.\d+)?(?!\w)"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half|dozen|third|quarter)\b"
)
_QUANTITY = compiled(
    r"\bhow (?:many|much|long|far|old|fast|tall|often)\b|\b(?:total|altogether|in all|average|percent(?:age)?|profit"
    r"|remaining|left over|left|per|each|cost|combined|probability|sum|difference|twice|half)\b|\d%|[$€£]\d"
)
_STORY = re.compile(r"\w\w[.!]\s+[A-Z].*\?", re.DOTALL)
"""Something told before the question, as word problems do."""
_HOW_MANY = compiled(r"\bhow (?:many|much)\b")
_MIN_NUMBERS = 2
_MOST_COUNTED = 3


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
    words = _NOT_WANTED.sub(lambda unwanted: " " * len(unwanted.group()), masked if masked is not None else mask(text))
    return Cues(
        code=code_cue(text, words),
        retrieval=_retrieval(words, has_document=has_document),
        summarization=_summarization(words, has_document=has_document),
        general=_general(words, has_document=has_document),
    )


def _summarization(words: str, *, has_document: bool) -> float:
    score = 0.0
    if _SUMMARY_VERB.search(words):
        score += 1.2
    elif _SUMMARY_TOLD.search(words):
        score += 0.5
    if _SUMMARY_NOUN.search(words):
        score += 0.9
    if _MERGE.search(words):
        score += 0.8
    if _WRITE_PROSE.search(words):
        score += 0.6
    elif _PROSE_FIRST.match(words):
        score += 0.9
    if _LENGTH.search(words):
        score += 0.3
    if has_document:
        score += 0.7
        if not asks_fact(words) and (_ATTACHED.search(words) or _WH.search(words)):
            score += 0.5
    return score


def asks_fact(words: str) -> bool:
    """Whether a question of this wording has a few words for an answer, which are to be found rather than summed up.

    What is told before the question says nothing of its answer.
    """
    asked = _ASKED.search(words)
    if asked and not _SUMMARY_VERB.search(words):
        words = words[asked.start() :].strip()
    if _SUMMARY_VERB.search(words) or _SUMMARY_NOUN.search(words) or _TOLD_AT_LENGTH.search(words):
        return False
    return any(pattern.search(words) for pattern in (_FACT_ASKED, _SAYS_ANYTHING, _YES_NO, _MAY_I))


def is_told(words: str) -> bool:
    """Whether a question of this wording has to be told from some text: what happened in it, what was thought or said.

    Unlike `asks_fact` it is for where no document is known, so facts of the world and word problems are none.
    """
    if not is_question(words) or _SECOND_PERSON.search(words) or _general(words, has_document=False):
        return False
    if _OF_A_TEXT.search(words):
        return not _COUNTABLE.search(words)
    return bool(_TOLD_BY.search(words)) and not (_FACT_ASKED.search(words) or _YES_NO.search(words))


def _retrieval(words: str, *, has_document: bool) -> float:
    score = 0.0
    if _RETRIEVAL_VERB.search(words):
        score += 0.9
    elif _FIND_IT.search(words):
        score += 1.0
    elif _FIND.search(words):
        score += 0.5
    if _FIND_IN.search(words):
        score += 0.5
    if _IN_COLLECTION.search(words):
        score += 0.4
    if _CITE.search(words):
        score += 0.4
    return score + (_asks_document(words) if has_document else _asks(words))


def _asks_document(words: str) -> float:
    """A question to a document at hand is looked up where a few words answer it, or where it is to be searched."""
    score = 0.8 if _STORE.search(words) and not _ATTACHED.search(words) else 0.0
    if asks_fact(words):
        score += 1.4
    elif _LOOK_FOR.search(words) and not _SUMMARY_NOUN.search(words):
        score += 0.7
    return score + (1.0 if _QUOTE.search(words) else 0.0)


def is_question(words: str) -> bool:
    """Whether the wording asks something, with or without its mark."""
    return "?" in words or any(pattern.search(words) for pattern in (_WH, _YES_NO, _WH_LAST))


def _asks(words: str) -> float:
    """A question is looked up where nothing is attached, unless it is about the two who talk."""
    score = 0.2 if "?" in words else 0.0
    if _WH.search(words) or _YES_NO.search(words) or _WH_LAST.search(words):
        score += 0.3 if _SECOND_PERSON.search(words) else 0.5
    return score


def _general(words: str, *, has_document: bool) -> float:
    if has_document:
        return 0.0
    score = 0.0
    if _CHAT.search(words):
        score += 0.9
    if _ARITHMETIC.search(words):
        score += 0.7
    if _EXPLAIN.match(words) and not _COLLECTION.search(words):
        score += 0.9
    numbers = len(_NUMBER.findall(words))
    quantities = len(_QUANTITY.findall(words))
    if numbers >= _MIN_NUMBERS and quantities:
        score += 0.5 + 0.2 * min(_MOST_COUNTED, numbers - _MIN_NUMBERS) + 0.2 * min(_MOST_COUNTED, quantities)
        if "?" in words and _STORY.search(words):
            score += 0.4
    elif _HOW_MANY.search(words) and _STORY.search(words):
        score += 1.0
    return score
