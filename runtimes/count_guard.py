"""Compares what a server says it read with what was counted before: a prompt that was cut must not pass for read.

An exact count must agree. Where there is only a bound, the share of it that a model's prompts turn out to take is
learned: most lie between .55 and .85, and one that takes far less than any before was cut. A bound that turns out too
low for a model (its template may say much by itself) is raised from then on. It is not lowered by what was learned:
prose would lower it, and code would then be counted too low.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nonet.errors import ContextOverflowError
from nonet.runtimes.types import TokenCount

_TOLERANCE_TOKENS = 8
"""A few marks that a template adds or leaves out."""
_TOLERANCE_SHARE = 0.02
_SMALLEST_PROMPT_TOKENS = 200
"""Below it the allowance for the template is most of the bound."""
_FEWEST_SEEN = 5
_LEAST_OF_LEARNED = 0.75
"""Of the least share seen so far: prose after code takes no less than this of it."""


@dataclass(slots=True)
class CountGuard:
    """What was learned of one model's prompts."""

    _seen: int = field(default=0, init=False)
    _least_share: float = field(default=1.0, init=False)
    _missing_tokens: int = field(default=0, init=False)
    """By how much the bound was too low at most."""

    def bounded(self, counted: TokenCount) -> int:
        """The tokens to reckon with: a bound that was too low before is raised."""
        return counted.tokens if counted.exact else counted.tokens + self._missing_tokens

    def check(self, model: str, counted: TokenCount, read_tokens: int) -> None:
        """Raise ContextOverflowError where the server cannot have read the prompt that was counted.

        Args:
            model: for the wording.
            counted: before the call.
            read_tokens: what the server reports; 0: it reports nothing, and nothing is said.
        """
        if not read_tokens:
            return
        tolerance = _TOLERANCE_TOKENS + _TOLERANCE_SHARE * counted.tokens
        if counted.exact:
            if abs(read_tokens - counted.tokens) > tolerance:
                raise _mismatch(model, counted, read_tokens)
            return
        self._missing_tokens = max(self._missing_tokens, read_tokens - counted.tokens)
        if counted.tokens < _SMALLEST_PROMPT_TOKENS:
            return
        share = read_tokens / counted.tokens
        if self._seen >= _FEWEST_SEEN and share < _LEAST_OF_LEARNED * self._least_share:
            raise _mismatch(model, counted, read_tokens)
        self._seen += 1
        self._least_share = min(self._least_share, share)


def _mismatch(model: str, counted: TokenCount, read_tokens: int) -> ContextOverflowError:
    ours = f"{counted.tokens:,}" if counted.exact else f"at most {counted.tokens:,}"
    return ContextOverflowError(
        f"{model} read {read_tokens:,} tokens where the prompt has {ours}: it was not read as it is.",
        prompt_tokens=counted.tokens,
        kept="Its answer was thrown away.",
        next_step="Shorten the prompt, or look at what stands between nonet and the model.",
    )
