"""What `nonet eval ... --json` prints."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nonet.schema_base import Output


class EvalIntervalOut(Output):
    """A mean with its 95 % interval, of resampled items."""

    mean: float
    low: float
    high: float


class EvalGroupOut(Output):
    """The items of one kind."""

    items: int
    mean: float
    """Of the metric that decides."""


class EvalRightOut(Output):
    """How often answers with one verdict of nonet's were right: had the full score."""

    right: int
    wrong: int


class EvalUsageOut(Output):
    """What all items took together."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    swaps: int
    escalations: int
    joules: float | None
    """null: not known."""


class EvalAnswerOut(Output):
    """One item."""

    item: str
    group: str
    request: str
    answer: str
    verdict: str
    """Empty where the arm gives none."""
    scores: dict[str, float]
    usage: dict[str, Any]
    facts: dict[str, Any]
    """What else is known: the plan, the ranking, the number of samples, an error."""


class EvalRecordOut(Output):
    """One way of answering, on one suite."""

    eval: str
    """Its id, for `nonet eval show`."""
    suite: str
    arm: str
    models: str
    runtime: str
    facts: dict[str, Any]
    """Seed, data with its SHA-256, window, version."""
    items: int
    created_at_s: float


class EvalOut(EvalRecordOut):
    """One way of answering, on one suite, with what came of it."""

    known: int | None
    """Items that an earlier command had answered; null where nothing was to be asked."""
    metric: str
    """The one that decides comparisons."""
    metrics: dict[str, EvalIntervalOut]
    groups: dict[str, EvalGroupOut]
    verdicts: dict[str, EvalRightOut]
    usage: EvalUsageOut
    errors: int
    """Items that ended in an error; they count as wrong."""
    answers: list[EvalAnswerOut] = Field(default_factory=list)
    """Of `nonet eval show` alone."""


class EvalComparisonOut(Output):
    """Two evaluations on the items that both have."""

    suite: str
    eval: str
    arm: str
    models: str
    against: str
    against_arm: str
    against_models: str
    metric: str
    items: int
    mean: float
    against_mean: float
    difference: EvalIntervalOut
    """By how much the first is better."""
    wins: int
    losses: int
    ties: int
    p: float
    """Of the exact two-sided sign test on wins and losses."""
    won: list[str]
    lost: list[str]
    left_out: int
    """Items that only one of the two has."""


class EvalsOut(Output):
    """`nonet eval`, `nonet eval show`, `nonet eval compare`."""

    evals: list[EvalOut]
    comparisons: list[EvalComparisonOut]


class EvalListOut(Output):
    """`nonet eval list`."""

    evals: list[EvalRecordOut]


class EvalDeleteOut(Output):
    """`nonet eval delete`."""

    deleted: list[str]


class EvalJudgeOut(Output):
    """What one judge said."""

    judge: str
    items: int
    first: int
    second: int
    tie: int
    left: int
    """How often the answer that stood on the left was chosen."""


class EvalAgreementOut(Output):
    """Two judges on the items that both have judged."""

    judges: list[str]
    items: int
    same: int
    kappa: float | None
    """Cohen's; null where chance alone explains all they say."""


class EvalTogetherOut(Output):
    """Items by what most judges say."""

    first: int
    second: int
    tie: int


class EvalJudgedOut(Output):
    """`nonet eval judge`."""

    first: str
    second: str
    judges: list[EvalJudgeOut]
    together: EvalTogetherOut
    p: float
    """Of the exact sign test on the items that are no ties."""
    agreements: list[EvalAgreementOut]


EVAL_OUTPUTS: dict[str, type[Output]] = {
    "eval": EvalsOut,
    "eval-list": EvalListOut,
    "eval-delete": EvalDeleteOut,
    "eval-judge": EvalJudgedOut,
}
