"""How far an outcome can be trusted, as one number from its evidence: what the ladder of models is climbed by.

Four bands keep the order of the verdicts: failed, doubted (unverified with a failed check), unverified, verified.
Within a band the score rises with the share of checks that passed and, where the runtime tells it, with how sure the
model was of its own tokens. What a score is worth is for `nonet calibrate` to measure; by itself it only orders.
"""

from __future__ import annotations

from collections.abc import Sequence

from nonet.specialists.protocol import Evidence, Outcome, Verdict

USUAL_BAR = 0.5
"""The bar without calibration: nothing speaks against the result."""
_BAND = 0.25
CERTAINTY = "certainty"
"""The key in `Outcome.data` of the mean probability of the answer's tokens, 0 to 1."""


def confidence(outcome: Outcome) -> float:
    """0 to 1: below .25 failed, below .5 a check failed, below .75 nothing proves it, above it is verified.

    >>> confidence(Outcome("", Verdict.FAILED))
    0.125
    >>> confidence(Outcome("four", Verdict.VERIFIED, (Evidence("tests", passed=True, detail="1 of 1"),)))
    0.9166666666666666
    """
    within = [_passed_share(outcome.evidence)]
    certainty = outcome.data.get(CERTAINTY)
    if isinstance(certainty, float):
        within.append(min(1.0, max(0.0, certainty)))
    # Never the whole band: the least of a band stays above all of the one below.
    return _BAND * (_band(outcome) + min(sum(within) / len(within), 0.999))


def _band(outcome: Outcome) -> int:
    if outcome.verdict is Verdict.VERIFIED:
        return 3
    if outcome.verdict is Verdict.FAILED:
        return 0
    return 1 if any(item.passed is False for item in outcome.evidence) else 2


def _passed_share(evidence: Sequence[Evidence]) -> float:
    """Of the checks that were made, with one half added on either side, so that one check says less than ten."""
    made = [item.passed for item in evidence if item.passed is not None]
    return (sum(made) + 1) / (len(made) + 2)
