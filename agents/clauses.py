"""Splits a request into clauses, each one piece of work in its own words.

Nothing of the request is lost: what is no request of its own (a test to satisfy, a name, a wish about length, the
question to answer) stays with the clause it belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nonet.agents.cues import CODE_NOUN, COLLECTION_NOUN, SUMMARY_NOUN, read_cues
from nonet.agents.heads import Head, find_head, is_constraint
from nonet.agents.masking import FILLER, mask
from nonet.agents.segments import Payload, Region, find_payload, regions, sentences

_I = re.IGNORECASE
MAX_SPLIT_CHARACTERS = 20_000
"""A longer request is not searched for clauses; it is pasted text, and the plan says so."""

_CUT = re.compile(r"(?P<mark>[;:,]|\s[-–—]+(?=\s)|\s(?:\(|as well as))\s*|\s+(?=(?:and|then|but|while|plus)\s)", _I)
_CODE_PRODUCT = re.compile(rf"(?:\b{CODE_NOUN}\b|\bpython\b|\bimplemented\b|{FILLER})", _I)
_TEXT_PRODUCT = re.compile(rf"\b(?:{SUMMARY_NOUN}|sentences?|paragraphs?|comparison|statement)\b", _I)
_OUTSIDE = re.compile(rf"\b(?:attach(?:ed|ment)|enclosed|{COLLECTION_NOUN})\b", _I)
_THEN = re.compile(
    r"\b(?:then|finally|afterwards?|after (?:that|this|which)|next|also|lastly|meanwhile|separately|once|independently|in addition|additionally)\b",
    _I,
)
_SHARED_OPENING = re.compile(
    r"(?:from|based on|using|with|given|taking|starting|building|out of|for|on the basis)\b", _I
)
_WHILE = re.compile(r"\s*(?:while|as) (?:someone|somebody|one of you|another|you|they)(?: else)?(?: is| are)?\s+", _I)
_BOILERPLATE = re.compile(
    r"[\s\W]*(?:(?:please|kindly|hi|hello|hey|there|ok|so|i|we|you|have|has|need|want|would|like|could|can|do|am|to|help|with|me|us|my|our|is|are|here|the|these|this|following|a|an|some|of|for|in|and|two|three|four|five|six|few"
    r"|several|couple|number|unrelated|separate|different|independent|small|quick|short|little|things?|tasks?|errands?|jobs?|requests?|steps?|items?|questions?|parts?|list|todo|below|today|all|both|order|work|carry|out|complete|perform|your|get|these|done|need|first)\b[\s\W]*)+$",
    _I,
)
_FOLLOWER = re.compile(
    r"\s*(?:it|this|that|these|those|they|he|she) (?:is|are|was|were|should|must|has|have|can|may|will|needs?)\b", _I
)
_TRIVIAL = re.compile(r"(?:take|read|open|get|collect|save|store|grab|look at|use|see)\b", _I)
_TRIVIAL_WORDS = 6
_TRAILING = re.compile(r"(?:[\s,;:–—-]|\b(?:and|then|but|plus|or|also|while)\b(?=[\s,;]*$))+$", _I)
_LEADING = re.compile(
    r"^[\s,;:.–—-]+(?=\S)|^\s*(?:(?:and|then|but|plus|also|so|next|finally|lastly|afterwards|meanwhile|while)\b,?\s+)+",
    _I,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One piece of work that a request asks for."""

    text: str
    """In the request's own words, with all that belongs to it."""
    masked: str
    """`text` with code and quotations hidden."""
    kind: str = "whole"
    """How its head was recognised (`heads.Head.kind`); "whole": the request was not understood as clauses."""
    opening: str = ""
    """What stood before its verb, lower case: "and then", "from what you find,"."""
    reversed: bool = False
    """True: it has to be done before the clause before it."""
    item: int | None = None
    """Position in a list, if it stood in one."""


@dataclass(slots=True)
class _Draft:
    """A clause while it is put together: pieces of the request by offset."""

    start: int
    end: int
    head: Head | None
    item: int | None = None
    before: tuple[tuple[int, int], ...] = ()
    after: tuple[tuple[int, int], ...] = ()
    shared: str = ""


def split(task: str) -> tuple[Clause, ...]:
    """The clauses of a request, in its order; always at least one, whatever the text."""
    if len(task) > MAX_SPLIT_CHARACTERS:
        return (_whole(task),)
    masked = mask(task)
    payload = find_payload(masked)
    end = payload.start if payload and payload.end == len(masked) else len(masked)
    drafts = _drafts(masked, end, payload)
    if not drafts:
        return (_whole(task),)
    if payload:
        _give_payload(drafts, payload)
    drafts = _without_trivial(masked, drafts)
    if len(drafts) == 1:
        head = drafts[0].head
        return (replace(_whole(task), kind=head.kind if head else "whole", opening=head.opening if head else ""),)
    return tuple(_clause(task, masked, draft) for draft in drafts)


def _whole(task: str) -> Clause:
    text = task.strip() or task
    return Clause(text, mask(text[:MAX_SPLIT_CHARACTERS]))


def _drafts(masked: str, end: int, payload: Payload | None) -> list[_Draft]:
    """Walk the regions and hang every piece that is no request of its own on one that is."""
    drafts: list[_Draft] = []
    waiting: list[tuple[int, int]] = []
    shared = ""
    context: tuple[tuple[int, int], ...] = ()
    for region in regions(masked, end):
        if region.item == 0:
            shared, context = _preamble(masked, drafts, waiting)
            waiting = []
        first_of_region = True
        for piece in _pieces(masked, region, payload):
            begins_item = first_of_region and region.item is not None
            first_of_region = False
            if piece.head is None and not (begins_item and drafts):
                _attach(masked, drafts, waiting, piece, same_item=region.item)
                continue
            if piece.head is None and begins_item and not _worth_an_item(masked, piece):
                _attach(masked, drafts, waiting, piece, same_item=region.item)
                continue
            piece.item = region.item
            piece.before = (*(context if begins_item else ()), *waiting)
            piece.shared = shared if begins_item else piece.shared
            waiting = []
            drafts.append(piece)
    if waiting and drafts:
        drafts[-1].after += tuple(waiting)
    return drafts


def _worth_an_item(masked: str, piece: _Draft) -> bool:
    """A list item without a known verb is work of its own if it is more than a word or two."""
    return len(masked[piece.start : piece.end].split()) >= 3


def _preamble(
    masked: str, drafts: list[_Draft], waiting: list[tuple[int, int]]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """What stands before a list and belongs to all its items: "From what you find," or facts they share."""
    if drafts and drafts[-1].after:
        start, stop = drafts[-1].after[-1]
        text = masked[start:stop].strip()
        if (
            _SHARED_OPENING.match(text)
            and text.endswith((",", ":", "¤"))
            or _SHARED_OPENING.match(text)
            and len(text.split()) < 8
        ):
            drafts[-1].after = drafts[-1].after[:-1]
            return text, ((start, stop),)
    kept = tuple(span for span in waiting if not _BOILERPLATE.match(masked, *span))
    return "", kept


def _attach(
    masked: str, drafts: list[_Draft], waiting: list[tuple[int, int]], piece: _Draft, *, same_item: int | None
) -> None:
    """Give a piece without a head to the clause before it, or keep it for the one after."""
    span = (piece.start, piece.end)
    if drafts and (drafts[-1].item == same_item or same_item is None):
        drafts[-1].after += (span,)
    elif not _BOILERPLATE.match(masked, *span):
        waiting.append(span)


def _pieces(masked: str, region: Region, payload: Payload | None) -> list[_Draft]:
    """The pieces of one region: sentences cut where a new request begins."""
    found: list[_Draft] = []
    last_code = False
    for start, stop in sentences(masked, region.start, region.end):
        if payload and payload.start <= start < payload.end:
            continue
        cut_end = min(stop, payload.start) if payload and start < payload.start < stop else stop
        inside = _cut_sentence(masked, start, cut_end, nouns=region.item is not None and not found)
        if found and inside[0].head and not _own_sentence(masked, inside[0], after_code=last_code):
            inside[0].head = None
        found.extend(inside)
        for piece in inside:
            if piece.head:
                last_code = _is_code(masked, piece.start, piece.end)
    return found


def _own_sentence(masked: str, piece: _Draft, *, after_code: bool) -> bool:
    """Whether a sentence is work of its own and not a detail of the work before it."""
    head = piece.head
    if head is None:
        return False
    if head.reversed or head.kind in {"summary", "retrieval", "question", "desire", "passive", "same", "use"}:
        return True
    text = masked[head.start : piece.end]
    if after_code and head.kind == "other":
        return bool(_OUTSIDE.search(text) or _CODE_PRODUCT.search(text) or _THEN.search(head.opening))
    return True


def _cut_sentence(masked: str, start: int, end: int, *, nouns: bool) -> list[_Draft]:
    """One sentence as one piece or several."""
    current = _Draft(start, end, _whiled(masked, start, end) or find_head(masked, start, end, nouns=nouns))
    found = [current]
    shared = _shared_adjunct(current.head)
    for match in _CUT.finditer(masked, start, end):
        at = match.end()
        if at >= end or (current.head and at <= current.head.start):
            continue
        head = find_head(masked, at, end, nouns=_may_be_noun(current.head))
        if head is None or not _begins_work(masked, current, head, match, end):
            continue
        current.end = match.start()
        current = _Draft(at, end, head, shared=shared)
        found.append(current)
    return found


def _whiled(masked: str, start: int, end: int) -> Head | None:
    """ "While someone condenses the letter, ..." asks for the condensing, too."""
    match = _WHILE.match(masked, start, end)
    if match is None:
        return None
    cues = read_cues(masked[match.end() : end], masked[match.end() : end])
    if max(cues.summarization, cues.retrieval, cues.code) < 0.5:
        return None
    return Head(match.end(), "other", "while")


def _shared_adjunct(head: Head | None) -> str:
    """ "Based on them: write ...; write ..." says it of both."""
    if head and _SHARED_OPENING.match(head.opening) and head.opening.endswith((":", ",")):
        return head.opening
    return ""


def _may_be_noun(head: Head | None) -> bool:
    return head is not None and head.kind in {"desire", "make", "noun", "other", "retrieval"}


def _begins_work(masked: str, current: _Draft, head: Head, cut: re.Match[str], end: int) -> bool:
    """Whether the rest of the sentence from `cut` is a request of its own."""
    mark = (cut.group("mark") or "").strip()
    rest = masked[head.start : end]
    linked = bool(mark) or bool(_THEN.search(head.opening))
    if mark == "(":
        return head.kind == "passive"
    if current.head is None:
        return head.kind != "question" and (mark in {":", ";", ","} or linked) and head.kind != "noun"
    if head.reversed:
        return True
    if current.head.kind == "question":
        return head.kind not in {"question", "noun"} and (
            mark == ";" or (mark != ":" and bool(_THEN.search(head.opening)))
        )
    if head.kind == "question":
        return mark == ";" or (mark == "," and head.opening.startswith(("and", "also")))
    if head.kind == "noun":
        return mark != ":" and _other_product(masked[current.start : cut.start()], rest)
    if _is_code(masked, current.start, cut.start()):
        return _ends_code(head, rest, mark, linked=linked)
    if head.kind in {"summary", "retrieval", "passive", "desire", "same"}:
        return True
    if head.kind in {"make", "use"}:
        return linked or bool(_CODE_PRODUCT.search(rest) or _TEXT_PRODUCT.search(rest))
    return mark == ";" or bool(_THEN.search(head.opening))


def _ends_code(head: Head, rest: str, mark: str, *, linked: bool) -> bool:
    """After "write a function ..." most verbs describe the function; these do not."""
    if head.kind in {"passive", "desire"}:
        return bool(mark)
    if head.kind == "summary":
        return linked or bool(_OUTSIDE.search(rest))
    if head.kind == "retrieval":
        return bool(_OUTSIDE.search(rest)) or bool(_THEN.search(head.opening))
    if head.kind in {"make", "use"}:
        return linked and bool(_CODE_PRODUCT.search(rest[:80]) or _TEXT_PRODUCT.search(rest[:80]))
    return mark == ";" and bool(_OUTSIDE.search(rest))


def _other_product(before: str, rest: str) -> bool:
    """ "a summary of the letter and a Python function" are two products; "a summary and an outline" are one."""
    first_code = bool(re.search(rf"\b{CODE_NOUN}\b", before, _I))
    first_text = bool(_TEXT_PRODUCT.search(before))
    phrase = " ".join(rest.split()[:8])
    code = bool(re.search(rf"\b{CODE_NOUN}\b", phrase, _I))
    return (
        (first_text and code and not first_code)
        or (first_code and not code and not first_text)
        or (not first_code and not first_text and code)
    )


def _is_code(masked: str, start: int, end: int) -> bool:
    words = masked[start:end]
    cues = read_cues(words, words)
    return cues.code >= 0.7 and cues.code > cues.summarization


def _give_payload(drafts: list[_Draft], payload: Payload) -> None:
    """Hang the payload on the clause that points to it."""
    target = drafts[0]
    for draft in drafts:
        first = min([draft.start, *(start for start, _ in draft.before)])
        if first <= payload.mention:
            target = draft
    target.after += ((payload.start, payload.end),)


def _without_trivial(masked: str, drafts: list[_Draft]) -> list[_Draft]:
    """Join "take its depth" to what is then done with it, and a bare constraint to what it constrains."""
    kept: list[_Draft] = []
    for draft in drafts:
        head = draft.head
        if (
            head
            and head.kind != "question"
            and kept
            and is_constraint(masked, draft.start, draft.end)
            and not head.reversed
        ):
            kept[-1].after += ((draft.start, draft.end), *draft.after)
            continue
        kept.append(draft)
    for number in range(len(kept) - 2, -1, -1):
        draft, following = kept[number], kept[number + 1]
        words = masked[draft.start : draft.end].split()
        at = draft.head.start if draft.head else draft.start
        if _TRIVIAL.match(masked, at) and len(words) <= _TRIVIAL_WORDS and not draft.after and draft.item is None:
            following.before = (*draft.before, (draft.start, draft.end), *following.before)
            del kept[number]
    return kept


def _clause(task: str, masked: str, draft: _Draft) -> Clause:
    """Put the pieces together, in the order of the request."""
    head = draft.head
    spans = sorted({*draft.before, (draft.start, draft.end), *draft.after})
    words, hidden = [], []
    for start, stop in spans:
        cut_start, cut_stop = _trimmed(masked, start, stop)
        if cut_start < cut_stop:
            words.append(task[cut_start:cut_stop])
            hidden.append(masked[cut_start:cut_stop])
    opening = " ".join(part for part in (draft.shared.casefold(), head.opening if head else "") if part)
    text, cover = " ".join(words), " ".join(hidden)
    return Clause(
        text or task.strip(),
        cover or masked.strip(),
        head.kind if head else "noun",
        opening,
        reversed=head.reversed if head else False,
        item=draft.item,
    )


def _trimmed(masked: str, start: int, stop: int) -> tuple[int, int]:
    """Without the separators and connectives at its ends."""
    while True:
        leading = _LEADING.match(masked[start:stop])
        if not leading or not leading.end() or start + leading.end() >= stop:
            break
        start += leading.end()
    trailing = _TRAILING.search(masked, start, stop)
    if trailing and trailing.end() == stop and trailing.start() > start:
        stop = trailing.start()
    while start < stop and masked[stop - 1].isspace():
        stop -= 1
    return start, stop
