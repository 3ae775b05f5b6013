"""`nonet specialists`: who works here, where they come from, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nonet.door import Flags, open_door
from nonet.errors import SpecialistError
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, say

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.settings import Settings
    from nonet.specialists import Specialist
    from nonet.specialists.staff import Staff

_MOST_EXAMPLES = 20


def staff_of(settings: Settings) -> Staff:
    """Who works here, by these settings."""
    from nonet.specialists.staff import find_staff  # noqa: PLC0415

    return find_staff(settings.specialists)


def show_all(flags: Flags, *, json: bool) -> int:
    """List them."""
    settings = open_door(flags).loaded.settings
    staff = staff_of(settings)
    told = [_fields(name, staff, settings) for name in staff.specialists]
    if json:
        problems = [{"name": each.name, "from": each.origin, "reason": each.reason} for each in staff.problems]
        emit({"specialists": told, "problems": problems})
        return 0
    rows = [[each["name"], each["from"], ", ".join(each["models"]), each["description"]] for each in told]
    print_lines(columns(rows, ("cyan", "dim", "dim", ""), indent=""))
    for problem in staff.problems:
        say(f"Warning: {problem.told()}")
    return 0


def show(name: str, flags: Flags, *, json: bool) -> int:
    """All about one. Raises SpecialistError where there is none of that name."""
    settings = open_door(flags).loaded.settings
    staff = staff_of(settings)
    if name not in staff.specialists:
        raise SpecialistError(
            staff.why_missing(name) or f"There is no specialist {name!r}.",
            next_step=f"There are: {', '.join(staff.specialists)}.",
        )
    specialist = staff.specialists[name]
    told = {**_fields(name, staff, settings), "examples": list(specialist.examples), **_parts(specialist)}
    if json:
        emit(told)
        return 0
    print_lines(_lines(told))
    return 0


def _fields(name: str, staff: Staff, settings: Settings) -> dict[str, Any]:
    from nonet.graphs.ladders import wanted_ladder  # noqa: PLC0415

    return {
        "name": name,
        "description": staff.specialists[name].description,
        "from": staff.origins[name],
        "models": list(wanted_ladder(settings, name, staff.models)),
    }


def _parts(specialist: Specialist) -> dict[str, Any]:
    """What a specialist that is made of parts is made of; those that are code alone have none."""
    from nonet.specialists.output_schema import schema_of  # noqa: PLC0415
    from nonet.specialists.tools import name_of  # noqa: PLC0415

    output = getattr(specialist, "output", None)
    return {
        "prompt": getattr(specialist, "prompt", "") or None,
        "output": schema_of(output) if output is not None else None,
        "tools": [name_of(each) for each in getattr(specialist, "tools", ())],
    }


def _lines(told: Mapping[str, Any]) -> list[Text]:
    from nonet.specialists.output_schema import described  # noqa: PLC0415

    lines = [text((told["name"], "bold"), f"  {told['description']}")]
    rows = [["from", told["from"]], ["models", ", ".join(told["models"])]]
    if told["tools"]:
        rows.append(["tools", ", ".join(told["tools"])])
    lines += columns(rows, ("cyan", ""))
    if told["prompt"]:
        lines += [text(("Prompt", "bold")), *(text(f"  {line}") for line in told["prompt"].splitlines())]
    if told["output"] is not None:
        lines += [text(("Output", "bold")), *(text(f"  {line}") for line in described(told["output"]).splitlines()[1:])]
    shown = told["examples"][:_MOST_EXAMPLES]
    lines += [text(("Gets requests such as", "bold")), *(text(f"  {each}") for each in shown)]
    if not shown:
        lines.append(text("  none: the planner gives it nothing; name it with nonet ask, or in a workflow"))
    return lines
