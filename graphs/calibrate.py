"""Tasks with known answers, tried on every rung of a specialist's ladder: what a calibration is made from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nonet.agents.calibration import Calibration, Rated, Trial, best_reachable, calibrate
from nonet.agents.plan import Plan, Subtask
from nonet.errors import UsageError
from nonet.graphs.records import evidence_of
from nonet.graphs.run import attach, check_task, drive_plan
from nonet.specialists import Outcome, Verdict
from nonet.specialists.confidence import confidence
from nonet.specialists.text import numbers, words

if TYPE_CHECKING:
    from nonet.graphs.session import Session
    from nonet.store import SubtaskRecord

FEWEST_TASKS = 10
_MARK = "nonet: every test passed"
OnTask = Callable[[int, int, str], None]
"""Tried, in all, and what is at work."""


class RatedOutcome(BaseModel):
    """One rung's outcome of a task, from an earlier calibration or from elsewhere."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    confidence: Annotated[float, Field(ge=0, le=1)]
    right: bool
    cost: Annotated[float, Field(ge=0)]


class KnownTask(BaseModel):
    """A line of the file: a task, and how its answer is told to be right."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: Annotated[str, Field(min_length=1)]
    specialist: str = "general"
    answer: str | list[str] = ""
    """What a right answer has in it; any of several. A number must be the answer's last one."""
    tests: list[str] = []
    """Assertions that right code passes; the specialist does not see them."""
    documents: list[Path] = []
    rungs: list[RatedOutcome] = []
    """Stored outcomes, a rung each: nothing is run then."""

    @property
    def answers(self) -> list[str]:
        return [self.answer] if isinstance(self.answer, str) else self.answer


@dataclass(frozen=True, slots=True)
class Tried:
    """One task on every rung, as it can be stored and read again."""

    task: str
    specialist: str
    rungs: Trial

    def to_json(self) -> dict[str, Any]:
        """A line that `read_tasks` takes."""
        return {"task": self.task, "specialist": self.specialist, "rungs": [asdict(rated) for rated in self.rungs]}


def read_tasks(path: Path) -> list[KnownTask]:
    """The tasks of a JSONL file. Raises UsageError, naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}.", next_step="Name a file with a task a line.") from error
    tasks = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            task = KnownTask.model_validate_json(line)
        except ValidationError as error:
            said = "; ".join(
                ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"]))) for each in error.errors()[:2]
            )
            raise UsageError(f"{path}, line {number}: {said}.", next_step=_FORM) from error
        if not (task.rungs or task.tests or any(answer.strip() for answer in task.answers)):
            raise UsageError(f"{path}, line {number}: its right answer is not given.", next_step=_FORM)
        tasks.append(task)
    if not tasks:
        raise UsageError(f"{path} has no task.", next_step=_FORM)
    return tasks


_FORM = 'A line is as {"task": "What is 6 x 7?", "answer": "42"}; docs/supervision.md has the other keys.'


async def try_tasks(session: Session, tasks: Sequence[KnownTask], on_task: OnTask) -> list[Tried]:
    """Every task once on every rung of its specialist; those with stored outcomes are taken as they are.

    Raises:
        UsageError: a specialist that does not exist. As `drive_plan` otherwise.
    """
    for task in tasks:
        if task.specialist not in session.specialists:
            raise UsageError(
                f"There is no specialist {task.specialist!r}.",
                next_step=f"There are: {', '.join(session.specialists)}.",
            )
    alone = _one_rung_at_a_time(session)
    total = sum(0 if task.rungs else len(alone[task.specialist]) for task in tasks)
    done = 0
    tried = []
    for task in tasks:
        rated = [Rated(each.confidence, each.right, each.cost) for each in task.rungs]
        for name, narrow in () if task.rungs else alone[task.specialist].items():
            on_task(done, total, f"{task.specialist} on {name}")
            rated.append(await _rated(narrow, task))
            done += 1
        tried.append(Tried(task.task, task.specialist, tuple(rated)))
    on_task(total, total, "done")
    return tried


def _one_rung_at_a_time(session: Session) -> dict[str, dict[str, Session]]:
    """By specialist and rung: the session with that rung alone, tried once, with every doubt allowed."""
    settings = session.settings.model_copy(update={"max_attempts": 1, "max_replans": 0})
    plain = replace(session, settings=settings, bars={}, wants_certainty=True)
    found: dict[str, dict[str, Session]] = {}
    for name in session.specialists:
        for rung in session.rungs(name):
            ladders = {**session.ladders, name: () if rung.host else (rung.model,)}
            remotes = {name: rung} if rung.host else {}
            found.setdefault(name, {})[rung.label] = replace(plain, ladders=ladders, remotes=remotes)
    return found


async def _rated(session: Session, task: KnownTask) -> Rated:
    check_task(task.task)
    names = await attach(session, task.documents, None)
    whole = () if task.specialist == "retrieval" else names
    subtask = Subtask(id="s1", specialist=task.specialist, instruction=task.task, documents=whole)
    result = await drive_plan(session, task.task, Plan(planner="user", subtasks=(subtask,)), names)
    kept = session.store.runs.get(result.run)
    outcome = _outcome(kept.subtasks[0])
    # Without the time of loading the model, which the next task will not pay.
    seconds = result.usage.seconds - sum(call.load_seconds for call in kept.calls)
    return Rated(confidence(outcome), await _is_right(session, task, outcome), max(0.0, seconds))


def _outcome(record: SubtaskRecord) -> Outcome:
    evidence = evidence_of(record.evidence_json)
    return Outcome(record.text, Verdict(record.verdict), evidence, data=json.loads(record.data_json))


async def _is_right(session: Session, task: KnownTask, outcome: Outcome) -> bool:
    if not task.tests:
        return any(answers_right(outcome.text, answer) for answer in task.answers)
    sandbox = session.sandbox()
    code = outcome.data.get("code")
    if sandbox is None or not isinstance(code, str):
        return False
    run = await sandbox.run("\n".join([code, *task.tests, f"print({_MARK!r})"]))
    return run.exit_status == 0 and run.stdout.rstrip().endswith(_MARK)


def answers_right(text: str, answer: str) -> bool:
    """Whether the text gives the answer: its last number is that number, or the words stand in it in a row.

    >>> answers_right("3 + 4 = 7, so she has 7.", "7"), answers_right("7 of them, or 8.", "7")
    (True, False)
    >>> answers_right("It was Ada Lovelace.", "ada lovelace")
    True
    """
    if re.fullmatch(r"[-+]?[\d.,]+", answer.strip()):
        said = re.findall(r"[-+]?\d[\d.,]*", text)
        return bool(said) and numbers(said[-1].rstrip(".,")) == numbers(answer.strip())
    wanted, given = words(answer), words(text)
    return bool(wanted) and any(given[at : at + len(wanted)] == wanted for at in range(len(given)))


@dataclass(frozen=True, slots=True)
class SpecialistReport:
    """What came of the calibration of one specialist."""

    specialist: str
    ladder: tuple[str, ...]
    wanted: float
    tasks: int
    calibration: Calibration | None
    """None: no bar has the wanted accuracy, and nothing was set."""
    reachable: float
    """The highest accuracy that any bar has on these tasks."""
    trials: tuple[Tried, ...]


def judge(session: Session, tried: Sequence[Tried], wanted: float) -> list[SpecialistReport]:
    """Choose a bar a specialist, and keep it. Raises UsageError where there are too few tasks, or too few rungs."""
    reports = []
    for name in dict.fromkeys(each.specialist for each in tried):
        mine = tuple(each for each in tried if each.specialist == name)
        trials = [each.rungs for each in mine]
        rungs = len(session.rungs(name))
        if len(mine) < FEWEST_TASKS:
            raise UsageError(
                f"{len(mine)} tasks for {name} tell nothing; at least {FEWEST_TASKS} are needed.",
                next_step="Some 50 make an interval of about 12 points either way.",
            )
        if any(len(trial) != rungs for trial in trials) or rungs < 2:  # noqa: PLR2004 - a ladder has a step
            raise UsageError(
                f"The ladder of {name} has {rungs} rungs, and {len(trials[0])} outcomes are given of a task.",
                next_step="A ladder to calibrate has two rungs or more: set models, or install a larger model.",
            )
        found = calibrate(trials, wanted)
        labels = tuple(rung.label for rung in session.rungs(name))
        reports.append(SpecialistReport(name, labels, wanted, len(mine), found, best_reachable(trials), mine))
        if found is not None:
            report = json.dumps({"wanted": wanted, **asdict(found)})
            session.store.calibrations.save(session.runtime.name, name, session.ladder_name(name), found.bar, report)
    return reports
