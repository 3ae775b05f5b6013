"""How sure a model was of its answer: the geometric mean of its tokens' probabilities, from their logarithms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Certainty:
    """Sums up the log-probabilities that runtimes give piece by piece."""

    _total: float = 0.0
    _count: int = 0

    def add(self, tokens: Any) -> None:  # noqa: ANN401  whatever a server sent
        """Take the tokens of one piece, as `[{"token": ..., "logprob": ...}]`; anything else is passed over."""
        for token in tokens if isinstance(tokens, Iterable) else ():
            logprob = token.get("logprob") if isinstance(token, dict) else None
            if isinstance(logprob, (int, float)) and not isinstance(logprob, bool) and logprob <= 0:
                self._total += logprob
                self._count += 1

    def mean(self) -> float | None:
        """None where nothing was given.

        >>> certainty = Certainty()
        >>> certainty.add([{"token": "a", "logprob": math.log(0.5)}, {"token": "b", "logprob": math.log(0.125)}])
        >>> certainty.mean()
        0.25
        """
        return math.exp(self._total / self._count) if self._count else None
