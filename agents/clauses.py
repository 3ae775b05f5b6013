"""Splits a request into clauses, each one piece of work in its own words.

Nothing of the request is lost: what is no request of its own (a test to satisfy, a name, a wish about length, the
question to answer) stays with the clause it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonet.agents.cues import BUILTIN, read_cues
from nonet.agents.heads import Head, hide_opening, is_constraint
from nonet.agents.lexicon import any_of, compiled
from nonet.agents.masking import FILLER, mask
from nonet.agents.segments import Payload, Region, find_payload, regions
from nonet.agents.sentences import Piece, pieces, shares_opening

MAX_SPLIT_CHARACTERS = 20_000
"""A longer request is not searched for clauses; it is pasted text, and the plan says so."""

_FRAME_WORDS = any_of(
    "please|kindly|hi|hello|hey|there|ok|so|i|we|you|have|has|need|want|would|like|could|can|do|am|to|help|with|me|us",
    "my|our|is|are|here|the|these|this|following|a|an|some|of|for|in|and|two|three|four|five|six|few|several|couple",
    "number|unrelated|separate|different|independent|small|quick|short|little|things?|tasks?|errands?|jobs?|requests?",
    "steps?|items?|(?<!this )questions?|parts?|list|todo|below|today|all|both|order|work|carry|out|complete|perform",
    "your|get|done|first",
)
_FRAME = compiled(rf"[\s\W]*(?:{_FRAME_WORDS}\b[\s\W]*)+$")
"""Words that only announce a list ("Please do the following:")."""
_TRIVIAL = compiled(r"(?:take|read|open|get|collect|save|store|grab|look at|use|see)\b")
_MAX_TRIVIAL_WORDS = 6
_MIN_ITEM_WORDS = 3
_MAX_FRAGMENT_WORDS = 3
_MAX_BARE_WORDS = 2
"""A request this short before a list ("Give me (a) ...") begins all its items."""
_MAX_SHARED_WORDS = 8
_GAP_CHARACTERS = 40
_CLEAR_CUE = 0.5
_CLEAR_MARGIN = 0.4
_WIDE_GAP = compiled(rf"\s{{{_GAP_CHARACTERS},}}")
"""Longer runs of blanks are cut to this: they say nothing, and patterns would read them again and again."""
_TRAILING = compiled(r"(?:[\s,;:–—-]|\b(?:and|then|but|plus|or|also|while)\b(?=[\s,;]*$))+$")  # noqa: RUF001
_LEADING = compiled(
    r"^[\s,;:.–—-]+(?=\S)"  # noqa: RUF001
    r"|^\s*(?:(?:and|then|but|plus|also|so|next|finally|lastly|afterwards|meanwhile|while)\b,?\s+)+"
)
_LAST_TRAILING_CHARACTERS = 40

Span = tuple[int, int]


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
    shares: bool = False
    """True: it shares the opening of the clause before it, and so what that refers to."""
    payload: bool = False
    """True: it carries a question or a pasted text that the request pointed to."""
    asks: int = 0
    """Offset of the words that ask, where something is told before them."""
    about: str = ""
    """The one document it is about, where "each" was unfolded."""


@dataclass(slots=True)
class _Draft:
    """A clause while it is put together: spans of the request."""

    piece: Piece
    item: int | None
    spans: list[Span]
    shared: str = ""
    shares: bool = False
    payload: bool = False

    @property
    def head(self) -> Head | None:
        return self.piece.head


def split(task: str) -> tuple[Clause, ...]:
    """The clauses of a request, in its order; always at least one, whatever the text."""
    if len(task) > MAX_SPLIT_CHARACTERS:
        return (whole(task),)
    task = _WIDE_GAP.sub(lambda gap: gap.group()[:_GAP_CHARACTERS], task)
    masked = mask(task)
    payload = find_payload(masked)
    drafts = _Walk(masked, payload).drafts
    if payload and drafts:
        _give_payload(drafts, payload)
    drafts = _without_trivial(masked, drafts)
    if not drafts:
        return (whole(task),)
    if len(drafts) == 1:
        return (_only(task, masked, drafts[0]),)
    return tuple(_clause(task, masked, draft) for draft in drafts)


def whole(task: str) -> Clause:
    """The request as one clause."""
    text = task.strip() or task
    return Clause(text, mask(text[:MAX_SPLIT_CHARACTERS]))


class _Walk:
    """Goes through the regions and hangs every piece that is no request of its own on one that is."""

    def __init__(self, masked: str, payload: Payload | None) -> None:
        self._masked = masked
        self._payload = payload
        self._waiting: list[Span] = []
        self._shared = ""
        self._context: list[Span] = []
        self.drafts: list[_Draft] = []
        end = payload.start if payload and payload.end == len(masked) else len(masked)
        for region in regions(masked, end):
            if region.item == 0:
                self._read_preamble()
            self._read(region)
        if self._waiting and self.drafts:
            self.drafts[-1].spans.extend(self._waiting)

    def _read(self, region: Region) -> None:
        for number, piece in enumerate(pieces(self._masked, region, self._payload)):
            begins_item = number == 0 and region.item is not None
            if self._is_work(piece, begins_item=begins_item):
                self._add(piece, region.item, begins_item=begins_item)
            else:
                self._attach((piece.start, piece.end), region.item)

    def _is_work(self, piece: Piece, *, begins_item: bool) -> bool:
        words = self._words(piece)
        if piece.head is None:
            return begins_item and words >= _MIN_ITEM_WORDS
        fragment = piece.head.kind == "question" and words <= _MAX_FRAGMENT_WORDS
        return not (fragment and self.drafts)

    def _words(self, piece: Piece) -> int:
        return len(self._masked[piece.start : piece.end].split())

    def _add(self, piece: Piece, item: int | None, *, begins_item: bool) -> None:
        spans = [*(self._context if begins_item else ()), *self._waiting, (piece.start, piece.end)]
        shared = self._shared if begins_item else piece.shared
        shares = bool(shared) and (piece.shares or (begins_item and bool(item)))
        self._waiting = []
        self.drafts.append(_Draft(piece, item, spans, shared, shares))

    def _attach(self, span: Span, item: int | None) -> None:
        """Give a piece without a head to the clause before it, or keep it for the one after."""
        if self.drafts and (item is None or self.drafts[-1].item == item):
            self.drafts[-1].spans.append(span)
        elif FILLER in self._masked[span[0] : span[1]] or not _FRAME.match(self._masked, *span):
            self._waiting.append(span)

    def _read_preamble(self) -> None:
        """What stands before a list and belongs to all its items: "From what you find," or facts they share."""
        if self.drafts and self._words(self.drafts[-1].piece) <= _MAX_BARE_WORDS:
            self._context = [*self.drafts.pop().spans, *self._waiting]
            self._waiting = []
            return
        if self.drafts and len(self.drafts[-1].spans) > 1:
            start, stop = self.drafts[-1].spans[-1]
            text = self._masked[start:stop].strip()
            if shares_opening(text) and (text.endswith((",", ":")) or len(text.split()) < _MAX_SHARED_WORDS):
                self.drafts[-1].spans.pop()
                self._shared = text
                self._context = [(start, stop)]
                return
        self._context = self._waiting
        self._waiting = []


def _give_payload(drafts: list[_Draft], payload: Payload) -> None:
    """Hang the payload on the clause that points to it."""
    target = drafts[0]
    for draft in drafts:
        if min(draft.spans)[0] <= payload.mention:
            target = draft
    target.spans.append((payload.start, payload.end))
    target.payload = True


def _without_trivial(masked: str, drafts: list[_Draft]) -> list[_Draft]:
    """Join a bare constraint to what it constrains, and "take its depth" to what is then done with it."""
    kept: list[_Draft] = []
    for draft in drafts:
        if kept and _is_constraint(masked, draft):
            kept[-1].spans.extend(draft.spans)
        else:
            kept.append(draft)
    for number in range(len(kept) - 2, -1, -1):
        if _is_trivial(masked, kept[number]):
            kept[number + 1].spans.extend(kept[number].spans)
            del kept[number]
    return kept


def _is_constraint(masked: str, draft: _Draft) -> bool:
    head, piece = draft.head, draft.piece
    if head is None or head.reversed or head.kind == "question":
        return False
    return is_constraint(masked, piece.start, piece.end)


def _is_trivial(masked: str, draft: _Draft) -> bool:
    head, piece = draft.head, draft.piece
    if draft.item is not None or len(draft.spans) > 1 or head is None:
        return False
    short = len(masked[piece.start : piece.end].split()) <= _MAX_TRIVIAL_WORDS
    return short and _TRIVIAL.match(masked, head.start) is not None


def _only(task: str, masked: str, draft: _Draft) -> Clause:
    """The one clause of a request is the request, word for word."""
    head = draft.head
    text = task.strip()
    start = task.index(text) if text else 0
    return Clause(
        text or task,
        masked[start : start + len(text)] or masked,
        head.kind if head else "whole",
        head.opening if head else "",
        payload=draft.payload,
        asks=max(0, draft.piece.start - start) if head and start < draft.piece.start < start + len(text) else 0,
    )


def _clause(task: str, masked: str, draft: _Draft) -> Clause:
    """Put the spans together, in the order of the request."""
    head = draft.head
    words, hidden, last, asks = "", "", 0, 0
    for start, stop in sorted(set(draft.spans)):
        cut_start, cut_stop = _trimmed(masked, start, stop)
        if shares_opening(masked[cut_start:cut_stop]) and masked[cut_stop : cut_stop + 1] in {",", ":"}:
            cut_stop += 1
        if cut_start < cut_stop:
            gap = _gap(task[last:cut_start]) if words else ""
            if start == draft.piece.start and head:
                asks = len(words) + len(gap)
            words += gap + task[cut_start:cut_stop]
            hidden += gap + masked[cut_start:cut_stop]
            last = cut_stop
    return Clause(
        words or task.strip(),
        hidden or masked.strip(),
        head.kind if head else "noun",
        " ".join(part for part in (draft.shared.casefold(), head.opening if head else "") if part),
        reversed=head.reversed if head else False,
        item=draft.item,
        shares=draft.shares,
        payload=draft.payload,
        asks=asks,
    )


def asking(clause: Clause, *, has_document: bool) -> str:
    """The masked words by which a clause is routed: those that ask, if they are clear by themselves, else all.

    What is told before them ("My landlord has sent a letter. ...") is why it is asked, and no work.
    """
    words = hide_opening(clause.masked)
    if not clause.asks or clause.payload:
        return words
    asked = " " * clause.asks + clause.masked[clause.asks :]
    cues = read_cues(asked, asked, has_document=has_document)
    best, second = sorted(map(cues.score, BUILTIN), reverse=True)[:2]
    return asked if best >= _CLEAR_CUE and best - second >= _CLEAR_MARGIN else words


def _gap(between: str) -> str:
    """What stands between two pieces of a clause: what stood there if it was a mere separator, else a blank."""
    return between if between.strip() in {"", ",", ";", ":"} and len(between) <= _GAP_CHARACTERS else " "


def _trimmed(masked: str, start: int, stop: int) -> Span:
    """Without the separators and connectives at its ends."""
    leading = _LEADING.match(masked[start:stop])
    while leading and leading.end() and start + leading.end() < stop:
        start += leading.end()
        leading = _LEADING.match(masked[start:stop])
    stop = start + len(masked[start:stop].rstrip())
    tail = max(start, stop - _LAST_TRAILING_CHARACTERS)
    trailing = _TRAILING.search(masked[tail:stop])
    if trailing and tail + trailing.start() > start:
        stop = tail + trailing.start()
    return start, start + len(masked[start:stop].rstrip())
