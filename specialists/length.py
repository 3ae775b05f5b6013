"""How long a summary is to be: read from the request, put into the prompt, and enforced in whole sentences."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from nonet.specialists.protocol import Evidence
from nonet.specialists.text import SMALL_NUMBERS, TENS, sentences, words

_NUMBERS = {
    **{word: int(digits) for word, digits in SMALL_NUMBERS.items()},
    **TENS,
    "a": 1,
    "an": 1,
    "single": 1,
    "couple": 2,
    "hundred": 100,
}
_DIGITS = r"(?<![^\W_])(?:(?<!\S)[-\u2212\u2013])?(?:\d{1,3}(?:[, \u00a0\u202f]\d{3})+|\d+(?:\.\d+)?)"
_TENS = rf"(?:{'|'.join(TENS)})"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_WORDS = rf"\b(?:{_TENS}[\s-](?:{_ONES})|{'|'.join(_NUMBERS)})\b"
_LARGE = rf"(?:[\s-]+(?:hundred|thousand)\b(?:\s+(?:and\s+)?{_WORDS})?)"
_NUMBER = rf"(?P<number>(?:{_DIGITS}|{_WORDS}){_LARGE}{{0,2}})"
_GROUPED = re.compile(r"[, \u00a0\u202f](?=\d{3}\b)")
_TIMES = {"hundred": 100, "thousand": 1000}
_MOST = 9_999
_LONGEST_SAID = 20
_FILLER = (
    r"(?:[\s-]+(?:or\s+(?:two|three|fewer|less)|of|short|brief|concise|simple|plain|key|main|clear|complete|full))"
    r"*"
)
_UNITS = {
    "bullets": r"(?:bullet(?:[\s-]*points?)?|bullets|takeaways?|key\s+points?|points?)",
    "sentences": r"sentences?",
    "paragraphs": r"paragraphs?",
    "words": r"words?",
}
UNITS = tuple(_UNITS)
_PATTERNS = {unit: re.compile(rf"{_NUMBER}{_FILLER}[\s-]+{noun}\b", re.IGNORECASE) for unit, noun in _UNITS.items()}
_RANGE = re.compile(
    rf"(?:\b\d{{1,4}}\s*[-\u2013]\s*(?=\d)|(?:\b\d{{1,4}}|{_WORDS})\s+(?:to|or)\s+)"
    rf"(?=(?:\d{{1,4}}|{_WORDS})[\s-]+(?:sentence|bullet|word|para|hundred|thousand))",
    re.IGNORECASE,
)
_BARE_BULLETS = re.compile(r"\b(?:as|in|with|into|using)\s+(?:short\s+)?bullet(?:s|\s*points?)\b", re.IGNORECASE)
_ONE_LINER = re.compile(r"\btl;?\s?dr\b|\bone[\s-]?liner\b|\bin\s+a\s+nutshell\b", re.IGNORECASE)
AT_MOST = r"(?:at\s+most|about|around|roughly|up\s+to|no\s+more\s+than|(?:fewer|less)\s+than)"
_PREPOSITION = rf",?\s*(?:\b(?:in|as|with|within|using|of|into|to)\s+)?(?:{AT_MOST}\s+)?"
_BULLET = re.compile(r"^\s*(?:[-*+\u2022]|\d{1,2}[.)])\s+")
_TOKENS_PER_WORD = 1.7
_TOKENS_PER_SENTENCE = 55
_TOKENS_PER_PARAGRAPH = 200
_ROOM_TO_END_TOKENS = 24


@dataclass(frozen=True, slots=True)
class LengthWish:
    """At most so many of each; None where nothing was said."""

    sentences: int | None = None
    bullets: int | None = None
    """0: as bullets, however many."""
    paragraphs: int | None = None
    words: int | None = None
    corrected: str = ""
    """What was asked for that no text has, such as 0 sentences, and what is made instead."""

    @property
    def stated(self) -> bool:
        """Whether the request said anything of length or form."""
        return any(part is not None for part in (self.sentences, self.bullets, self.paragraphs, self.words))

    @property
    def phrase(self) -> str:
        """The wish in a prompt's words, such as "in 2 sentences"; without a wish "in 2 or 3 sentences"."""
        parts: list[str] = []
        if self.bullets is not None:
            parts.append(f"as {self.bullets} short bullet points" if self.bullets else "as short bullet points")
        if self.paragraphs is not None:
            parts.append("in one paragraph" if self.paragraphs == 1 else f"in {self.paragraphs} paragraphs")
        if self.sentences is not None:
            parts.append("in one sentence" if self.sentences == 1 else f"in {self.sentences} sentences")
        if self.words is not None:
            parts.append(f"in at most {self.words} words")
        return ", ".join(parts) or "in 2 or 3 sentences"

    @property
    def answer_tokens(self) -> int:
        """Tokens to keep free for the answer, with room to end a last sentence."""
        bounds = [
            self.sentences and self.sentences * _TOKENS_PER_SENTENCE,
            self.bullets and self.bullets * _TOKENS_PER_SENTENCE,
            self.paragraphs and self.paragraphs * _TOKENS_PER_PARAGRAPH,
            self.words and int(self.words * _TOKENS_PER_WORD),
        ]
        return min([bound for bound in bounds if bound] or [_TOKENS_PER_PARAGRAPH]) + _ROOM_TO_END_TOKENS


def read_wish(request: str) -> LengthWish:
    """The length that a request asks for; of "two or three sentences" the larger."""
    text = _RANGE.sub("", request)
    found: dict[str, int] = {}
    corrected: list[str] = []
    for unit, pattern in _PATTERNS.items():
        if match := pattern.search(text):
            if unit == "bullets" and "." in match.group("number"):
                continue  # "the 0.5 point rise"
            found[unit], asked = _number(match.group("number"))
            corrected += [f"{asked} {unit} cannot be: read as {found[unit]}"] if asked else []
    if "bullets" not in found and _BARE_BULLETS.search(request):
        found["bullets"] = 0
    if not found and _ONE_LINER.search(request):
        found["sentences"] = 1
    return LengthWish(**found, corrected="; ".join(corrected))


def without_length(request: str, unit: str) -> str:
    """The request without what it says of its length in a unit ("words", "sentences", "bullets", "paragraphs").

    >>> without_length("What did they decide, in two or three sentences?", "sentences")
    'What did they decide?'
    >>> without_length("Sum up the floods in 100 words or less.", "words")
    'Sum up the floods.'
    >>> without_length("Sum up the floods as bullet points.", "bullets")
    'Sum up the floods.'
    """
    text = _RANGE.sub("", request)
    patterns = [_PATTERNS[unit].pattern, *([_BARE_BULLETS.pattern] if unit == "bullets" else [])]
    for pattern in patterns:
        text = re.sub(rf"{_PREPOSITION}{pattern}(?:\s+or\s+(?:fewer|less))?", "", text, flags=re.IGNORECASE)
    return text.strip()


def _number(said: str) -> tuple[int, str]:
    """The whole number from 1 that is meant, and what was said where that is none."""
    total, value = 0.0, 0.0
    for word in re.split(r"(?<=\D)[\s-]+|[\s-]+(?=[^\W\d])", _GROUPED.sub("", said.lower()).strip()):
        if word == "thousand":
            total, value = total + (value or 1) * _TIMES[word], 0.0
        elif word in _TIMES:
            value = (value or 1) * _TIMES[word]
        elif word and word != "and":
            value += _NUMBERS[word] if word in _NUMBERS else _digits(word)
    value += total
    meant = max(1, math.ceil(min(abs(value), _MOST)))
    return meant, "" if meant == value else said[:_LONGEST_SAID]


def _digits(word: str) -> float:
    return float(word) if word[0].isdigit() else -float(word[1:])


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A summary within its wish, and what was done to it."""

    text: str
    evidence: tuple[Evidence, ...]


def enforce(text: str, wish: LengthWish) -> Trimmed:
    """Bring a summary into the form and length asked for by leaving out whole bullets and sentences from its end.

    A single sentence above the word limit is kept and reported: half a sentence would be worse.
    """
    notes: list[Evidence] = []
    items = _items(text)
    limits = [limit for limit in (wish.sentences, wish.bullets) if limit]
    most = min(limits, default=len(items))
    if len(items) > most:
        notes.append(Evidence("length", passed=True, detail=f"{len(items)} sentences or bullets were cut to {most}"))
        items = items[:most]
    if wish.words is not None:
        items, note = _within_words(items, wish.words)
        notes.extend(note)
    if wish.bullets is not None:
        if wish.bullets > len(items):
            detail = f"{len(items)} of {wish.bullets} bullet points"
            notes.append(Evidence("length", passed=None, detail=detail))
        return Trimmed("\n".join(f"- {_BULLET.sub('', item.text)}" for item in items), tuple(notes))
    return Trimmed(_joined(items, wish.paragraphs), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Item:
    text: str
    paragraph: int
    bullet: bool


def _items(text: str) -> list[_Item]:
    """Bullets where there are any, else sentences, each with its paragraph."""
    items: list[_Item] = []
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        if any(_BULLET.match(line) for line in lines):
            items.extend(_Item(line, number, bullet=True) for line in lines if _BULLET.match(line))
        else:
            items.extend(_Item(" ".join(span.text.split()), number, bullet=False) for span in sentences(paragraph))
    return items


def _within_words(items: list[_Item], limit: int) -> tuple[list[_Item], list[Evidence]]:
    count = sum(len(words(item.text)) for item in items)
    if count <= limit:
        return items, []
    kept = list(items)
    while len(kept) > 1 and sum(len(words(item.text)) for item in kept) > limit:
        kept.pop()
    left = sum(len(words(item.text)) for item in kept)
    detail = f"{count} words, {limit} asked for; whole sentences were left out, {left} words remain"
    return kept, [Evidence("length", passed=left <= limit, detail=detail)]


def _joined(items: list[_Item], paragraphs: int | None) -> str:
    """The items as text; paragraphs beyond the wish flow into the last."""
    out = ""
    last: _Item | None = None
    for item in items:
        new_paragraph = last is not None and item.paragraph != last.paragraph
        if paragraphs is not None and item.paragraph >= paragraphs:
            new_paragraph = False
        separator = "\n\n" if new_paragraph else "\n" if item.bullet or (last is not None and last.bullet) else " "
        out += (separator if last is not None else "") + item.text
        last = item
    return out
