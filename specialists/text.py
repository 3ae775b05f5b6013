"""Sentences, words and names of any text, and whether a model's answer has degenerated.

Offsets are characters of the text given. Sentences come from sentencex (Wikimedia), stems from Snowball; the rules
here only keep both away from input they handle badly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sentencex
import snowballstemmer

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_OWN_LINE = re.compile(r"^\s{0,3}(?:#{1,6}\s|[-*+•]\s|\d{1,3}[.)]\s|\||>|```)|^\s*[^.!?\n]{1,80}:$")
_LONGEST_PIECE = 8_000
"""sentencex takes quadratic time on scripts without spaces: 6.6 s for 100,000 characters of Chinese."""
_LONGEST_SENTENCE = 700
"""Longer than any prose sentence worth quoting: most likely lines of code or a table, which break at line ends."""

_LIST_NUMBER = re.compile(r"\s*\(?\d{1,3}[.)]\s*")
"""What sentencex takes for a sentence of its own; nobody can quote it."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:['\u2019.][^\W_]+)*")
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d+(?:[.,]\d+)*(?:st|nd|rd|th)?", re.IGNORECASE)
_CAPITALISED = re.compile(r"\b[^\W\d_][\w'\u2019]*\b")
SMALL_NUMBERS = {
    word: str(value)
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen twenty""".split()  # noqa: SIM905
    )
}
TENS = {
    word: 10 * at
    for at, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)  # noqa: SIM905
}
_FUNCTION_WORDS = frozenset(
    """a about above across after again against all almost along also although always am among an and another any
    anyone anything are around as at away be because become been before being below between both but by came can
    cannot come could did do does doing done down during each either else ever every few for from further get gets
    give given go goes had has have having he hence her here hers herself him himself his how however i if in into is
    it its itself just least less let like made make many may me might mine more most much must my myself neither no
    nor not now of off often on once one only onto or other others our ours out over own per perhaps quite rather
    really same say says see seem several shall she should since so some such take than that the their theirs them
    themselves then there these they this those though through thus to too toward towards under until up upon us use
    used very was we were what when where whether which while who whom whose why will with within without would yet
    you your yours yourself s t don didn doesn isn wasn weren won couldn shouldn wouldn hasn haven hadn ain 's n't
    tell find list show please""".split()  # noqa: SIM905
)
_REFUSAL = re.compile(
    r"^\W*(?:i'?m sorry|sorry,|i apologi[sz]e|as an ai\b|as a language model|i(?: am|'m) (?:unable|not able)|"
    r"i (?:cannot|can'?t) (?:assist|help|provide|answer|summari[sz]e|access|fulfil))",
    re.IGNORECASE,
)
_SHORTEST_LOOP = 24
"""Words below which repetition is not judged: a short answer may well say a word three times."""
_LEAST_DISTINCT = 0.5
"""Share of distinct word triples; of 1,236 human summaries and answers that were tried, none lies below 0.8."""
_MOST_REPEATS = 3
_LONGEST_RUN = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: `text` == whole[start:end]."""

    start: int
    end: int
    text: str


def sentences(text: str) -> list[Span]:
    """The sentences in order, without the white space around them; headings, list items and table rows stand alone."""
    return list(_iter_sentences(text))


def _iter_sentences(text: str) -> Iterator[Span]:
    for start, end in _units(text):
        for piece_start, piece_end in _pieces(text, start, end):
            piece = text[piece_start:piece_end]
            if not piece.strip():
                continue
            # sentencex is Rust and takes no lone surrogates; "?" keeps every offset.
            safe = piece.encode("utf-8", "replace").decode("utf-8")
            begin = None
            for found in sentencex.get_sentence_boundaries("en", safe):
                first = piece_start + found["start_index"] if begin is None else begin
                last = piece_start + found["end_index"]
                begin = first if _LIST_NUMBER.fullmatch(text, first, last) and last < piece_end else None
                if begin is None:
                    yield from _short_enough(text, first, last)


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, cut again before and after lines that stand alone."""
    begin = 0
    for start, end in _between(text, _PARAGRAPH):
        begin = line_start = start
        for line in text[start:end].splitlines(keepends=True):
            if _OWN_LINE.match(line.rstrip("\n")):
                yield begin, line_start
                yield line_start, line_start + len(line)
                begin = line_start + len(line)
            line_start += len(line)
        yield begin, end


def _between(text: str, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in separator.finditer(text):
        yield begin, match.start()
        begin = match.end()
    yield begin, len(text)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _LONGEST_PIECE:
        cut = max(text.rfind(mark, start, start + _LONGEST_PIECE) for mark in ("\n", ". ", "。", " "))
        cut = cut + 1 if cut > start else start + _LONGEST_PIECE
        yield start, cut
        start = cut
    yield start, end


def _short_enough(text: str, start: int, end: int) -> Iterator[Span]:
    if end - start > _LONGEST_SENTENCE and "\n" in text[start:end]:
        line_start = start
        for line in text[start:end].splitlines(keepends=True):
            yield from _stripped(text, line_start, line_start + len(line))
            line_start += len(line)
    else:
        yield from _stripped(text, start, end)


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    raw = text[start:end]
    body = raw.strip()
    if body:
        begin = start + len(raw) - len(raw.lstrip())
        yield Span(begin, begin + len(body), body)


def words(text: str) -> list[str]:
    """Words in lower case; Chinese and Japanese characters count one by one."""
    return _WORD.findall(text.casefold())


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The English Snowball stem of a word in lower case, without a possessive; words beyond ASCII stay as they are."""
    word = word.removesuffix("'s").removesuffix("\u2019s")
    return word if not word.isascii() or word.isdigit() else str(_STEMMER.stemWord(word))


_STEMMER = snowballstemmer.stemmer("english")


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order; numbers up to twenty are digits however they are written."""
    return [SMALL_NUMBERS.get(word) or stem(word) for word in words(text) if word not in _FUNCTION_WORDS]


def numbers(text: str) -> set[str]:
    """Numbers in digits, written alike: "34,567" and "34567", "3rd" and "3", "2.50" and "2.5"."""
    return {_plain_number(found) for found in _NUMBER.findall(text)}


def _plain_number(text: str) -> str:
    digits = re.sub(r"(?:st|nd|rd|th)$", "", text.lower()).lstrip("+-")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    digits = digits.replace(",", ".")
    return digits.rstrip("0").rstrip(".") if digits.count(".") == 1 else digits


def number_words(text: str) -> set[str]:
    """`numbers`, and those up to twenty that are spelled out."""
    return numbers(text) | {SMALL_NUMBERS[word] for word in words(text) if word in SMALL_NUMBERS}


def names(text: str) -> set[str]:
    """Capitalised words that are not so just because they begin a sentence, in lower case without a possessive.

    The first word of a sentence counts only if it is capitalised inside the text too, or has capitals or digits
    further on ("NATO", "iPhone").
    """
    inside: set[str] = set()
    opening: set[str] = set()
    for sentence in sentences(text):
        first = True
        for match in _CAPITALISED.finditer(sentence.text):
            word = re.sub(r"['\u2019]s$", "", match.group())
            if not word[0].isupper():
                continue
            opens = first and not sentence.text[: match.start()].strip("\"'\u201c\u201d\u2018\u2019([*-•# 0123456789.)")
            first = False
            if word.casefold() in _FUNCTION_WORDS:
                continue
            marked = any(letter.isupper() or letter.isdigit() for letter in word[1:])
            (opening if opens and not marked else inside).add(word.casefold())
    return inside | (opening & inside)


def share_found(needles: Iterable[str], haystack: frozenset[str] | set[str]) -> float:
    """How many of the needles are in the haystack, 0 to 1; 1 where there are none to find."""
    wanted = list(needles)
    return sum(item in haystack for item in wanted) / len(wanted) if wanted else 1.0


def degeneration(text: str, prompt: str = "") -> str:
    """Why the text is no answer: empty, a refusal, a loop, or an echo of the prompt. Empty: nothing speaks against it.

    Args:
        text: what the model answered.
        prompt: the instruction without the material it speaks of; repeating it counts as an echo.
    """
    tokens = words(text)
    if not tokens:
        return "the answer is empty"
    if _REFUSAL.match(text):
        return "the model refuses"
    if re.search(r"(\S)\1{" + str(_LONGEST_RUN) + ",}", text):
        return "one character is repeated over and over"
    if len(tokens) >= _SHORTEST_LOOP:
        triples = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
        distinct = len(set(triples)) / len(triples)
        if distinct < _LEAST_DISTINCT:
            return f"the answer repeats itself: {distinct:.0%} of its word triples are distinct"
    repeated = _most_repeated(span.text.casefold() for span in sentences(text))
    if repeated > _MOST_REPEATS:
        return f"one sentence stands there {repeated} times"
    return "the answer echoes the instruction" if _echoes(tokens, words(prompt)) else ""


def _most_repeated(items: Iterable[str]) -> int:
    counts = Counter(items)
    return max(counts.values(), default=0)


def _echoes(answer: Sequence[str], prompt: Sequence[str]) -> bool:
    return bool(prompt) and (list(answer) == list(prompt) or _starts_with(answer, prompt))


def _starts_with(answer: Sequence[str], prompt: Sequence[str]) -> bool:
    shortest = 6
    return len(prompt) >= shortest and list(answer[: len(prompt)]) == list(prompt)


_SPECIAL = re.compile(r"<\|(?=[^\s|]{1,40}\|>)|<(?=/?(?:s|start_of_turn|end_of_turn|think|bos|eos)>)|\[(?=/?INST\])")


def neutral(text: str) -> str:
    """The text with marks that chat templates read as turns broken up, so that a document cannot end its own turn."""
    return _SPECIAL.sub(lambda match: match.group() + " ", text)
