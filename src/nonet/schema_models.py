"""What is printed of models with --json: what is there, what was measured."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from nonet.schema_base import Output


class ModelOut(Output):
    """A model that is there."""

    name: str
    context_tokens: int
    size_bytes: int
    capabilities: list[str]
    """Of "chat" and "embed"."""
    loaded: bool
    digest: str


class AvailableModelOut(Output):
    """A model that `nonet models pull` can fetch."""

    name: str
    size_bytes: int
    use: str


class ModelsListOut(Output):
    """`nonet models list`."""

    runtime: str
    models: list[ModelOut]
    available: list[AvailableModelOut]


class ModelsPullOut(Output):
    """`nonet models pull`."""

    runtime: str
    pulled: list[str]
    """Names; those that were there already included."""


class CheckOut(Output):
    """One thing that the doctor looked at."""

    name: str
    status: Literal["ok", "warning", "problem"]
    """"problem": a task cannot run. "warning": it can, with less."""
    detail: str
    next_step: str
    data: dict[str, Any] = Field(default_factory=dict)


class DoctorOut(Output):
    """`nonet doctor`."""

    ready: bool
    """True: a task can run. The exit status is 0, else 3."""
    runtime: str | None
    """What would be chosen."""
    checks: list[CheckOut]


class IntervalOut(Output):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


class MeasuredOut(Output):
    """What a rule comes to: its accuracy, and its cost in seconds a task."""

    accuracy: IntervalOut
    cost: IntervalOut
    climbed: float
    """Share of the tasks that went beyond the first model."""


class CalibratedOut(Output):
    """One specialist's ladder."""

    specialist: str
    ladder: list[str]
    wanted: float
    tasks: int
    reachable: float
    """The highest accuracy that any bar has on these tasks."""
    set: bool
    """false: no bar has the accuracy, and nothing was changed."""
    bar: float | None
    """The confidence below which the next model is asked."""
    expected: MeasuredOut | None
    """On tasks that the bar was not chosen by."""
    first_only: MeasuredOut | None
    last_only: MeasuredOut | None
    always_up: MeasuredOut | None
    trials: list[dict[str, Any]]
    """A line each for another `nonet calibrate`, which then runs nothing."""


class CalibrateOut(Output):
    """`nonet calibrate`."""

    specialists: list[CalibratedOut]


MODEL_OUTPUTS: dict[str, type[Output]] = {
    "models-list": ModelsListOut,
    "models-pull": ModelsPullOut,
    "doctor": DoctorOut,
    "calibrate": CalibrateOut,
}
