"""Cuts sentences where a new request begins: "look it up, then write a function and sum up the answer"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from nonet.agents.code_cues import code_cue
from nonet.agents.heads import Head, find_head
from nonet.agents.lexicon import (
    CODE_NOUN,
    COLLECTION_NOUN,
    LANGUAGE,
    LENGTH,
    RETRIEVAL_VERB,
    SUMMARY_NOUN,
    SUMMARY_VERB,
    SUMMARY_VERB_TOLD,
    TEXT_NOUN,
    compiled,
)
from nonet.agents.masking import FILLER
from nonet.agents.segments import Payload, Region, sentences

_CUT = compiled(
    r"(?P<mark>[;:,]|\s[-–—]+(?=\s)|\s\(|\sas well as(?=\s))\s*"  # noqa: RUF001
    r"|\s+(?=(?:and|then|but|while|plus)\s)"
)
_CODE_PRODUCT = compiled(rf"\b(?:{CODE_NOUN}|{LANGUAGE}|implemented)\b|{FILLER}")
_CODE_THING = compiled(rf"\b(?:{CODE_NOUN}|{LANGUAGE})\b")
_TEXT_PRODUCT = compiled(rf"\b(?:{SUMMARY_NOUN}|{TEXT_NOUN}|comparison)\b")
_OUTSIDE = compiled(rf"\b(?:attach(?:ed|ment)|enclosed|{COLLECTION_NOUN})\b")
_THEN = compiled(
    r"\b(?:then|finally|afterwards?|after (?:that|this|which)|next|also|lastly|meanwhile|separately|once|when"
    r"|independently|in addition|additionally|(?:in|at) the (?:very )?end|at last)\b"
)
_SHARED = compiled(r"(?:use|from|based on|using|with|given|taking|starting|building|out of|for|on the basis)\b")
_WHILE = compiled(
    r"\s*(?:while|as) (?:someone|somebody|one of you|another|you|they)(?: else)?(?: is| are)?\s+(?="
    rf"(?:{SUMMARY_VERB}|{SUMMARY_VERB_TOLD}|{RETRIEVAL_VERB}|writ(?:es?|ing)|look(?:s|ing)|search(?:es|ing))\b)"
)
_EXPLICIT = frozenset({"summary", "retrieval", "passive", "desire", "same"})
_POLITE = compiled(r"\b(?:please|(?:can|could|would|will) you)\b")
_POINTS = compiled(r"\b(?:it|its|them|that|this|those|these|their)\b")
_ASKS_MORE = compiled(
    r"tell me (?:who|whom|when|where|which|what (?!it|that|this)|how (?:many|much|old|far|long|tall))\b"
)
_TELLS = compiled(rf"(?:explain|describe|tell|say)\b(?! (?:it|this|that|them)\b)(?: \S+){{0,8}}? {TEXT_NOUN}\b")
_THEN_A = compiled(r"(?:and )?(?:then|finally|lastly|(?:at|in) the (?:very )?end)\b")
_LOOKS = compiled(rf".*\b(?:{RETRIEVAL_VERB}|find|get|fetch|check|quote)\b")
_RESTATES = compiled(
    r"(?:explain|describe|tell|say|give|phrase|express)\b[^.;]*?\b(?:it|this|that|them|the \w+)\b[^.;]*?"
    rf"\b(?:in {LENGTH}|(?:in|into) (?:short|brief|simple|plain|easy|a few|your own)|briefly|simply)\b"
)
"""After a look-up: what was found is to be told anew, which is other work."""
_COMPOSES = compiled(r"(?:write(?: (?:up|me|us|her|him|them))?|draft|compose|formulate) (?:an?|the)\b")
_BEFOREHAND = compiled(r"[^.;]*\bfirst\W*$")
_COMPARES = compiled(r"(?:compare|contrast|merge|combine|join)\b[^,;.]*\b(?:both|the two|them|these|those)\b")
_SEVERAL = compiled(r"\b(?:both|the two|the three|them all|all of them)\b")
_FURTHER = compiled(
    r"(?:an?|one|another) (?:final|last|closing|concluding|third|further|joint|overall|combined|separate)\b|another\b"
)
_AND_ALSO = compiled(
    r"\s*(?:and|plus|also|then|finally|lastly|oh|besides|separately|in addition|unrelated(?: to (?:that|this|it))?)\b"
)
_THAT_DOES = compiled(r"\b(?:that|which) (?:\w+ )?\w+s\b(?!.*\bto \w+)")
_NOT_CODE = compiled(r"\W*(?:find|look|search|summ|condens)")
_GOVERNS = compiled(
    r"\b(?:how|can|could|should|do|does|did|to|will|would|must|may)\b(?: \w+){0,3}? (?:i|we|you|one|they)\b"
)
"""A verb after "how do I" or "what should we" belongs to the question, with "and", too."""
_FOR_ME = compiled(r"\w+ (?:me|us)\b")
_ANNOUNCED = compiled(rf"{FILLER}[^.;:]{{0,40}}? (?:implemented|written|coded|programmed) ?(?:in {LANGUAGE} ?)?:")
_UNNAMED = compiled(
    rf"(?:write|create|implement|define|make) (?:me )?an? (?:\w+ ){{0,2}}?{CODE_NOUN} (?:to|that|which)\b"
)
"""After "I need `f` implemented:" this says what `f` does."""
_CODE_CUE = 0.7
_NEAR = 80
_MOST_CUTS = 400
"""Places of one sentence that are looked at; what follows stays with the last request found."""
_WINDOW_CHARACTERS = 300
"""Of a piece that are read for cues: keeps the time linear in the length of a request."""
_PHRASE_WORDS = 8


@dataclass(slots=True)
class Piece:
    """A stretch of one sentence; a request of its own if it has a head."""

    start: int
    end: int
    head: Head | None
    shared: str = ""
    """The opening it shares with the request before it in the sentence ("based on them:")."""
    shares: bool = False


def shares_opening(text: str) -> bool:
    """Whether the words say what several requests start from ("From what you find,")."""
    return _SHARED.match(text) is not None


def pieces(masked: str, region: Region, payload: Payload | None) -> list[Piece]:
    """The pieces of one region, in order."""
    found: list[Piece] = []
    after_code = False
    for start, stop in sentences(masked, region.start, region.end):
        if payload and payload.start <= start < payload.end:
            continue
        end = payload.start if payload and start < payload.start < stop else stop
        nouns = not found or _AND_ALSO.match(masked, start, end) is not None
        inside = _cut(masked, start, end, nouns=nouns)
        if found and (
            not _own_sentence(masked, inside[0], after_code=after_code) or _describes(masked, found, inside[0])
        ):
            inside[0].head = None
        found.extend(inside)
        for piece in inside:
            if piece.head:
                after_code = _is_code(masked[piece.start : min(piece.end, piece.start + _WINDOW_CHARACTERS)])
    return found


def _own_sentence(masked: str, piece: Piece, *, after_code: bool) -> bool:
    """Whether a sentence is work of its own and not a detail of the work before it."""
    head = piece.head
    if head is None:
        return False
    if not after_code or head.reversed or head.kind != "other":
        return True
    text = masked[head.start : piece.end]
    product = _CODE_PRODUCT.search(text) or _TEXT_PRODUCT.search(text)
    return bool(product or _OUTSIDE.search(text) or _THEN.search(head.opening))


def _describes(masked: str, before: list[Piece], piece: Piece) -> bool:
    """Whether it asks for a function without a name, where the one before announced what a named one does."""
    announcing = next((each for each in reversed(before) if each.head), None)
    if announcing is None or piece.head is None:
        return False
    announced = masked[announcing.start : min(announcing.end, announcing.start + _WINDOW_CHARACTERS)]
    return bool(_ANNOUNCED.search(announced) and _UNNAMED.match(masked, piece.head.start))


def _cut(masked: str, start: int, end: int, *, nouns: bool) -> list[Piece]:
    """One sentence as one piece or several."""
    told = _WHILE.match(masked, start, end)
    head = Head(told.end(), "other", "while") if told else find_head(masked, start, end, nouns=nouns, first=True)
    current = Piece(start, end, head)
    found = [current]
    shared = head.opening if head and _is_shared(head.opening) else ""
    for match in islice(_CUT.finditer(masked, start, end), _MOST_CUTS):
        at = match.end()
        if at >= end or (current.head and at <= current.head.start):
            continue
        nouns = _may_list_nouns(current.head) or _THEN_A.match(masked, at, end) is not None
        head = find_head(masked, at, end, nouns=nouns)
        if head is None or not _begins_work(masked, current, head, match, end):
            continue
        current.end = match.start()
        current = Piece(at, end, head, shared, shares=bool(shared))
        found.append(current)
    return found


def _is_shared(opening: str) -> bool:
    """Whether it says "based on them: write ...; write ...", which means both."""
    return shares_opening(opening) and opening.endswith((":", ","))


def _may_list_nouns(head: Head | None) -> bool:
    return head is not None and head.kind in {"desire", "make", "noun", "other", "retrieval", "use"}


_ONE_VERB = compiled(r"\w+")


def _begins_work(masked: str, current: Piece, head: Head, cut: re.Match[str], end: int) -> bool:
    """Whether the rest of the sentence from `cut` is a request of its own."""
    mark = (cut.group("mark") or "").strip()
    if current.head and not mark and _ONE_VERB.fullmatch(masked[current.head.start : cut.start()].strip()):
        return False  # "proofread and shorten the letter" is one request
    then = _THEN.search(head.opening) is not None
    end = min(end, head.start + _WINDOW_CHARACTERS)
    if mark == "(":
        return head.kind == "passive"
    if current.head is None:
        return head.kind not in {"question", "noun"} and bool(mark or then)
    if head.reversed:
        return True
    if "question" in {current.head.kind, head.kind}:
        rest = masked[head.start : end]
        return _parts_question(masked[current.start : cut.start()], current.head, head, mark, rest, then=then)
    return _parts_order(
        masked[current.start : min(cut.start(), current.start + _WINDOW_CHARACTERS)],
        head,
        masked[head.start : end],
        mark,
        then=then,
    )


def _parts_question(before: str, current: Head, head: Head, mark: str, rest: str, *, then: bool) -> bool:
    """Where one of the two is a question."""
    if current.kind == "question" and _POLITE.search(head.opening):
        return mark != ":"
    if current.kind == "question" and head.kind in {"make", "summary"} and head.opening.startswith("and"):
        product = _CODE_PRODUCT.search(rest[:_NEAR]) or _TEXT_PRODUCT.search(rest[:_NEAR]) or head.kind == "summary"
        if product and not _GOVERNS.search(before) and (mark == "," or _FOR_ME.match(rest)):
            return True
    if current.kind == "question":
        return head.kind not in {"question", "noun"} and (mark == ";" or (mark != ":" and then))
    return mark == ";" or (mark == "," and head.opening.startswith(("and", "also")))


def _parts_order(before: str, head: Head, rest: str, mark: str, *, then: bool) -> bool:
    """Where both are orders."""
    retold = _LOOKS.match(before) and (_RESTATES.match(rest) or _COMPOSES.match(rest)) and not _is_code(before)
    if retold or (head.kind == "other" and _COMPARES.match(rest)):
        return True
    if head.kind == "noun" and mark == "," and before.rstrip().endswith(FILLER):
        return False  # "write `f()`, a function that ...": the same thing, told again
    if head.kind == "noun":
        return mark != ":" and _other_product(before, rest, then=then)
    if _is_code(before):
        return _ends_code(before, head, rest, mark, then=then)
    if head.kind in {"make", "use"}:
        return bool(mark) or then or bool(_CODE_PRODUCT.search(rest) or _TEXT_PRODUCT.search(rest))
    return head.kind in _EXPLICIT or mark == ";" or then


def _ends_code(before: str, head: Head, rest: str, mark: str, *, then: bool) -> bool:
    """After "write a function ..." most verbs describe the function; these do not.

    An order after "a function that loads ..." differs in form ("loads, find"); after "to load" it does not.
    """
    if _ASKS_MORE.match(rest) or (mark and head.kind == "other" and _TELLS.match(rest)):
        return True
    told = bool(mark) and _THAT_DOES.search(before) is not None
    outside = _OUTSIDE.search(rest) is not None
    if head.kind in {"passive", "desire"}:
        return bool(mark)
    if head.kind == "summary":
        return bool(mark) or then or outside
    if head.kind == "retrieval":
        return outside or then or told or _BEFOREHAND.match(rest) is not None
    if head.kind in {"make", "use"}:
        near = rest[:_NEAR]
        return bool(mark or then) and bool(_CODE_PRODUCT.search(near) or _TEXT_PRODUCT.search(near))
    return outside and (mark == ";" or then or told)


def _other_product(before: str, rest: str, *, then: bool) -> bool:
    """Two products: "a summary of the letter and a Python function"; "a summary and an outline" are one."""
    if _FURTHER.match(rest) or _same_start(before, rest) or (then and _SEVERAL.search(rest)):
        return True
    code_before = _CODE_THING.search(before) is not None
    text_before = _TEXT_PRODUCT.search(before) is not None
    code_now = _CODE_THING.search(" ".join(rest.split()[:_PHRASE_WORDS])) is not None
    if code_before:
        return not (text_before or code_now)
    return code_now or (not text_before and (then or _POINTS.search(rest) is not None))


def _same_start(before: str, rest: str) -> bool:
    """Whether both ask for the same of different things: "one line on the letter, one line on the memo"."""
    first, second = before.casefold().split()[:3], rest.casefold().split()[:3]
    return len(first) == len(second) == 3 and first == second  # noqa: PLR2004  "one line on"


def _is_code(words: str) -> bool:
    return code_cue(words, words) >= _CODE_CUE and not _NOT_CODE.match(words)
