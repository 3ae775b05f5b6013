"""Recognises where a request for work begins: "then look it up", "I also need a summary", "(2) write".

Everything here reads masked text (`masking.mask`). English only: in any other language no head is found, and the
request stays one subtask.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nonet.agents.lexicon import (
    CODE_NOUN,
    COLLECTION_NOUN,
    LANGUAGE,
    LENGTH,
    MAKE_VERB,
    OTHER_VERB,
    RETRIEVAL_VERB,
    RETRIEVED,
    SUMMARY_NOUN,
    SUMMARY_VERB,
    SUMMARY_VERB_TOLD,
    TEXT_NOUN,
    any_of,
    compiled,
)
from nonet.agents.masking import FILLER

_DONE = r"(?: [^,;:.]{1,40})?"
_AFTERWARDS = any_of(
    "after (?:that|this|which|doing so|you have (?:done|finished) (?:so|that|it))",
    rf"once (?:you have|you've|you are|you're|that is|that's|this is|it is|it's|that|these are|those are|done){_DONE}",
    rf"when (?:you have|you've|you are|that is|that's|this is|done){_DONE}",
)
_CONNECTIVE = any_of(
    "and|but|so|or|plus|also|too|then|next|finally|lastly|last|afterwards?|thereafter|subsequently|meanwhile|besides",
    "pls|plz|yo|right|at the (?:very )?end|to (?:finish|close|round (?:it|this|things)) ?(?:off|up)?",
    "moreover|oh|unrelated(?:ly)?|by the way|btw|incidentally|one more thing|another thing|first things first",
    "second(?:ly)?|third(?:ly)?|fourth(?:ly)?|first(?:ly)?(?: of all)?|to (?:start|begin)(?: with)?",
    "in (?:addition|parallel)|additionally|at the same time|separately|independently|unrelated(?:ly)?|alternatively",
    "likewise|similarly|again|now|here|well|ok(?:ay)?|hi|hello|hey|thanks|please|kindly|just|quickly|briefly|maybe",
    "perhaps|in the end|at last|as a (?:second|third|last|final|next) (?:step|task|thing)|on top of that",
    "while (?:you.re|you are) (?:at it|there)|(?:totally|completely) unrelated(?:ly)?",
    "(?:apart|aside) from (?:that|this)|other than that|as well|only|carefully|simply|directly|task|step",
    _AFTERWARDS,
    "(?:independent(?:ly)? of|unrelated to) (?:that|this|it|the (?:first|rest))",
    "do (?:the following|these|both|two|three|four|several)(?: \\w+)?",
    "(?:two|three|four|several|a couple of|a few)(?: \\w+)? (?:things|tasks|jobs|errands|requests|wishes)",
    "use (?:that|it|this|them|what you (?:find|found)|the (?:result|answer)) for (?:two|three|both|several)(?: \\w+)?",
)
_POLITE = any_of(
    r"(?:can|could|would|will|may|might) (?:you|u|ya|i|we)(?: please| kindly| also| then| first| maybe)*"
    r"(?: have| get| ask you to| be so kind as to| mind)?",
    r"(?:i|we)(?:'d|’d| would)(?: also| really| just| then| now)*"  # noqa: RUF001
    r" (?:like|love|want|need|prefer|appreciate it if|be glad if|be grateful if) ?(?:you |for you )?"
    r"(?:to |could |would )?(?! ?(?:an?|the|some|my) )",
    r"(?:i|we)(?: also| really| just| then| now| only)* (?:want|need|expect|ask) (?:you )?to",
    r"(?:you|your (?:job|task) is|the (?:job|task) is)(?:'ll|’ll| will)?"  # noqa: RUF001
    r"(?: should| must| need| have| are| may| can)?(?: also| then| first)*(?: to)?",
    r"let's|let us|help me(?: to)?|go ahead and|try to|feel free to|be so kind as to|make sure to|remember to"
    r"|don't forget to|proceed to",
)
_PREPOSITION = any_of(
    "from|based on|using|with|given|out of|taking|in light of|starting (?:from|with)|building on|according to|going by",
    "by|as to|regarding|for|in|after|before|while|having|drawing on|following|armed with|once|when|if|on the basis of",
)
_LABEL = rf"(?:job|task|request|todo|order|ticket|instruction|goal|user|prompt)s?(?: ?#?\d+)? ?:|{FILLER}+[,:]?"
_OPENING = compiled(
    rf"\s*(?:[-–—,;:.]+\s*)?(?:{_CONNECTIVE}\b[,:]?(?=\s)|{_POLITE}(?=\s)|(?:{_LABEL})(?=\s))\s*"  # noqa: RUF001
)
_ADJUNCT = compiled(rf"\s*{_PREPOSITION}\b[^,:;.?!]{{1,120}}[,:]\s*")
_EACH = compiled(
    r"\s*(?:for|from) each(?: one)?(?: of)?"
    r"(?: (?!give|write|produce|make|state|provide|tell|create|list|name|say|pull|take|get)[\w'’¤-]+){0,6}\s+"  # noqa: RUF001
    r"|\s*from (?:both|that|this|it|them|these|those) "
    r"(?=(?:write|make|build|produce|create|draft|derive|compute|work)\b)"
)
_BEFORE = compiled(
    r"\s*(?:but |and |yet )?(?:before (?:that|this|doing (?:so|that|this)|it"
    r"|you (?:do|start|begin|write|summari[sz]e|code|answer)[^,]*|anything else)\b|beforehand"
    r"|prior to (?:that|this)|but first|first,? though)\b,?\s*"
)

_AFTERWARDS_FIRST = compiled(rf"\s*{_AFTERWARDS},")

_USE_TO = r"use (?:\S+ ){1,12}?(?:to|for|in|as)"
_VERB = compiled(
    rf"(?:(?P<summary>{SUMMARY_VERB})|(?P<retrieval>{RETRIEVAL_VERB})|(?P<use>{_USE_TO})"
    rf"|(?P<make>{MAKE_VERB})|(?P<other>{OTHER_VERB})"
    r"|(?P<same>do (?:exactly )?the same|same (?:for|with|thing)|the same (?:for|with|goes|thing)))\b(?!-)"
)
_USE = compiled(_USE_TO + r"\s+\S")
_NOUN_AFTER = compiled(
    r"\s+(?:is|are|was|were|has|have|had|of|will|would|can|could|should|must|may|and|or|quality|tests?)\b|'s\b"
)
_THING = compiled(r"(?:name|list|count|rank|report|test|state|plot|review|estimate|research|help)[,;.)]")
"""A word that is an order only with something after it."""
_BOTH_DONE = compiled(r"(?:proofread|review|translate|rewrite|analy[sz]e|read)\s+and\s+")
_CONSTRAINT = compiled(
    any_of(
        "do not|don't|never|always|avoid|ensure|make sure|be|keep|limit|stick",
        "(?:name|call) (?:it|the|this|that|them|your|¤)|return|include|mention|assume|handle|raise|treat|consider|note",
        "add (?:a |an |the |some |type |doc)?(?:docstrings?|comments?|type hints?|hints|tests?)",
        "remember|ignore|skip|respond|reply|use|format|highlight|start|begin|end|focus|stop|leave|let|allow|support",
        "accept|cite|quote|give (?:your|the) (?:sources?|evidence|reasons?|quotes?)|print|justify|show your",
        "explain (?:your|why|how you|it(?! (?:to|in)\\b)|the (?:steps|code))|state your|say (?:so|which|where|why)",
        "write (?:it|them|this|that|the (?:answer|code|result|text|summary)) (?:in|as|so|for|like|with)",
        "answer (?:in|with|briefly|only|shortly|it|them|yes)|test it|check (?:it|that|your)|document (?:it|the)",
        "give (?:it|them) (?:a|the) name|list (?:your|the) sources|tell me (?:if|whether) (?:you|it|there)",
    )
    + r"\b"
)
_DESIRE = compiled(
    r"(?:(?:i|we)(?:'d|’d|'m|’m|'ll|’ll| would| will| am| are)?"  # noqa: RUF001
    r"(?: also| really| just| then| now| only| still| further| next)*"
    r" (?:need|want|require|like|love|appreciate|be grateful for|be glad of|looking for|after|take|expect)\b"
    r"|(?:need|want|looking for)\b)"
    r"(?! (?:you )?to\b)(?: also| next| then)*[:,]?\s+(?:to (?:have|see|get|know)\s+)?(?=(?P<wanted>[^.;:?!]{0,160}))"
)
_PRODUCT = compiled(
    rf"(?:¤|\b(?:{SUMMARY_NOUN}|{CODE_NOUN}|{TEXT_NOUN}|{LANGUAGE}|implemented|answers?|passages?|quotes?|list|table"
    rf"|comparison|translation|explanation|{SUMMARY_VERB_TOLD})\b)"
)
_NOUN_HEAD = compiled(
    r"(?:(?:an?|the|one|some|another|two|three|four|five|\d+|short|brief|my)[ -](?:[\w-]+ ){0,4}?"
    rf"|(?={LANGUAGE} ))(?:{SUMMARY_NOUN}|{CODE_NOUN}|{LANGUAGE}"
    rf"|{TEXT_NOUN} (?:summary|about|on|of|for|that|which|to|each|apiece))\b"
)
_WANTED = compiled(
    rf"(?:(?:an?|one|the|some|just|only|my)[ -](?:[\w-]+ ){{0,4}}?(?:{SUMMARY_NOUN}|{CODE_NOUN}|{TEXT_NOUN})\b"
    r"[^.;:?!]{0,80}?\b(?:is|are|would be|will be) (?:all|what|everything) (?:that )?"
    r"(?:i|we)(?:'m| am|'re| are)? (?:need|want|ask for|after|looking for)\b"
    rf"|(?:an?|one|the)[ -](?:[\w-]+ ){{0,4}}?(?:{SUMMARY_NOUN}|{CODE_NOUN}|{TEXT_NOUN})\b[^.;:?!]{{0,80}}?"
    r"\b(?:would|will) (?:also )?(?:do|help|save|suffice"
    r"|be (?:fine|nice|good|great|enough|useful|handy|welcome|lovely|perfect|ideal|appreciated)"
    r"|come in handy)\b"
    rf"|(?:the|an?|its|their) (?:[\w-]+ ){{1,4}}"
    rf"(?:described|summed up|summari[sz]ed|condensed|explained|told|put|shortened) (?:in|to|into) {LENGTH}"
    rf"|(?:the|this|that|my|our) (?:[\w-]+ ){{1,3}}in (?:a nutshell|brief|short|{LENGTH}))"
)
"""What is wanted, said without an order: "a short digest is all I need", "the trend described in one sentence"."""
_NEEDED = compiled(
    r"(?:what|all(?: that)?|the (?:only )?thing) (?:(?:i|we)(?:'m| am|'re| are)? (?:really )?"
    r"(?:need|want|after|would like)|to (?:write|make|build|do)|(?:is )?(?:needed|wanted))"
    r" (?:is|are|would be) (?:an?|the|one)\b"
)
"""The same begun by what it is: "all I need is a digest"."""
_CODE_ASKED = compiled(rf"\s*{FILLER}+,? (?:please|in (?:plain |pure )?{LANGUAGE})\b")
"""A name in code signs and nothing of what to do: "`median(numbers)` in Python"."""
_GREETING = compiled(
    r"\s*(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|afternoon))\b[^.!?\n]{0,60}[.!]\s+(?=\S.{12})"
)
_PASSIVE = compiled(
    r"(?:(?:it|this|that|which|these|those|they|the [\w ]{1,30}?)\s+)?"
    r"(?:(?:has|have|needs?|must|should|will have|ought)(?: first)?(?: to)? (?:be )?(?:first )?"
    rf"(?:{RETRIEVED}|(?:summari[sz]ed|condensed|shortened|cut|boiled down|trimmed|reduced|rewritten|written"
    r"|implemented|coded|programmed))|(?:needs?|wants?) (?:looking up|finding|locating|shortening|condensing))\b"
)
_DONE_THEN = compiled(
    r"(?:that|this|the|these|those) (?:\w+ ){1,3}?"
    r"(?:cut|trimmed|boiled|reduced|shortened|condensed|turned|put|made|rewritten|translated)"
    r" (?:down )?(?:in|to|into)\b"
)
"""After "then": "that summary cut to one line"."""
_THEN = compiled(r"\bthen\b")
_ASKING = compiled(
    r"(?:(?:in|at|on|to|from|of|for|by|with|under|after|before|since|until|between|during|about) )?"
    r"(?:who|whom|whose|what|which|when|where|why|how)(?:'s|’s)?\b"  # noqa: RUF001
    r"|(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might)\s+(?!you\b)\w"
)
_UNMARKED = compiled(
    r"(?:(?:what|who|where|when|how)['\u2019]?s"
    r"|(?:who|what|where|when|why|how) (?:is|are|was|were|does|do|did|can|has|have)"
    r"|(?:what|which|whose|how) (?!(?:you|i|we|it|he|she|they|that|this|to)\b)(?:[\w-]+ ){1,3}?"
    r"(?:is|are|was|were|does|do|did|can|has|have|should|will)|how (?:many|much|often)"
    r"|(?:who|what) (?!(?:you|i|we|it|he|she|they|that|this|to|follows)\b)\w+(?:s|ed))\s+(?!you\b)\w"
)
"""A question in the order of words that only questions have; in a chat nobody types the mark."""
_ALSO_ASKS = compiled(r"\s*and\b")
_KNOW = compiled(r"know (?:if|whether|who|whom|whose|what|when|where|which|why|how)\b")
_SAID = compiled(r"according to\b[^,]{1,80},\s*")
_LOOKED_UP = compiled(
    r"(?:(?:quote|cite)\b(?! (?:the|your|all|any|every|which) (?:\w+ )?(?:passages?|sources?|documents?|lines?)\b)"
    r"|answer (?!(?:with|in|only|briefly|shortly|it)\b)"
    rf"|check|find|get|fetch|identify|determine|see)\b(?=.*\b{COLLECTION_NOUN}\b)"
)
_MOST_OPENINGS = 8
_WINDOW_CHARACTERS = 600
"""How far a head looks: keeps the time linear in the length of a request."""
_AFTER_MARK = " \"\u201d'\u2019)\n"


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a request for work."""

    start: int
    """Offset of the verb or noun, after "then", "please" and their like."""
    kind: str
    """"summary", "retrieval", "make", "use", "other", "same", "question", "desire", "noun" or "passive"."""
    opening: str
    """What stood before the verb, lower case: where "from what you find" and "then" are."""
    reversed: bool = False
    """True: this has to happen before what was asked before it ("before that, look up")."""


def find_head(masked: str, start: int, end: int, *, nouns: bool = False, first: bool = False) -> Head | None:
    """The head that begins at `start`, if a request for work begins there.

    Args:
        masked: the masked request.
        start: where it would begin.
        end: where it ends at most.
        nouns: whether a bare noun phrase ("a one-line summary of it") counts, as it does in a list or after a colon.
        first: whether a sentence begins here: then a question needs no mark.
    """
    end = min(end, start + _WINDOW_CHARACTERS)
    if _CODE_ASKED.match(masked, start, end):
        return Head(start, "desire", "")
    at, backwards = _skip_openings(masked, start, end)
    nouns = nouns or masked[start:at].rstrip().endswith(":")
    kind = _kind_at(masked, at, end, nouns=nouns)
    if not first and kind == "other" and _THING.match(masked, at, end):
        return None
    if kind is None and _THEN.search(masked, start, at) and _DONE_THEN.match(masked, at, end):
        kind = "passive"
    asks = first or _ALSO_ASKS.match(masked, start, at) is not None
    if kind is None and asks and _UNMARKED.match(masked, at, end):
        kind = "question"
    if kind is None:
        adjunct = _EACH.match(masked, at, end) or _ADJUNCT.match(masked, at, end)
        if adjunct is None:
            return None
        said = _SAID.match(masked, at, end) is not None or adjunct.group().rstrip().endswith(":")
        at, more = _skip_openings(masked, adjunct.end(), end)
        backwards = backwards or more
        kind = _kind_at(masked, at, end, nouns=nouns)
        if kind is None or (kind == "question" and not said):
            return None
    return Head(at, kind, masked[start:at].casefold().strip(), reversed=backwards)


def is_constraint(masked: str, start: int, end: int) -> bool:
    """Whether the text from `start` only says how the work before it is to be done."""
    end = min(end, start + _WINDOW_CHARACTERS)
    at, _ = _skip_openings(masked, start, end)
    return _only_constrains(masked, at, end)


def hide_opening(masked: str) -> str:
    """The text with "hello!" or "when that is done," hidden: it says nothing of the work, or names other work."""
    opening = _GREETING.match(masked) or _BEFORE.match(masked) or _AFTERWARDS_FIRST.match(masked)
    return FILLER * opening.end() + masked[opening.end() :] if opening else masked


def _only_constrains(masked: str, at: int, end: int) -> bool:
    return (
        _CONSTRAINT.match(masked, at, end) is not None
        and _USE.match(masked, at, end) is None
        and _LOOKED_UP.match(masked, at, end) is None
    )


def _skip_openings(masked: str, start: int, end: int) -> tuple[int, bool]:
    """Offset after "and then please" and their like, and whether "before that" was among them."""
    at, backwards = start, False
    for _ in range(_MOST_OPENINGS):
        before = _BEFORE.match(masked, at, end)
        if before:
            at, backwards = before.end(), True
            continue
        opening = _OPENING.match(masked, at, end)
        if opening is None:
            break
        at = opening.end()
    while at < end and masked[at].isspace():
        at += 1
    return at, backwards


def _kind_at(masked: str, at: int, end: int, *, nouns: bool) -> str | None:
    if at >= end or _only_constrains(masked, at, end):
        return None
    verb = _VERB.match(masked, at, end)
    if verb and (" " in verb.group() or _is_verb(masked, verb, end)):
        return verb.lastgroup
    desire = _DESIRE.match(masked, at, end)
    found = {
        "passive": _PASSIVE.match(masked, at, end) is not None,
        "desire": _WANTED.match(masked, at, end) is not None
        or _NEEDED.match(masked, at, end) is not None
        or (desire is not None and _PRODUCT.search(desire.group("wanted")) is not None),
        "noun": nouns and _NOUN_HEAD.match(masked, at, end) is not None,
        "question": _is_asked(masked, at, end) or _KNOW.match(masked, at, end) is not None,
    }
    return next((kind for kind, fits in found.items() if fits), None)


def _is_verb(masked: str, verb: re.Match[str], end: int) -> bool:
    """Whether it is an order, not a thing ("list of", "code and tests"); "proofread and shorten" is one."""
    second = _BOTH_DONE.match(masked, verb.start(), end)
    if second and _VERB.match(masked, second.end(), end):
        return True
    return _NOUN_AFTER.match(masked, verb.end(), end) is None


def _is_asked(masked: str, at: int, end: int) -> bool:
    if not _ASKING.match(masked, at, end):
        return False
    return masked[at:end].rstrip(_AFTER_MARK).endswith("?") or end - at >= _WINDOW_CHARACTERS // 2
