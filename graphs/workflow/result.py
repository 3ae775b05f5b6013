"""What a run of a workflow came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from nonet.errors import WorkflowFailedError
from nonet.graphs.result import RunResult, RunUsage, SubtaskResult
from nonet.graphs.workflow.flow import Approval, State, Value
from nonet.graphs.workflow.step import Step
from nonet.specialists import Verdict

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class WorkflowResult(Generic[T]):
    """A run of a workflow. `result.output` is its output, `result[step]` that of a step, each of its type."""

    workflow: str
    """Its name."""
    ran: RunResult
    """The run, as the doors show it."""
    values: Mapping[str, Value] = field(repr=False)
    out: Value = field(repr=False)
    waiting: tuple[Approval, ...] = ()
    """What a person has to answer before it can go on."""

    @property
    def run(self) -> str:
        """Its id: what `resume`, `fork` and `nonet runs show` take."""
        return self.ran.run

    @property
    def status(self) -> str:
        """One of "done", "failed", "waiting" (for approval), "refused" (a person said no to what it needs)."""
        return self.ran.status

    @property
    def verdict(self) -> Verdict:
        """Verified if every specialist's result was; functions prove and disprove nothing."""
        return self.ran.verdict

    @property
    def output(self) -> T:
        """Raises WorkflowFailedError where there is none, with what went wrong."""
        if self.out.state is State.DONE:
            return self.out.read()  # type: ignore[no-any-return]
        raise self._no_output()

    @property
    def steps(self) -> tuple[SubtaskResult, ...]:
        """How each step ended, in an order in which each reads earlier ones only."""
        return self.ran.subtasks

    @property
    def usage(self) -> RunUsage:
        return self.ran.usage

    @property
    def notes(self) -> tuple[str, ...]:
        """What did not pass in silence: skipped steps, retries, swaps, bounds that were reached."""
        return self.ran.notes

    @overload
    def __getitem__(self, step: Step[..., Any, U]) -> U: ...
    @overload
    def __getitem__(self, step: str) -> Any: ...  # noqa: ANN401
    def __getitem__(self, step: Step[..., Any, Any] | str) -> Any:
        """A step's output; None where it was skipped. Raises KeyError, WorkflowFailedError where it has none."""
        name = step if isinstance(step, str) else step.name
        value = self.values[name]
        if value.state in (State.DONE, State.SKIPPED):
            return value.read()
        raise WorkflowFailedError(f"Step {name!r} has no output: it {value.state.value}.", next_step=self._next())

    def to_json(self) -> dict[str, Any]:
        """The object that `nonet run --workflow --json` prints."""
        return {
            **self.ran.to_json(),
            "workflow": self.workflow,
            "output": self.out.as_json(),
            "waiting": [{"step": each.step, "question": each.question} for each in self.waiting],
        }

    def _no_output(self) -> WorkflowFailedError:
        said = {
            "waiting": "waits for an answer: " + "; ".join(f"{each.step}: {each.question}" for each in self.waiting),
            "refused": "was refused",
        }.get(self.status, "has no output")
        missing = "".join(f" {each}." for each in self.ran.missing[:3])
        return WorkflowFailedError(
            f"The run {self.run} of the workflow {self.workflow!r} {said}.{missing}",
            kept="What was finished is kept.",
            next_step=self._next(),
        )

    def _next(self) -> str:
        return f"See `nonet runs show {self.run}`; go on with `resume({self.run!r})`."
