"""One specialist, no plan: a run of one subtask, kept and resumable like any other."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.agents.plan import Plan, Subtask
from nonet.errors import UsageError
from nonet.graphs.budget import Limits
from nonet.graphs.events import OnEvent
from nonet.graphs.result import RunResult, RunUsage
from nonet.graphs.run import attach, check_task, drive_plan
from nonet.specialists import Citation, Evidence, SummaryOptions, Verdict
from nonet.specialists.summary_options import check_taker

if TYPE_CHECKING:
    from nonet.graphs.session import Session


@dataclass(frozen=True, slots=True)
class AskResult:
    """What one specialist answered."""

    run: str
    specialist: str
    model: str
    verdict: Verdict
    output: str
    evidence: tuple[Evidence, ...]
    citations: tuple[Citation, ...]
    usage: RunUsage
    budget: Limits | None = None
    missing: tuple[str, ...] = ()
    """What the answer lacks, in words: it failed, or was not run."""
    notes: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the specialist gave beside its text: a typed output under "output"."""

    def to_json(self) -> dict[str, Any]:
        """The object `nonet ask --json` prints."""
        return {**asdict(self), "verdict": str(self.verdict)}


async def ask_specialist(
    session: Session,
    specialist: str,
    text: str,
    *,
    inputs: Sequence[Path] = (),
    options: SummaryOptions | None = None,
    on_event: OnEvent | None = None,
) -> AskResult:
    """Give one specialist one instruction.

    Args:
        inputs: files it reads: retrieval searches them, every other specialist gets them whole.
        options: for summarization: how the summary is to be. They count for more than the words of `text`, and are kept
            with the run.

    Raises:
        UsageError: there is no such specialist, or it takes no options. As `run_task` otherwise.
    """
    if specialist not in session.specialists:
        near = difflib.get_close_matches(specialist, session.specialists, n=1)
        raise UsageError(
            session.staff.why_missing(specialist) or f"There is no specialist {specialist!r}.",
            next_step=(f"Did you mean {near[0]!r}? " if near else "") + f"There are: {', '.join(session.specialists)}.",
        )
    check_taker(specialist, options)
    check_task(text)
    names = await attach(session, inputs, on_event)
    whole = () if specialist == "retrieval" else names
    subtask = Subtask(id="s1", specialist=specialist, instruction=text, documents=whole, options=options)
    plan = Plan(planner="user", subtasks=(subtask,))
    return _answer(await drive_plan(session, text, plan, names, on_event=on_event))


def _answer(result: RunResult) -> AskResult:
    subtask = result.subtasks[0]
    return AskResult(
        run=result.run,
        specialist=subtask.specialist,
        model=subtask.model,
        verdict=result.verdict,
        output=subtask.text,
        evidence=subtask.evidence,
        citations=subtask.citations,
        usage=result.usage,
        budget=result.budget,
        missing=result.missing,
        notes=result.notes,
        data=subtask.data,
    )
