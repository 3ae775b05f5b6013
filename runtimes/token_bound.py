"""How many tokens a text can take at most, for a server that has no tokenizer to ask.

The bound holds for byte-level BPE vocabularies of 49,000 tokens and more that were trained on English and code
(SmolLM2, Qwen, Llama 3 and their kin); it follows from how BPE works, not from an average:

- a token is at least one byte, so text beyond ASCII counts its UTF-8 bytes, a digit 1, a line break 1;
- a run of n spaces, its last one left to the word after it, is at most 1 + n // 16 tokens;
- BPE stops only when no neighbours can be merged. Two one-letter tokens whose pair is a merge therefore never stand
  side by side, and the longest cutting of a word that respects this is its bound (about two thirds of its letters).
  `data/token_pairs.txt` has the pairs that are merges in the vocabularies of both SmolLM2 and Qwen2.5;
- `data/token_words.txt` has the 13,006 words that, after a space, are one token in SmolLM2, Qwen2.5 and BERT alike. A
  figure behind a word is its most tokens in other surroundings (capitalised, after punctuation or a line break).

Measured against the tokenizers of SmolLM2 and Qwen2.5-Coder: never low on 80,000 random strings and on prose, code and
JSON; too high by 29 to 47 % on prose, 23 to 64 % on code and 20 to 28 % on JSON.

For any other kind of vocabulary (SentencePiece, unknown) a word of the list counts 1 up to four letters and 2 beyond,
and every other letter 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from nonet.runtimes.types import Message

_PIECE = re.compile(
    r"(?P<word>'?\x20?(?<![^\x00-\x7f])[A-Za-z]+(?![^\x00-\x7f]))"  # beside other letters it merges in other ways
    r"|(?P<punctuation>\x20?[!-/:-@\[-`{-~]+?(?='[A-Za-z])|\x20?[!-/:-@\[-`{-~]+)"
    r"|(?P<spaces>\x20+(?=\x20[^\s])|\x20+)"
    r"|[\x00-\x7f]"
    r"|[^\x00-\x7f]+"
)
_TEMPLATE_TOKENS = 96
"""What a chat template adds around the messages: 29 to 31 were recorded (a default system prompt), dates and rules of
larger models take some 70."""
_MESSAGE_TOKENS = 8
"""Role and turn markers of one message; ChatML takes 5."""
_MOST_REMEMBERED = 50_000
_NO_WAY = -(10**6)
_KNOWN_LIMIT = 2
_SHORT_WORD = 4


def prompt_bound(messages: Sequence[Message], preset: str = "", *, byte_level: bool = True) -> int:
    """At most this many tokens of a prompt, with what a chat template adds.

    Args:
        preset: a text that the server puts before the messages.
        byte_level: as of `token_bound`.
    """
    texts = (preset, *(message.content for message in messages))
    tokens = sum(token_bound(text, byte_level=byte_level) for text in texts)
    return tokens + _TEMPLATE_TOKENS + _MESSAGE_TOKENS * len(messages)


def token_bound(text: str, *, byte_level: bool = True) -> int:
    """At most this many tokens.

    Args:
        text: any text, lone surrogates included.
        byte_level: the vocabulary is byte-level BPE (`tokenizer.ggml.model` is "gpt2").
    """
    seen = _remembered(byte_level)
    if len(seen) > _MOST_REMEMBERED:
        seen.clear()
    total = 0
    for match in _PIECE.finditer(text):
        piece = match.group()
        tokens = seen.get(piece)
        if tokens is None:
            tokens = seen[piece] = _bound(match, byte_level=byte_level)
        total += tokens
    return total


@lru_cache(maxsize=2)
def _remembered(byte_level: bool) -> dict[str, int]:  # noqa: ARG001, FBT001 - one memory for each kind
    return {}


def _bound(match: re.Match[str], *, byte_level: bool) -> int:
    piece = match.group()
    match match.lastgroup:
        case "word":
            return _word(piece) if byte_level else _word_of_unknown_vocabulary(piece)
        case "punctuation":
            return _longest_cutting(piece) if byte_level else len(piece)
        case "spaces":
            return 1 + len(piece) // 16 if byte_level else len(piece)
        case _:
            return len(piece.encode("utf-8", "surrogatepass"))


def is_common_word(word: str) -> bool:
    """Whether it is one of 13,006 words, most of them English, that three vocabularies have whole."""
    return word.lower() in _words()


def _word(piece: str) -> int:
    if piece[0] == "'":
        return len(piece)  # 's, 't, 'll are cut off first: what follows is a word no list knows
    after_space = piece[0] == " "
    word = piece.lstrip(" ")
    words = _words()
    if after_space and word in words:
        return 1
    small = word.lower()
    if word in (small, small.capitalize()) and words.get(small, _KNOWN_LIMIT + 1) <= _KNOWN_LIMIT:
        return words[small]
    return _longest_cutting(piece)


def _word_of_unknown_vocabulary(piece: str) -> int:
    word = piece.lstrip(" ")
    if word.lower() in _words() and word in (word.lower(), word.lower().capitalize()):
        return 1 if len(word) <= _SHORT_WORD else 2
    return len(piece)


def _longest_cutting(piece: str) -> int:
    """The most tokens of one or more characters with no two single ones side by side whose pair is a merge."""
    pairs = _pairs()
    before_single, before_longer = _NO_WAY, 0
    single, longer = 1, _NO_WAY
    for index in range(1, len(piece)):
        alone = longer if piece[index - 1 : index + 1] in pairs else max(longer, single)
        paired = max(before_single, before_longer)
        before_single, before_longer = single, longer
        single, longer = alone + 1, paired + 1
    return max(single, longer)


@lru_cache(maxsize=1)
def _words() -> dict[str, int]:
    """Each word and its most tokens in other surroundings than after a space."""
    words = {}
    for line in _data("token_words.txt"):
        word = line.rstrip("12")
        words[word] = int(line[len(word) :] or _KNOWN_LIMIT + 1)
    return words


@lru_cache(maxsize=1)
def _pairs() -> frozenset[str]:
    return frozenset(line[0] + second for line in _data("token_pairs.txt") for second in line[1:])


def _data(name: str) -> list[str]:
    return (files("nonet.runtimes") / "data" / name).read_text(encoding="ascii").splitlines()
