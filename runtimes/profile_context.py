"""How long a prompt a model really reads: whole, by the server's own count, and so that it knows the first line.

A prompt of words that repeat has a length that is linear in their number, so two short calls tell what a long one must
count, whatever the tokenizer and the template. A server that cuts in silence counts less, one that does not refuses.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Final

from nonet.errors import ContextOverflowError, IncompleteAnswerError
from nonet.runtimes.profile import ModelProfile
from nonet.runtimes.profile_meter import Meter
from nonet.runtimes.profile_tasks import WORDS

_ANSWER_TOKENS: Final = 16
_SMALL, _LARGER = 1, 8
"""Rounds of the words in the two short calls."""
_COUNTED_SHARE: Final = 0.97
"""Of the tokens there must be, what a server that read all may fall short of."""
_SLOWER_WHEN_LONG: Final = 1.5
"""Attention makes long prompts slower a token; also what other work on the machine may take meanwhile."""
_LEAST_TOKENS: Final = 192
_LOOKS: Final = 6
"""Prompts that are tried, each half as long as the one before."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What became of one prompt."""

    tokens: int
    """As the server counted them; 0: it refused, or counted too few."""
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class _Ruler:
    """The tokens of a prompt by its rounds."""

    base: float
    a_round: float

    def tokens(self, rounds: int) -> float:
        return self.base + self.a_round * rounds

    def rounds(self, tokens: float) -> int:
        return int((tokens - self.base) / self.a_round)


async def measure_context(meter: Meter, profile: ModelProfile, seconds: float) -> None:
    """Fill in what the profile says of the context.

    The longest prompt that the time allows goes first: where it is read whole, so are all shorter ones. What it does
    not fit, or the model does not recall, is halved.

    Args:
        seconds: what it may take; the caller ends it then.
    """
    deadline = time.monotonic() + seconds
    small, larger = await _count(meter, _SMALL), await _count(meter, _LARGER)
    profile.context_read_tokens = max(small, larger)
    if larger <= small:  # a server that does not count, or a tiny window
        return
    a_round = (larger - small) / (_LARGER - _SMALL)
    ruler = _Ruler(small - a_round * _SMALL, a_round)
    target = float(profile.window_tokens - 2 * _ANSWER_TOKENS)
    for _ in range(_LOOKS):
        target = min(target, _affordable(profile, deadline - time.monotonic()))
        if target < max(_LEAST_TOKENS, ruler.tokens(_SMALL)):
            return
        seen = await _look(meter, ruler, ruler.rounds(target))
        if not seen.tokens:
            profile.context_refused_tokens = int(target)
        profile.context_read_tokens = max(profile.context_read_tokens, seen.tokens)
        if seen.recalled:
            profile.context_recalled_tokens = seen.tokens
            return
        target /= 2


def _affordable(profile: ModelProfile, seconds: float) -> float:
    """Tokens that can be read in the time; what was too fast to measure has no bound."""
    speed = profile.prompt_tokens_per_second
    return seconds * speed / _SLOWER_WHEN_LONG if speed else float("inf")


async def _count(meter: Meter, rounds: int) -> int:
    prompt, _ = _prompt(rounds)
    try:
        return (await meter.chat(prompt, "context", _ANSWER_TOKENS)).usage.prompt_tokens
    except (IncompleteAnswerError, ContextOverflowError):
        return 0


async def _look(meter: Meter, ruler: _Ruler, rounds: int) -> _Seen:
    prompt, password = _prompt(rounds)
    try:
        response = await meter.chat(prompt, "context", _ANSWER_TOKENS)
    except ContextOverflowError:
        return _Seen(0)
    except IncompleteAnswerError:  # it read the prompt and said nothing
        return _Seen(int(ruler.tokens(rounds)))
    counted = response.usage.prompt_tokens
    if counted < ruler.tokens(rounds) * _COUNTED_SHARE:
        return _Seen(0)
    return _Seen(counted, password in response.text)


def _prompt(rounds: int) -> tuple[str, str]:
    """A prompt, and what its first line tells; no two begin alike, because servers keep what they read."""
    password = "".join(random.sample("0123456789", 5))
    filler = " ".join(WORDS * rounds)
    return f"The password is {password}. Remember it.\n{filler}\nWhat is the password? Give the number.", password
