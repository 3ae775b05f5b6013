"""Recognises where a request for work begins: "then look it up", "I also need a summary", "(2) write".

Everything here reads masked text (`masking.mask`). English only: in any other language no head is found, and the
request stays one subtask.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nonet.agents.cues import CODE_NOUN, COLLECTION_NOUN, RETRIEVAL_VERB, SUMMARY_NOUN, SUMMARY_VERB

_I = re.IGNORECASE

_CONNECTIVE = (
    r"(?:and|but|so|or|plus|also|too|then|next|finally|lastly|last|afterwards?|thereafter|subsequently|meanwhile|besides|moreover"
    r"|second(?:ly)?|third(?:ly)?|fourth(?:ly)?|first(?:ly)?(?: of all)?|to (?:start|begin)(?: with)?|in (?:addition|parallel)|additionally"
    r"|at the same time|separately|independently|unrelated(?:ly)?|alternatively|likewise|similarly|again|now|here|well|ok(?:ay)?|hi|hello|hey"
    r"|dear \w+|thanks|please|kindly|just|quickly|briefly|maybe|perhaps|in the end|at last|as a (?:second|third|last|final|next) (?:step|task|thing)"
    r"|on top of that|apart from that|other than that|as well|only|carefully|simply|directly|too|task|step"
    r"|after (?:that|this|which|doing so|you have (?:done|finished) (?:so|that|it))"
    r"|once (?:you have|you've|you are|you're|that is|that's|this is|it is|it's|that|these are|those are|done)(?: [^,;:.]{1,40})?"
    r"|when (?:you have|you've|you are|that is|that's|this is|done)(?: [^,;:.]{1,40})?"
    r"|independently of (?:that|this|it|the (?:first|rest))|apart from (?:this|that))"
)
_POLITE = (
    r"(?:(?:can|could|would|will|may|might) (?:you|i|we)(?: please| kindly| also| then| first| maybe)*(?: have| get| ask you to| be so kind as to| mind)?"
    r"|(?:i|we)(?:'d|’d| would)(?: also| really| just| then| now)* (?:like|love|want|need|prefer|appreciate it if|be glad if|be grateful if)"
    r" ?(?:you |for you )?(?:to |could |would )?(?!an? |the |some |my )"
    r"|(?:i|we)(?: also| really| just| then| now| only)* (?:want|need|expect|ask) (?:you )?to"
    r"|(?:you|your (?:job|task) is|the (?:job|task) is)(?:'ll|’ll| will)?(?: should| must| need| have| are| may| can)?(?: also| then| first)*(?: to)?"
    r"|let's|let us|help me(?: to)?|go ahead and|try to|feel free to|be so kind as to|make sure to|remember to|don't forget to|proceed to)"
)
_ADJUNCT = (
    r"(?:(?:from|based|on|using|with|given|out of|taking|in light of|starting from|starting with|building on|according to|going by|by|as to|regarding"
    r"|for|in|after|before|while|having|drawing on|following|armed with|once|when|if)\b[^,:;.?!]{1,120}[,:])"
)
_OPENING = re.compile(rf"\s*(?:[-–—,;:.]+\s*)?(?:{_CONNECTIVE}\b[,:]?(?=\s)|{_POLITE}(?=\s))\s*", _I)
_ADJUNCT_OPENING = re.compile(rf"\s*{_ADJUNCT}\s*", _I)
_EACH_OPENING = re.compile(
    r"\s*for each(?: one)?(?: of)?(?: (?!give|write|produce|make|state|provide|tell|create|list|name|say)[\w'’¤-]+){0,6}\s+",
    _I,
)

_DETERMINED = r"(?=\s+(?:an?|the|this|that|these|those|it|its|them|me|us|my|our|your|their|his|her|each|both|all|any|some|every|one|two|three|four|five|what|which|who|whom|whose|where|when|why|how|whether|if|for|in|out|up|down|to|from|\d+|¤|[a-z]?[\w-]+)\b|\s*[¤(]|\s+[¤(“\"])"
_MAKE_VERB = (
    r"(?:write|implement|create|build|define|develop|code|program|design|generate|make|draft|compose|produce|provide|prepare|put together|supply|devise|craft|sketch|wrap|port"
    r"|refactor|debug|fix|hand me|give|show|send|deliver|formulate)"
)
_OTHER_VERB = (
    r"(?:tell|explain|describe|list|name|compute|calculate|compare|contrast|translate|convert|combine|merge|join|blend|fuse|unite|weave|take|turn|extract|report|analy[sz]e"
    r"|rewrite|rephrase|classify|sort|count|estimate|evaluate|assess|review|suggest|recommend|propose|outline|state|express|point out|say|read|pick|choose|select|plot|draw|store|save|assemble|feed|apply|proofread|rank|relate"
    r"|solve|work out|figure out|establish|verify|prove|check|test|see|investigate|research|answer|get|fetch|find|identify|determine|bring|collect|gather|quote|cite|help|transform|infer|deduce)"
)
_USE_TO = r"use (?:\S+ ){1,12}?(?:to|for|in|as)"
_VERB = re.compile(
    rf"(?:(?P<summary>{SUMMARY_VERB})|(?P<retrieval>{RETRIEVAL_VERB})|(?P<use>{_USE_TO})|(?P<make>{_MAKE_VERB})|(?P<other>{_OTHER_VERB})"
    rf"|(?P<same>do (?:exactly )?the same|same (?:for|with|thing)|the same (?:for|with|goes|thing)))\b",
    _I,
)
_CONSTRAINT = re.compile(
    r"(?:(?:do not|don't|don’t|never|always|avoid|ensure|make sure|be|keep|limit|stick|name (?:it|the|this|that|them)|call (?:it|the|this|that|them)|return|include|mention"
    r"|add (?:a |an |the |some |type |doc)?(?:docstrings?|comments?|type hints?|hints|tests?)|assume|handle|raise|treat|consider|note|remember|ignore|skip|respond|reply|use|format|highlight"
    r"|start|begin|end|focus|stop|leave|let|allow|support|accept|cite|quote|give (?:your|the) (?:sources?|evidence|reasons?|quotes?)"
    r"|explain (?:your|why|how you|it|the (?:steps|code))|show your|justify|state your|say (?:so|which|where|why)|write (?:it|them|this|that|the (?:answer|code|result|text|summary)) (?:in|as|so|for|like|with)"
    r"|answer (?:in|with|briefly|only|shortly|it|them|yes)|test it|check (?:it|that|your)|document (?:it|the)|print|give (?:it|them) (?:a|the) name|list (?:your|the) sources|tell me (?:if|whether) (?:you|it|there))\b)",
    _I,
)
_NOUN_AFTER = re.compile(
    r"\s+(?:is|are|was|were|has|have|had|of|will|would|can|could|should|must|may|and|or|quality|tests?)\b", _I
)
_DESIRE = re.compile(
    r"(?:i|we)(?:'d|’d|'m|’m|'ll|’ll| would| will| am| are)?(?: also| really| just| then| now| only| still| further| next)*"
    r" (?:need|want|require|like|love|appreciate|be grateful for|be glad of|looking for|after|take|expect)\b(?! (?:you )?to\b)(?: also| next| then)*[:,]?\s+(?:to (?:have|see|get|know)\s+)?"
    r"(?=(?P<wanted>(?:[^.;:?!]{0,160})))",
    _I,
)
_PRODUCT = re.compile(
    rf"(?:¤|\b(?:{SUMMARY_NOUN}|{CODE_NOUN}|implemented|sentences?|paragraphs?|lines?|answers?|passages?|quotes?|list|table|comparison|translation|explanation)\b)",
    _I,
)
_NOUN_HEAD = re.compile(
    rf"(?:an?|the|one|some|another|two|three|four|five|\d+|short|brief)?\s*(?:[\w-]+ ){{0,4}}?(?:{SUMMARY_NOUN}|{CODE_NOUN}|(?:sentences?|paragraphs?|lines?) (?:summary|about|on|of|for))\b",
    _I,
)
_PASSIVE = re.compile(
    rf"(?:(?:it|this|that|which|these|those|they|the [\w ]{{1,30}}?)\s+)?(?:has|have|needs?|must|should|will have|ought)(?: first)?(?: to)? (?:be )?(?:first )?(?:looked up|found|located|retrieved|searched(?: for)?|dug up|tracked down|fetched|{RETRIEVAL_VERB})\b"
    rf"|(?:it|this|that|which|these|those|they)(?: first)? (?:needs?|wants?) (?:looking up|finding|locating)\b",
    _I,
)
_QUESTION_WORD = re.compile(
    r"(?:(?:in|at|on|to|from|of|for|by|with|under|after|before|since|until|between|during|about) )?(?:who|whom|whose|what|which|when|where|why|how)\b"
    r"|(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might)\s+(?!you\b)\w",
    _I,
)
_TELL_ME = re.compile(
    rf"(?:quote|cite|answer|check|find|get|fetch|identify|determine|see)\b(?=.*\b{COLLECTION_NOUN}\b)", _I
)
_BEFORE = re.compile(
    r"\s*(?:but |and |yet )?(?:before (?:that|this|doing (?:so|that|this)|it|you (?:do|start|begin|write|summari[sz]e|code|answer)[^,]*|anything else)\b|beforehand|prior to (?:that|this)|but first|first,? though)\b,?\s*",
    _I,
)


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a request for work."""

    start: int
    """Offset of the verb or noun, after "then", "please" and their like."""
    kind: str
    """"summary", "retrieval", "make", "use", "other", "same", "question", "desire", "noun", "passive"."""
    opening: str
    """What stood before the verb, lower case: where "from what you find" and "then" are."""
    reversed: bool = False
    """True: this has to happen before what was asked before it ("before that, look up")."""


def find_head(masked: str, start: int, end: int, *, nouns: bool = False) -> Head | None:
    """The head that begins at `start`, if a request for work begins there.

    Args:
        masked: the masked request.
        start: where it would begin.
        end: where it ends at most.
        nouns: whether a bare noun phrase ("a one-line summary of it") counts, as it does in a list.
    """
    at, backwards = _skip_openings(masked, start, end)
    head = _at(masked, at, end, nouns=nouns)
    if head is None:
        adjunct = _EACH_OPENING.match(masked, at, end) or _ADJUNCT_OPENING.match(masked, at, end)
        if adjunct is None:
            return None
        at, more = _skip_openings(masked, adjunct.end(), end)
        backwards = backwards or more
        head = _at(masked, at, end, nouns=False)
        if head in ("question", None):
            return None
    return Head(at, head, masked[start:at].casefold().strip(), reversed=backwards)


def is_constraint(masked: str, start: int, end: int) -> bool:
    """Whether the text from `start` only says how the work before it is to be done."""
    at, _ = _skip_openings(masked, start, end)
    if re.compile(_USE_TO + r"\s+" + r"\w", _I).match(masked, at, end):
        return False
    return _CONSTRAINT.match(masked, at, end) is not None


def skip_openings(masked: str, start: int, end: int) -> int:
    """Offset after "and then please" and their like."""
    return _skip_openings(masked, start, end)[0]


def _skip_openings(masked: str, start: int, end: int) -> tuple[int, bool]:
    at, backwards = start, False
    for _ in range(8):
        before = _BEFORE.match(masked, at, end)
        if before and before.end() > at:
            at, backwards = before.end(), True
            continue
        opening = _OPENING.match(masked, at, end)
        if opening is None or opening.end() == at:
            break
        at = opening.end()
    while at < end and masked[at].isspace():
        at += 1
    return at, backwards


def _at(masked: str, at: int, end: int, *, nouns: bool) -> str | None:
    if at >= end:
        return None
    if (
        _CONSTRAINT.match(masked, at, end)
        and not re.compile(_USE_TO, _I).match(masked, at, end)
        and not _TELL_ME.match(masked, at, end)
    ):
        return None
    verb = _VERB.match(masked, at, end)
    if verb and not _NOUN_AFTER.match(masked, verb.end(), end):
        return verb.lastgroup
    if _PASSIVE.match(masked, at, end):
        return "passive"
    desire = _DESIRE.match(masked, at, end)
    if desire and _PRODUCT.search(desire.group("wanted")):
        return "desire"
    if nouns and _NOUN_HEAD.match(masked, at, end):
        return "noun"
    if masked[:end].rstrip(" \"”’')").endswith("?") and _QUESTION_WORD.match(masked, at, end):
        return "question"
    return None
