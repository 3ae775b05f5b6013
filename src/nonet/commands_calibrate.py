"""`nonet calibrate`: where each ladder is to be climbed, from tasks with known answers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.commands_work import open_session
from nonet.door import Flags, open_door
from nonet.progress import counter
from nonet.render import print_lines, text
from nonet.terminal import emit, run_async

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.agents.calibration import Interval, Measured
    from nonet.graphs.calibrate import SpecialistReport

FAILED = 1


def calibrate(tasks: Path, accuracy: float, flags: Flags, *, json: bool, quiet: bool) -> int:
    """Try every task on every rung, choose the bars, keep and report them."""
    door = open_door(flags, json=json, quiet=quiet)
    from nonet.graphs.calibrate import judge, read_tasks, try_tasks  # noqa: PLC0415

    known = read_tasks(tasks)

    async def work() -> list[SpecialistReport]:
        async with await open_session(door) as session:
            with counter("Trying:", quiet=quiet) as progress:
                tried = await try_tasks(session, known, progress)
            return judge(session, tried, accuracy)

    reports = run_async(work())
    if json:
        emit({"specialists": [_fields(report) for report in reports]})
    else:
        print_lines([line for report in reports for line in _lines(report)])
    return 0 if all(report.calibration is not None for report in reports) else FAILED


def _fields(report: SpecialistReport) -> dict[str, Any]:
    found = report.calibration
    return {
        "specialist": report.specialist,
        "ladder": list(report.ladder),
        "wanted": report.wanted,
        "tasks": report.tasks,
        "reachable": report.reachable,
        "set": found is not None,
        "bar": found.bar if found else None,
        "expected": asdict(found.expected) if found else None,
        "first_only": asdict(found.first_only) if found else None,
        "last_only": asdict(found.last_only) if found else None,
        "always_up": asdict(found.always_up) if found else None,
        "trials": [each.to_json() for each in report.trials],
    }


def _lines(report: SpecialistReport) -> list[Text]:
    head = text((report.specialist, "bold"), f"  {' -> '.join(report.ladder)}, {report.tasks} tasks")
    found = report.calibration
    if found is None:
        said = f"  no bar reaches {report.wanted:.0%}; the best has {report.reachable:.0%}. Nothing was set."
        return [head, text((said, "red"))]
    lines = [
        head,
        text(f"  bar {found.bar:.3f}: the next model is asked where the confidence is below it"),
        _measured("expected", found.expected),
        _measured("smallest alone", found.first_only),
        _measured("largest alone", found.last_only),
    ]
    if found.expected.accuracy.low < report.wanted:
        wanted = f"{report.wanted:.0%}"
        lines.append(text((f"  the interval reaches below {wanted}: more tasks would narrow it", "yellow")))
    return lines


def _measured(name: str, measured: Measured) -> Text:
    said = f"{_interval(measured.accuracy, 100, ' %')} right at {_interval(measured.cost, 1, ' s')} a task"
    up = f", {measured.climbed:.0%} go up" if measured.climbed else ""
    return text(f"  {name:15}{said}{up}")


def _interval(interval: Interval, factor: float, unit: str) -> str:
    mean, low, high = (value * factor for value in (interval.mean, interval.low, interval.high))
    return f"{mean:.1f}{unit} [{low:.1f}, {high:.1f}]"
